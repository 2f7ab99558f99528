-- Who was sent to which incident, what was known when it was decided, and what other systems of the office still have to
-- be told. Times are UTC. Ids and codes only; free texts are masked when they come in, as audit_log.reason.

CREATE TABLE dispatch_decisions (
    decision_id VARCHAR NOT NULL,
    incident_id VARCHAR NOT NULL,
    decided_utc TIMESTAMP NOT NULL,
    decided_by VARCHAR NOT NULL,
    by_hand BOOLEAN NOT NULL,
    rank INTEGER,
    advice JSON,
    reason VARCHAR,
    PRIMARY KEY (decision_id)
);
COMMENT ON TABLE dispatch_decisions IS 'What the ranking knew when somebody was sent; written once, never changed.';
COMMENT ON COLUMN dispatch_decisions.decision_id IS 'Stable id';
COMMENT ON COLUMN dispatch_decisions.incident_id IS 'Incident';
COMMENT ON COLUMN dispatch_decisions.decided_utc IS 'UTC';
COMMENT ON COLUMN dispatch_decisions.decided_by IS 'Name of the account that decided';
COMMENT ON COLUMN dispatch_decisions.by_hand IS 'True when somebody else than the ranking proposed was sent';
COMMENT ON COLUMN dispatch_decisions.rank IS 'Place of the responder in the ranking from 1, null when it left them out';
COMMENT ON COLUMN dispatch_decisions.advice IS 'The ranking as it was shown: ids, codes and figures; null when there was none';
COMMENT ON COLUMN dispatch_decisions.reason IS 'Why, masked as audit_log.reason; null where nobody wrote one';

CREATE TABLE dispatches (
    dispatch_id VARCHAR NOT NULL,
    incident_id VARCHAR NOT NULL,
    responder_id VARCHAR NOT NULL,
    decision_id VARCHAR,
    kind VARCHAR NOT NULL,
    way VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    sent_utc TIMESTAMP NOT NULL,
    sent_by VARCHAR NOT NULL,
    from_dispatch_id VARCHAR,
    answered_way VARCHAR,
    accepted_utc TIMESTAMP,
    departed_utc TIMESTAMP,
    arrived_utc TIMESTAMP,
    ended_utc TIMESTAMP,
    reason VARCHAR,
    level INTEGER NOT NULL,
    escalated_utc TIMESTAMP,
    PRIMARY KEY (dispatch_id),
    CHECK (kind IN ('first', 'reinforcement', 'hand_over')),
    CHECK (way IN ('voice', 'in_app', 'webhook', 'slip')),
    CHECK (state IN ('sent', 'accepted', 'on_the_way', 'on_scene', 'stood_down', 'handed_over', 'declined', 'expired')),
    CHECK ((ended_utc IS NULL) = (state IN ('sent', 'accepted', 'on_the_way', 'on_scene'))),
    CHECK (level BETWEEN 0 AND 2)
);
COMMENT ON TABLE dispatches IS 'One responder sent to one incident; the row is what its events lead to (incidents/dispatching.py).';
COMMENT ON COLUMN dispatches.dispatch_id IS 'Stable id';
COMMENT ON COLUMN dispatches.incident_id IS 'Incident';
COMMENT ON COLUMN dispatches.responder_id IS 'Who was sent';
COMMENT ON COLUMN dispatches.decision_id IS 'What was known when it was decided';
COMMENT ON COLUMN dispatches.kind IS 'first, reinforcement (one more) or hand_over (instead of another)';
COMMENT ON COLUMN dispatches.way IS 'How they were told: voice (radio), in_app, webhook (another system tells them) or slip (on paper)';
COMMENT ON COLUMN dispatches.state IS 'sent, accepted, on_the_way, on_scene, stood_down, handed_over, declined or expired';
COMMENT ON COLUMN dispatches.sent_utc IS 'UTC';
COMMENT ON COLUMN dispatches.sent_by IS 'Name of the account that sent them';
COMMENT ON COLUMN dispatches.from_dispatch_id IS 'Dispatch that was handed over, null otherwise';
COMMENT ON COLUMN dispatches.answered_way IS 'How the answer came: voice or in_app; null while there is none';
COMMENT ON COLUMN dispatches.accepted_utc IS 'UTC; when they accepted, or left or arrived without a word';
COMMENT ON COLUMN dispatches.departed_utc IS 'UTC; when they left, null where nobody said it';
COMMENT ON COLUMN dispatches.arrived_utc IS 'UTC; when they were there';
COMMENT ON COLUMN dispatches.ended_utc IS 'UTC; when they were free again';
COMMENT ON COLUMN dispatches.reason IS 'Why it ended, masked as audit_log.reason';
COMMENT ON COLUMN dispatches.level IS '0; 1 when no answer came in time; 2 when the commander was told too';
COMMENT ON COLUMN dispatches.escalated_utc IS 'UTC; when level was last raised';

CREATE TABLE account_responders (
    account_id VARCHAR NOT NULL,
    responder_id VARCHAR NOT NULL,
    PRIMARY KEY (account_id)
);
COMMENT ON TABLE account_responders IS 'Accounts of people who are sent themselves: which responder each of them is.';
COMMENT ON COLUMN account_responders.account_id IS 'Account';
COMMENT ON COLUMN account_responders.responder_id IS 'Responder';

CREATE TABLE webhook_outbox (
    message_id VARCHAR NOT NULL,
    queued_utc TIMESTAMP NOT NULL,
    body VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    next_utc TIMESTAMP,
    delivered_utc TIMESTAMP,
    problem VARCHAR,
    PRIMARY KEY (message_id)
);
COMMENT ON TABLE webhook_outbox IS 'What the office''s other system is told of dispatches: written with the dispatch itself, kept until it was taken.';
COMMENT ON COLUMN webhook_outbox.message_id IS 'Stable id; the receiver sees it again when a message comes twice';
COMMENT ON COLUMN webhook_outbox.queued_utc IS 'UTC';
COMMENT ON COLUMN webhook_outbox.body IS 'JSON as it is sent: ids, codes, times and a place, never a person''s field';
COMMENT ON COLUMN webhook_outbox.attempts IS 'How often it was tried';
COMMENT ON COLUMN webhook_outbox.next_utc IS 'UTC; when it is tried next; null once it was taken or given up';
COMMENT ON COLUMN webhook_outbox.delivered_utc IS 'UTC; when it was taken';
COMMENT ON COLUMN webhook_outbox.problem IS 'Code of what went wrong the last time';
