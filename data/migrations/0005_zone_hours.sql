-- When a zone is patrolled, and how much a visit there is worth: what a patrol plan starts from. `shift` stays as it is spoken.

ALTER TABLE zones ADD COLUMN weekdays VARCHAR DEFAULT '1234567';
COMMENT ON COLUMN zones.weekdays IS 'Days on which its hours begin, 1 for Monday to 7 for Sunday, ascending';
ALTER TABLE zones ADD COLUMN hours_from TIME;
COMMENT ON COLUMN zones.hours_from IS 'Asia/Shanghai; null when any hour will do';
ALTER TABLE zones ADD COLUMN hours_to TIME;
COMMENT ON COLUMN zones.hours_to IS 'Asia/Shanghai; not after hours_from when the hours pass midnight; null when any hour will do';
ALTER TABLE zones ADD COLUMN weight DOUBLE DEFAULT 1;
COMMENT ON COLUMN zones.weight IS 'How much a visit there is worth beside one to another zone, 1 to 5';
