-- Floor plans of key sites: rooms, ways and what matters in an emergency, storey by storey. Each change is an event
-- `site_plan.…` that holds the plan before and after, so that it can be taken back.

CREATE TABLE site_plan_parts (
    site_id VARCHAR NOT NULL,
    part_id INTEGER NOT NULL,
    level INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR,
    source VARCHAR NOT NULL,
    put_utc TIMESTAMP NOT NULL,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (site_id, part_id),
    CHECK (source IN ('file', 'drawn')),
    CHECK (kind IN ('room', 'corridor', 'wall', 'door', 'stairs', 'exit', 'extinguisher', 'hydrant', 'gas', 'power',
        'camera', 'hazard'))
);
COMMENT ON TABLE site_plan_parts IS 'Floor plans of key sites (重点单位), part by part.';
COMMENT ON COLUMN site_plan_parts.site_id IS 'Key site';
COMMENT ON COLUMN site_plan_parts.part_id IS 'Counts from 1 within the plan';
COMMENT ON COLUMN site_plan_parts.level IS 'Storey, as in floors';
COMMENT ON COLUMN site_plan_parts.kind IS 'room, corridor, wall, door, stairs, or a mark: exit, extinguisher, hydrant, gas, power, camera, hazard';
COMMENT ON COLUMN site_plan_parts.name IS 'As written on the plan, masked as audit_log.reason; never a person';
COMMENT ON COLUMN site_plan_parts.source IS 'file (imported) or drawn (over a photo of the plan)';
COMMENT ON COLUMN site_plan_parts.put_utc IS 'UTC';
COMMENT ON COLUMN site_plan_parts.geom IS 'Polygon of a room, corridor or stairs; line of a wall; point of a door or mark';
