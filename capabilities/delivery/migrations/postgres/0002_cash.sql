-- A parcel may be handed over against cash: what is to be collected (0 for nothing), what was, and what the carrier has
-- paid out of it. refused: that the recipient did not take it was told.
ALTER TABLE delivery_shipment ADD COLUMN collect BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery_shipment ADD COLUMN collect_currency TEXT COLLATE "C";
ALTER TABLE delivery_shipment ADD COLUMN collected BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery_shipment ADD COLUMN remitted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery_shipment ADD COLUMN refused BIGINT NOT NULL DEFAULT 0;

-- What a carrier has paid out, and for which parcels. Rows are only ever added.
CREATE TABLE delivery_remittance (
    tenant        TEXT COLLATE "C" NOT NULL,
    remittance_id TEXT COLLATE "C" NOT NULL,
    currency      TEXT COLLATE "C" NOT NULL,
    amount        BIGINT           NOT NULL CHECK (amount >= 0),
    recorded_at   BIGINT           NOT NULL,
    PRIMARY KEY (tenant, remittance_id)
);

CREATE TABLE delivery_remitted (
    tenant        TEXT COLLATE "C" NOT NULL,
    shipment_id   TEXT COLLATE "C" NOT NULL,
    remittance_id TEXT COLLATE "C" NOT NULL,
    amount        BIGINT           NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (tenant, shipment_id, remittance_id)
);
