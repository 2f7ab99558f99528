-- Nobody at home: how often, and when the worker comes again. Rules of rounds (minutes, hours) are a table as well.

ALTER TABLE tasks ADD COLUMN absent_count INTEGER DEFAULT 0;
COMMENT ON COLUMN tasks.absent_count IS 'How often nobody was at home';
ALTER TABLE tasks ADD COLUMN again_utc TIMESTAMP;
COMMENT ON COLUMN tasks.again_utc IS 'UTC; when the worker comes again, as the notice says that was left; null where none was';

-- The names of tables are checked where they are put in (data/rule_tables.py): a constraint cannot be widened.
CREATE TABLE rule_tables_kept AS SELECT * FROM rule_tables;
DROP TABLE rule_tables;
CREATE TABLE rule_tables (
    name VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    changed_utc TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL,
    PRIMARY KEY (name)
);
INSERT INTO rule_tables SELECT name, content, changed_utc, changed_by FROM rule_tables_kept;
DROP TABLE rule_tables_kept;
COMMENT ON TABLE rule_tables IS 'Rules as data, where an office has its own: without a row the product''s (data/*_rules.csv) are in force.';
COMMENT ON COLUMN rule_tables.name IS 'visits (what to inspect, how often), group_rentals (what counts as 疑似群租), checklists (what to look at) or rounds (how long a visit takes, and when)';
COMMENT ON COLUMN rule_tables.content IS 'CSV with a header; lines that begin with # are comments';
COMMENT ON COLUMN rule_tables.changed_utc IS 'UTC';
COMMENT ON COLUMN rule_tables.changed_by IS 'Account';
