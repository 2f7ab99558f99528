-- Rules that an office may change, what was verified when and how, differences that wait to be accepted, and the
-- verdict on a suspected group rental. Times are UTC. Each change is an event as well (`register.…`, `verdict.…`).

CREATE TABLE rule_tables (
    name VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    changed_utc TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL,
    PRIMARY KEY (name),
    CHECK (name IN ('visits', 'group_rentals', 'checklists'))
);
COMMENT ON TABLE rule_tables IS 'Rules as data, where an office has its own: without a row the product''s (data/*_rules.csv) are in force.';
COMMENT ON COLUMN rule_tables.name IS 'visits (what to inspect, how often), group_rentals (what counts as 疑似群租) or checklists (what to look at)';
COMMENT ON COLUMN rule_tables.content IS 'CSV with a header; lines that begin with # are comments';
COMMENT ON COLUMN rule_tables.changed_utc IS 'UTC';
COMMENT ON COLUMN rule_tables.changed_by IS 'Account';

CREATE TABLE register_checks (
    subject_kind VARCHAR NOT NULL,
    subject_id VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    verified_utc TIMESTAMP NOT NULL,
    how VARCHAR NOT NULL,
    account_id VARCHAR,
    role VARCHAR,
    source_id VARCHAR,
    PRIMARY KEY (subject_kind, subject_id, field),
    CHECK (subject_kind IN ('building', 'unit', 'rental', 'site')),
    CHECK (how IN ('door', 'phone', 'import', 'proposal'))
);
COMMENT ON TABLE register_checks IS 'When, by whom and how each field of a register was last found to be true.';
COMMENT ON COLUMN register_checks.subject_kind IS 'building, unit, rental or site';
COMMENT ON COLUMN register_checks.subject_id IS 'Id of the subject';
COMMENT ON COLUMN register_checks.field IS 'Column of its register';
COMMENT ON COLUMN register_checks.verified_utc IS 'UTC; when it was looked at';
COMMENT ON COLUMN register_checks.how IS 'door, phone, import or proposal (a difference that was accepted)';
COMMENT ON COLUMN register_checks.account_id IS 'Account, null for an import';
COMMENT ON COLUMN register_checks.role IS 'Role at that time, null for an import';
COMMENT ON COLUMN register_checks.source_id IS 'Task, proposal or import that says so';

CREATE TABLE proposals (
    proposal_id VARCHAR NOT NULL,
    subject_kind VARCHAR NOT NULL,
    subject_id VARCHAR NOT NULL,
    grid_id VARCHAR,
    what VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    old_value VARCHAR,
    new_value VARCHAR,
    note VARCHAR,
    task_id VARCHAR,
    proposed_by VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    seen_utc TIMESTAMP NOT NULL,
    received_utc TIMESTAMP NOT NULL,
    state VARCHAR NOT NULL,
    decided_by VARCHAR,
    decided_utc TIMESTAMP,
    PRIMARY KEY (proposal_id),
    CHECK (subject_kind IN ('building', 'unit', 'rental', 'site')),
    CHECK (what IN ('moved_in', 'moved_out', 'use_changed', 'walls_added', 'corrected')),
    CHECK (state IN ('waiting', 'accepted', 'rejected', 'outdated')),
    CHECK ((state = 'waiting') = (decided_utc IS NULL))
);
COMMENT ON TABLE proposals IS 'Differences between the register and what was seen: nothing is changed before somebody accepts.';
COMMENT ON COLUMN proposals.proposal_id IS 'Stable id, chosen by the sender';
COMMENT ON COLUMN proposals.subject_kind IS 'building, unit, rental or site';
COMMENT ON COLUMN proposals.subject_id IS 'Id of the subject';
COMMENT ON COLUMN proposals.grid_id IS 'Grid that it lies in';
COMMENT ON COLUMN proposals.what IS 'moved_in, moved_out, use_changed, walls_added or corrected';
COMMENT ON COLUMN proposals.field IS 'Column of the register: counts, codes and figures only, never a person''s name';
COMMENT ON COLUMN proposals.old_value IS 'As the register said when it was seen';
COMMENT ON COLUMN proposals.new_value IS 'As it was seen';
COMMENT ON COLUMN proposals.note IS 'In words, masked as audit_log.reason';
COMMENT ON COLUMN proposals.task_id IS 'Visit that saw it, null without one';
COMMENT ON COLUMN proposals.proposed_by IS 'Account';
COMMENT ON COLUMN proposals.role IS 'Role at that time';
COMMENT ON COLUMN proposals.seen_utc IS 'UTC; when it was seen, by the sender''s clock';
COMMENT ON COLUMN proposals.received_utc IS 'UTC';
COMMENT ON COLUMN proposals.state IS 'waiting, accepted, rejected or outdated (the register had changed meanwhile)';
COMMENT ON COLUMN proposals.decided_by IS 'Account, null while it waits';
COMMENT ON COLUMN proposals.decided_utc IS 'UTC; null while it waits';

CREATE TABLE verdicts (
    rental_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    rule_set VARCHAR NOT NULL,
    clause VARCHAR NOT NULL,
    figures JSON NOT NULL,
    since_utc TIMESTAMP NOT NULL,
    expires_utc TIMESTAMP,
    decided_by VARCHAR,
    reason VARCHAR,
    PRIMARY KEY (rental_id),
    CHECK (state IN ('suspected', 'confirmed', 'disputed', 'dismissed', 'expired')),
    CHECK (state <> 'suspected' OR expires_utc IS NOT NULL),
    CHECK (state <> 'confirmed' OR decided_by IS NOT NULL)
);
COMMENT ON TABLE verdicts IS 'Group rental (群租): 疑似 until a person confirms it; what the verdict.… events lead to.';
COMMENT ON COLUMN verdicts.rental_id IS 'Rental';
COMMENT ON COLUMN verdicts.state IS 'suspected (疑似), confirmed, disputed, dismissed or expired';
COMMENT ON COLUMN verdicts.rule_set IS 'Rule set, e.g. nanjing-2014';
COMMENT ON COLUMN verdicts.clause IS 'Clause of it';
COMMENT ON COLUMN verdicts.figures IS 'What it was reckoned from: people, rooms, square metres';
COMMENT ON COLUMN verdicts.since_utc IS 'UTC; when it came into this state';
COMMENT ON COLUMN verdicts.expires_utc IS 'UTC; a suspicion that nobody confirmed by then is over; null otherwise';
COMMENT ON COLUMN verdicts.decided_by IS 'Account that confirmed, disputed or dismissed it; null before';
COMMENT ON COLUMN verdicts.reason IS 'Why, masked as audit_log.reason';
