-- Check-in points (打卡点) and check-ins. Times are UTC. Each change is an event as well (`point.…`, `checkin.…`).

CREATE TABLE checkin_points (
    point_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    zone_id VARCHAR,
    grid_id VARCHAR,
    lit BOOLEAN NOT NULL,
    weekdays VARCHAR NOT NULL,
    hours_from TIME NOT NULL,
    hours_to TIME NOT NULL,
    opens_on DATE NOT NULL,
    closes_on DATE NOT NULL,
    radius_m DOUBLE NOT NULL,
    points INTEGER NOT NULL,
    period_minutes INTEGER NOT NULL,
    team_id VARCHAR,
    photo_wanted BOOLEAN NOT NULL,
    made_utc TIMESTAMP NOT NULL,
    made_by VARCHAR NOT NULL,
    changed_utc TIMESTAMP NOT NULL,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (point_id),
    CHECK (state IN ('suggested', 'open', 'closed')),
    CHECK (radius_m > 0 AND points > 0 AND period_minutes > 0),
    CHECK (closes_on >= opens_on)
);
COMMENT ON TABLE checkin_points IS 'Check-in points (打卡点): where volunteers look in.';
COMMENT ON COLUMN checkin_points.point_id IS 'Stable id, in the code of the poster';
COMMENT ON COLUMN checkin_points.name IS 'Where it is, as the poster says it: a place, never what happened there';
COMMENT ON COLUMN checkin_points.state IS 'suggested, open or closed';
COMMENT ON COLUMN checkin_points.reason IS 'Why here, for the office only, masked as audit_log.reason';
COMMENT ON COLUMN checkin_points.zone_id IS 'Zone that it serves, null for none';
COMMENT ON COLUMN checkin_points.grid_id IS 'Grid that it lies in, null outside of all';
COMMENT ON COLUMN checkin_points.lit IS 'True when somebody has seen that it is lit after dark';
COMMENT ON COLUMN checkin_points.weekdays IS 'Days of the week as digits, 1 for Monday';
COMMENT ON COLUMN checkin_points.hours_from IS 'Time in Shanghai from which one can check in';
COMMENT ON COLUMN checkin_points.hours_to IS 'Time in Shanghai until which one can check in; before hours_from: on the next day';
COMMENT ON COLUMN checkin_points.opens_on IS 'First day in Shanghai: a point is open from time to time';
COMMENT ON COLUMN checkin_points.closes_on IS 'Last day in Shanghai';
COMMENT ON COLUMN checkin_points.radius_m IS 'How far from the point a check-in may be, metres';
COMMENT ON COLUMN checkin_points.points IS 'Points for a check-in';
COMMENT ON COLUMN checkin_points.period_minutes IS 'A person checks in here once in so many minutes';
COMMENT ON COLUMN checkin_points.team_id IS 'Team that it is for, null for all volunteers';
COMMENT ON COLUMN checkin_points.photo_wanted IS 'True when a check-in by phone brings a photo of the place';
COMMENT ON COLUMN checkin_points.made_utc IS 'UTC';
COMMENT ON COLUMN checkin_points.made_by IS 'Account';
COMMENT ON COLUMN checkin_points.changed_utc IS 'UTC';
COMMENT ON COLUMN checkin_points.geom IS 'Point';

