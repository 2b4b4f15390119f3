-- One row a payment. What it owes and has given back is worked out from the ledger below and kept here for the decision
-- of the next call; `mortise verify` compares the two. Payment ids are time-ordered: rows are appended.
CREATE TABLE payment_payment (
    tenant         TEXT    NOT NULL,
    payment_id     TEXT    NOT NULL,
    order_id       TEXT    NOT NULL,
    method         TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    amount         INTEGER NOT NULL CHECK (amount >= 0),
    captured       INTEGER NOT NULL CHECK (captured >= 0),
    refunded       INTEGER NOT NULL CHECK (refunded >= 0),
    pending_refund INTEGER NOT NULL CHECK (pending_refund >= 0),
    transfers      INTEGER NOT NULL,
    provider_ref   TEXT,
    pay_url        TEXT,
    decline_code   TEXT,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER,
    PRIMARY KEY (tenant, payment_id)
) STRICT, WITHOUT ROWID;

-- The ledger: a row debits one account and credits another with the same amount, in the payment's currency. Rows are
-- only ever added.
CREATE TABLE payment_transfer (
    tenant     TEXT    NOT NULL,
    payment_id TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    debit      TEXT    NOT NULL,
    credit     TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, payment_id, number)
) STRICT, WITHOUT ROWID;

-- Refunds on their way and done. The row stands before the provider is asked: its id is the idempotency key.
CREATE TABLE payment_refund (
    tenant       TEXT    NOT NULL,
    payment_id   TEXT    NOT NULL,
    refund_id    TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount >= 0),
    reason       TEXT,
    provider_ref TEXT,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant, payment_id, refund_id)
) STRICT, WITHOUT ROWID;

-- Webhook events that were taken, so that each is taken once.
CREATE TABLE payment_provider_event (
    tenant      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, event_id)
) STRICT, WITHOUT ROWID;
