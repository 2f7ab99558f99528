-- Points and gifts: a double-entry book of points and of the stock of gifts. Times are UTC.
-- Each entry is an event as well (`points.…`); ids and codes only, free texts are masked when they come in.

CREATE TABLE ledger_entries (
    entry_id VARCHAR NOT NULL,
    entry_no BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    at_utc TIMESTAMP NOT NULL,
    counted_on DATE NOT NULL,
    volunteer_id VARCHAR,
    ref_id VARCHAR,
    reason VARCHAR,
    booked_by VARCHAR NOT NULL,
    PRIMARY KEY (entry_id),
    CHECK (kind IN ('earn', 'spend', 'give_back', 'hand_out', 'expire', 'correct', 'stock'))
);
COMMENT ON TABLE ledger_entries IS 'Entries (记账) of the book of points and gifts: written once, never changed; mended by another entry.';
COMMENT ON COLUMN ledger_entries.entry_id IS 'What makes it one of its kind, e.g. earn:CHECKIN: the same is never booked twice';
COMMENT ON COLUMN ledger_entries.entry_no IS 'Number in the order of booking, from 1 without gap';
COMMENT ON COLUMN ledger_entries.kind IS 'earn, spend (a gift is reserved), give_back, hand_out, expire, correct or stock';
COMMENT ON COLUMN ledger_entries.at_utc IS 'UTC; when it was booked';
COMMENT ON COLUMN ledger_entries.counted_on IS 'Date in Shanghai that it counts for: month of the cap, and age of the points';
COMMENT ON COLUMN ledger_entries.volunteer_id IS 'Whose points, null for stock';
COMMENT ON COLUMN ledger_entries.ref_id IS 'Check-in, reservation or gift that it is about, null for a correction by hand';
COMMENT ON COLUMN ledger_entries.reason IS 'Why, masked as audit_log.reason; null where the kind says it all';
COMMENT ON COLUMN ledger_entries.booked_by IS 'Account, or server';

CREATE TABLE ledger_postings (
    entry_id VARCHAR NOT NULL,
    line_no INTEGER NOT NULL,
    book_account VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    amount BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    PRIMARY KEY (entry_id, line_no)
);
COMMENT ON TABLE ledger_postings IS 'Lines of entries; those of one entry add up to nothing in each unit.';
COMMENT ON COLUMN ledger_postings.entry_id IS 'Entry';
COMMENT ON COLUMN ledger_postings.line_no IS 'From 1';
COMMENT ON COLUMN ledger_postings.book_account IS 'volunteer:ID, office, gifts, lapsed; gift:ID:stock, :reserved, :handed_out, :outside';
COMMENT ON COLUMN ledger_postings.unit IS 'points, or gift:ID for pieces of a gift';
COMMENT ON COLUMN ledger_postings.amount IS 'Points or pieces that come in; what goes out is negative';
COMMENT ON COLUMN ledger_postings.balance IS 'What the account holds after this entry: the sum of its amounts so far';

CREATE TABLE gifts (
    gift_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    points BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    made_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (gift_id),
    CHECK (state IN ('offered', 'withdrawn')),
    CHECK (points > 0)
);
COMMENT ON TABLE gifts IS 'Gifts (礼品) for points; how many there are is in the book.';
COMMENT ON COLUMN gifts.gift_id IS 'Stable id';
COMMENT ON COLUMN gifts.name IS 'As it is printed';
COMMENT ON COLUMN gifts.points IS 'Points for one piece';
COMMENT ON COLUMN gifts.state IS 'offered or withdrawn';
COMMENT ON COLUMN gifts.made_utc IS 'UTC';

