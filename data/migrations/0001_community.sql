-- First schema. Ids are strings; geometry is in the community's metric CRS (community.crs); times are UTC.
-- A column that can hold something about a person has a comment that starts with [person]: masking and its tests read that.

CREATE TABLE community (
    community_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    crs VARCHAR NOT NULL,
    synthetic BOOLEAN NOT NULL,
    address_prefix VARCHAR,
    seed INTEGER,
    data_as_of TIMESTAMP,
    boundary GEOMETRY,
    boundary_source VARCHAR NOT NULL,
    PRIMARY KEY (community_id)
);
COMMENT ON TABLE community IS 'The one community of this file. Exactly one row.';
COMMENT ON COLUMN community.community_id IS 'Stable id of the community';
COMMENT ON COLUMN community.name IS 'Name as spoken, e.g. 万户新村';
COMMENT ON COLUMN community.crs IS 'Metric CRS of every geometry of this file, as AUTHORITY:CODE, e.g. EPSG:4549';
COMMENT ON COLUMN community.synthetic IS 'True for the invented sample: every page says so, and nothing real may be imported';
COMMENT ON COLUMN community.address_prefix IS 'What standard addresses start with before the community''s name, e.g. 江苏省盐城市亭湖区';
COMMENT ON COLUMN community.seed IS 'Seed of the sample, null for a real place';
COMMENT ON COLUMN community.data_as_of IS 'UTC; when the newest of the imported or generated data was true';
COMMENT ON COLUMN community.boundary IS 'Outer boundary, polygon';
COMMENT ON COLUMN community.boundary_source IS 'file, derived (hull of what was imported) or sample';

CREATE TABLE grids (
    grid_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    worker_responder_id VARCHAR,
    source VARCHAR NOT NULL,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (grid_id)
);
COMMENT ON TABLE grids IS '综合网格: the parts of the community, without gap or overlap.';
COMMENT ON COLUMN grids.grid_id IS 'Stable id';
COMMENT ON COLUMN grids.number IS 'Number painted on the table, from 1';
COMMENT ON COLUMN grids.name IS 'Name as spoken, e.g. 第3网格';
COMMENT ON COLUMN grids.worker_responder_id IS 'Its grid worker in responders';
COMMENT ON COLUMN grids.source IS 'file, derived or sample';
COMMENT ON COLUMN grids.geom IS 'Polygon or multipolygon';

CREATE TABLE buildings (
    building_id VARCHAR NOT NULL,
    name VARCHAR,
    zone VARCHAR,
    number VARCHAR,
    address_id VARCHAR,
    grid_id VARCHAR,
    use VARCHAR NOT NULL,
    floors_above INTEGER NOT NULL,
    floors_below INTEGER NOT NULL,
    height_m DOUBLE NOT NULL,
    base_m DOUBLE NOT NULL,
    height_source VARCHAR NOT NULL,
    floors_source VARCHAR NOT NULL,
    year_built INTEGER,
    structure VARCHAR,
    roof VARCHAR,
    source_key VARCHAR,
    batch_id VARCHAR,
    verified_utc TIMESTAMP,
    attributes JSON,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (building_id)
);
COMMENT ON TABLE buildings IS 'Buildings: one row a physical building (幢).';
COMMENT ON COLUMN buildings.building_id IS 'Stable id, the same across imports of the same source';
COMMENT ON COLUMN buildings.name IS 'Name or number as spoken, e.g. 12幢';
COMMENT ON COLUMN buildings.zone IS 'Zone of the community, e.g. 西区; null where there are none';
COMMENT ON COLUMN buildings.number IS 'Building number in canonical digits, e.g. 12; null for named buildings';
COMMENT ON COLUMN buildings.address_id IS 'Its standard address';
COMMENT ON COLUMN buildings.grid_id IS 'Grid that holds its representative point';
COMMENT ON COLUMN buildings.use IS 'residential, mixed, commercial, market, office, police, school, kindergarten, clinic, hotel, warehouse, shed, public, industrial or unknown';
COMMENT ON COLUMN buildings.floors_above IS 'Storeys above ground, at least 1';
COMMENT ON COLUMN buildings.floors_below IS 'Storeys below ground';
COMMENT ON COLUMN buildings.height_m IS 'Height of the top above ground, metres';
COMMENT ON COLUMN buildings.base_m IS 'Height above ground where the building begins (a bridge, an upper part), metres';
COMMENT ON COLUMN buildings.height_source IS 'file, floors (floors x 3.0 m) or assumed (default by use; drawn lighter)';
COMMENT ON COLUMN buildings.floors_source IS 'file, height (height / 3.0 m) or assumed';
COMMENT ON COLUMN buildings.year_built IS 'Year of completion';
COMMENT ON COLUMN buildings.structure IS 'Structure in the source''s words';
COMMENT ON COLUMN buildings.roof IS 'tile, flat or null';
COMMENT ON COLUMN buildings.source_key IS 'The record''s own id or row in the source file';
COMMENT ON COLUMN buildings.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN buildings.verified_utc IS 'UTC; when somebody last verified it at the door; imports never overwrite verified rows';
COMMENT ON COLUMN buildings.attributes IS '[person] Remaining columns of the source, as they came';
COMMENT ON COLUMN buildings.geom IS 'Footprint, polygon or multipolygon';

