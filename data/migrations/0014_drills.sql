-- Drills (演练): a store of its own, a copy of the community without its incidents and persons, in which a scenario runs.
-- Texts of a scenario are masked when it is read, as audit_log.reason. Times are UTC.

ALTER TABLE community ADD COLUMN drill BOOLEAN;
COMMENT ON COLUMN community.drill IS 'True in a drill store: every page says so, nothing is sent to other systems, nothing is backed up; null and false are none';

CREATE TABLE drills (
    drill_id VARCHAR NOT NULL,
    scenario VARCHAR NOT NULL,
    copied_from VARCHAR NOT NULL,
    made_utc TIMESTAMP NOT NULL,
    started_utc TIMESTAMP,
    PRIMARY KEY (drill_id)
);
COMMENT ON TABLE drills IS 'The drill (演练) of a drill store: one row, none in any other store.';
COMMENT ON COLUMN drills.drill_id IS 'Stable id';
COMMENT ON COLUMN drills.scenario IS 'Name of the scenario''s file';
COMMENT ON COLUMN drills.copied_from IS 'Name of the store that was copied';
COMMENT ON COLUMN drills.made_utc IS 'UTC; when the drill store was made';
COMMENT ON COLUMN drills.started_utc IS 'UTC; when it was first served, from which the minutes count; null before';

CREATE TABLE drill_alarms (
    alarm_no INTEGER NOT NULL,
    incident_id VARCHAR NOT NULL,
    after_s DOUBLE NOT NULL,
    address VARCHAR,
    said_x DOUBLE,
    said_y DOUBLE,
    said_crs VARCHAR,
    category VARCHAR NOT NULL,
    urgency VARCHAR NOT NULL,
    said VARCHAR,
    expectation VARCHAR,
    PRIMARY KEY (alarm_no)
);
COMMENT ON TABLE drill_alarms IS 'Alarms of the scenario; one has come in when the incident of its id is there.';
COMMENT ON COLUMN drill_alarms.alarm_no IS 'From 1, in the order of their times';
COMMENT ON COLUMN drill_alarms.incident_id IS 'Id under which it comes in, once';
COMMENT ON COLUMN drill_alarms.after_s IS 'Seconds after the start';
COMMENT ON COLUMN drill_alarms.address IS 'Place in words, masked as audit_log.reason';
COMMENT ON COLUMN drill_alarms.said_x IS 'Longitude in degrees, or east in metres, as the file says';
COMMENT ON COLUMN drill_alarms.said_y IS 'Latitude in degrees, or north in metres, as the file says';
COMMENT ON COLUMN drill_alarms.said_crs IS 'Coordinate system as in incidents.said_crs';
COMMENT ON COLUMN drill_alarms.category IS 'Code in incident_categories';
COMMENT ON COLUMN drill_alarms.urgency IS 'urgent, normal or not_police';
COMMENT ON COLUMN drill_alarms.said IS 'What is said on the telephone, masked as audit_log.reason';
COMMENT ON COLUMN drill_alarms.expectation IS 'What is expected of those who are drilled, masked likewise; told only after the alarm has come in';
