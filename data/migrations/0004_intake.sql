-- Intake of incidents as they happen: where each was said to be and how sure that is, and answers that were given.
-- An incident that nobody could place yet has no geometry: it waits in a list. Times are UTC.

ALTER TABLE incidents ALTER COLUMN geom DROP NOT NULL;
COMMENT ON COLUMN incidents.geom IS 'Point; null while nobody knows where it is';
COMMENT ON COLUMN incidents.status IS 'received, placed, dispatched, accepted, on_scene, handled, closed, cancelled or duplicate: what its events lead to (incidents/life_cycle.py); new and arrived in files that were imported earlier';

ALTER TABLE incidents ADD COLUMN sent_by VARCHAR;
COMMENT ON COLUMN incidents.sent_by IS 'Name of the key of the system that sent it, or account; null for imports and the sample';
ALTER TABLE incidents ADD COLUMN place_source VARCHAR;
COMMENT ON COLUMN incidents.place_source IS 'coordinates, address, both or hand; null for imports, the sample and what is not placed';
ALTER TABLE incidents ADD COLUMN place_confidence DOUBLE;
COMMENT ON COLUMN incidents.place_confidence IS 'How sure the place is, 0 to 1 (data/incident_places.py)';
ALTER TABLE incidents ADD COLUMN place_reason VARCHAR;
COMMENT ON COLUMN incidents.place_reason IS 'Code of what counts most against the place, or why there is none';
ALTER TABLE incidents ADD COLUMN place_gap_m DOUBLE;
COMMENT ON COLUMN incidents.place_gap_m IS 'Metres between the coordinates and the address that were said, null unless both were';
ALTER TABLE incidents ADD COLUMN said_crs VARCHAR;
COMMENT ON COLUMN incidents.said_crs IS 'Coordinate system in which the place was said: WGS84, CGCS2000, GCJ02, BD09 or LOCAL (the community''s metric CRS)';
ALTER TABLE incidents ADD COLUMN said_x DOUBLE;
COMMENT ON COLUMN incidents.said_x IS 'Longitude in degrees, or east in metres, as it was said';
ALTER TABLE incidents ADD COLUMN said_y DOUBLE;
COMMENT ON COLUMN incidents.said_y IS 'Latitude in degrees, or north in metres, as it was said';
ALTER TABLE incidents ADD COLUMN caller_address VARCHAR;
COMMENT ON COLUMN incidents.caller_address IS '[person] Where the caller was, in words: another place than that of the incident';
ALTER TABLE incidents ADD COLUMN caller_place VARCHAR;
COMMENT ON COLUMN incidents.caller_place IS '[person] Where the caller was, POINT as text in the community''s CRS';
ALTER TABLE incidents ADD COLUMN duplicate_of VARCHAR;
COMMENT ON COLUMN incidents.duplicate_of IS 'The incident that this one repeats, as somebody decided; null otherwise';

CREATE TABLE intake_answers (
    answer_id VARCHAR NOT NULL,
    request_sha256 VARCHAR NOT NULL,
    status INTEGER NOT NULL,
    answer VARCHAR NOT NULL,
    answered_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (answer_id)
);
COMMENT ON TABLE intake_answers IS 'Answers to requests that carried an Idempotency-Key: a repeat gets the first one.';
COMMENT ON COLUMN intake_answers.answer_id IS 'SHA-256 of the name of the key of the system and its Idempotency-Key, hexadecimal';
COMMENT ON COLUMN intake_answers.request_sha256 IS 'SHA-256 of the body of the first request, hexadecimal';
COMMENT ON COLUMN intake_answers.status IS 'HTTP status of the answer';
COMMENT ON COLUMN intake_answers.answer IS 'The answer as it was sent; ids, places and codes, never a person''s field';
COMMENT ON COLUMN intake_answers.answered_utc IS 'UTC; kept for some days';
