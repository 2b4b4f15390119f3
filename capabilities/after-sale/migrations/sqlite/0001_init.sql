-- A sale that something was asked back of. sale: the price proof and the choices by which all its returns are reckoned;
-- never changes. account: what is held and what has come back by line, what was granted. Every return of the sale goes
-- through this row. An order that was cancelled and placed again is another sale.
CREATE TABLE after_sale_sale (
    tenant    TEXT    NOT NULL,
    order_id  TEXT    NOT NULL,
    placed_at INTEGER NOT NULL,
    granted   INTEGER NOT NULL CHECK (granted >= 0),
    sale      TEXT    NOT NULL,
    account   TEXT    NOT NULL,
    PRIMARY KEY (tenant, order_id, placed_at)
) STRICT, WITHOUT ROWID;

-- A return. document: what was asked for, what was found, what is owed. gross: what was granted, before charges.
-- entry: time-ordered, by which returns are listed.
CREATE TABLE after_sale_rma (
    tenant      TEXT    NOT NULL,
    rma_id      TEXT    NOT NULL,
    order_id    TEXT    NOT NULL,
    placed_at   INTEGER NOT NULL,
    customer_id TEXT    NOT NULL,
    entry       TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('before_shipping', 'return', 'exchange')),
    state       TEXT    NOT NULL CHECK (state IN ('requested', 'approved', 'received', 'inspected', 'settled', 'refused',
                                                  'withdrawn')),
    gross       INTEGER NOT NULL CHECK (gross >= 0),
    refund      INTEGER NOT NULL CHECK (refund >= 0),
    given       INTEGER NOT NULL CHECK (given >= 0),
    document    TEXT    NOT NULL,
    opened_at   INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, rma_id)
) STRICT;

-- A shop's returns and a customer's, latest first.
CREATE UNIQUE INDEX after_sale_rma_entry ON after_sale_rma (tenant, entry);
CREATE INDEX after_sale_rma_customer ON after_sale_rma (tenant, customer_id, entry);
-- An order's returns: what its account adds up to.
CREATE INDEX after_sale_rma_order ON after_sale_rma (tenant, order_id, entry);
