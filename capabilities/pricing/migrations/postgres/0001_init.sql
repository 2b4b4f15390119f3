-- One row is a price, a floor or a ceiling of an item, where and for whom it holds. An empty text stands for "any".
-- The key is what a quote seeks by: everything up to the customer group is known, the period is a range.
CREATE TABLE pricing_entry (
    tenant         TEXT COLLATE "C" NOT NULL,
    line           TEXT COLLATE "C" NOT NULL,
    location       TEXT COLLATE "C" NOT NULL,
    sku            TEXT COLLATE "C" NOT NULL,
    currency       TEXT COLLATE "C" NOT NULL,
    customer_group TEXT COLLATE "C" NOT NULL,
    valid_from     BIGINT           NOT NULL,
    role           TEXT COLLATE "C" NOT NULL,
    price_list     TEXT COLLATE "C" NOT NULL,
    channel        TEXT COLLATE "C" NOT NULL,
    min_quantity   BIGINT           NOT NULL,
    valid_until    BIGINT           NOT NULL,
    priority       BIGINT           NOT NULL,
    amount         BIGINT           NOT NULL,
    per            BIGINT           NOT NULL,
    PRIMARY KEY (tenant, line, location, sku, currency, customer_group, valid_from, role, price_list, channel,
                 min_quantity)
);

-- The group whose prices a customer gets, in one business line or (empty) in all.
CREATE TABLE pricing_member (
    tenant         TEXT COLLATE "C" NOT NULL,
    customer_id    TEXT COLLATE "C" NOT NULL,
    line           TEXT COLLATE "C" NOT NULL,
    customer_group TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, customer_id, line)
);
