-- Schematic plans (示意) of buildings: what they were made from, and their rooms. Each change is an event `plan.…` that holds
-- what the plan was made from before and after, so that it can be taken back.

ALTER TABLE units ADD COLUMN geom_source VARCHAR;
COMMENT ON COLUMN units.geom_source IS 'schematic: geom was made from the footprint and rooms per landing (示意); null: it is the source''s own';

CREATE TABLE building_plans (
    building_id VARCHAR NOT NULL,
    spec JSON NOT NULL,
    made_utc TIMESTAMP NOT NULL,
    made_by VARCHAR NOT NULL,
    copied_from VARCHAR,
    PRIMARY KEY (building_id)
);
COMMENT ON TABLE building_plans IS 'Schematic plans: one row a building that has one.';
COMMENT ON COLUMN building_plans.building_id IS 'Building';
COMMENT ON COLUMN building_plans.spec IS 'Kind, rooms by entrance, storeys that differ, numbers by hand (data/plan_spec.py)';
COMMENT ON COLUMN building_plans.made_utc IS 'UTC; when it was made or changed last';
COMMENT ON COLUMN building_plans.made_by IS 'Account';
COMMENT ON COLUMN building_plans.copied_from IS 'Building of the same shape that it was copied from, null otherwise';

CREATE TABLE plan_rooms (
    building_id VARCHAR NOT NULL,
    level INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    entrance_id VARCHAR,
    place INTEGER NOT NULL,
    number VARCHAR,
    unit_id VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (building_id, level, kind, place),
    CHECK (kind IN ('room', 'landing'))
);
COMMENT ON TABLE plan_rooms IS 'Rooms and landings of schematic plans; always what the building''s specification leads to.';
COMMENT ON COLUMN plan_rooms.building_id IS 'Building';
COMMENT ON COLUMN plan_rooms.level IS 'Storey, as in floors';
COMMENT ON COLUMN plan_rooms.kind IS 'room or landing';
COMMENT ON COLUMN plan_rooms.entrance_id IS 'Entrance that leads to it, null where none is known';
COMMENT ON COLUMN plan_rooms.place IS 'Counts from 1 on its storey';
COMMENT ON COLUMN plan_rooms.number IS 'Room number, null for a landing';
COMMENT ON COLUMN plan_rooms.unit_id IS 'Unit of the register that stands in it, null where the register has none: a plan makes no unit';
COMMENT ON COLUMN plan_rooms.geom IS 'Outline in plan, polygon';