CREATE TABLE entrances (
    entrance_id VARCHAR NOT NULL,
    building_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    unit_number VARCHAR,
    bearing_deg DOUBLE,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (entrance_id)
);
COMMENT ON TABLE entrances IS 'Entrances (单元门) of buildings.';
COMMENT ON COLUMN entrances.entrance_id IS 'Stable id';
COMMENT ON COLUMN entrances.building_id IS 'Building';
COMMENT ON COLUMN entrances.name IS 'As spoken, e.g. 3单元';
COMMENT ON COLUMN entrances.unit_number IS '单元 in canonical form, e.g. 3, 甲, 东';
COMMENT ON COLUMN entrances.bearing_deg IS 'Outward direction, clockwise in degrees from grid north';
COMMENT ON COLUMN entrances.geom IS 'Point on the wall';

CREATE TABLE floors (
    floor_id VARCHAR NOT NULL,
    building_id VARCHAR NOT NULL,
    level INTEGER NOT NULL,
    name VARCHAR,
    elevation_m DOUBLE NOT NULL,
    height_m DOUBLE NOT NULL,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (floor_id)
);
COMMENT ON TABLE floors IS 'Storeys of buildings.';
COMMENT ON COLUMN floors.floor_id IS 'Stable id';
COMMENT ON COLUMN floors.building_id IS 'Building';
COMMENT ON COLUMN floors.level IS '1 is the ground floor, -1 the first below ground; there is no 0';
COMMENT ON COLUMN floors.name IS 'As spoken, e.g. 3层';
COMMENT ON COLUMN floors.elevation_m IS 'Height of its floor above ground, metres';
COMMENT ON COLUMN floors.height_m IS 'Floor to floor, metres';
COMMENT ON COLUMN floors.geom IS 'Outline';

