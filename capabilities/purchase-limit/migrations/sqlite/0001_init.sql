-- target: `all`, `sku:SKU` or `group:ITEM_GROUP`.
CREATE TABLE purchase_limit_rule (
    tenant        TEXT    NOT NULL,
    rule          TEXT    NOT NULL,
    target        TEXT    NOT NULL,
    business_line TEXT,
    period        TEXT    NOT NULL CHECK (period IN ('order', 'day', 'week', 'month', 'always')),
    most          INTEGER NOT NULL CHECK (most >= 0),
    valid_from    INTEGER,
    valid_until   INTEGER,
    state         TEXT    NOT NULL CHECK (state IN ('active', 'retired')),
    PRIMARY KEY (tenant, rule)
) STRICT, WITHOUT ROWID;

-- Every check of a basket looks rules up by what they are about.
CREATE INDEX purchase_limit_rule_target ON purchase_limit_rule (tenant, target) WHERE state = 'active';

CREATE TABLE purchase_limit_item (
    tenant     TEXT NOT NULL,
    sku        TEXT NOT NULL,
    item_group TEXT NOT NULL,
    PRIMARY KEY (tenant, sku, item_group)
) STRICT, WITHOUT ROWID;

-- What a customer has bought under a rule in the period that began at window_start.
CREATE TABLE purchase_limit_use (
    tenant       TEXT    NOT NULL,
    customer_id  TEXT    NOT NULL,
    rule         TEXT    NOT NULL,
    window_start INTEGER NOT NULL,
    used         INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (tenant, customer_id, rule, window_start)
) STRICT, WITHOUT ROWID;

-- claims: [["rule", window_start, units], ...].
CREATE TABLE purchase_limit_claim (
    tenant         TEXT    NOT NULL,
    order_id       TEXT    NOT NULL,
    customer_id    TEXT    NOT NULL,
    claims         TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('open', 'released')),
    policy_version TEXT    NOT NULL,
    claimed_at     INTEGER NOT NULL,
    released_at    INTEGER,
    PRIMARY KEY (tenant, order_id)
) STRICT, WITHOUT ROWID;
