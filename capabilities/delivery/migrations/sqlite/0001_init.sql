-- Fee tables: an empty line or country stands for any. `up_to_grams` is the bracket's upper end, included.
CREATE TABLE delivery_fee (
    tenant      TEXT    NOT NULL,
    line        TEXT    NOT NULL,
    country     TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    up_to_grams INTEGER NOT NULL CHECK (up_to_grams > 0),
    amount      INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (tenant, currency, line, country, up_to_grams)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery_weight (
    tenant TEXT    NOT NULL,
    sku    TEXT    NOT NULL,
    grams  INTEGER NOT NULL CHECK (grams >= 0),
    PRIMARY KEY (tenant, sku)
) STRICT, WITHOUT ROWID;

-- Where parcels of a location leave from, as an address.
CREATE TABLE delivery_origin (
    tenant   TEXT NOT NULL,
    location TEXT NOT NULL,
    address  TEXT NOT NULL,
    PRIMARY KEY (tenant, location)
) STRICT, WITHOUT ROWID;

-- One row a parcel that was given to the carrier. The row stands before the carrier is asked: its id is the idempotency
-- key, and `request` is what was asked, to be asked again as it was.
CREATE TABLE delivery_shipment (
    tenant          TEXT    NOT NULL,
    shipment_id     TEXT    NOT NULL,
    order_id        TEXT    NOT NULL,
    parcel_id       TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    sequence        INTEGER NOT NULL,
    delivered       INTEGER NOT NULL,
    carrier_ref     TEXT,
    tracking_number TEXT,
    label_url       TEXT,
    refusal         TEXT,
    request         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant, shipment_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery_tracking (
    tenant      TEXT    NOT NULL,
    shipment_id TEXT    NOT NULL,
    sequence    INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, shipment_id, sequence)
) STRICT, WITHOUT ROWID;

-- Webhook events that were taken, so that each is taken once.
CREATE TABLE delivery_carrier_event (
    tenant      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, event_id)
) STRICT, WITHOUT ROWID;
