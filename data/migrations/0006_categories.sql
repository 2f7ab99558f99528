-- What a kind of incident brings with it: how urgent, how drawn, by when, and the key under which it is typed. Null:
-- as the kind above says; the file of a city sets what differs.

ALTER TABLE incident_categories ADD COLUMN urgency VARCHAR;
COMMENT ON COLUMN incident_categories.urgency IS 'urgent, normal or not_police: what is preset when one is taken in; null: as the kind above';
ALTER TABLE incident_categories ADD COLUMN colour VARCHAR;
COMMENT ON COLUMN incident_categories.colour IS '#rrggbb of its symbol in lists and on the map, never a saturated red; null: as the kind above';
ALTER TABLE incident_categories ADD COLUMN symbol VARCHAR;
COMMENT ON COLUMN incident_categories.symbol IS 'One or two characters that stand for it; null: as the kind above';
ALTER TABLE incident_categories ADD COLUMN key VARCHAR;
COMMENT ON COLUMN incident_categories.key IS 'A digit or small letter under which it is typed, once among its neighbours; null: it has none';
ALTER TABLE incident_categories ADD COLUMN target_dispatch_minutes DOUBLE;
COMMENT ON COLUMN incident_categories.target_dispatch_minutes IS 'Minutes from the report within which somebody is to be sent; null: as the kind above';
ALTER TABLE incident_categories ADD COLUMN target_minutes DOUBLE;
COMMENT ON COLUMN incident_categories.target_minutes IS 'Minutes from the report within which somebody is to be on scene; null: as the kind above';
ALTER TABLE incident_categories ADD COLUMN target_close_minutes DOUBLE;
COMMENT ON COLUMN incident_categories.target_close_minutes IS 'Minutes from the report within which it is to be handled; null: as the kind above';
