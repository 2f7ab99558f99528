-- How far word of an overdue task went, by the table of escalation; and what follows a mediation names it.

ALTER TABLE tasks ADD COLUMN escalation_level INTEGER DEFAULT 0;
COMMENT ON COLUMN tasks.escalation_level IS 'Highest level to which it was reported as overdue, 0 for none; the levels are in data/escalation_rules.csv or the office''s own table';
COMMENT ON COLUMN tasks.parent_id IS 'Task whose findings this one checks again, or whose mediation it asks after; null otherwise';
