-- Who may see what: accounts, sessions, keys, the log of looks and changes, approvals, openings, settings; people at home.
-- Times are UTC. Secrets are stored as hashes only.

ALTER TABLE units ADD COLUMN has_minor BOOLEAN;
COMMENT ON COLUMN units.has_minor IS 'True when somebody under fourteen lives here: shown as 有未成年人, and nothing more is kept; null where unknown';

CREATE TABLE accounts (
    account_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    display_name VARCHAR,
    role VARCHAR NOT NULL,
    password_hash VARCHAR,
    must_change BOOLEAN NOT NULL,
    failures_count INTEGER NOT NULL,
    locked_until_utc TIMESTAMP,
    oidc_issuer VARCHAR,
    oidc_subject VARCHAR,
    created_utc TIMESTAMP NOT NULL,
    changed_utc TIMESTAMP NOT NULL,
    last_sign_in_utc TIMESTAMP,
    disabled_utc TIMESTAMP,
    PRIMARY KEY (account_id),
    CHECK (role IN ('wall', 'volunteer', 'grid_worker', 'officer', 'commander', 'auditor', 'admin')),
    CHECK (failures_count >= 0)
);
COMMENT ON TABLE accounts IS 'Who may sign in. A row is disabled, never deleted: the log names it.';
COMMENT ON COLUMN accounts.account_id IS 'Stable id';
COMMENT ON COLUMN accounts.name IS 'Name to sign in with, lower case, unique; a duty or number rather than a person, e.g. officer07';
COMMENT ON COLUMN accounts.display_name IS '[person] Name of who uses it';
COMMENT ON COLUMN accounts.role IS 'wall, volunteer, grid_worker, officer, commander, auditor or admin';
COMMENT ON COLUMN accounts.password_hash IS 'argon2id with its parameters and salt; null when only the office''s own sign-in (OIDC) is used';
COMMENT ON COLUMN accounts.must_change IS 'The password has to be changed before anything else';
COMMENT ON COLUMN accounts.failures_count IS 'Failed sign-ins since the last that succeeded';
COMMENT ON COLUMN accounts.locked_until_utc IS 'UTC; no sign-in before, null when not locked';
COMMENT ON COLUMN accounts.oidc_issuer IS 'Issuer (OIDC iss) of the office''s own sign-in, null without';
COMMENT ON COLUMN accounts.oidc_subject IS 'Subject (OIDC sub) at that issuer, null without';
COMMENT ON COLUMN accounts.created_utc IS 'UTC';
COMMENT ON COLUMN accounts.changed_utc IS 'UTC; when role, grids or password last changed';
COMMENT ON COLUMN accounts.last_sign_in_utc IS 'UTC; last sign-in that succeeded';
COMMENT ON COLUMN accounts.disabled_utc IS 'UTC; when it was disabled, null while it is in use';

CREATE TABLE account_grids (
    account_id VARCHAR NOT NULL,
    grid_id VARCHAR NOT NULL,
    PRIMARY KEY (account_id, grid_id)
);
COMMENT ON TABLE account_grids IS 'Own grids of an account: a grid worker reads rows of these only.';
COMMENT ON COLUMN account_grids.account_id IS 'Account';
COMMENT ON COLUMN account_grids.grid_id IS 'Grid';

CREATE TABLE sessions (
    session_id VARCHAR NOT NULL,
    token_sha256 VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    address VARCHAR,
    started_utc TIMESTAMP NOT NULL,
    last_seen_utc TIMESTAMP NOT NULL,
    ends_utc TIMESTAMP NOT NULL,
    ended_utc TIMESTAMP,
    ended_why VARCHAR,
    PRIMARY KEY (session_id),
    CHECK (ends_utc > started_utc),
    CHECK (ended_why IN ('sign_out', 'idle', 'absolute', 'clock', 'revoked', 'disabled', 'password', 'role'))
);
COMMENT ON TABLE sessions IS 'Sign-ins that last, and how each ended.';
COMMENT ON COLUMN sessions.session_id IS 'Stable id: what the log names';
COMMENT ON COLUMN sessions.token_sha256 IS 'SHA-256 of the token in the browser''s cookie, hexadecimal';
COMMENT ON COLUMN sessions.account_id IS 'Account';
COMMENT ON COLUMN sessions.address IS 'Network address that signed in';
COMMENT ON COLUMN sessions.started_utc IS 'UTC';
COMMENT ON COLUMN sessions.last_seen_utc IS 'UTC; last request, written back once a minute';
COMMENT ON COLUMN sessions.ends_utc IS 'UTC; it ends then however busy it is';
COMMENT ON COLUMN sessions.ended_utc IS 'UTC; when it ended, null while it lasts';
COMMENT ON COLUMN sessions.ended_why IS 'sign_out, idle, absolute, clock, revoked, disabled, password or role; null while it lasts';

