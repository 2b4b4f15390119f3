-- Units of an order that came back, by the paper that they came back with: each is given back once.
CREATE TABLE purchase_limit_return (
    tenant        TEXT COLLATE "C"    NOT NULL,
    order_id      TEXT COLLATE "C"    NOT NULL,
    reference     TEXT COLLATE "C"    NOT NULL,
    given_back_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, order_id, reference)
);
