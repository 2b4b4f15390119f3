-- What came back, by the paper that it came back with: each is taken in once.
CREATE TABLE inventory_restock (
    tenant       TEXT    NOT NULL,
    reference    TEXT    NOT NULL,
    units        TEXT    NOT NULL,
    restocked_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, reference)
) STRICT, WITHOUT ROWID;
