CREATE TABLE inventory_location (
    tenant   TEXT    NOT NULL,
    location TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    country  TEXT,
    priority INTEGER NOT NULL,
    state    TEXT    NOT NULL CHECK (state IN ('open', 'closed')),
    PRIMARY KEY (tenant, location)
) STRICT, WITHOUT ROWID;

-- Free units are not stored: on_hand = free + reserved + claimed. Free is below zero for what is sold before it is there.
CREATE TABLE inventory_stock (
    tenant    TEXT    NOT NULL,
    sku       TEXT    NOT NULL,
    location  TEXT    NOT NULL,
    on_hand   INTEGER NOT NULL CHECK (on_hand >= 0),
    reserved  INTEGER NOT NULL CHECK (reserved >= 0),
    claimed   INTEGER NOT NULL CHECK (claimed >= 0),
    threshold INTEGER,
    PRIMARY KEY (tenant, sku, location)
) STRICT, WITHOUT ROWID;

-- Why on_hand is what it is: the sum of an item's movements at a location.
CREATE TABLE inventory_movement (
    tenant    TEXT    NOT NULL,
    sku       TEXT    NOT NULL,
    location  TEXT    NOT NULL,
    entry     TEXT    NOT NULL,
    n         INTEGER NOT NULL,
    delta     INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    reference TEXT,
    at        INTEGER NOT NULL,
    PRIMARY KEY (tenant, sku, location, entry, n)
) STRICT, WITHOUT ROWID;

-- lines: [["sku", "location", units], ...], one entry an item and location: what is still held or claimed.
-- parcels: ids of the parcels in which claimed units have left.
CREATE TABLE inventory_reservation (
    tenant         TEXT    NOT NULL,
    reservation    TEXT    NOT NULL,
    holder         TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('held', 'claimed', 'shipped', 'released')),
    lines          TEXT    NOT NULL,
    parcels        TEXT    NOT NULL,
    policy_version TEXT    NOT NULL,
    held_at        INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, reservation)
) STRICT, WITHOUT ROWID;