CREATE TABLE api_keys (
    key_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    scopes VARCHAR NOT NULL,
    secret_sha256 VARCHAR NOT NULL,
    rate_per_minute INTEGER NOT NULL,
    created_by VARCHAR NOT NULL,
    created_utc TIMESTAMP NOT NULL,
    last_used_utc TIMESTAMP,
    revoked_utc TIMESTAMP,
    PRIMARY KEY (key_id),
    CHECK (rate_per_minute > 0)
);
COMMENT ON TABLE api_keys IS 'Keys of other systems (alarm system, radios). The key itself is shown once and never stored.';
COMMENT ON COLUMN api_keys.key_id IS 'Stable id, the middle part of the key';
COMMENT ON COLUMN api_keys.name IS 'What uses it, e.g. alarm-system';
COMMENT ON COLUMN api_keys.scopes IS 'What it may do, words joined by spaces, e.g. incidents:write';
COMMENT ON COLUMN api_keys.secret_sha256 IS 'SHA-256 of its secret, hexadecimal; 256 random bits need no slow hash';
COMMENT ON COLUMN api_keys.rate_per_minute IS 'Requests a minute; as many at once after a pause';
COMMENT ON COLUMN api_keys.created_by IS 'Account, or command line';
COMMENT ON COLUMN api_keys.created_utc IS 'UTC';
COMMENT ON COLUMN api_keys.last_used_utc IS 'UTC; written back once a minute';
COMMENT ON COLUMN api_keys.revoked_utc IS 'UTC; when it was revoked, null while it is in use';

CREATE TABLE audit_log (
    seq BIGINT NOT NULL,
    at_utc TIMESTAMP NOT NULL,
    actor VARCHAR NOT NULL,
    account_id VARCHAR,
    role VARCHAR,
    address VARCHAR,
    action VARCHAR NOT NULL,
    subject_kind VARCHAR,
    subject_id VARCHAR,
    reason VARCHAR,
    detail VARCHAR NOT NULL,
    previous_hash VARCHAR NOT NULL,
    row_hash VARCHAR NOT NULL,
    PRIMARY KEY (seq)
);
COMMENT ON TABLE audit_log IS 'Log of looks and changes (操作日志), append-only, each row chained to the one before by a keyed hash.';
COMMENT ON COLUMN audit_log.seq IS 'Order, from 1 without gap';
COMMENT ON COLUMN audit_log.at_utc IS 'UTC';
COMMENT ON COLUMN audit_log.actor IS 'Name of the account as it was then, of the key, or command line, server';
COMMENT ON COLUMN audit_log.account_id IS 'Account, null for the command line, the server and unknown names';
COMMENT ON COLUMN audit_log.role IS 'Role at that time';
COMMENT ON COLUMN audit_log.address IS 'Network address, null on the machine itself';
COMMENT ON COLUMN audit_log.action IS 'As in data/audit.py: sign_in, look, open_field, change, export, import and others';
COMMENT ON COLUMN audit_log.subject_kind IS 'unit, rental, incident, account, import and others';
COMMENT ON COLUMN audit_log.subject_id IS 'Id of the subject, never a person''s field';
COMMENT ON COLUMN audit_log.reason IS 'Purpose as typed; numbers and names that the store knows are masked before it is written';
COMMENT ON COLUMN audit_log.detail IS 'Figures and codes, JSON in canonical form';
COMMENT ON COLUMN audit_log.previous_hash IS 'row_hash of the row before; of the first row 64 zeros';
COMMENT ON COLUMN audit_log.row_hash IS 'HMAC-SHA256, key in NAME.audit.key, of previous_hash and the row as canonical JSON';

CREATE TABLE approvals (
    approval_id VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    asked_by VARCHAR NOT NULL,
    asked_utc TIMESTAMP NOT NULL,
    decided_by VARCHAR,
    decided_utc TIMESTAMP,
    approved BOOLEAN,
    ends_utc TIMESTAMP,
    used_utc TIMESTAMP,
    PRIMARY KEY (approval_id),
    CHECK (action IN ('export_personal', 'export_precise', 'erase_person')),
    CHECK (decided_by IS NULL OR decided_by <> asked_by),
    CHECK ((decided_by IS NULL) = (approved IS NULL)),
    CHECK (used_utc IS NULL OR approved)
);
COMMENT ON TABLE approvals IS 'What needs two persons: one asks, another decides, and it is used once.';
COMMENT ON COLUMN approvals.approval_id IS 'Stable id';
COMMENT ON COLUMN approvals.action IS 'export_personal, export_precise or erase_person';
COMMENT ON COLUMN approvals.subject IS 'What exactly, in ids or a keyed hash, never a person''s field';
COMMENT ON COLUMN approvals.reason IS 'Why, masked as audit_log.reason';
COMMENT ON COLUMN approvals.asked_by IS 'Account that asked';
COMMENT ON COLUMN approvals.asked_utc IS 'UTC';
COMMENT ON COLUMN approvals.decided_by IS 'Account that decided, never the one that asked; null while it waits';
COMMENT ON COLUMN approvals.decided_utc IS 'UTC';
COMMENT ON COLUMN approvals.approved IS 'True: yes; null while it waits';
COMMENT ON COLUMN approvals.ends_utc IS 'UTC; not usable later';
COMMENT ON COLUMN approvals.used_utc IS 'UTC; when it was used, once';

