-- The hold that an order's goods come from: what a way back begins with. It never changes.
ALTER TABLE order_document ADD COLUMN reservation TEXT;

-- The returns of an order, and what each gave back. Few orders have any. An order that was cancelled and placed again
-- has those of its new placement.
CREATE TABLE order_after_sale (
    tenant    TEXT    NOT NULL,
    placement TEXT    NOT NULL,
    rma_id    TEXT    NOT NULL,
    stage     TEXT    NOT NULL CHECK (stage IN ('requested', 'settled', 'closed')),
    refunded  INTEGER NOT NULL CHECK (refunded >= 0),
    PRIMARY KEY (tenant, placement, rma_id)
) STRICT, WITHOUT ROWID;
