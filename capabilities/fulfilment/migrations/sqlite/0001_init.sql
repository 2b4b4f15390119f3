-- parcel: the parcel as it was asked for. Ids are time-ordered, so that lists are added at the end.
CREATE TABLE fulfilment_pick_list (
    tenant         TEXT    NOT NULL,
    pick_list_id   TEXT    NOT NULL,
    order_id       TEXT    NOT NULL,
    parcel_id      TEXT    NOT NULL,
    location       TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('requested', 'packed', 'handed_over', 'cancelled')),
    parcel         TEXT    NOT NULL,
    requested_at   INTEGER NOT NULL,
    packed_at      INTEGER,
    handed_over_at INTEGER,
    cancelled_at   INTEGER,
    PRIMARY KEY (tenant, pick_list_id)
) STRICT, WITHOUT ROWID;

-- What a warehouse still has to do, oldest first. A list leaves it when it is handed over.
CREATE INDEX fulfilment_pick_list_open ON fulfilment_pick_list (tenant, location, pick_list_id)
WHERE state IN ('requested', 'packed');
