-- Calendars (school days, holidays …): which days are of a kind. Days that a calendar does not name are not of it.

CREATE TABLE calendar_days (
    calendar VARCHAR NOT NULL,
    day DATE NOT NULL,
    PRIMARY KEY (calendar, day)
);
COMMENT ON TABLE calendar_days IS 'Days of calendars, for comparing incidents on such days with those on others.';
COMMENT ON COLUMN calendar_days.calendar IS 'Name as spoken, e.g. 上学日';
COMMENT ON COLUMN calendar_days.day IS 'Date in Shanghai';