CREATE TABLE units (
    unit_id VARCHAR NOT NULL,
    building_id VARCHAR NOT NULL,
    entrance_id VARCHAR,
    level INTEGER,
    room VARCHAR NOT NULL,
    name VARCHAR,
    address_id VARCHAR,
    use VARCHAR NOT NULL,
    area_m2 DOUBLE,
    residents_count INTEGER NOT NULL,
    floating_count INTEGER NOT NULL,
    owner_name VARCHAR,
    owner_phone VARCHAR,
    source_key VARCHAR,
    batch_id VARCHAR,
    verified_utc TIMESTAMP,
    geom GEOMETRY,
    PRIMARY KEY (unit_id)
);
COMMENT ON TABLE units IS 'Dwellings, shops and rooms (户室).';
COMMENT ON COLUMN units.unit_id IS 'Stable id';
COMMENT ON COLUMN units.building_id IS 'Building';
COMMENT ON COLUMN units.entrance_id IS 'Entrance that leads to it';
COMMENT ON COLUMN units.level IS 'Storey, as in floors';
COMMENT ON COLUMN units.room IS 'Room number in canonical digits, e.g. 402';
COMMENT ON COLUMN units.name IS 'Shop sign or other name, never a person';
COMMENT ON COLUMN units.address_id IS 'Standard address';
COMMENT ON COLUMN units.use IS 'dwelling, shop, office, storage or other';
COMMENT ON COLUMN units.area_m2 IS 'Built area, square metres';
COMMENT ON COLUMN units.residents_count IS 'People living here, floating population included';
COMMENT ON COLUMN units.floating_count IS 'Of these, floating population';
COMMENT ON COLUMN units.owner_name IS '[person] Owner''s name';
COMMENT ON COLUMN units.owner_phone IS '[person] Owner''s telephone';
COMMENT ON COLUMN units.source_key IS 'The record''s own id or row in the source file';
COMMENT ON COLUMN units.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN units.verified_utc IS 'UTC; when somebody last verified it at the door';
COMMENT ON COLUMN units.geom IS 'Outline in plan, polygon';

CREATE TABLE roads (
    road_id VARCHAR NOT NULL,
    way_id VARCHAR,
    name VARCHAR,
    kind VARCHAR NOT NULL,
    width_m DOUBLE NOT NULL,
    walkable BOOLEAN NOT NULL,
    source_key VARCHAR,
    batch_id VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (road_id)
);
COMMENT ON TABLE roads IS 'Roads and paths, noded: lines meet at their ends only.';
COMMENT ON COLUMN roads.road_id IS 'Stable id of the piece';
COMMENT ON COLUMN roads.way_id IS 'Id of the way in the source that the piece was cut from';
COMMENT ON COLUMN roads.name IS 'Name as on the sign';
COMMENT ON COLUMN roads.kind IS 'main, secondary, inner, service, footpath, steps, cycleway or other';
COMMENT ON COLUMN roads.width_m IS 'Drawn width, metres';
COMMENT ON COLUMN roads.walkable IS 'People on foot may use it';
COMMENT ON COLUMN roads.source_key IS 'The record''s own id or row in the source file';
COMMENT ON COLUMN roads.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN roads.geom IS 'Line';

CREATE TABLE gates (
    gate_id VARCHAR NOT NULL,
    name VARCHAR,
    kind VARCHAR NOT NULL,
    closes_at TIME,
    opens_at TIME,
    batch_id VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (gate_id)
);
COMMENT ON TABLE gates IS 'Gates in walls and on ways.';
COMMENT ON COLUMN gates.gate_id IS 'Stable id';
COMMENT ON COLUMN gates.name IS 'As spoken, e.g. 西区北门';
COMMENT ON COLUMN gates.kind IS 'vehicle, pedestrian or emergency';
COMMENT ON COLUMN gates.closes_at IS 'Asia/Shanghai; null when it never closes';
COMMENT ON COLUMN gates.opens_at IS 'Asia/Shanghai; null when it never closes';
COMMENT ON COLUMN gates.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN gates.geom IS 'Point';

CREATE TABLE walls (
    wall_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    height_m DOUBLE NOT NULL,
    batch_id VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (wall_id)
);
COMMENT ON TABLE walls IS 'Walls and fences.';
COMMENT ON COLUMN walls.wall_id IS 'Stable id';
COMMENT ON COLUMN walls.kind IS 'wall or fence';
COMMENT ON COLUMN walls.height_m IS 'Metres';
COMMENT ON COLUMN walls.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN walls.geom IS 'Line';

