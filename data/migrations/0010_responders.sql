-- Who can be sent: vehicle, skills, whether they are ready, when they were last sent, and how their position is known.
-- And what may be sent to what, where a place has rules of its own (the product's are in incidents/sending_rules.csv).

ALTER TABLE responders ADD COLUMN vehicle VARCHAR DEFAULT 'foot';
COMMENT ON COLUMN responders.vehicle IS 'foot, ebike or car: what they go with';
ALTER TABLE responders ADD COLUMN skills VARCHAR DEFAULT '';
COMMENT ON COLUMN responders.skills IS 'Codes of what they are trained for, joined by spaces; empty for none';
ALTER TABLE responders ADD COLUMN status VARCHAR DEFAULT 'off';
COMMENT ON COLUMN responders.status IS 'off, ready, not_ready, on_the_way or on_scene, as it was last said; counts for some hours, then their duty hours do';
ALTER TABLE responders ADD COLUMN status_utc TIMESTAMP;
COMMENT ON COLUMN responders.status_utc IS 'UTC; when the status was said, null when never';
ALTER TABLE responders ADD COLUMN no_night_duty BOOLEAN DEFAULT false;
COMMENT ON COLUMN responders.no_night_duty IS 'True: never sent at night (over 65, or it was asked for); no age and no reason is kept';
ALTER TABLE responders ADD COLUMN last_sent_utc TIMESTAMP;
COMMENT ON COLUMN responders.last_sent_utc IS 'UTC; when they were last sent somewhere';
ALTER TABLE responders ADD COLUMN last_off_utc TIMESTAMP;
COMMENT ON COLUMN responders.last_off_utc IS 'UTC; when they last came free again: their rest begins there';
ALTER TABLE responders ADD COLUMN position_source VARCHAR;
COMMENT ON COLUMN responders.position_source IS 'radio (sent by a system), roll_call, hand or sample; null where there is no position';
ALTER TABLE responders ADD COLUMN position_accuracy_m DOUBLE;
COMMENT ON COLUMN responders.position_accuracy_m IS 'How far off the position may be, metres; null where nobody said';

CREATE TABLE sending_rules (
    category VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    may VARCHAR,
    skill VARCHAR,
    skill_needed BOOLEAN,
    PRIMARY KEY (category, kind),
    CHECK (may IN ('yes', 'with_police', 'no'))
);
COMMENT ON TABLE sending_rules IS 'What may be sent to what, where this place decided otherwise than incidents/sending_rules.csv.';
COMMENT ON COLUMN sending_rules.category IS 'Code in incident_categories, for it and all below it; * for all';
COMMENT ON COLUMN sending_rules.kind IS 'Kind of responder; * for all';
COMMENT ON COLUMN sending_rules.may IS 'yes, with_police (only together with police) or no; null: as the rule above';
COMMENT ON COLUMN sending_rules.skill IS 'Code of the skill that helps there; null: as the rule above';
COMMENT ON COLUMN sending_rules.skill_needed IS 'True: nobody without the skill is sent';
