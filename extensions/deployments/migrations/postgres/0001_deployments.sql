-- What was handed over, by what it is: manifest, schema and component together. Only what it is granted changes.
CREATE TABLE deployment_component (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    release TEXT COLLATE "C" NOT NULL,
    manifest TEXT COLLATE "C" NOT NULL,
    config_schema TEXT COLLATE "C",
    component BYTEA NOT NULL,
    granted TEXT COLLATE "C" NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX deployment_component_release ON deployment_component (name, release);

-- Each change of the set of bindings, whole. A revision never changes. effective_from: trades that begin then or later have it.
CREATE TABLE deployment_revision (
    number BIGINT NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    effective_from BIGINT NOT NULL,
    made_by TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    restores BIGINT,
    withdrawn TEXT COLLATE "C" NOT NULL,
    bindings TEXT COLLATE "C" NOT NULL
);

-- What a trial would have come to beside what was live, for each call of each order.
CREATE TABLE deployment_observation (
    rollout BIGINT NOT NULL,
    point TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    instance TEXT COLLATE "C" NOT NULL,
    call TEXT COLLATE "C" NOT NULL,
    observed_at BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    took_us BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    live_minor BIGINT NOT NULL,
    trial_minor BIGINT NOT NULL,
    PRIMARY KEY (rollout, point, tenant, instance, call)
);