CREATE TABLE land (
    land_id VARCHAR NOT NULL,
    name VARCHAR,
    kind VARCHAR NOT NULL,
    height_m DOUBLE,
    batch_id VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (land_id)
);
COMMENT ON TABLE land IS 'Green, water, squares and trees.';
COMMENT ON COLUMN land.land_id IS 'Stable id';
COMMENT ON COLUMN land.name IS 'Name, e.g. 丽人湖';
COMMENT ON COLUMN land.kind IS 'green, water, square, pitch, parking or tree';
COMMENT ON COLUMN land.height_m IS 'Of a tree, metres';
COMMENT ON COLUMN land.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN land.geom IS 'Polygon or multipolygon; a point for a tree';

CREATE TABLE addresses (
    address_id VARCHAR NOT NULL,
    full_text VARCHAR NOT NULL,
    zone VARCHAR,
    building VARCHAR,
    unit VARCHAR,
    level INTEGER,
    room VARCHAR,
    building_id VARCHAR,
    unit_id VARCHAR,
    geom GEOMETRY,
    PRIMARY KEY (address_id)
);
COMMENT ON TABLE addresses IS 'Standard addresses (标准地址): community, zone, building, entrance, storey, room.';
COMMENT ON COLUMN addresses.address_id IS 'Stable id';
COMMENT ON COLUMN addresses.full_text IS 'Whole address in canonical spelling';
COMMENT ON COLUMN addresses.zone IS 'e.g. 西区';
COMMENT ON COLUMN addresses.building IS 'Building number in canonical digits';
COMMENT ON COLUMN addresses.unit IS '单元 in canonical form';
COMMENT ON COLUMN addresses.level IS 'Storey';
COMMENT ON COLUMN addresses.room IS 'Room number in canonical digits';
COMMENT ON COLUMN addresses.building_id IS 'Building';
COMMENT ON COLUMN addresses.unit_id IS 'Dwelling, null for addresses that end above it';
COMMENT ON COLUMN addresses.geom IS 'Point';

CREATE TABLE aliases (
    alias VARCHAR NOT NULL,
    canonical VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    PRIMARY KEY (alias, kind)
);
COMMENT ON TABLE aliases IS 'Other names of communities, zones, buildings and sites.';
COMMENT ON COLUMN aliases.alias IS 'As people say it, e.g. WH新村';
COMMENT ON COLUMN aliases.canonical IS 'What it stands for, e.g. 万户新村';
COMMENT ON COLUMN aliases.kind IS 'community, zone, building or site';

CREATE TABLE rentals (
    rental_id VARCHAR NOT NULL,
    unit_id VARCHAR,
    building_id VARCHAR,
    address_text VARCHAR,
    rooms_count INTEGER,
    beds_count INTEGER,
    tenants_count INTEGER,
    area_m2 DOUBLE,
    colour VARCHAR,
    registered_on DATE,
    last_visit_on DATE,
    suspected_group BOOLEAN NOT NULL,
    suspicion_reason VARCHAR,
    confirmed_utc TIMESTAMP,
    landlord_name VARCHAR,
    landlord_phone VARCHAR,
    source_key VARCHAR,
    batch_id VARCHAR,
    verified_utc TIMESTAMP,
    PRIMARY KEY (rental_id)
);
COMMENT ON TABLE rentals IS 'Rentals (出租房) and the suspicion of group rental (群租房).';
COMMENT ON COLUMN rentals.rental_id IS 'Stable id';
COMMENT ON COLUMN rentals.unit_id IS 'Dwelling';
COMMENT ON COLUMN rentals.building_id IS 'Building, also where the dwelling is not known';
COMMENT ON COLUMN rentals.address_text IS 'Address as registered';
COMMENT ON COLUMN rentals.rooms_count IS 'Let rooms';
COMMENT ON COLUMN rentals.beds_count IS 'Beds';
COMMENT ON COLUMN rentals.tenants_count IS 'People living there';
COMMENT ON COLUMN rentals.area_m2 IS 'Let area, square metres';
COMMENT ON COLUMN rentals.colour IS 'green, yellow, orange or red: visit cycle';
COMMENT ON COLUMN rentals.registered_on IS 'Date of registration';
COMMENT ON COLUMN rentals.last_visit_on IS 'Date of the last visit';
COMMENT ON COLUMN rentals.suspected_group IS '疑似群租: suspected until a person confirms it';
COMMENT ON COLUMN rentals.suspicion_reason IS 'Rule and figures that made the suspicion, never a person';
COMMENT ON COLUMN rentals.confirmed_utc IS 'UTC; when a person confirmed it';
COMMENT ON COLUMN rentals.landlord_name IS '[person] Landlord''s name';
COMMENT ON COLUMN rentals.landlord_phone IS '[person] Landlord''s telephone';
COMMENT ON COLUMN rentals.source_key IS 'The record''s own id or row in the source file';
COMMENT ON COLUMN rentals.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN rentals.verified_utc IS 'UTC; when somebody last verified it at the door';