CREATE TABLE openings (
    opening_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    subject_kind VARCHAR NOT NULL,
    subject_id VARCHAR NOT NULL,
    basis VARCHAR NOT NULL,
    incident_id VARCHAR,
    reason VARCHAR,
    opened_utc TIMESTAMP NOT NULL,
    ends_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (opening_id),
    CHECK (basis IN ('incident', 'visit', 'reason')),
    CHECK (basis <> 'reason' OR reason IS NOT NULL),
    CHECK (ends_utc > opened_utc)
);
COMMENT ON TABLE openings IS 'Masked fields that somebody opened for some minutes, and why.';
COMMENT ON COLUMN openings.opening_id IS 'Stable id';
COMMENT ON COLUMN openings.account_id IS 'Account that sees them';
COMMENT ON COLUMN openings.subject_kind IS 'building, unit, rental, occupant, site, responder or incident';
COMMENT ON COLUMN openings.subject_id IS 'Id of the subject';
COMMENT ON COLUMN openings.basis IS 'incident, visit or reason: what justifies it';
COMMENT ON COLUMN openings.incident_id IS 'The open incident that justifies it, null otherwise';
COMMENT ON COLUMN openings.reason IS 'Purpose as typed, masked as audit_log.reason; null where an incident or a visit is the reason';
COMMENT ON COLUMN openings.opened_utc IS 'UTC';
COMMENT ON COLUMN openings.ends_utc IS 'UTC; masked again from then on';

CREATE TABLE settings (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    changed_utc TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL,
    PRIMARY KEY (name)
);
COMMENT ON TABLE settings IS 'Settings of this community that differ from their defaults (data/settings_store.py).';
COMMENT ON COLUMN settings.name IS 'Name, e.g. idle_minutes';
COMMENT ON COLUMN settings.value IS 'Value as JSON';
COMMENT ON COLUMN settings.changed_utc IS 'UTC';
COMMENT ON COLUMN settings.changed_by IS 'Account, or command line';

CREATE TABLE occupants (
    occupant_id VARCHAR NOT NULL,
    unit_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    floating BOOLEAN NOT NULL,
    name VARCHAR,
    phone VARCHAR,
    identity_last4 VARCHAR,
    identity_hash VARCHAR,
    moved_in_on DATE,
    moved_out_on DATE,
    source_key VARCHAR,
    batch_id VARCHAR,
    verified_utc TIMESTAMP,
    PRIMARY KEY (occupant_id),
    CHECK (kind IN ('owner', 'family', 'tenant', 'other')),
    CHECK (length(identity_last4) <= 4)
);
COMMENT ON TABLE occupants IS 'People of fourteen and older who are registered in a home (实有人口). Younger ones have no row: see units.has_minor.';
COMMENT ON COLUMN occupants.occupant_id IS 'Stable id';
COMMENT ON COLUMN occupants.unit_id IS 'Dwelling';
COMMENT ON COLUMN occupants.kind IS 'owner, family, tenant or other';
COMMENT ON COLUMN occupants.floating IS 'Floating population (流动人口)';
COMMENT ON COLUMN occupants.name IS '[person] Name';
COMMENT ON COLUMN occupants.phone IS '[person] Telephone';
COMMENT ON COLUMN occupants.identity_last4 IS '[person] Last four characters of the identity number; the whole number is never stored';
COMMENT ON COLUMN occupants.identity_hash IS 'Keyed hash of the identity number, for matching only; never shown';
COMMENT ON COLUMN occupants.moved_in_on IS 'Date, null where unknown';
COMMENT ON COLUMN occupants.moved_out_on IS 'Date, null while they live there';
COMMENT ON COLUMN occupants.source_key IS 'The record''s own id or row in the source file';
COMMENT ON COLUMN occupants.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN occupants.verified_utc IS 'UTC; when somebody last verified it at the door';

CREATE TABLE sealed_texts (
    sealed_id VARCHAR NOT NULL,
    subject_table VARCHAR NOT NULL,
    subject_id VARCHAR NOT NULL,
    column_name VARCHAR NOT NULL,
    sealed_text VARCHAR NOT NULL,
    sealed_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (sealed_id)
);
COMMENT ON TABLE sealed_texts IS 'Originals of free texts that were masked at intake, encrypted.';
COMMENT ON COLUMN sealed_texts.sealed_id IS 'Stable id';
COMMENT ON COLUMN sealed_texts.subject_table IS 'Table that holds the masked text';
COMMENT ON COLUMN sealed_texts.subject_id IS 'Id of its row';
COMMENT ON COLUMN sealed_texts.column_name IS 'Column that holds it';
COMMENT ON COLUMN sealed_texts.sealed_text IS '[person] Nonce and AES-256-GCM ciphertext, base64; key derived from NAME.secret';
COMMENT ON COLUMN sealed_texts.sealed_utc IS 'UTC';
