-- Beats and repeat-alarm zones: what was decided about a place, by whom, until when, and what came of it. Times are UTC.
-- Free texts are masked when they come in (data/intake.py), as audit_log.reason. Each change is an event as well.

CREATE TABLE zones (
    zone_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    kinds VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    owner_account_id VARCHAR,
    shift VARCHAR NOT NULL,
    partners VARCHAR NOT NULL,
    opened_on DATE NOT NULL,
    opened_by VARCHAR,
    review_on DATE NOT NULL,
    starts_on DATE,
    lot_id VARCHAR,
    closed_on DATE,
    result VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (zone_id),
    CHECK (kind IN ('beat', 'repeat_alarm')),
    CHECK (status IN ('open', 'closed')),
    CHECK (source IN ('analysis', 'drawn')),
    CHECK ((status = 'closed') = (closed_on IS NOT NULL)),
    CHECK ((status = 'closed') = (result IS NOT NULL))
);
COMMENT ON TABLE zones IS 'Beats (巡区) and repeat-alarm zones (多次报警区域). They may overlap; a row is closed, never deleted.';
COMMENT ON COLUMN zones.zone_id IS 'Stable id';
COMMENT ON COLUMN zones.name IS 'Name as spoken, of a place, never of a person';
COMMENT ON COLUMN zones.kind IS 'beat or repeat_alarm';
COMMENT ON COLUMN zones.status IS 'open or closed';
COMMENT ON COLUMN zones.source IS 'analysis (outline of a place that the analysis found) or drawn';
COMMENT ON COLUMN zones.kinds IS 'Codes of the kinds of incident that it is about, joined by spaces; empty for all';
COMMENT ON COLUMN zones.reason IS 'Why it was opened, or why it goes on; masked as audit_log.reason';
COMMENT ON COLUMN zones.owner_account_id IS 'Account that answers for it, null while nobody does';
COMMENT ON COLUMN zones.shift IS 'When it is patrolled, as spoken; empty where nothing is fixed';
COMMENT ON COLUMN zones.partners IS 'Who joins in (联防), as spoken; empty for nobody';
COMMENT ON COLUMN zones.opened_on IS 'Date in Shanghai';
COMMENT ON COLUMN zones.opened_by IS 'Account that opened it';
COMMENT ON COLUMN zones.review_on IS 'Date by which it is closed with its result, or goes on with a reason';
COMMENT ON COLUMN zones.starts_on IS 'First day of the measures, what before and after are told by; null while it is not fixed';
COMMENT ON COLUMN zones.lot_id IS 'Lot that starts_on was drawn in, null where it was chosen: see the event zone.lot';
COMMENT ON COLUMN zones.closed_on IS 'Date in Shanghai, null while it is open';
COMMENT ON COLUMN zones.result IS 'What came of it, masked as audit_log.reason; null while it is open';
COMMENT ON COLUMN zones.geom IS 'Polygon or multipolygon';

CREATE TABLE zone_measures (
    measure_id VARCHAR NOT NULL,
    zone_id VARCHAR NOT NULL,
    done_on DATE NOT NULL,
    text VARCHAR NOT NULL,
    PRIMARY KEY (measure_id)
);
COMMENT ON TABLE zone_measures IS 'What was done in a zone.';
COMMENT ON COLUMN zone_measures.measure_id IS 'Stable id';
COMMENT ON COLUMN zone_measures.zone_id IS 'Zone';
COMMENT ON COLUMN zone_measures.done_on IS 'Date in Shanghai';
COMMENT ON COLUMN zone_measures.text IS 'What was done, masked as audit_log.reason';
