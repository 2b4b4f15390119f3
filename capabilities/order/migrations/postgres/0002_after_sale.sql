-- The hold that an order's goods come from: what a way back begins with. It never changes.
ALTER TABLE order_document ADD COLUMN reservation TEXT COLLATE "C";

-- The returns of an order, and what each gave back. Few orders have any. An order that was cancelled and placed again
-- has those of its new placement.
CREATE TABLE order_after_sale (
    tenant    TEXT COLLATE "C"    NOT NULL,
    placement TEXT COLLATE "C"    NOT NULL,
    rma_id    TEXT COLLATE "C"    NOT NULL,
    stage     TEXT COLLATE "C"    NOT NULL CHECK (stage IN ('requested', 'settled', 'closed')),
    refunded  BIGINT NOT NULL CHECK (refunded >= 0),
    PRIMARY KEY (tenant, placement, rma_id)
);
