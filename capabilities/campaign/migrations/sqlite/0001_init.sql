-- A campaign as it was defined, in the business line of whoever defined it. version counts its definitions.
CREATE TABLE campaign_campaign (
    tenant   TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    line     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    document TEXT    NOT NULL,
    PRIMARY KEY (tenant, campaign)
) STRICT, WITHOUT ROWID;

-- How many units of an item a campaign has given out. The quotas stand in the definition.
CREATE TABLE campaign_given (
    tenant   TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    sku      TEXT    NOT NULL,
    units    INTEGER NOT NULL CHECK (units >= 0),
    PRIMARY KEY (tenant, campaign, sku)
) STRICT, WITHOUT ROWID;

-- The same by customer, kept where an item is limited for each customer.
CREATE TABLE campaign_given_to (
    tenant      TEXT    NOT NULL,
    campaign    TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    sku         TEXT    NOT NULL,
    units       INTEGER NOT NULL CHECK (units >= 0),
    PRIMARY KEY (tenant, campaign, customer_id, sku)
) STRICT, WITHOUT ROWID;

-- The ledger: what a holder has taken. lines: [["sku", units, 1 if it counts for the customer too, else 0], ...].
CREATE TABLE campaign_taking (
    tenant      TEXT    NOT NULL,
    holder      TEXT    NOT NULL,
    campaign    TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    lines       TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('open', 'returned')),
    taken_at    INTEGER NOT NULL,
    returned_at INTEGER,
    PRIMARY KEY (tenant, holder, campaign)
) STRICT, WITHOUT ROWID;

-- A group of a campaign. held and confirmed are its live seats.
CREATE TABLE campaign_group (
    tenant    TEXT    NOT NULL,
    group_id  TEXT    NOT NULL,
    campaign  TEXT    NOT NULL,
    size      INTEGER NOT NULL CHECK (size >= 2),
    state     TEXT    NOT NULL CHECK (state IN ('open', 'filled', 'expired')),
    held      INTEGER NOT NULL CHECK (held >= 0),
    confirmed INTEGER NOT NULL CHECK (confirmed >= 0),
    opened_at INTEGER NOT NULL,
    closes_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, group_id)
) STRICT, WITHOUT ROWID;

-- The open groups of a campaign are shown to customers who look for one to join.
CREATE INDEX campaign_group_open ON campaign_group (tenant, campaign, closes_at) WHERE state = 'open';

CREATE TABLE campaign_seat (
    tenant      TEXT    NOT NULL,
    seat_id     TEXT    NOT NULL,
    group_id    TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    holder      TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('held', 'confirmed', 'returned')),
    taken_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant, seat_id)
) STRICT, WITHOUT ROWID;

-- Who takes a seat must not have one; a group's seats are looked up by it too.
CREATE INDEX campaign_seat_group ON campaign_seat (tenant, group_id, customer_id);