CREATE TABLE key_sites (
    site_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    building_id VARCHAR,
    level INTEGER,
    address_text VARCHAR,
    last_visit_on DATE,
    contact_name VARCHAR,
    contact_phone VARCHAR,
    source_key VARCHAR,
    batch_id VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (site_id)
);
COMMENT ON TABLE key_sites IS 'Key units (重点单位).';
COMMENT ON COLUMN key_sites.site_id IS 'Stable id';
COMMENT ON COLUMN key_sites.name IS 'As on the sign';
COMMENT ON COLUMN key_sites.kind IS 'hotel, internet_cafe, school, kindergarten, clinic, pharmacy, market, supermarket, restaurant, warehouse, gas_shop, express, recycling, bathhouse, ktv, bank, gold_shop, charging_shed, elderly_care, office, police_office or other';
COMMENT ON COLUMN key_sites.building_id IS 'Building';
COMMENT ON COLUMN key_sites.level IS 'Storey';
COMMENT ON COLUMN key_sites.address_text IS 'Address as registered';
COMMENT ON COLUMN key_sites.last_visit_on IS 'Date of the last inspection';
COMMENT ON COLUMN key_sites.contact_name IS '[person] Contact''s name';
COMMENT ON COLUMN key_sites.contact_phone IS '[person] Contact''s telephone';
COMMENT ON COLUMN key_sites.source_key IS 'The record''s own id or row in the source file';
COMMENT ON COLUMN key_sites.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN key_sites.geom IS 'Point';

CREATE TABLE responders (
    responder_id VARCHAR NOT NULL,
    call_sign VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    organisation VARCHAR,
    channel VARCHAR,
    grid_id VARCHAR,
    full_time BOOLEAN NOT NULL,
    duty_from TIME,
    duty_to TIME,
    name VARCHAR,
    phone VARCHAR,
    position_utc TIMESTAMP,
    geom GEOMETRY,
    PRIMARY KEY (responder_id)
);
COMMENT ON TABLE responders IS 'People with radios: officers, grid workers and 万家卫士.';
COMMENT ON COLUMN responders.responder_id IS 'Stable id';
COMMENT ON COLUMN responders.call_sign IS 'Call sign: the only name ever drawn';
COMMENT ON COLUMN responders.kind IS 'officer, auxiliary, grid_worker, property_guard, estate_guard, venue_guard, unit_guard or volunteer';
COMMENT ON COLUMN responders.organisation IS 'Body that they belong to';
COMMENT ON COLUMN responders.channel IS 'Radio channel';
COMMENT ON COLUMN responders.grid_id IS 'Grid they look after, null for all';
COMMENT ON COLUMN responders.full_time IS 'Full-time or part-time';
COMMENT ON COLUMN responders.duty_from IS 'Asia/Shanghai';
COMMENT ON COLUMN responders.duty_to IS 'Asia/Shanghai; before duty_from when the duty passes midnight';
COMMENT ON COLUMN responders.name IS '[person] Name';
COMMENT ON COLUMN responders.phone IS '[person] Telephone';
COMMENT ON COLUMN responders.position_utc IS 'UTC; when they were last where geom says';
COMMENT ON COLUMN responders.geom IS 'Last position, point';

