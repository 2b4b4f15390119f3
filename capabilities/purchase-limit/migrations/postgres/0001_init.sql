-- target: `all`, `sku:SKU` or `group:ITEM_GROUP`.
CREATE TABLE purchase_limit_rule (
    tenant        TEXT COLLATE "C" NOT NULL,
    rule          TEXT COLLATE "C" NOT NULL,
    target        TEXT COLLATE "C" NOT NULL,
    business_line TEXT COLLATE "C",
    period        TEXT COLLATE "C" NOT NULL CHECK (period IN ('order', 'day', 'week', 'month', 'always')),
    most          BIGINT           NOT NULL CHECK (most >= 0),
    valid_from    BIGINT,
    valid_until   BIGINT,
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'retired')),
    PRIMARY KEY (tenant, rule)
);

-- Every check of a basket looks rules up by what they are about.
CREATE INDEX purchase_limit_rule_target ON purchase_limit_rule (tenant, target) WHERE state = 'active';

CREATE TABLE purchase_limit_item (
    tenant     TEXT COLLATE "C" NOT NULL,
    sku        TEXT COLLATE "C" NOT NULL,
    item_group TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, sku, item_group)
);

-- What a customer has bought under a rule in the period that began at window_start.
CREATE TABLE purchase_limit_use (
    tenant       TEXT COLLATE "C" NOT NULL,
    customer_id  TEXT COLLATE "C" NOT NULL,
    rule         TEXT COLLATE "C" NOT NULL,
    window_start BIGINT           NOT NULL,
    used         BIGINT           NOT NULL CHECK (used >= 0),
    PRIMARY KEY (tenant, customer_id, rule, window_start)
);

-- claims: [["rule", window_start, units], ...].
CREATE TABLE purchase_limit_claim (
    tenant         TEXT COLLATE "C" NOT NULL,
    order_id       TEXT COLLATE "C" NOT NULL,
    customer_id    TEXT COLLATE "C" NOT NULL,
    claims         TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'released')),
    policy_version TEXT COLLATE "C" NOT NULL,
    claimed_at     BIGINT           NOT NULL,
    released_at    BIGINT,
    PRIMARY KEY (tenant, order_id)
);
