-- Fee tables: an empty line or country stands for any. `up_to_grams` is the bracket's upper end, included.
CREATE TABLE delivery_fee (
    tenant      TEXT COLLATE "C" NOT NULL,
    line        TEXT COLLATE "C" NOT NULL,
    country     TEXT COLLATE "C" NOT NULL,
    currency    TEXT COLLATE "C" NOT NULL,
    up_to_grams BIGINT           NOT NULL CHECK (up_to_grams > 0),
    amount      BIGINT           NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (tenant, currency, line, country, up_to_grams)
);

CREATE TABLE delivery_weight (
    tenant TEXT COLLATE "C" NOT NULL,
    sku    TEXT COLLATE "C" NOT NULL,
    grams  BIGINT           NOT NULL CHECK (grams >= 0),
    PRIMARY KEY (tenant, sku)
);

-- Where parcels of a location leave from, as an address.
CREATE TABLE delivery_origin (
    tenant   TEXT COLLATE "C" NOT NULL,
    location TEXT COLLATE "C" NOT NULL,
    address  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, location)
);

-- One row a parcel that was given to the carrier. The row stands before the carrier is asked: its id is the idempotency
-- key, and `request` is what was asked, to be asked again as it was.
CREATE TABLE delivery_shipment (
    tenant          TEXT COLLATE "C" NOT NULL,
    shipment_id     TEXT COLLATE "C" NOT NULL,
    order_id        TEXT COLLATE "C" NOT NULL,
    parcel_id       TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL,
    sequence        BIGINT           NOT NULL,
    delivered       BIGINT           NOT NULL,
    carrier_ref     TEXT COLLATE "C",
    tracking_number TEXT COLLATE "C",
    label_url       TEXT COLLATE "C",
    refusal         TEXT COLLATE "C",
    request         TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT           NOT NULL,
    PRIMARY KEY (tenant, shipment_id)
);

CREATE TABLE delivery_tracking (
    tenant      TEXT COLLATE "C" NOT NULL,
    shipment_id TEXT COLLATE "C" NOT NULL,
    sequence    BIGINT           NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    at          BIGINT           NOT NULL,
    PRIMARY KEY (tenant, shipment_id, sequence)
);

-- Webhook events that were taken, so that each is taken once.
CREATE TABLE delivery_carrier_event (
    tenant      TEXT COLLATE "C" NOT NULL,
    event_id    TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT           NOT NULL,
    PRIMARY KEY (tenant, event_id)
);
