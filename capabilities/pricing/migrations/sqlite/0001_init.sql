-- One row is a price, a floor or a ceiling of an item, where and for whom it holds. An empty text stands for "any".
-- The key is what a quote seeks by: everything up to the customer group is known, the period is a range.
CREATE TABLE pricing_entry (
    tenant         TEXT    NOT NULL,
    line           TEXT    NOT NULL,
    location       TEXT    NOT NULL,
    sku            TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    customer_group TEXT    NOT NULL,
    valid_from     INTEGER NOT NULL,
    role           TEXT    NOT NULL,
    price_list     TEXT    NOT NULL,
    channel        TEXT    NOT NULL,
    min_quantity   INTEGER NOT NULL,
    valid_until    INTEGER NOT NULL,
    priority       INTEGER NOT NULL,
    amount         INTEGER NOT NULL,
    per            INTEGER NOT NULL,
    PRIMARY KEY (tenant, line, location, sku, currency, customer_group, valid_from, role, price_list, channel,
                 min_quantity)
) STRICT, WITHOUT ROWID;

-- The group whose prices a customer gets, in one business line or (empty) in all.
CREATE TABLE pricing_member (
    tenant         TEXT NOT NULL,
    customer_id    TEXT NOT NULL,
    line           TEXT NOT NULL,
    customer_group TEXT NOT NULL,
    PRIMARY KEY (tenant, customer_id, line)
) STRICT, WITHOUT ROWID;
