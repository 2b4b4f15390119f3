-- What changes: small, so that a change of status rewrites little. Its documents stand beside it, and never change.
-- parcels: {"parcel id": "status", ...}. position: that of the latest entry of its timeline.
CREATE TABLE order_header (
    tenant              TEXT COLLATE "C" NOT NULL,
    order_id            TEXT COLLATE "C" NOT NULL,
    placement           TEXT COLLATE "C" NOT NULL,
    customer_id         TEXT COLLATE "C" NOT NULL,
    business_line       TEXT COLLATE "C" NOT NULL,
    channel             TEXT COLLATE "C" NOT NULL,
    currency            TEXT COLLATE "C" NOT NULL,
    payable             BIGINT           NOT NULL,
    order_status        TEXT COLLATE "C" NOT NULL,
    payment_status      TEXT COLLATE "C" NOT NULL,
    fulfilment_status   TEXT COLLATE "C" NOT NULL,
    after_sale_status   TEXT COLLATE "C" NOT NULL,
    parcels             TEXT COLLATE "C" NOT NULL,
    payment_id          TEXT COLLATE "C",
    cancel_requested_at BIGINT,
    position            BIGINT           NOT NULL,
    placed_at           BIGINT           NOT NULL,
    changed_at          BIGINT           NOT NULL,
    PRIMARY KEY (tenant, order_id)
);

-- A customer's orders, latest first.
CREATE INDEX order_header_customer ON order_header (tenant, customer_id, placement);

-- With a rowid: the rows are long, and are added in the order of their key. The key lists a shop's orders by time.
CREATE TABLE order_document (
    tenant    TEXT COLLATE "C" NOT NULL,
    placement TEXT COLLATE "C" NOT NULL,
    order_id  TEXT COLLATE "C" NOT NULL,
    proof     TEXT COLLATE "C" NOT NULL,
    parcels   TEXT COLLATE "C" NOT NULL,
    ship_to   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, placement)
);

CREATE TABLE order_timeline (
    tenant      TEXT COLLATE "C" NOT NULL,
    order_id    TEXT COLLATE "C" NOT NULL,
    position    BIGINT           NOT NULL,
    axis        TEXT COLLATE "C" NOT NULL,
    from_status TEXT COLLATE "C" NOT NULL,
    to_status   TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C",
    note        TEXT COLLATE "C",
    at          BIGINT           NOT NULL,
    PRIMARY KEY (tenant, order_id, position)
);
