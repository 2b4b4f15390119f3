-- Each time a flow's name was given a meaning.
CREATE TABLE flow_alias_move (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    moved_at INTEGER NOT NULL,
    line TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant, name, moved_at, line, hash)
) STRICT, WITHOUT ROWID;

INSERT INTO flow_alias_move (tenant, name, moved_at, line, hash)
SELECT tenant, name, moved_at, line, hash FROM flow_alias;

-- What a person did about something that he was told; null as long as nobody has.
ALTER TABLE flow_attention ADD COLUMN settled_at INTEGER;
ALTER TABLE flow_attention ADD COLUMN settled_how TEXT;
ALTER TABLE flow_attention ADD COLUMN settled_reason TEXT;
CREATE INDEX flow_attention_open ON flow_attention (tenant, at) WHERE settled_at IS NULL;
