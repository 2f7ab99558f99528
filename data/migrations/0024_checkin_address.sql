-- Where phones find a check-in server: it stands in the codes of posters and cards.

ALTER TABLE checkin_servers ADD COLUMN address VARCHAR;
COMMENT ON COLUMN checkin_servers.address IS 'Address that phones open, e.g. https://daka.example.cn; null where nobody said';
