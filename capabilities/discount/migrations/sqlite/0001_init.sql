-- Changes with every definition of a promotion: what was compiled of them is good for as long as it does not.
CREATE TABLE discount_version (
    tenant  TEXT    NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A promotion, as it was defined; an empty line stands for all lines of the tenant. The budgets stand beside the
-- document because redeeming asks for nothing else.
CREATE TABLE discount_promotion (
    tenant                 TEXT    NOT NULL,
    line                   TEXT    NOT NULL,
    promotion              TEXT    NOT NULL,
    version                INTEGER NOT NULL,
    document               TEXT    NOT NULL,
    budget_amount          INTEGER,
    budget_count           INTEGER,
    customer_budget_amount INTEGER,
    customer_budget_count  INTEGER,
    PRIMARY KEY (tenant, line, promotion)
) STRICT, WITHOUT ROWID;

-- What a price-sheet promotion takes off an item, by place and period. Empty texts stand for any.
CREATE TABLE discount_entry (
    tenant      TEXT    NOT NULL,
    line        TEXT    NOT NULL,
    location    TEXT    NOT NULL,
    sku         TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    valid_from  INTEGER NOT NULL,
    promotion   TEXT    NOT NULL,
    valid_until INTEGER NOT NULL,
    amount_off  INTEGER NOT NULL,
    per         INTEGER NOT NULL,
    PRIMARY KEY (tenant, line, location, sku, currency, valid_from, promotion)
) STRICT, WITHOUT ROWID;

-- Facts about items that promotions select by and extensions may read.
CREATE TABLE discount_item (
    tenant TEXT NOT NULL,
    line   TEXT NOT NULL,
    sku    TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (tenant, line, sku, name, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE discount_coupon (
    tenant           TEXT    NOT NULL,
    line             TEXT    NOT NULL,
    coupon           TEXT    NOT NULL,
    promotion        TEXT    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_until      INTEGER NOT NULL,
    max_redemptions  INTEGER,
    max_per_customer INTEGER,
    PRIMARY KEY (tenant, line, coupon)
) STRICT, WITHOUT ROWID;

-- The ledger: who got which limited promotion, by which coupon, in which order. Nothing is deleted: what was taken back
-- has a moment of it. Line is the promotion's and the coupon's own.
CREATE TABLE discount_redemption (
    tenant      TEXT    NOT NULL,
    order_id    TEXT    NOT NULL,
    promotion   TEXT    NOT NULL,
    coupon      TEXT    NOT NULL,
    line        TEXT    NOT NULL,
    coupon_line TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    amount      INTEGER NOT NULL,
    redeemed_at INTEGER NOT NULL,
    restored_at INTEGER,
    PRIMARY KEY (tenant, order_id, promotion, coupon)
) STRICT, WITHOUT ROWID;
CREATE INDEX discount_redemption_customer ON discount_redemption (tenant, customer_id, promotion);

-- What the ledger adds up to, so that a limit is one look-up: of a promotion (the coupon empty) and of a coupon.
CREATE TABLE discount_usage (
    tenant    TEXT    NOT NULL,
    line      TEXT    NOT NULL,
    promotion TEXT    NOT NULL,
    coupon    TEXT    NOT NULL,
    count     INTEGER NOT NULL,
    amount    INTEGER NOT NULL,
    PRIMARY KEY (tenant, line, promotion, coupon)
) STRICT, WITHOUT ROWID;