CREATE TABLE checkins (
    checkin_id VARCHAR NOT NULL,
    volunteer_id VARCHAR NOT NULL,
    point_id VARCHAR NOT NULL,
    way VARCHAR NOT NULL,
    done_utc TIMESTAMP NOT NULL,
    received_utc TIMESTAMP NOT NULL,
    state VARCHAR NOT NULL,
    doubts VARCHAR NOT NULL,
    is_spot_check BOOLEAN NOT NULL,
    distance_m DOUBLE,
    accuracy_m DOUBLE,
    points INTEGER NOT NULL,
    entered_by VARCHAR NOT NULL,
    decided_by VARCHAR,
    decided_utc TIMESTAMP,
    reason VARCHAR,
    record VARCHAR,
    record_sha256 VARCHAR NOT NULL,
    photo_id VARCHAR,
    PRIMARY KEY (checkin_id),
    CHECK (way IN ('stamp_card', 'radio', 'scanner', 'kiosk', 'phone')),
    CHECK (state IN ('counted', 'pending', 'rejected')),
    CHECK (points >= 0)
);
COMMENT ON TABLE checkins IS 'Check-ins (打卡): who looked in where, and whether it counts; doubtful ones wait for a person.';
COMMENT ON COLUMN checkins.checkin_id IS 'Stable id, of the record that was signed: sent twice it is one';
COMMENT ON COLUMN checkins.volunteer_id IS 'Who';
COMMENT ON COLUMN checkins.point_id IS 'Where';
COMMENT ON COLUMN checkins.way IS 'stamp_card or radio (entered by the guard on duty), scanner, kiosk or phone';
COMMENT ON COLUMN checkins.done_utc IS 'UTC; when it was, by the clock of who took it down';
COMMENT ON COLUMN checkins.received_utc IS 'UTC; when it came in here';
COMMENT ON COLUMN checkins.state IS 'counted, pending (waits for a person) or rejected';
COMMENT ON COLUMN checkins.doubts IS 'Codes of what is doubtful, joined by spaces; empty for nothing';
COMMENT ON COLUMN checkins.is_spot_check IS 'True when it was drawn for a look though nothing was doubtful';
COMMENT ON COLUMN checkins.distance_m IS 'From the point, metres; null where no position came';
COMMENT ON COLUMN checkins.accuracy_m IS 'Radius that the device gave for its position, metres; null where it gave none';
COMMENT ON COLUMN checkins.points IS 'Points that it brought; 0 while it waits, when it is rejected, and over the cap of the month';
COMMENT ON COLUMN checkins.entered_by IS 'Account that took it down, or the check-in server it came by';
COMMENT ON COLUMN checkins.decided_by IS 'Account that decided, null where nobody had to';
COMMENT ON COLUMN checkins.decided_utc IS 'UTC';
COMMENT ON COLUMN checkins.reason IS 'Why it was decided so, masked as audit_log.reason';
COMMENT ON COLUMN checkins.record IS '[person] The record as it was signed, with the position; emptied after some weeks';
COMMENT ON COLUMN checkins.record_sha256 IS 'Hash of that record: stays when it is emptied';
COMMENT ON COLUMN checkins.photo_id IS 'Photo of the place, null without one';

CREATE TABLE checkin_draws (
    draw_on DATE NOT NULL,
    seed VARCHAR NOT NULL,
    percent INTEGER NOT NULL,
    drawn_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (draw_on)
);
COMMENT ON TABLE checkin_draws IS 'What the spot checks of a day are drawn by: written before the first of them.';
COMMENT ON COLUMN checkin_draws.draw_on IS 'Date in Shanghai';
COMMENT ON COLUMN checkin_draws.seed IS 'Random, hexadecimal: with it anybody can draw again (tasks/checkin_rules.py)';
COMMENT ON COLUMN checkin_draws.percent IS 'Share that is drawn, percent';
COMMENT ON COLUMN checkin_draws.drawn_utc IS 'UTC';

CREATE TABLE checkin_servers (
    server_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    public_key VARCHAR NOT NULL,
    added_utc TIMESTAMP NOT NULL,
    added_by VARCHAR NOT NULL,
    ended_utc TIMESTAMP,
    PRIMARY KEY (server_id)
);
COMMENT ON TABLE checkin_servers IS 'Servers outside the police network whose files of check-ins are believed.';
COMMENT ON COLUMN checkin_servers.server_id IS 'First digits of the hash of its key';
COMMENT ON COLUMN checkin_servers.name IS 'What it is called here';
COMMENT ON COLUMN checkin_servers.public_key IS 'Ed25519, hexadecimal';
COMMENT ON COLUMN checkin_servers.added_utc IS 'UTC';
COMMENT ON COLUMN checkin_servers.added_by IS 'Account';
COMMENT ON COLUMN checkin_servers.ended_utc IS 'UTC; null while it is believed';

CREATE TABLE checkin_files (
    file_id VARCHAR NOT NULL,
    direction VARCHAR NOT NULL,
    server_id VARCHAR,
    made_utc TIMESTAMP NOT NULL,
    taken_utc TIMESTAMP NOT NULL,
    taken_by VARCHAR NOT NULL,
    records INTEGER NOT NULL,
    report JSON NOT NULL,
    PRIMARY KEY (file_id),
    CHECK (direction IN ('out', 'in'))
);
COMMENT ON TABLE checkin_files IS 'Signed files that went to check-in servers and came from them: each is taken once.';
COMMENT ON COLUMN checkin_files.file_id IS 'Id in the file';
COMMENT ON COLUMN checkin_files.direction IS 'out (points) or in (check-ins)';
COMMENT ON COLUMN checkin_files.server_id IS 'Server, null for points, which any may take';
COMMENT ON COLUMN checkin_files.made_utc IS 'UTC; as the file says';
COMMENT ON COLUMN checkin_files.taken_utc IS 'UTC; when it was written here, or taken in';
COMMENT ON COLUMN checkin_files.taken_by IS 'Account';
COMMENT ON COLUMN checkin_files.records IS 'Points or check-ins in it';
COMMENT ON COLUMN checkin_files.report IS 'What was found, by code: how many';
