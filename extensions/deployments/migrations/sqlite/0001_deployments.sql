-- What was handed over, by what it is: manifest, schema and component together. Only what it is granted changes.
CREATE TABLE deployment_component (
    hash TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    release TEXT NOT NULL,
    manifest TEXT NOT NULL,
    config_schema TEXT,
    component BLOB NOT NULL,
    granted TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX deployment_component_release ON deployment_component (name, release);

-- Each change of the set of bindings, whole. A revision never changes. effective_from: trades that begin then or later have it.
CREATE TABLE deployment_revision (
    number INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    effective_from INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    restores INTEGER,
    withdrawn TEXT NOT NULL,
    bindings TEXT NOT NULL
) STRICT;

-- What a trial would have come to beside what was live, for each call of each order.
CREATE TABLE deployment_observation (
    rollout INTEGER NOT NULL,
    point TEXT NOT NULL,
    tenant TEXT NOT NULL,
    instance TEXT NOT NULL,
    call TEXT NOT NULL,
    observed_at INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    currency TEXT NOT NULL,
    live_minor INTEGER NOT NULL,
    trial_minor INTEGER NOT NULL,
    PRIMARY KEY (rollout, point, tenant, instance, call)
) STRICT, WITHOUT ROWID;
