-- Definitions are immutable; their hash is their identity. Tenant `_` is the platform's own.
CREATE TABLE flow_definition (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    text TEXT NOT NULL,
    contracts TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
) STRICT, WITHOUT ROWID;

-- Which definition a name means, for each business line; an empty line is any.
CREATE TABLE flow_alias (
    tenant TEXT NOT NULL,
    line TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    moved_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, line, name)
) STRICT, WITHOUT ROWID;

-- status: 0 driven (calls are outstanding), 1 waiting, 2 ended, 3 held for a person.
CREATE TABLE flow_instance (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    flow TEXT NOT NULL,
    hash TEXT NOT NULL,
    key TEXT,
    line TEXT NOT NULL,
    channel TEXT NOT NULL,
    caller TEXT,
    input_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    wake_at INTEGER,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    answer TEXT,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX flow_instance_key ON flow_instance (tenant, flow, key) WHERE key IS NOT NULL;
CREATE INDEX flow_instance_open ON flow_instance (tenant, id) WHERE status <> 2;

CREATE TABLE flow_journal (
    tenant TEXT NOT NULL,
    instance TEXT NOT NULL,
    seq INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant, instance, seq)
) STRICT, WITHOUT ROWID;

-- kind: 0 a wait, 1 a cancellation, 2 an acquiring event that would be late.
CREATE TABLE flow_wait (
    tenant TEXT NOT NULL,
    event TEXT NOT NULL,
    key TEXT NOT NULL,
    instance TEXT NOT NULL,
    wait INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant, event, key, instance, wait, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_wait_instance ON flow_wait (tenant, instance);

-- Events that a flow may wait for, kept until nobody can want them; position is that of the outbox.
CREATE TABLE inbox (
    tenant TEXT NOT NULL,
    event TEXT NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    payload TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, event, key, position)
) STRICT, WITHOUT ROWID;

-- Which trade has had which event.
CREATE TABLE inbox_taken (
    tenant TEXT NOT NULL,
    instance TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, instance, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    event TEXT NOT NULL,
    key TEXT NOT NULL,
    instance TEXT NOT NULL,
    payload TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE subscriber (
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    instance TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_attention (
    tenant TEXT NOT NULL,
    instance TEXT NOT NULL,
    number INTEGER NOT NULL,
    path TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, instance, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
    tenant TEXT NOT NULL,
    line TEXT NOT NULL,
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, line, channel, name)
) STRICT, WITHOUT ROWID;

-- Pruning finds what is old without reading what is not.
CREATE INDEX idempotency_at ON idempotency (at);
CREATE INDEX inbox_received_at ON inbox (received_at);
