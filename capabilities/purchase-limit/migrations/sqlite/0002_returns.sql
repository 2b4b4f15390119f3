-- Units of an order that came back, by the paper that they came back with: each is given back once.
CREATE TABLE purchase_limit_return (
    tenant        TEXT    NOT NULL,
    order_id      TEXT    NOT NULL,
    reference     TEXT    NOT NULL,
    given_back_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, order_id, reference)
) STRICT, WITHOUT ROWID;