CREATE TABLE redemptions (
    redemption_id VARCHAR NOT NULL,
    volunteer_id VARCHAR NOT NULL,
    gift_id VARCHAR NOT NULL,
    points BIGINT NOT NULL,
    code VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    reserved_utc TIMESTAMP NOT NULL,
    reserved_by VARCHAR NOT NULL,
    lapses_utc TIMESTAMP NOT NULL,
    ended_utc TIMESTAMP,
    ended_by VARCHAR,
    PRIMARY KEY (redemption_id),
    CHECK (state IN ('reserved', 'handed_out', 'cancelled', 'lapsed')),
    CHECK ((state = 'reserved') = (ended_utc IS NULL))
);
COMMENT ON TABLE redemptions IS 'Gifts that were asked for (兑换): reserved with points, then handed out against a code, or given back.';
COMMENT ON COLUMN redemptions.redemption_id IS 'Stable id';
COMMENT ON COLUMN redemptions.volunteer_id IS 'Who';
COMMENT ON COLUMN redemptions.gift_id IS 'What';
COMMENT ON COLUMN redemptions.points IS 'Points that it cost';
COMMENT ON COLUMN redemptions.code IS 'Six digits against which it is handed out; no other open reservation has the same';
COMMENT ON COLUMN redemptions.state IS 'reserved, handed_out, cancelled or lapsed (not fetched in time)';
COMMENT ON COLUMN redemptions.reserved_utc IS 'UTC';
COMMENT ON COLUMN redemptions.reserved_by IS 'Account';
COMMENT ON COLUMN redemptions.lapses_utc IS 'UTC; given back when it was not fetched by then';
COMMENT ON COLUMN redemptions.ended_utc IS 'UTC; null while it is reserved';
COMMENT ON COLUMN redemptions.ended_by IS 'Account, or server; null while it is reserved';

CREATE TABLE volunteer_teams (
    team_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    leader_id VARCHAR,
    grid_id VARCHAR,
    made_utc TIMESTAMP NOT NULL,
    closed_utc TIMESTAMP,
    PRIMARY KEY (team_id)
);
COMMENT ON TABLE volunteer_teams IS 'Teams of volunteers (志愿队).';
COMMENT ON COLUMN volunteer_teams.team_id IS 'Stable id';
COMMENT ON COLUMN volunteer_teams.name IS 'Name of the team, e.g. of an estate or a building, never of a person';
COMMENT ON COLUMN volunteer_teams.code IS 'Code that the leader gives to who may join';
COMMENT ON COLUMN volunteer_teams.leader_id IS 'Volunteer who leads it, null where nobody does';
COMMENT ON COLUMN volunteer_teams.grid_id IS 'Grid that it is at home in, null for several';
COMMENT ON COLUMN volunteer_teams.made_utc IS 'UTC';
COMMENT ON COLUMN volunteer_teams.closed_utc IS 'UTC; null while it takes members';

CREATE TABLE volunteers (
    volunteer_id VARCHAR NOT NULL,
    number VARCHAR NOT NULL,
    card_issue INTEGER NOT NULL,
    call_name VARCHAR,
    phone_last4 VARCHAR,
    birth_year VARCHAR,
    consent_on DATE NOT NULL,
    consent_text VARCHAR NOT NULL,
    team_id VARCHAR,
    grid_id VARCHAR,
    responder_id VARCHAR,
    state VARCHAR NOT NULL,
    joined_utc TIMESTAMP NOT NULL,
    joined_by VARCHAR NOT NULL,
    left_utc TIMESTAMP,
    PRIMARY KEY (volunteer_id),
    CHECK (state IN ('active', 'left')),
    CHECK ((state = 'left') = (left_utc IS NOT NULL))
);
COMMENT ON TABLE volunteers IS 'Volunteers (万家卫士) who check in: adults, with as little as a card needs. Whoever leaves is emptied.';
COMMENT ON COLUMN volunteers.volunteer_id IS 'Stable id';
COMMENT ON COLUMN volunteers.number IS 'Seven digits on the card, the last a check digit; said over the radio and typed by hand';
COMMENT ON COLUMN volunteers.card_issue IS 'Which card is good, from 1: a lost card is worth nothing once the next is printed';
COMMENT ON COLUMN volunteers.call_name IS '[person] How they want to be called, null after they left';
COMMENT ON COLUMN volunteers.phone_last4 IS '[person] Last four digits of the telephone, to tell two of one name apart; null where none was given, and after they left';
COMMENT ON COLUMN volunteers.birth_year IS '[person] Year of birth, four digits: only adults; null after they left';
COMMENT ON COLUMN volunteers.consent_on IS 'Date in Shanghai of their consent';
COMMENT ON COLUMN volunteers.consent_text IS 'Which text they agreed to';
COMMENT ON COLUMN volunteers.team_id IS 'Team, null for none';
COMMENT ON COLUMN volunteers.grid_id IS 'Grid that they are at home in, null where nobody said';
COMMENT ON COLUMN volunteers.responder_id IS 'Who they are among those with radios (responders of kind volunteer), null for none';
COMMENT ON COLUMN volunteers.state IS 'active or left';
COMMENT ON COLUMN volunteers.joined_utc IS 'UTC';
COMMENT ON COLUMN volunteers.joined_by IS 'Account';
COMMENT ON COLUMN volunteers.left_utc IS 'UTC; null while they take part';