CREATE TABLE incident_categories (
    category VARCHAR NOT NULL,
    parent VARCHAR,
    name_zh VARCHAR NOT NULL,
    name_en VARCHAR NOT NULL,
    sensitive BOOLEAN NOT NULL,
    PRIMARY KEY (category)
);
COMMENT ON TABLE incident_categories IS 'Tree of kinds of incident, at least two levels; codes differ by city.';
COMMENT ON COLUMN incident_categories.category IS 'Code';
COMMENT ON COLUMN incident_categories.parent IS 'Code of the kind above, null at the top';
COMMENT ON COLUMN incident_categories.name_zh IS 'Name in Chinese';
COMMENT ON COLUMN incident_categories.name_en IS 'Name in English';
COMMENT ON COLUMN incident_categories.sensitive IS 'Shown on the wall as grid and 警情 only';

CREATE TABLE incidents (
    incident_id VARCHAR NOT NULL,
    number VARCHAR,
    category VARCHAR NOT NULL,
    urgency VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    reported_utc TIMESTAMP NOT NULL,
    occurred_from_utc TIMESTAMP NOT NULL,
    occurred_to_utc TIMESTAMP NOT NULL,
    closed_utc TIMESTAMP,
    status VARCHAR NOT NULL,
    address_text VARCHAR,
    building_id VARCHAR,
    unit_id VARCHAR,
    grid_id VARCHAR,
    reporter_key VARCHAR,
    reporter_name VARCHAR,
    reporter_phone VARCHAR,
    narrative VARCHAR,
    disposition VARCHAR,
    source_key VARCHAR,
    batch_id VARCHAR,
    geom GEOMETRY NOT NULL,
    PRIMARY KEY (incident_id)
);
COMMENT ON TABLE incidents IS '警情: alarms, requests for help, complaints, and what the police found themselves.';
COMMENT ON COLUMN incidents.incident_id IS 'Stable id';
COMMENT ON COLUMN incidents.number IS 'Number in the alarm system';
COMMENT ON COLUMN incidents.category IS 'Code in incident_categories';
COMMENT ON COLUMN incidents.urgency IS 'urgent, normal or not_police';
COMMENT ON COLUMN incidents.source IS 'call, counter, app or police_found; only what others reported feeds hotspots';
COMMENT ON COLUMN incidents.reported_utc IS 'UTC; when it was reported';
COMMENT ON COLUMN incidents.occurred_from_utc IS 'UTC; when it happened, or the earliest it can have';
COMMENT ON COLUMN incidents.occurred_to_utc IS 'UTC; the latest it can have happened; equal to occurred_from_utc when known';
COMMENT ON COLUMN incidents.closed_utc IS 'UTC; when it was closed, null while it is open';
COMMENT ON COLUMN incidents.status IS 'new, dispatched, arrived or closed';
COMMENT ON COLUMN incidents.address_text IS '[person] Place in the caller''s words: free text may name a person';
COMMENT ON COLUMN incidents.building_id IS 'Building';
COMMENT ON COLUMN incidents.unit_id IS 'Dwelling';
COMMENT ON COLUMN incidents.grid_id IS 'Grid';
COMMENT ON COLUMN incidents.reporter_key IS 'Keyed hash of the caller: tells "N of M from one caller", nothing else';
COMMENT ON COLUMN incidents.reporter_name IS '[person] Caller''s name';
COMMENT ON COLUMN incidents.reporter_phone IS '[person] Caller''s telephone';
COMMENT ON COLUMN incidents.narrative IS '[person] What was said, free text';
COMMENT ON COLUMN incidents.disposition IS 'Code of the outcome';
COMMENT ON COLUMN incidents.source_key IS 'The record''s own id or row in the source file';
COMMENT ON COLUMN incidents.batch_id IS 'Import that wrote it, null for the sample';
COMMENT ON COLUMN incidents.geom IS 'Point';

