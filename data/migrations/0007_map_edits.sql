-- Gates and walls set by hand: what somebody saw with their own eyes stays, whatever file is imported later. Times are UTC.

ALTER TABLE gates ADD COLUMN verified_utc TIMESTAMP;
COMMENT ON COLUMN gates.verified_utc IS 'UTC; when somebody last set or confirmed place and hours by hand, null for gates that only a file told of; imports never overwrite verified rows';
ALTER TABLE walls ADD COLUMN verified_utc TIMESTAMP;
COMMENT ON COLUMN walls.verified_utc IS 'UTC; when somebody last drew or confirmed it by hand, null for walls that only a file told of; imports never overwrite verified rows';

CREATE TABLE map_removals (
    feature_id VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    removed_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (feature_id, table_name),
    CHECK (table_name IN ('gates', 'walls'))
);
COMMENT ON TABLE map_removals IS 'Gates and walls that somebody took off the map by hand: no import brings them back.';
COMMENT ON COLUMN map_removals.feature_id IS 'Id of the gate or wall';
COMMENT ON COLUMN map_removals.table_name IS 'gates or walls';
COMMENT ON COLUMN map_removals.removed_utc IS 'UTC';
