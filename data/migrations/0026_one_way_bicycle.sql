-- Ways whose one-way sign says something else to bicycles or to people on foot than to cars.

ALTER TABLE roads ADD COLUMN oneway_bicycle INTEGER;
COMMENT ON COLUMN roads.oneway_bicycle IS 'Bicycles and e-bikes go along the line only (1), against it only (-1), both ways (0); null: nothing is said, oneway holds on streets';
ALTER TABLE roads ADD COLUMN oneway_foot INTEGER;
COMMENT ON COLUMN roads.oneway_foot IS 'People on foot go along the line only (1), against it only (-1), both ways (0 or null), e.g. an escalator';
COMMENT ON COLUMN roads.oneway IS 'Vehicles go along the line only (1), against it only (-1), both ways (0 or null)';
