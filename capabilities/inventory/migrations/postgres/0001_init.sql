CREATE TABLE inventory_location (
    tenant   TEXT COLLATE "C" NOT NULL,
    location TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    country  TEXT COLLATE "C",
    priority BIGINT           NOT NULL,
    state    TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed')),
    PRIMARY KEY (tenant, location)
);

-- Free units are not stored: on_hand = free + reserved + claimed. Free is below zero for what is sold before it is there.
CREATE TABLE inventory_stock (
    tenant    TEXT COLLATE "C" NOT NULL,
    sku       TEXT COLLATE "C" NOT NULL,
    location  TEXT COLLATE "C" NOT NULL,
    on_hand   BIGINT           NOT NULL CHECK (on_hand >= 0),
    reserved  BIGINT           NOT NULL CHECK (reserved >= 0),
    claimed   BIGINT           NOT NULL CHECK (claimed >= 0),
    threshold BIGINT,
    PRIMARY KEY (tenant, sku, location)
);

-- Why on_hand is what it is: the sum of an item's movements at a location.
CREATE TABLE inventory_movement (
    tenant    TEXT COLLATE "C" NOT NULL,
    sku       TEXT COLLATE "C" NOT NULL,
    location  TEXT COLLATE "C" NOT NULL,
    entry     TEXT COLLATE "C" NOT NULL,
    n         BIGINT           NOT NULL,
    delta     BIGINT           NOT NULL,
    reason    TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C",
    at        BIGINT           NOT NULL,
    PRIMARY KEY (tenant, sku, location, entry, n)
);

-- lines: [["sku", "location", units], ...], one entry an item and location: what is still held or claimed.
-- parcels: ids of the parcels in which claimed units have left.
CREATE TABLE inventory_reservation (
    tenant         TEXT COLLATE "C" NOT NULL,
    reservation    TEXT COLLATE "C" NOT NULL,
    holder         TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('held', 'claimed', 'shipped', 'released')),
    lines          TEXT COLLATE "C" NOT NULL,
    parcels        TEXT COLLATE "C" NOT NULL,
    policy_version TEXT COLLATE "C" NOT NULL,
    held_at        BIGINT           NOT NULL,
    changed_at     BIGINT           NOT NULL,
    PRIMARY KEY (tenant, reservation)
);
