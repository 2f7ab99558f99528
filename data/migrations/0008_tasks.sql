-- Tasks (任务) to their end: who is to do what by when, what was found, what proves it. Times are UTC.
-- Each change is an event as well (`task.…` in events); free texts are masked when they come in (data/intake.py).

CREATE TABLE tasks (
    task_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    origin_id VARCHAR,
    parent_id VARCHAR,
    subject_kind VARCHAR NOT NULL,
    subject_id VARCHAR,
    place_text VARCHAR NOT NULL,
    building_id VARCHAR,
    unit_id VARCHAR,
    grid_id VARCHAR,
    checklist VARCHAR,
    note VARCHAR NOT NULL,
    created_utc TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    priority VARCHAR NOT NULL,
    due_utc TIMESTAMP NOT NULL,
    receiver_kind VARCHAR,
    receiver_id VARCHAR,
    accepted_by VARCHAR,
    submitted_by VARCHAR,
    submitted_utc TIMESTAMP,
    changed_utc TIMESTAMP NOT NULL,
    closed_utc TIMESTAMP,
    sent_back_count INTEGER NOT NULL,
    forwarded_count INTEGER NOT NULL,
    reminded_utc TIMESTAMP,
    escalated_utc TIMESTAMP,
    mended BOOLEAN,
    settled BOOLEAN,
    follow_up_on DATE,
    recheck_id VARCHAR,
    findings_count INTEGER NOT NULL,
    evidence_count INTEGER NOT NULL,
    geom GEOMETRY,
    PRIMARY KEY (task_id),
    CHECK (kind IN ('inspection', 'verification', 'rectification', 'dispute', 'patrol', 'other')),
    CHECK (origin IN ('rule', 'incident', 'zone', 'commander')),
    CHECK (subject_kind IN ('building', 'unit', 'rental', 'site', 'zone', 'incident', 'place')),
    CHECK (state IN ('waiting', 'assigned', 'accepted', 'on_site', 'submitted', 'rectifying', 'closed', 'cancelled')),
    CHECK (priority IN ('urgent', 'normal', 'low')),
    CHECK (receiver_kind IN ('account', 'grid', 'role')),
    CHECK ((receiver_kind IS NULL) = (receiver_id IS NULL)),
    CHECK ((state IN ('closed', 'cancelled')) = (closed_utc IS NOT NULL))
);
COMMENT ON TABLE tasks IS 'Tasks (任务). From state on, columns are what the task''s events lead to (tasks/life_cycle.py).';
COMMENT ON COLUMN tasks.task_id IS 'Stable id; of a task that a rule made: the same for the same subject, rule and cycle';
COMMENT ON COLUMN tasks.kind IS 'inspection, verification, rectification (限期整改), dispute (纠纷调解), patrol or other';
COMMENT ON COLUMN tasks.origin IS 'rule, incident, zone or commander';
COMMENT ON COLUMN tasks.origin_id IS 'Id of the rule, incident or zone, null for a commander';
COMMENT ON COLUMN tasks.parent_id IS 'Task whose findings this one checks again, null otherwise';
COMMENT ON COLUMN tasks.subject_kind IS 'building, unit, rental, site, zone, incident or place';
COMMENT ON COLUMN tasks.subject_id IS 'Id of the subject, null for a place';
COMMENT ON COLUMN tasks.place_text IS 'Where it is, as it was when the task was made: standard address or sign, never a person';
COMMENT ON COLUMN tasks.building_id IS 'Building';
COMMENT ON COLUMN tasks.unit_id IS 'Dwelling';
COMMENT ON COLUMN tasks.grid_id IS 'Grid that it lies in';
COMMENT ON COLUMN tasks.checklist IS 'Checklist to go by, null without one';
COMMENT ON COLUMN tasks.note IS 'What is asked, masked as audit_log.reason; empty where the kind says it all';
COMMENT ON COLUMN tasks.created_utc IS 'UTC';
COMMENT ON COLUMN tasks.created_by IS 'Account, or server for a rule';
COMMENT ON COLUMN tasks.state IS 'waiting, assigned, accepted, on_site, submitted, rectifying, closed or cancelled';
COMMENT ON COLUMN tasks.priority IS 'urgent, normal or low';
COMMENT ON COLUMN tasks.due_utc IS 'UTC; overdue when it is not submitted by then; of a rectification: when it is checked again';
COMMENT ON COLUMN tasks.receiver_kind IS 'account, grid or role; null while it waits for one';
COMMENT ON COLUMN tasks.receiver_id IS 'Account, grid or role, null while it waits for one';
COMMENT ON COLUMN tasks.accepted_by IS 'Account that took it on, null before';
COMMENT ON COLUMN tasks.submitted_by IS 'Account that submitted it last, null before and after it was sent back';
COMMENT ON COLUMN tasks.submitted_utc IS 'UTC; when the work was done as the sender says, null before';
COMMENT ON COLUMN tasks.changed_utc IS 'UTC; last step';
COMMENT ON COLUMN tasks.closed_utc IS 'UTC; when it was closed or cancelled, null while it is open';
COMMENT ON COLUMN tasks.sent_back_count IS 'How often it was sent back';
COMMENT ON COLUMN tasks.forwarded_count IS 'How often it was forwarded';
COMMENT ON COLUMN tasks.reminded_utc IS 'UTC; last reminder that it is due soon';
COMMENT ON COLUMN tasks.escalated_utc IS 'UTC; when it was reported as overdue';
COMMENT ON COLUMN tasks.mended IS 'Of a re-check: whether what was found is mended; null before it is said';
COMMENT ON COLUMN tasks.settled IS 'Of a dispute: whether it is settled; null before a session says so';
COMMENT ON COLUMN tasks.follow_up_on IS 'Of a dispute: date in Shanghai to ask again, null without one';
COMMENT ON COLUMN tasks.recheck_id IS 'Task that checks again what was found, null without one';
COMMENT ON COLUMN tasks.findings_count IS 'Findings of the last submission';
COMMENT ON COLUMN tasks.evidence_count IS 'Pieces of evidence, those that came too late included';
COMMENT ON COLUMN tasks.geom IS 'Point; null where no place is known';

