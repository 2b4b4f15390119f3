-- Who drives trades where several processes may: an engine holds a lease and shows that it lives, by the database's clock.
-- seen: up to where it knows what is published.
CREATE TABLE engine_lease (
    epoch INTEGER NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    beat_at INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT;

-- Numbers that all processes count on: `epoch` of leases, `published` of what definitions, names and choices say.
CREATE TABLE engine_count (
    what TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO engine_count (what, count) VALUES ('epoch', 0), ('published', 0);

-- What a process has for a trade that another one drives.
CREATE TABLE flow_post (
    number INTEGER NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    instance TEXT NOT NULL,
    work TEXT NOT NULL
) STRICT;

-- Which lease delivers to a subscriber.
CREATE TABLE subscriber_turn (
    name TEXT NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