CREATE TABLE import_batches (
    batch_id VARCHAR NOT NULL,
    content_sha256 VARCHAR NOT NULL,
    sources JSON NOT NULL,
    started_utc TIMESTAMP NOT NULL,
    finished_utc TIMESTAMP NOT NULL,
    undone_utc TIMESTAMP,
    report JSON NOT NULL,
    PRIMARY KEY (batch_id)
);
COMMENT ON TABLE import_batches IS 'Imports: what came in, what was repaired, and how to take it back.';
COMMENT ON COLUMN import_batches.batch_id IS 'Stable id';
COMMENT ON COLUMN import_batches.content_sha256 IS 'Hash of the files and options';
COMMENT ON COLUMN import_batches.sources IS 'Names and sizes of the files';
COMMENT ON COLUMN import_batches.started_utc IS 'UTC';
COMMENT ON COLUMN import_batches.finished_utc IS 'UTC';
COMMENT ON COLUMN import_batches.undone_utc IS 'UTC; when it was taken back';
COMMENT ON COLUMN import_batches.report IS 'Everything found, repaired, derived and refused';

CREATE TABLE import_changes (
    batch_id VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    row_id VARCHAR NOT NULL,
    before JSON,
    PRIMARY KEY (batch_id, table_name, row_id)
);
COMMENT ON TABLE import_changes IS 'What each import did to each row, so that it can be taken back.';
COMMENT ON COLUMN import_changes.batch_id IS 'Import';
COMMENT ON COLUMN import_changes.table_name IS 'Table';
COMMENT ON COLUMN import_changes.row_id IS 'Key of the row';
COMMENT ON COLUMN import_changes.before IS '[person] The row as it was, geometry as WKT; null when the import made the row';

CREATE TABLE events (
    event_id BIGINT NOT NULL,
    at_utc TIMESTAMP NOT NULL,
    kind VARCHAR NOT NULL,
    subject_table VARCHAR,
    subject_id VARCHAR,
    detail JSON,
    PRIMARY KEY (event_id)
);
COMMENT ON TABLE events IS 'What happened, append-only. Ids only, never a person''s field.';
COMMENT ON COLUMN events.event_id IS 'Order of committing, from 1 without gap';
COMMENT ON COLUMN events.at_utc IS 'UTC';
COMMENT ON COLUMN events.kind IS 'What happened, e.g. import.done';
COMMENT ON COLUMN events.subject_table IS 'Table of the subject';
COMMENT ON COLUMN events.subject_id IS 'Id of the subject';
COMMENT ON COLUMN events.detail IS 'Figures and codes';

CREATE TABLE revisions (
    table_name VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    changed_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name)
);
COMMENT ON TABLE revisions IS 'Last revision of each table: what scene files are keyed by.';
COMMENT ON COLUMN revisions.table_name IS 'Table';
COMMENT ON COLUMN revisions.revision IS 'Number of the last committed write that touched the table, counted over the whole file';
COMMENT ON COLUMN revisions.changed_utc IS 'UTC';

CREATE TABLE schema_migrations (
    version INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    applied_utc TIMESTAMP NOT NULL,
    PRIMARY KEY (version)
);
COMMENT ON TABLE schema_migrations IS 'Migrations that this file has been through.';
COMMENT ON COLUMN schema_migrations.version IS 'Number of the migration';
COMMENT ON COLUMN schema_migrations.name IS 'File name of the migration';
COMMENT ON COLUMN schema_migrations.applied_utc IS 'UTC';