CREATE TABLE task_evidence (
    evidence_id VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    action_id VARCHAR,
    sent_by VARCHAR NOT NULL,
    captured_utc TIMESTAMP NOT NULL,
    received_utc TIMESTAMP NOT NULL,
    place_source VARCHAR NOT NULL,
    accuracy_m DOUBLE,
    answers JSON NOT NULL,
    narrative VARCHAR,
    kept_why VARCHAR,
    geom GEOMETRY,
    PRIMARY KEY (evidence_id),
    CHECK (place_source IN ('device', 'subject', 'none')),
    CHECK (accuracy_m >= 0)
);
COMMENT ON TABLE task_evidence IS 'What was said and seen at the place, as it was sent: written once, never changed.';
COMMENT ON COLUMN task_evidence.evidence_id IS 'Stable id, chosen by the sender';
COMMENT ON COLUMN task_evidence.task_id IS 'Task';
COMMENT ON COLUMN task_evidence.action_id IS 'The sender''s id of the action that it came with';
COMMENT ON COLUMN task_evidence.sent_by IS 'Account';
COMMENT ON COLUMN task_evidence.captured_utc IS 'UTC; when it was taken down, by the sender''s clock';
COMMENT ON COLUMN task_evidence.received_utc IS 'UTC; when it came in, by ours';
COMMENT ON COLUMN task_evidence.place_source IS 'device (geom is where the sender was), subject (geom is the task''s own place) or none';
COMMENT ON COLUMN task_evidence.accuracy_m IS 'Radius that the device gave, metres; null where it gave none';
COMMENT ON COLUMN task_evidence.answers IS 'Checklist: code of the item → ok, not_ok or not_applicable';
COMMENT ON COLUMN task_evidence.narrative IS '[person] What was found, free text, masked as it came in; the original is sealed';
COMMENT ON COLUMN task_evidence.kept_why IS 'State of the task when this came too late for its step, null otherwise';
COMMENT ON COLUMN task_evidence.geom IS 'Point, frozen when it was taken down; null where none is known';

