-- One row a payment. What it owes and has given back is worked out from the ledger below and kept here for the decision
-- of the next call; `mortise verify` compares the two. Payment ids are time-ordered: rows are appended.
CREATE TABLE payment_payment (
    tenant         TEXT COLLATE "C" NOT NULL,
    payment_id     TEXT COLLATE "C" NOT NULL,
    order_id       TEXT COLLATE "C" NOT NULL,
    method         TEXT COLLATE "C" NOT NULL,
    status         TEXT COLLATE "C" NOT NULL,
    currency       TEXT COLLATE "C" NOT NULL,
    amount         BIGINT           NOT NULL CHECK (amount >= 0),
    captured       BIGINT           NOT NULL CHECK (captured >= 0),
    refunded       BIGINT           NOT NULL CHECK (refunded >= 0),
    pending_refund BIGINT           NOT NULL CHECK (pending_refund >= 0),
    transfers      BIGINT           NOT NULL,
    provider_ref   TEXT COLLATE "C",
    pay_url        TEXT COLLATE "C",
    decline_code   TEXT COLLATE "C",
    created_at     BIGINT           NOT NULL,
    expires_at     BIGINT,
    PRIMARY KEY (tenant, payment_id)
);

-- The ledger: a row debits one account and credits another with the same amount, in the payment's currency. Rows are
-- only ever added.
CREATE TABLE payment_transfer (
    tenant     TEXT COLLATE "C" NOT NULL,
    payment_id TEXT COLLATE "C" NOT NULL,
    number     BIGINT           NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    debit      TEXT COLLATE "C" NOT NULL,
    credit     TEXT COLLATE "C" NOT NULL,
    amount     BIGINT           NOT NULL CHECK (amount > 0),
    at         BIGINT           NOT NULL,
    PRIMARY KEY (tenant, payment_id, number)
);

-- Refunds on their way and done. The row stands before the provider is asked: its id is the idempotency key.
CREATE TABLE payment_refund (
    tenant       TEXT COLLATE "C" NOT NULL,
    payment_id   TEXT COLLATE "C" NOT NULL,
    refund_id    TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    amount       BIGINT           NOT NULL CHECK (amount >= 0),
    reason       TEXT COLLATE "C",
    provider_ref TEXT COLLATE "C",
    created_at   BIGINT           NOT NULL,
    PRIMARY KEY (tenant, payment_id, refund_id)
);

-- Webhook events that were taken, so that each is taken once.
CREATE TABLE payment_provider_event (
    tenant      TEXT COLLATE "C" NOT NULL,
    event_id    TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT           NOT NULL,
    PRIMARY KEY (tenant, event_id)
);
