-- Files of the station's existing platform: how they look, and which of its tasks are ours. Times are UTC.

CREATE TABLE platform_layouts (
    name VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    changed_utc TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL,
    PRIMARY KEY (name)
);
COMMENT ON TABLE platform_layouts IS 'Layouts of files of the station''s platform, where an office has its own: without a row the product''s examples (data/platform_layouts.csv).';
COMMENT ON COLUMN platform_layouts.name IS 'layouts';
COMMENT ON COLUMN platform_layouts.content IS 'CSV with a header; lines that begin with # are comments';
COMMENT ON COLUMN platform_layouts.changed_utc IS 'UTC';
COMMENT ON COLUMN platform_layouts.changed_by IS 'Account, or the command line';

CREATE TABLE platform_tasks (
    task_id VARCHAR NOT NULL,
    layout VARCHAR NOT NULL,
    number VARCHAR NOT NULL,
    PRIMARY KEY (task_id)
);
COMMENT ON TABLE platform_tasks IS 'Tasks that came from the station''s platform, so that their results go back under its own number.';
COMMENT ON COLUMN platform_tasks.task_id IS 'Task';
COMMENT ON COLUMN platform_tasks.layout IS 'Layout of the file that it came in';
COMMENT ON COLUMN platform_tasks.number IS 'Its number there';
