-- What changes: small, so that a change of status rewrites little. Its documents stand beside it, and never change.
-- parcels: {"parcel id": "status", ...}. position: that of the latest entry of its timeline.
CREATE TABLE order_header (
    tenant              TEXT    NOT NULL,
    order_id            TEXT    NOT NULL,
    placement           TEXT    NOT NULL,
    customer_id         TEXT    NOT NULL,
    business_line       TEXT    NOT NULL,
    channel             TEXT    NOT NULL,
    currency            TEXT    NOT NULL,
    payable             INTEGER NOT NULL,
    order_status        TEXT    NOT NULL,
    payment_status      TEXT    NOT NULL,
    fulfilment_status   TEXT    NOT NULL,
    after_sale_status   TEXT    NOT NULL,
    parcels             TEXT    NOT NULL,
    payment_id          TEXT,
    cancel_requested_at INTEGER,
    position            INTEGER NOT NULL,
    placed_at           INTEGER NOT NULL,
    changed_at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, order_id)
) STRICT, WITHOUT ROWID;

-- A customer's orders, latest first.
CREATE INDEX order_header_customer ON order_header (tenant, customer_id, placement);

-- With a rowid: the rows are long, and are added in the order of their key. The key lists a shop's orders by time.
CREATE TABLE order_document (
    tenant    TEXT NOT NULL,
    placement TEXT NOT NULL,
    order_id  TEXT NOT NULL,
    proof     TEXT NOT NULL,
    parcels   TEXT NOT NULL,
    ship_to   TEXT NOT NULL,
    PRIMARY KEY (tenant, placement)
) STRICT;

CREATE TABLE order_timeline (
    tenant      TEXT    NOT NULL,
    order_id    TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    axis        TEXT    NOT NULL,
    from_status TEXT    NOT NULL,
    to_status   TEXT    NOT NULL,
    subject     TEXT,
    note        TEXT,
    at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, order_id, position)
) STRICT, WITHOUT ROWID;
