-- A parcel may be handed over against cash: what is to be collected (0 for nothing), what was, and what the carrier has
-- paid out of it. refused: that the recipient did not take it was told.
ALTER TABLE delivery_shipment ADD COLUMN collect INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery_shipment ADD COLUMN collect_currency TEXT;
ALTER TABLE delivery_shipment ADD COLUMN collected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery_shipment ADD COLUMN remitted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery_shipment ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;

-- What a carrier has paid out, and for which parcels. Rows are only ever added.
CREATE TABLE delivery_remittance (
    tenant        TEXT    NOT NULL,
    remittance_id TEXT    NOT NULL,
    currency      TEXT    NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount >= 0),
    recorded_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant, remittance_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery_remitted (
    tenant        TEXT    NOT NULL,
    shipment_id   TEXT    NOT NULL,
    remittance_id TEXT    NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (tenant, shipment_id, remittance_id)
) STRICT, WITHOUT ROWID;
