-- A campaign as it was defined, in the business line of whoever defined it. version counts its definitions.
CREATE TABLE campaign_campaign (
    tenant   TEXT COLLATE "C" NOT NULL,
    campaign TEXT COLLATE "C" NOT NULL,
    line     TEXT COLLATE "C" NOT NULL,
    version  BIGINT           NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, campaign)
);

-- How many units of an item a campaign has given out. The quotas stand in the definition.
CREATE TABLE campaign_given (
    tenant   TEXT COLLATE "C" NOT NULL,
    campaign TEXT COLLATE "C" NOT NULL,
    sku      TEXT COLLATE "C" NOT NULL,
    units    BIGINT           NOT NULL CHECK (units >= 0),
    PRIMARY KEY (tenant, campaign, sku)
);

-- The same by customer, kept where an item is limited for each customer.
CREATE TABLE campaign_given_to (
    tenant      TEXT COLLATE "C" NOT NULL,
    campaign    TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    sku         TEXT COLLATE "C" NOT NULL,
    units       BIGINT           NOT NULL CHECK (units >= 0),
    PRIMARY KEY (tenant, campaign, customer_id, sku)
);

-- The ledger: what a holder has taken. lines: [["sku", units, 1 if it counts for the customer too, else 0], ...].
CREATE TABLE campaign_taking (
    tenant      TEXT COLLATE "C" NOT NULL,
    holder      TEXT COLLATE "C" NOT NULL,
    campaign    TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    lines       TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'returned')),
    taken_at    BIGINT           NOT NULL,
    returned_at BIGINT,
    PRIMARY KEY (tenant, holder, campaign)
);

-- A group of a campaign. held and confirmed are its live seats.
CREATE TABLE campaign_group (
    tenant    TEXT COLLATE "C" NOT NULL,
    group_id  TEXT COLLATE "C" NOT NULL,
    campaign  TEXT COLLATE "C" NOT NULL,
    size      BIGINT           NOT NULL CHECK (size >= 2),
    state     TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'filled', 'expired')),
    held      BIGINT           NOT NULL CHECK (held >= 0),
    confirmed BIGINT           NOT NULL CHECK (confirmed >= 0),
    opened_at BIGINT           NOT NULL,
    closes_at BIGINT           NOT NULL,
    PRIMARY KEY (tenant, group_id)
);

-- The open groups of a campaign are shown to customers who look for one to join.
CREATE INDEX campaign_group_open ON campaign_group (tenant, campaign, closes_at) WHERE state = 'open';

CREATE TABLE campaign_seat (
    tenant      TEXT COLLATE "C" NOT NULL,
    seat_id     TEXT COLLATE "C" NOT NULL,
    group_id    TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    holder      TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('held', 'confirmed', 'returned')),
    taken_at    BIGINT           NOT NULL,
    PRIMARY KEY (tenant, seat_id)
);

-- Who takes a seat must not have one; a group's seats are looked up by it too.
CREATE INDEX campaign_seat_group ON campaign_seat (tenant, group_id, customer_id);
