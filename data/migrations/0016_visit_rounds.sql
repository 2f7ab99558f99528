-- Rounds of visits: what a phone or paper carries outside, from the office until the round is over. Times are UTC.
-- Opening and ending are events as well (`round.opened`, `round.closed`).

CREATE TABLE visit_rounds (
    round_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    opened_utc TIMESTAMP NOT NULL,
    ends_utc TIMESTAMP NOT NULL,
    closed_utc TIMESTAMP,
    closed_by VARCHAR,
    PRIMARY KEY (round_id),
    CHECK ((closed_utc IS NULL) = (closed_by IS NULL))
);
COMMENT ON TABLE visit_rounds IS 'Rounds of visits (一轮走访): inspection packs are valid while theirs lasts. An account has one open round at most.';
COMMENT ON COLUMN visit_rounds.round_id IS 'Stable id';
COMMENT ON COLUMN visit_rounds.account_id IS 'Account that carries the packs';
COMMENT ON COLUMN visit_rounds.opened_utc IS 'UTC; when the first pack was taken out';
COMMENT ON COLUMN visit_rounds.ends_utc IS 'UTC; the latest at which it is over, whoever forgot to end it';
COMMENT ON COLUMN visit_rounds.closed_utc IS 'UTC; when it was ended, null before';
COMMENT ON COLUMN visit_rounds.closed_by IS 'Account that ended it, or server';

CREATE TABLE visit_stops (
    round_id VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    seat INTEGER NOT NULL,
    PRIMARY KEY (round_id, task_id)
);
COMMENT ON TABLE visit_stops IS 'Tasks of a round, in the order in which they are to be visited.';
COMMENT ON COLUMN visit_stops.round_id IS 'Round';
COMMENT ON COLUMN visit_stops.task_id IS 'Task';
COMMENT ON COLUMN visit_stops.seat IS 'Place in the order, from 1';

CREATE TABLE visit_answers (
    answer_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    request_sha256 VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    answered_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (answer_id)
);
COMMENT ON TABLE visit_answers IS 'Answers to what a phone sent: a repeat gets the first one, however often the line breaks.';
COMMENT ON COLUMN visit_answers.answer_id IS 'SHA-256 of the account and of the sender''s own key, hexadecimal';
COMMENT ON COLUMN visit_answers.account_id IS 'Account';
COMMENT ON COLUMN visit_answers.request_sha256 IS 'SHA-256 of the first request, hexadecimal';
COMMENT ON COLUMN visit_answers.answer IS 'The answer as it was sent: ids and codes, never a person''s field';
COMMENT ON COLUMN visit_answers.answered_utc IS 'UTC; kept for some weeks';

ALTER TABLE task_evidence ADD COLUMN clock_skew_s DOUBLE;
COMMENT ON COLUMN task_evidence.clock_skew_s IS 'Seconds that were added to the sender''s clock to make captured_utc, as measured when the round was loaded; null where nothing was measured';
