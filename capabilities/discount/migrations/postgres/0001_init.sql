-- Changes with every definition of a promotion: what was compiled of them is good for as long as it does not.
CREATE TABLE discount_version (
    tenant  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT           NOT NULL
);

-- A promotion, as it was defined; an empty line stands for all lines of the tenant. The budgets stand beside the
-- document because redeeming asks for nothing else.
CREATE TABLE discount_promotion (
    tenant                 TEXT COLLATE "C" NOT NULL,
    line                   TEXT COLLATE "C" NOT NULL,
    promotion              TEXT COLLATE "C" NOT NULL,
    version                BIGINT           NOT NULL,
    document               TEXT COLLATE "C" NOT NULL,
    budget_amount          BIGINT,
    budget_count           BIGINT,
    customer_budget_amount BIGINT,
    customer_budget_count  BIGINT,
    PRIMARY KEY (tenant, line, promotion)
);

-- What a price-sheet promotion takes off an item, by place and period. Empty texts stand for any.
CREATE TABLE discount_entry (
    tenant      TEXT COLLATE "C" NOT NULL,
    line        TEXT COLLATE "C" NOT NULL,
    location    TEXT COLLATE "C" NOT NULL,
    sku         TEXT COLLATE "C" NOT NULL,
    currency    TEXT COLLATE "C" NOT NULL,
    valid_from  BIGINT           NOT NULL,
    promotion   TEXT COLLATE "C" NOT NULL,
    valid_until BIGINT           NOT NULL,
    amount_off  BIGINT           NOT NULL,
    per         BIGINT           NOT NULL,
    PRIMARY KEY (tenant, line, location, sku, currency, valid_from, promotion)
);

-- Facts about items that promotions select by and extensions may read.
CREATE TABLE discount_item (
    tenant TEXT COLLATE "C" NOT NULL,
    line   TEXT COLLATE "C" NOT NULL,
    sku    TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    value  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, line, sku, name, value)
);

CREATE TABLE discount_coupon (
    tenant           TEXT COLLATE "C" NOT NULL,
    line             TEXT COLLATE "C" NOT NULL,
    coupon           TEXT COLLATE "C" NOT NULL,
    promotion        TEXT COLLATE "C" NOT NULL,
    valid_from       BIGINT           NOT NULL,
    valid_until      BIGINT           NOT NULL,
    max_redemptions  BIGINT,
    max_per_customer BIGINT,
    PRIMARY KEY (tenant, line, coupon)
);

-- The ledger: who got which limited promotion, by which coupon, in which order. Nothing is deleted: what was taken back
-- has a moment of it. Line is the promotion's and the coupon's own.
CREATE TABLE discount_redemption (
    tenant      TEXT COLLATE "C" NOT NULL,
    order_id    TEXT COLLATE "C" NOT NULL,
    promotion   TEXT COLLATE "C" NOT NULL,
    coupon      TEXT COLLATE "C" NOT NULL,
    line        TEXT COLLATE "C" NOT NULL,
    coupon_line TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    version     BIGINT           NOT NULL,
    amount      BIGINT           NOT NULL,
    redeemed_at BIGINT           NOT NULL,
    restored_at BIGINT,
    PRIMARY KEY (tenant, order_id, promotion, coupon)
);
CREATE INDEX discount_redemption_customer ON discount_redemption (tenant, customer_id, promotion);

-- What the ledger adds up to, so that a limit is one look-up: of a promotion (the coupon empty) and of a coupon.
CREATE TABLE discount_usage (
    tenant    TEXT COLLATE "C" NOT NULL,
    line      TEXT COLLATE "C" NOT NULL,
    promotion TEXT COLLATE "C" NOT NULL,
    coupon    TEXT COLLATE "C" NOT NULL,
    count     BIGINT           NOT NULL,
    amount    BIGINT           NOT NULL,
    PRIMARY KEY (tenant, line, promotion, coupon)
);
