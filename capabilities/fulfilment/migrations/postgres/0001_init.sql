-- parcel: the parcel as it was asked for. Ids are time-ordered, so that lists are added at the end.
CREATE TABLE fulfilment_pick_list (
    tenant         TEXT COLLATE "C" NOT NULL,
    pick_list_id   TEXT COLLATE "C" NOT NULL,
    order_id       TEXT COLLATE "C" NOT NULL,
    parcel_id      TEXT COLLATE "C" NOT NULL,
    location       TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('requested', 'packed', 'handed_over', 'cancelled')),
    parcel         TEXT COLLATE "C" NOT NULL,
    requested_at   BIGINT           NOT NULL,
    packed_at      BIGINT,
    handed_over_at BIGINT,
    cancelled_at   BIGINT,
    PRIMARY KEY (tenant, pick_list_id)
);

-- What a warehouse still has to do, oldest first. A list leaves it when it is handed over.
CREATE INDEX fulfilment_pick_list_open ON fulfilment_pick_list (tenant, location, pick_list_id)
WHERE state IN ('requested', 'packed');
