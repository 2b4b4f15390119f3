-- rules: the terms with the shop's choices filled in; they never change. The columns between state and position are where the
-- fold of the auction's bids leads. Positions are those of its timeline, which auction_bid and auction_entry tell together.
-- offer: the number of the latest offer of the lot; paddles: how many bidders have had a number.
CREATE TABLE auction_lot (
    tenant         TEXT COLLATE "C" NOT NULL,
    auction_id     TEXT COLLATE "C" NOT NULL,
    rules          TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'awarded', 'sold', 'unsold', 'cancelled')),
    price          BIGINT,
    leader         TEXT COLLATE "C",
    leader_paddle  BIGINT,
    leader_maximum BIGINT,
    leader_bid     BIGINT,
    closes_at      BIGINT           NOT NULL,
    extensions     BIGINT           NOT NULL,
    bids           BIGINT           NOT NULL,
    position       BIGINT           NOT NULL,
    paddles        BIGINT           NOT NULL,
    offer          BIGINT           NOT NULL,
    PRIMARY KEY (tenant, auction_id)
);

-- amount: bid outright, where it was; price and leading: what the bid made of the auction.
CREATE TABLE auction_bid (
    tenant      TEXT COLLATE "C" NOT NULL,
    auction_id  TEXT COLLATE "C" NOT NULL,
    position    BIGINT           NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    paddle      BIGINT           NOT NULL,
    amount      BIGINT,
    maximum     BIGINT           NOT NULL CHECK (maximum >= 1),
    price       BIGINT           NOT NULL,
    "leading"   BIGINT           NOT NULL,
    at          BIGINT           NOT NULL,
    PRIMARY KEY (tenant, auction_id, position)
);

-- What happened beside bids.
CREATE TABLE auction_entry (
    tenant      TEXT COLLATE "C" NOT NULL,
    auction_id  TEXT COLLATE "C" NOT NULL,
    position    BIGINT           NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C",
    paddle      BIGINT,
    price       BIGINT,
    closes_at   BIGINT,
    note        TEXT COLLATE "C",
    at          BIGINT           NOT NULL,
    PRIMARY KEY (tenant, auction_id, position)
);

CREATE TABLE auction_bidder (
    tenant        TEXT COLLATE "C" NOT NULL,
    auction_id    TEXT COLLATE "C" NOT NULL,
    customer_id   TEXT COLLATE "C" NOT NULL,
    registration  TEXT COLLATE "C" NOT NULL,
    paddle        BIGINT           NOT NULL,
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('admitted', 'withdrawn')),
    deposit       BIGINT           NOT NULL,
    payment_id    TEXT COLLATE "C",
    deposit_state TEXT COLLATE "C" NOT NULL CHECK (deposit_state IN
        ('none', 'held', 'to_return', 'to_credit', 'to_forfeit', 'returned', 'credited', 'forfeited')),
    ship_to       TEXT COLLATE "C" NOT NULL,
    registered_at BIGINT           NOT NULL,
    PRIMARY KEY (tenant, auction_id, customer_id)
);

CREATE UNIQUE INDEX auction_bidder_registration ON auction_bidder (tenant, registration);

-- The lot as it was offered: to the winner first, then to the next bidder.
CREATE TABLE auction_offer (
    tenant      TEXT COLLATE "C" NOT NULL,
    auction_id  TEXT COLLATE "C" NOT NULL,
    offer       BIGINT           NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('awarded', 'paid', 'defaulted', 'passed')),
    price       BIGINT           NOT NULL,
    credit      BIGINT           NOT NULL,
    pay_by      BIGINT           NOT NULL,
    amount      BIGINT,
    payment_id  TEXT COLLATE "C",
    pay_url     TEXT COLLATE "C",
    offered_at  BIGINT           NOT NULL,
    PRIMARY KEY (tenant, auction_id, offer)
);
