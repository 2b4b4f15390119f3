-- rules: the terms with the shop's choices filled in; they never change. The columns between state and position are where the
-- fold of the auction's bids leads. Positions are those of its timeline, which auction_bid and auction_entry tell together.
-- offer: the number of the latest offer of the lot; paddles: how many bidders have had a number.
CREATE TABLE auction_lot (
    tenant         TEXT    NOT NULL,
    auction_id     TEXT    NOT NULL,
    rules          TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('open', 'awarded', 'sold', 'unsold', 'cancelled')),
    price          INTEGER,
    leader         TEXT,
    leader_paddle  INTEGER,
    leader_maximum INTEGER,
    leader_bid     INTEGER,
    closes_at      INTEGER NOT NULL,
    extensions     INTEGER NOT NULL,
    bids           INTEGER NOT NULL,
    position       INTEGER NOT NULL,
    paddles        INTEGER NOT NULL,
    offer          INTEGER NOT NULL,
    PRIMARY KEY (tenant, auction_id)
) STRICT, WITHOUT ROWID;

-- amount: bid outright, where it was; price and leading: what the bid made of the auction.
CREATE TABLE auction_bid (
    tenant      TEXT    NOT NULL,
    auction_id  TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    customer_id TEXT    NOT NULL,
    paddle      INTEGER NOT NULL,
    amount      INTEGER,
    maximum     INTEGER NOT NULL CHECK (maximum >= 1),
    price       INTEGER NOT NULL,
    leading     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, auction_id, position)
) STRICT, WITHOUT ROWID;

-- What happened beside bids.
CREATE TABLE auction_entry (
    tenant      TEXT    NOT NULL,
    auction_id  TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    customer_id TEXT,
    paddle      INTEGER,
    price       INTEGER,
    closes_at   INTEGER,
    note        TEXT,
    at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, auction_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE auction_bidder (
    tenant        TEXT    NOT NULL,
    auction_id    TEXT    NOT NULL,
    customer_id   TEXT    NOT NULL,
    registration  TEXT    NOT NULL,
    paddle        INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('admitted', 'withdrawn')),
    deposit       INTEGER NOT NULL,
    payment_id    TEXT,
    deposit_state TEXT    NOT NULL CHECK (deposit_state IN
        ('none', 'held', 'to_return', 'to_credit', 'to_forfeit', 'returned', 'credited', 'forfeited')),
    ship_to       TEXT    NOT NULL,
    registered_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, auction_id, customer_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX auction_bidder_registration ON auction_bidder (tenant, registration);

-- The lot as it was offered: to the winner first, then to the next bidder.
CREATE TABLE auction_offer (
    tenant      TEXT    NOT NULL,
    auction_id  TEXT    NOT NULL,
    offer       INTEGER NOT NULL,
    customer_id TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('awarded', 'paid', 'defaulted', 'passed')),
    price       INTEGER NOT NULL,
    credit      INTEGER NOT NULL,
    pay_by      INTEGER NOT NULL,
    amount      INTEGER,
    payment_id  TEXT,
    pay_url     TEXT,
    offered_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, auction_id, offer)
) STRICT, WITHOUT ROWID;
