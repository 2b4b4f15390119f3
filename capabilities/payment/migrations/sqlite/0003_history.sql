-- Who owes a payment at the door, where that is remembered, and what became of such payments by customer: what the risk of
-- the next one is judged by. verify compares the two.
ALTER TABLE payment_payment ADD COLUMN customer_id TEXT;

CREATE TABLE payment_history (
    tenant      TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    collected   INTEGER NOT NULL CHECK (collected >= 0),
    refused     INTEGER NOT NULL CHECK (refused >= 0),
    PRIMARY KEY (tenant, customer_id)
) STRICT, WITHOUT ROWID;
