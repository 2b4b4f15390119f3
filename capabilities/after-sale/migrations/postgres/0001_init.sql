-- A sale that something was asked back of. sale: the price proof and the choices by which all its returns are reckoned;
-- never changes. account: what is held and what has come back by line, what was granted. Every return of the sale goes
-- through this row. An order that was cancelled and placed again is another sale.
CREATE TABLE after_sale_sale (
    tenant    TEXT COLLATE "C"    NOT NULL,
    order_id  TEXT COLLATE "C"    NOT NULL,
    placed_at BIGINT NOT NULL,
    granted   BIGINT NOT NULL CHECK (granted >= 0),
    sale      TEXT COLLATE "C"    NOT NULL,
    account   TEXT COLLATE "C"    NOT NULL,
    PRIMARY KEY (tenant, order_id, placed_at)
);

-- A return. document: what was asked for, what was found, what is owed. gross: what was granted, before charges.
-- entry: time-ordered, by which returns are listed.
CREATE TABLE after_sale_rma (
    tenant      TEXT COLLATE "C"    NOT NULL,
    rma_id      TEXT COLLATE "C"    NOT NULL,
    order_id    TEXT COLLATE "C"    NOT NULL,
    placed_at   BIGINT NOT NULL,
    customer_id TEXT COLLATE "C"    NOT NULL,
    entry       TEXT COLLATE "C"    NOT NULL,
    currency    TEXT COLLATE "C"    NOT NULL,
    kind        TEXT COLLATE "C"    NOT NULL CHECK (kind IN ('before_shipping', 'return', 'exchange')),
    state       TEXT COLLATE "C"    NOT NULL CHECK (state IN ('requested', 'approved', 'received', 'inspected', 'settled', 'refused',
                                                  'withdrawn')),
    gross       BIGINT NOT NULL CHECK (gross >= 0),
    refund      BIGINT NOT NULL CHECK (refund >= 0),
    given       BIGINT NOT NULL CHECK (given >= 0),
    document    TEXT COLLATE "C"    NOT NULL,
    opened_at   BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, rma_id)
);

-- A shop's returns and a customer's, latest first.
CREATE UNIQUE INDEX after_sale_rma_entry ON after_sale_rma (tenant, entry);
CREATE INDEX after_sale_rma_customer ON after_sale_rma (tenant, customer_id, entry);
-- An order's returns: what its account adds up to.
CREATE INDEX after_sale_rma_order ON after_sale_rma (tenant, order_id, entry);
