-- Ways that vehicles may go in one direction only.

ALTER TABLE roads ADD COLUMN oneway INTEGER;
COMMENT ON COLUMN roads.oneway IS 'Vehicles go along the line only (1), against it only (-1), both ways (0 or null); people on foot always both';
