-- Patrol plans (巡防计划): what was asked, the routes that were found, who approved them, and what was done of them.
-- Each change of a plan is an event as well (`patrol.…` in events); the rows are what the events lead to. Times are UTC.

CREATE TABLE patrol_plans (
    plan_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    begin_utc TIMESTAMP NOT NULL,
    end_utc TIMESTAMP NOT NULL,
    seed BIGINT NOT NULL,
    asked JSON NOT NULL,
    found JSON NOT NULL,
    proposed_utc TIMESTAMP NOT NULL,
    proposed_by VARCHAR NOT NULL,
    revised_utc TIMESTAMP,
    revised_by VARCHAR,
    approved_utc TIMESTAMP,
    approved_by VARCHAR,
    started_utc TIMESTAMP,
    started_by VARCHAR,
    ended_utc TIMESTAMP,
    ended_by VARCHAR,
    PRIMARY KEY (plan_id),
    CHECK (state IN ('proposed', 'approved', 'running', 'done', 'dropped')),
    CHECK (begin_utc < end_utc)
);
COMMENT ON TABLE patrol_plans IS 'Plans of one shift''s patrol; a row is dropped by its state, never deleted.';
COMMENT ON COLUMN patrol_plans.plan_id IS 'Stable id';
COMMENT ON COLUMN patrol_plans.state IS 'proposed, approved, running, done or dropped (before it ran)';
COMMENT ON COLUMN patrol_plans.revision IS 'From 1, one more each time that it was planned again';
COMMENT ON COLUMN patrol_plans.begin_utc IS 'UTC; begin of the shift';
COMMENT ON COLUMN patrol_plans.end_utc IS 'UTC; end of the shift';
COMMENT ON COLUMN patrol_plans.seed IS 'Of the random times: the same seed and input give the same plan';
COMMENT ON COLUMN patrol_plans.asked IS 'What was asked: settings, places with weights and hours, who is out, stops locked and taken out';
COMMENT ON COLUMN patrol_plans.found IS 'What came out: routes with times, ways and gates, what is covered, what is left out and why';
COMMENT ON COLUMN patrol_plans.proposed_utc IS 'UTC';
COMMENT ON COLUMN patrol_plans.proposed_by IS 'Account';
COMMENT ON COLUMN patrol_plans.revised_utc IS 'UTC; when it was last planned again, null when never';
COMMENT ON COLUMN patrol_plans.revised_by IS 'Account';
COMMENT ON COLUMN patrol_plans.approved_utc IS 'UTC; null before';
COMMENT ON COLUMN patrol_plans.approved_by IS 'Account';
COMMENT ON COLUMN patrol_plans.started_utc IS 'UTC; null before';
COMMENT ON COLUMN patrol_plans.started_by IS 'Account, or server at its time';
COMMENT ON COLUMN patrol_plans.ended_utc IS 'UTC; when it was done or dropped, null before';
COMMENT ON COLUMN patrol_plans.ended_by IS 'Account, or server at its time';

CREATE TABLE patrol_stops (
    plan_id VARCHAR NOT NULL,
    stop_id VARCHAR NOT NULL,
    team_no INTEGER NOT NULL,
    stop_no INTEGER NOT NULL,
    place_id VARCHAR NOT NULL,
    arrival_utc TIMESTAMP NOT NULL,
    begin_utc TIMESTAMP NOT NULL,
    leave_utc TIMESTAMP NOT NULL,
    covered DOUBLE NOT NULL,
    is_locked BOOLEAN NOT NULL,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (plan_id, stop_id)
);
COMMENT ON TABLE patrol_stops IS 'Stops of the plans as they are now (patrol_plans.found has them with their ways).';
COMMENT ON COLUMN patrol_stops.plan_id IS 'Plan';
COMMENT ON COLUMN patrol_stops.stop_id IS 'Id within the plan';
COMMENT ON COLUMN patrol_stops.team_no IS 'Team, from 1';
COMMENT ON COLUMN patrol_stops.stop_no IS 'Place in the team''s order, from 1';
COMMENT ON COLUMN patrol_stops.place_id IS 'zone:ID, hot:ID or fixed:ID';
COMMENT ON COLUMN patrol_stops.arrival_utc IS 'UTC; when they are there';
COMMENT ON COLUMN patrol_stops.begin_utc IS 'UTC; when the stop begins, not before they are there';
COMMENT ON COLUMN patrol_stops.leave_utc IS 'UTC; when they go on';
COMMENT ON COLUMN patrol_stops.covered IS 'Incidents expected within reach while they stand there';
COMMENT ON COLUMN patrol_stops.is_locked IS 'True: it stays with its team at its time when the rest is planned again';
COMMENT ON COLUMN patrol_stops.geom IS 'Point where they stand';

CREATE TABLE patrol_members (
    plan_id VARCHAR NOT NULL,
    team_no INTEGER NOT NULL,
    responder_id VARCHAR NOT NULL,
    PRIMARY KEY (plan_id, responder_id)
);
COMMENT ON TABLE patrol_members IS 'Who walks a plan''s routes, as responders.';
COMMENT ON COLUMN patrol_members.plan_id IS 'Plan';
COMMENT ON COLUMN patrol_members.team_no IS 'Team, from 1';
COMMENT ON COLUMN patrol_members.responder_id IS 'Responder';

CREATE TABLE patrol_presences (
    presence_id VARCHAR NOT NULL,
    plan_id VARCHAR NOT NULL,
    place_id VARCHAR,
    responder_id VARCHAR,
    from_utc TIMESTAMP NOT NULL,
    to_utc TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    geom GEOMETRY,
    PRIMARY KEY (presence_id),
    CHECK (from_utc <= to_utc),
    CHECK (source IN ('position', 'check_in', 'said'))
);
COMMENT ON TABLE patrol_presences IS 'When somebody of a running plan was at one of its places: no other place and no way of theirs is kept.';
COMMENT ON COLUMN patrol_presences.presence_id IS 'Stable id';
COMMENT ON COLUMN patrol_presences.plan_id IS 'Plan';
COMMENT ON COLUMN patrol_presences.place_id IS 'Place of the plan; null: their radio was heard, at none of its places';
COMMENT ON COLUMN patrol_presences.responder_id IS 'Who, null once it is older than retention allows: minutes at places stay, not whose they were';
COMMENT ON COLUMN patrol_presences.from_utc IS 'UTC; first time they were heard there';
COMMENT ON COLUMN patrol_presences.to_utc IS 'UTC; last time';
COMMENT ON COLUMN patrol_presences.source IS 'position (radio or roll call), check_in or said';
COMMENT ON COLUMN patrol_presences.geom IS 'Point of the place, never of the person; null where place_id is';

CREATE TABLE patrol_reasons (
    plan_id VARCHAR NOT NULL,
    stop_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    said_utc TIMESTAMP NOT NULL,
    said_by VARCHAR NOT NULL,
    PRIMARY KEY (plan_id, stop_id)
);
COMMENT ON TABLE patrol_reasons IS 'Why a stop was missed, where somebody said so.';
COMMENT ON COLUMN patrol_reasons.plan_id IS 'Plan';
COMMENT ON COLUMN patrol_reasons.stop_id IS 'Stop of it';
COMMENT ON COLUMN patrol_reasons.reason IS 'In words, masked as audit_log.reason';
COMMENT ON COLUMN patrol_reasons.said_utc IS 'UTC';
COMMENT ON COLUMN patrol_reasons.said_by IS 'Account';