CREATE TABLE task_photos (
    photo_id VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    evidence_id VARCHAR NOT NULL,
    sent_by VARCHAR NOT NULL,
    media_type VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    captured_utc TIMESTAMP NOT NULL,
    received_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (photo_id)
);
COMMENT ON TABLE task_photos IS 'Photos of evidence; the pictures lie encrypted in NAME.photos beside the store (data/task_photos.py).';
COMMENT ON COLUMN task_photos.photo_id IS 'Hash of task, evidence and picture as it was sent: the same picture sent twice is one';
COMMENT ON COLUMN task_photos.task_id IS 'Task';
COMMENT ON COLUMN task_photos.evidence_id IS 'Evidence that it belongs to, which may come later than the photo';
COMMENT ON COLUMN task_photos.sent_by IS 'Account';
COMMENT ON COLUMN task_photos.media_type IS 'image/jpeg, as it is kept';
COMMENT ON COLUMN task_photos.size_bytes IS 'Bytes, as it is kept';
COMMENT ON COLUMN task_photos.width_px IS 'Pixels';
COMMENT ON COLUMN task_photos.height_px IS 'Pixels';
COMMENT ON COLUMN task_photos.captured_utc IS 'UTC; when it was taken, by the sender''s clock';
COMMENT ON COLUMN task_photos.received_utc IS 'UTC; when it came in';

CREATE TABLE task_findings (
    finding_id VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    evidence_id VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    rectify_by DATE NOT NULL,
    narrative VARCHAR,
    PRIMARY KEY (finding_id)
);
COMMENT ON TABLE task_findings IS 'What was found wrong; which task checks it again is in tasks.recheck_id.';
COMMENT ON COLUMN task_findings.finding_id IS 'Stable id';
COMMENT ON COLUMN task_findings.task_id IS 'Task that found it';
COMMENT ON COLUMN task_findings.evidence_id IS 'Evidence that it came with';
COMMENT ON COLUMN task_findings.code IS 'Item of the checklist, or other';
COMMENT ON COLUMN task_findings.rectify_by IS 'Date in Shanghai by which it has to be mended (限期整改)';
COMMENT ON COLUMN task_findings.narrative IS '[person] In words, masked as it came in';

CREATE TABLE task_sessions (
    session_id VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    held_utc TIMESTAMP NOT NULL,
    held_by VARCHAR NOT NULL,
    parties VARCHAR NOT NULL,
    settled BOOLEAN,
    follow_up_on DATE,
    narrative VARCHAR,
    agreement VARCHAR,
    PRIMARY KEY (session_id)
);
COMMENT ON TABLE task_sessions IS 'Sessions of a mediation (纠纷调解).';
COMMENT ON COLUMN task_sessions.session_id IS 'Stable id';
COMMENT ON COLUMN task_sessions.task_id IS 'Task of kind dispute';
COMMENT ON COLUMN task_sessions.held_utc IS 'UTC';
COMMENT ON COLUMN task_sessions.held_by IS 'Account';
COMMENT ON COLUMN task_sessions.parties IS 'Who took part, as roles joined by spaces: landlord, tenant, upstairs and so on, never a name';
COMMENT ON COLUMN task_sessions.settled IS 'True: settled; false: not to be settled here; null: goes on';
COMMENT ON COLUMN task_sessions.follow_up_on IS 'Date in Shanghai to ask again, null without one';
COMMENT ON COLUMN task_sessions.narrative IS '[person] What was said, masked as it came in';
COMMENT ON COLUMN task_sessions.agreement IS '[person] What was agreed, masked as it came in';

CREATE TABLE task_incidents (
    task_id VARCHAR NOT NULL,
    incident_id VARCHAR NOT NULL,
    PRIMARY KEY (task_id, incident_id)
);
COMMENT ON TABLE task_incidents IS 'Incidents that a task is about.';
COMMENT ON COLUMN task_incidents.task_id IS 'Task';
COMMENT ON COLUMN task_incidents.incident_id IS 'Incident';

CREATE TABLE file_keys (
    purpose VARCHAR NOT NULL,
    key_hex VARCHAR NOT NULL,
    PRIMARY KEY (purpose)
);
COMMENT ON TABLE file_keys IS 'Keys of files beside the store. They lie in it, so that its own key guards them and another key for it changes no file.';
COMMENT ON COLUMN file_keys.purpose IS 'What it encrypts, e.g. photos';
COMMENT ON COLUMN file_keys.key_hex IS '256 random bits, hexadecimal';
