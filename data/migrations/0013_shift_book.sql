-- The shift book (交接班): what is broken on the ways, and how one shift handed over to the next. Times are UTC.
-- Free texts are of places and are masked when they come in, as audit_log.reason.

CREATE TABLE defects (
    defect_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    gate_id VARCHAR,
    place VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    reported_utc TIMESTAMP NOT NULL,
    reported_by VARCHAR NOT NULL,
    mended_utc TIMESTAMP,
    mended_by VARCHAR,
    mended_note VARCHAR,
    PRIMARY KEY (defect_id),
    CHECK (kind IN ('gate', 'light', 'door', 'camera', 'road', 'other')),
    CHECK ((mended_utc IS NULL) = (mended_by IS NULL))
);
COMMENT ON TABLE defects IS 'Broken gates, lights and the like; the row is what its events lead to.';
COMMENT ON COLUMN defects.defect_id IS 'Stable id';
COMMENT ON COLUMN defects.kind IS 'gate, light, door, camera, road or other';
COMMENT ON COLUMN defects.gate_id IS 'Gate, null where it is none of the map';
COMMENT ON COLUMN defects.place IS 'Where, as spoken: a place, masked as audit_log.reason';
COMMENT ON COLUMN defects.note IS 'What is broken, masked as audit_log.reason';
COMMENT ON COLUMN defects.reported_utc IS 'UTC';
COMMENT ON COLUMN defects.reported_by IS 'Name of the account';
COMMENT ON COLUMN defects.mended_utc IS 'UTC; null while it is broken';
COMMENT ON COLUMN defects.mended_by IS 'Name of the account that said so';
COMMENT ON COLUMN defects.mended_note IS 'What was done, masked as audit_log.reason';

CREATE TABLE handovers (
    handover_id VARCHAR NOT NULL,
    content JSON NOT NULL,
    content_sha256 VARCHAR NOT NULL,
    remarks VARCHAR NOT NULL,
    given_account_id VARCHAR NOT NULL,
    given_by VARCHAR NOT NULL,
    given_utc TIMESTAMP NOT NULL,
    taken_account_id VARCHAR,
    taken_by VARCHAR,
    taken_utc TIMESTAMP,
    PRIMARY KEY (handover_id),
    CHECK (taken_account_id IS NULL OR taken_account_id <> given_account_id),
    CHECK ((taken_account_id IS NULL) = (taken_utc IS NULL))
);
COMMENT ON TABLE handovers IS 'One shift hands over to the next: what was open then, signed by both.';
COMMENT ON COLUMN handovers.handover_id IS 'Stable id';
COMMENT ON COLUMN handovers.content IS 'What was open when the first signed: roster, incidents, zones, defects by ids, codes, call signs and places';
COMMENT ON COLUMN handovers.content_sha256 IS 'SHA-256 of content and remarks, hexadecimal: what both signed';
COMMENT ON COLUMN handovers.remarks IS 'What else the next shift has to know, masked as audit_log.reason';
COMMENT ON COLUMN handovers.given_account_id IS 'Account that handed over';
COMMENT ON COLUMN handovers.given_by IS 'Its name';
COMMENT ON COLUMN handovers.given_utc IS 'UTC; when it signed';
COMMENT ON COLUMN handovers.taken_account_id IS 'Account that took over, another one; null until then';
COMMENT ON COLUMN handovers.taken_by IS 'Its name';
COMMENT ON COLUMN handovers.taken_utc IS 'UTC; when it signed';
