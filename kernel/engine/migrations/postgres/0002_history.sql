-- Each time a flow's name was given a meaning.
CREATE TABLE flow_alias_move (
    tenant TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    moved_at BIGINT NOT NULL,
    line TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, name, moved_at, line, hash)
);

INSERT INTO flow_alias_move (tenant, name, moved_at, line, hash)
SELECT tenant, name, moved_at, line, hash FROM flow_alias;

-- What a person did about something that he was told; null as long as nobody has.
ALTER TABLE flow_attention ADD COLUMN settled_at BIGINT;
ALTER TABLE flow_attention ADD COLUMN settled_how TEXT COLLATE "C";
ALTER TABLE flow_attention ADD COLUMN settled_reason TEXT COLLATE "C";
CREATE INDEX flow_attention_open ON flow_attention (tenant, at) WHERE settled_at IS NULL;
