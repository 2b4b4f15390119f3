-- What came back, by the paper that it came back with: each is taken in once.
CREATE TABLE inventory_restock (
    tenant       TEXT COLLATE "C"    NOT NULL,
    reference    TEXT COLLATE "C"    NOT NULL,
    units        TEXT COLLATE "C"    NOT NULL,
    restocked_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, reference)
);
