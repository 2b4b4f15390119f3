//! The engine's statements, in plain sight. Each runs on all trades of a batch.

use mortise_store::Statement;

pub(crate) const INSTANCE_BY_KEY: Statement = Statement::pair(
    "engine.instance_by_key",
    "SELECT id, input_hash, answer FROM flow_instance WHERE tenant = ?1 AND flow = ?2 AND key = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, flow, key, n)
     CROSS JOIN LATERAL (
       SELECT id, input_hash, answer FROM flow_instance
       WHERE tenant = item.tenant AND flow = item.flow AND key = item.key) AS found",
);

pub(crate) const INSTANCE_ANSWER: Statement = Statement::pair(
    "engine.instance_answer",
    "SELECT status, epoch, answer FROM flow_instance WHERE tenant = ?1 AND id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     CROSS JOIN LATERAL (
       SELECT status, epoch, answer FROM flow_instance WHERE tenant = item.tenant AND id = item.id) AS found",
);

pub(crate) const IDEMPOTENCY: Statement = Statement::pair(
    "engine.idempotency",
    "SELECT request, instance FROM idempotency WHERE tenant = ?1 AND key = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, key, n)
     CROSS JOIN LATERAL (
       SELECT request, instance FROM idempotency WHERE tenant = item.tenant AND key = item.key) AS found",
);

pub(crate) const INSERT_IDEMPOTENCY: Statement = Statement::pair(
    "engine.insert_idempotency",
    "INSERT INTO idempotency (tenant, key, request, instance, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    "INSERT INTO idempotency (tenant, key, request, instance, at)
     SELECT * FROM unnest($1, $2, $3, $4, $5) ORDER BY 1, 2",
);

/// Whether a trade is driven under this epoch and stands where its driver has it. On SQLite the one lease that there is has all
/// of them, under whichever earlier one they began.
pub(crate) const STILL_OURS: Statement = Statement::pair(
    "engine.still_ours",
    "SELECT 1 FROM flow_instance WHERE tenant = ?1 AND id = ?2 AND epoch <= ?3 AND next_seq = ?4 AND status <> 2",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, id, epoch, next_seq, n)
     CROSS JOIN LATERAL (
       SELECT 1 FROM flow_instance
       WHERE tenant = item.tenant AND id = item.id AND epoch = item.epoch AND next_seq = item.next_seq
         AND status <> 2) AS found",
);

/// The same for a trade that is asked to take itself back, which it may be when it is over.
pub(crate) const STILL_OURS_OR_OVER: Statement = Statement::pair(
    "engine.still_ours_or_over",
    "SELECT 1 FROM flow_instance
     WHERE tenant = ?1 AND id = ?2 AND (epoch <= ?3 OR status = 2) AND next_seq = ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, id, epoch, next_seq, n)
     CROSS JOIN LATERAL (
       SELECT 1 FROM flow_instance
       WHERE tenant = item.tenant AND id = item.id AND (epoch = item.epoch OR status = 2)
         AND next_seq = item.next_seq) AS found",
);

/// Whether a trade is driven under this epoch, wherever it stands.
pub(crate) const DRIVEN_HERE: Statement = Statement::pair(
    "engine.driven_here",
    "SELECT 1 FROM flow_instance WHERE tenant = ?1 AND id = ?2 AND epoch <= ?3 AND status <> 2",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, id, epoch, n)
     CROSS JOIN LATERAL (
       SELECT 1 FROM flow_instance
       WHERE tenant = item.tenant AND id = item.id AND epoch = item.epoch AND status <> 2) AS found",
);

pub(crate) const OPEN_AGAIN: Statement = Statement::pair(
    "engine.open_again",
    "UPDATE flow_instance SET epoch = ?3 WHERE tenant = ?1 AND id = ?2",
    "UPDATE flow_instance t SET epoch = item.epoch
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, id, epoch, n)
     WHERE t.tenant = item.tenant AND t.id = item.id
     RETURNING item.n",
);

pub(crate) const CHILD: Statement = Statement::pair(
    "engine.child",
    "SELECT CASE WHEN status = 2 THEN outcome END, answer FROM flow_instance WHERE tenant = ?1 AND id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     CROSS JOIN LATERAL (
       SELECT CASE WHEN status = 2 THEN outcome END, answer FROM flow_instance
       WHERE tenant = item.tenant AND id = item.id) AS found",
);

pub(crate) const INSERT_INSTANCE: Statement = Statement::pair(
    "engine.insert_instance",
    "INSERT INTO flow_instance (tenant, id, flow, hash, key, line, channel, caller, input_hash, status, epoch, next_seq,
        wake_at, started_at, outcome, answer)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
     ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT *
       FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) WITH ORDINALITY
          AS item (tenant, id, flow, hash, key, line, channel, caller, input_hash, status, epoch,
                  next_seq, wake_at, started_at, outcome, answer, n)),
     added AS (
       INSERT INTO flow_instance (tenant, id, flow, hash, key, line, channel, caller, input_hash, status, epoch,
              next_seq, wake_at, started_at, outcome, answer)
       SELECT tenant, id, flow, hash, key, line, channel, caller, input_hash, status, epoch, next_seq,
              wake_at, started_at, outcome, answer FROM item ORDER BY tenant, id, n
       ON CONFLICT DO NOTHING RETURNING tenant, id)
     SELECT min(n) FROM item WHERE ((tenant, id) IN (TABLE added)) IS TRUE GROUP BY tenant, id",
);

pub(crate) const UPDATE_INSTANCE: Statement = Statement::pair(
    "engine.update_instance",
    "UPDATE flow_instance SET next_seq = ?3, status = ?4, wake_at = ?5, ended_at = ?6, outcome = ?7,
        answer = coalesce(answer, ?8)
     WHERE tenant = ?1 AND id = ?2",
    "UPDATE flow_instance t SET next_seq = item.next_seq, status = item.status, wake_at = item.wake_at,
         ended_at = item.ended_at, outcome = item.outcome, answer = coalesce(t.answer, item.answer)
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
       AS item (tenant, id, next_seq, status, wake_at, ended_at, outcome, answer, n)
     WHERE t.tenant = item.tenant AND t.id = item.id
     RETURNING item.n",
);

pub(crate) const INSERT_JOURNAL: Statement = Statement::pair(
    "engine.insert_journal",
    "INSERT INTO flow_journal (tenant, instance, seq, record) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO flow_journal (tenant, instance, seq, record)
     SELECT * FROM unnest($1, $2, $3, $4) ORDER BY 1, 2, 3",
);

pub(crate) const INSERT_WAIT: Statement = Statement::pair(
    "engine.insert_wait",
    "INSERT INTO flow_wait (tenant, event, key, instance, wait, kind, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
     ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY
          AS item (tenant, event, key, instance, wait, kind, since, n)),
     added AS (
       INSERT INTO flow_wait (tenant, event, key, instance, wait, kind, since)
       SELECT tenant, event, key, instance, wait, kind, since FROM item
         ORDER BY tenant, event, key, instance, wait, kind, n
       ON CONFLICT DO NOTHING RETURNING tenant, event, key, instance, wait, kind)
     SELECT min(n) FROM item WHERE ((tenant, event, key, instance, wait, kind) IN (TABLE added)) IS TRUE
     GROUP BY tenant, event, key, instance, wait, kind",
);

pub(crate) const DELETE_WAIT: Statement = Statement::pair(
    "engine.delete_wait",
    "DELETE FROM flow_wait WHERE tenant = ?1 AND instance = ?2 AND wait = ?3 AND kind = ?4",
    "DELETE FROM flow_wait t USING unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, instance, wait, kind, n)
     WHERE t.tenant = item.tenant AND t.instance = item.instance AND t.wait = item.wait
       AND t.kind = item.kind RETURNING item.n",
);

/// Who listens for an event, with the epoch of his driver; on SQLite there is one.
pub(crate) const WAITERS: Statement = Statement::pair(
    "engine.waiters",
    "SELECT instance, wait, kind, 0 FROM flow_wait
     WHERE tenant = ?1 AND event = ?2 AND key = ?3 ORDER BY instance, kind = 2, wait",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, event, key, n)
     CROSS JOIN LATERAL (
       SELECT w.instance, w.wait, w.kind, i.epoch
       FROM flow_wait w JOIN flow_instance i ON i.tenant = w.tenant AND i.id = w.instance
       WHERE w.tenant = item.tenant AND w.event = item.event AND w.key = item.key
         ORDER BY w.instance, w.kind = 2, w.wait) AS found",
);

pub(crate) const EARLY: Statement = Statement::pair(
    "engine.early",
    "SELECT position, payload FROM inbox
     WHERE tenant = ?1 AND event = ?2 AND key = ?3 AND received_at >= ?4
        AND NOT EXISTS (SELECT 1 FROM inbox_taken t WHERE t.tenant = ?1 AND t.instance = ?5 AND t.position = inbox.position)
     ORDER BY position",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4, $5)
       WITH ORDINALITY AS item (tenant, event, key, received_at, instance, n)
     CROSS JOIN LATERAL (
       SELECT position, payload FROM inbox
       WHERE tenant = item.tenant AND event = item.event AND key = item.key AND received_at >= item.received_at
       AND NOT EXISTS (SELECT 1 FROM inbox_taken t WHERE t.tenant = item.tenant
         AND t.instance = item.instance AND t.position = inbox.position)
       ORDER BY position) AS found",
);

pub(crate) const INSERT_INBOX: Statement = Statement::pair(
    "engine.insert_inbox",
    "INSERT INTO inbox (tenant, event, key, position, payload, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    "INSERT INTO inbox (tenant, event, key, position, payload, received_at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ORDER BY 1, 2, 3, 4",
);

pub(crate) const INSERT_TAKEN: Statement = Statement::pair(
    "engine.insert_taken",
    "INSERT INTO inbox_taken (tenant, instance, position) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, instance, position, n)),
     added AS (
       INSERT INTO inbox_taken (tenant, instance, position)
       SELECT tenant, instance, position FROM item ORDER BY tenant, instance, position, n
       ON CONFLICT DO NOTHING RETURNING tenant, instance, position)
     SELECT min(n) FROM item WHERE ((tenant, instance, position) IN (TABLE added)) IS TRUE
     GROUP BY tenant, instance, position",
);

pub(crate) const IS_TAKEN: Statement = Statement::pair(
    "engine.is_taken",
    "SELECT 1 FROM inbox_taken WHERE tenant = ?1 AND instance = ?2 AND position = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, instance, position, n)
     CROSS JOIN LATERAL (
       SELECT 1 FROM inbox_taken
       WHERE tenant = item.tenant AND instance = item.instance AND position = item.position) AS found",
);

pub(crate) const INSERT_OUTBOX: Statement = Statement::pair(
    "engine.insert_outbox",
    "INSERT INTO outbox (tenant, event, key, instance, payload, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING position",
    "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('mortise.outbox'))),
     item AS MATERIALIZED (
       SELECT item.*, nextval('outbox_position_seq') AS position
       FROM turn CROSS JOIN unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
         AS item (tenant, event, key, instance, payload, at, n) ORDER BY item.n),
     added AS (
       INSERT INTO outbox (position, tenant, event, key, instance, payload, at)
       SELECT position, tenant, event, key, instance, payload, at FROM item)
     SELECT n, position FROM item",
);

pub(crate) const INSERT_ATTENTION: Statement = Statement::pair(
    "engine.insert_attention",
    "INSERT INTO flow_attention (tenant, instance, number, path, text, at)
     SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5 FROM flow_attention WHERE tenant = ?1 AND instance = ?2",
    "INSERT INTO flow_attention (tenant, instance, number, path, text, at)
     SELECT tenant, instance,
       row_number() OVER (PARTITION BY tenant, instance ORDER BY n) + (SELECT coalesce(max(f.number), 0)
         FROM flow_attention f WHERE f.tenant = item.tenant AND f.instance = item.instance), path, text, at
     FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, instance, path, text, at, n) ORDER BY 1, 2, 3",
);

pub(crate) const INSERT_ATTENTION_ONCE: Statement = Statement::pair(
    "engine.insert_attention_once",
    "INSERT INTO flow_attention (tenant, instance, number, path, text, at)
     SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5 FROM flow_attention WHERE tenant = ?1 AND instance = ?2
     HAVING coalesce(max(path = ?3 AND text = ?4 AND settled_at IS NULL), 0) = 0",
    "WITH item AS (
       SELECT DISTINCT ON (tenant, instance, path, text) *
       FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, instance, path, text, at, n)
       WHERE NOT EXISTS (SELECT 1 FROM flow_attention f WHERE f.tenant = item.tenant AND f.instance = item.instance
         AND f.path = item.path AND f.text = item.text AND f.settled_at IS NULL)
       ORDER BY tenant, instance, path, text, n),
     added AS (
       INSERT INTO flow_attention (tenant, instance, number, path, text, at)
       SELECT tenant, instance,
         row_number() OVER (PARTITION BY tenant, instance ORDER BY n) + (SELECT coalesce(max(f.number), 0)
           FROM flow_attention f WHERE f.tenant = item.tenant AND f.instance = item.instance), path, text, at
       FROM item ORDER BY 1, 2, 3)
     SELECT n FROM item",
);

pub(crate) const LOAD_INSTANCE: Statement = Statement::pair(
    "engine.load_instance",
    "SELECT hash, flow, line, channel, caller, status, epoch, started_at FROM flow_instance WHERE tenant = ?1 AND id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     CROSS JOIN LATERAL (
       SELECT hash, flow, line, channel, caller, status, epoch, started_at FROM flow_instance
       WHERE tenant = item.tenant AND id = item.id) AS found",
);

pub(crate) const LOAD_JOURNAL: Statement = Statement::pair(
    "engine.load_journal",
    "SELECT record FROM flow_journal WHERE tenant = ?1 AND instance = ?2 ORDER BY seq",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, instance, n)
     CROSS JOIN LATERAL (
       SELECT record FROM flow_journal WHERE tenant = item.tenant AND instance = item.instance
         ORDER BY seq) AS found",
);

pub(crate) const OPEN_INSTANCES: Statement = Statement::both(
    "engine.open_instances",
    "SELECT tenant, id, status, wake_at FROM flow_instance WHERE status <> 2 ORDER BY tenant, id",
);

/// Events that open trades listen for and were not told; the databases differ in how a join keeps its order, and not all
/// ask for all trades.
macro_rules! undelivered {
    ($join:literal, $whose:literal) => {
        concat!(
            "SELECT w.tenant, w.instance, w.wait, w.kind, i.position, i.payload
     FROM flow_instance f
     ",
            $join,
            " flow_wait w ON w.tenant = f.tenant AND w.instance = f.id
     ",
            $join,
            " inbox i ON i.tenant = w.tenant AND i.event = w.event AND i.key = w.key
     WHERE f.status <> 2 AND w.kind <> 2 AND i.received_at >= w.since",
            $whose,
            "
        AND NOT EXISTS (SELECT 1 FROM inbox_taken t
            WHERE t.tenant = i.tenant AND t.instance = w.instance AND t.position = i.position)
     ORDER BY i.position, w.instance, w.wait"
        )
    };
}

pub(crate) const UNDELIVERED: Statement =
    Statement::pair("engine.undelivered", undelivered!("CROSS JOIN", ""), undelivered!("JOIN", ""));

/// The same for trades whose lease has ended: read before they are claimed. What is matched with them later is posted to
/// whoever has them.
pub(crate) const UNDELIVERED_TO_ORPHANS: Statement = Statement::pair(
    "engine.undelivered_to_orphans",
    undelivered!("CROSS JOIN", " AND NOT EXISTS (SELECT 1 FROM engine_lease l WHERE l.epoch = f.epoch)"),
    undelivered!("JOIN", " AND NOT EXISTS (SELECT 1 FROM engine_lease l WHERE l.epoch = f.epoch)"),
);

pub(crate) const SETTLE_ATTENTION: Statement = Statement::pair(
    "engine.settle_attention",
    "UPDATE flow_attention SET settled_at = ?3, settled_how = ?4, settled_reason = ?5
     WHERE tenant = ?1 AND instance = ?2 AND settled_at IS NULL",
    "UPDATE flow_attention t SET settled_at = item.at, settled_how = item.how, settled_reason = item.reason
     FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, instance, at, how, reason, n)
     WHERE t.tenant = item.tenant AND t.instance = item.instance AND t.settled_at IS NULL RETURNING item.n",
);

pub(crate) const HOLD: Statement = Statement::pair(
    "engine.hold",
    "UPDATE flow_instance SET status = 3 WHERE tenant = ?1 AND id = ?2 AND status <> 2",
    "UPDATE flow_instance t SET status = 3
     FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     WHERE t.tenant = item.tenant AND t.id = item.id AND t.status <> 2
     RETURNING item.n",
);

pub(crate) const OUTBOX_SINCE: Statement = Statement::pair(
    "engine.outbox_since",
    "SELECT position, tenant, event, key, instance, payload, at FROM outbox WHERE position > ?1 ORDER BY position LIMIT ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (position, most, n)
     CROSS JOIN LATERAL (
       SELECT position, tenant, event, key, instance, payload, at FROM outbox
       WHERE position > item.position ORDER BY position LIMIT item.most) AS found",
);

pub(crate) const SUBSCRIBER: Statement = Statement::pair(
    "engine.subscriber",
    "SELECT position FROM subscriber WHERE name = ?1",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (name, n)
     CROSS JOIN LATERAL (
       SELECT position FROM subscriber WHERE name = item.name) AS found",
);

pub(crate) const MOVE_SUBSCRIBER: Statement = Statement::pair(
    "engine.move_subscriber",
    "INSERT INTO subscriber (name, position) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
    "INSERT INTO subscriber (name, position)
     SELECT DISTINCT ON (name) name, position
     FROM unnest($1, $2) WITH ORDINALITY AS item (name, position, n)
     ORDER BY name, n DESC
     ON CONFLICT (name) DO UPDATE SET position = excluded.position",
);

/// Takes a subscriber's turn where nobody has it whose lease has not ended.
pub(crate) const TAKE_TURN: Statement = Statement::pair(
    "engine.take_turn",
    "INSERT INTO subscriber_turn (name, epoch) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch
     WHERE subscriber_turn.epoch = excluded.epoch
        OR NOT EXISTS (SELECT 1 FROM engine_lease l WHERE l.epoch = subscriber_turn.epoch)",
    "WITH item AS (SELECT * FROM unnest($1, $2) WITH ORDINALITY AS item (name, epoch, n)),
     taken AS (
       INSERT INTO subscriber_turn (name, epoch) SELECT name, epoch FROM item ORDER BY name
       ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch
       WHERE subscriber_turn.epoch = excluded.epoch
          OR NOT EXISTS (SELECT 1 FROM engine_lease l WHERE l.epoch = subscriber_turn.epoch)
       RETURNING name)
     SELECT n FROM item WHERE (name IN (TABLE taken)) IS TRUE",
);

pub(crate) const INSERT_DEFINITION: Statement = Statement::pair(
    "engine.insert_definition",
    "INSERT INTO flow_definition (tenant, hash, name, version, text, contracts, published_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY
          AS item (tenant, hash, name, version, text, contracts, published_at, n)),
     added AS (
       INSERT INTO flow_definition (tenant, hash, name, version, text, contracts, published_at)
       SELECT tenant, hash, name, version, text, contracts, published_at FROM item ORDER BY tenant, hash, n
       ON CONFLICT DO NOTHING RETURNING tenant, hash)
     SELECT min(n) FROM item WHERE ((tenant, hash) IN (TABLE added)) IS TRUE GROUP BY tenant, hash",
);

/// The texts that a tenant has published under a number, and the largest number of the name.
pub(crate) const NUMBERED: Statement = Statement::pair(
    "engine.numbered_definitions",
    "SELECT d.text, (SELECT max(version) FROM flow_definition n WHERE n.tenant = ?1 AND n.name = ?2)
     FROM flow_definition d WHERE d.tenant = ?1 AND d.name = ?2 AND d.version = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, name, version, n)
     CROSS JOIN LATERAL (
       SELECT d.text, (SELECT max(version) FROM flow_definition n WHERE n.tenant = item.tenant AND n.name = item.name)
       FROM flow_definition d
       WHERE d.tenant = item.tenant AND d.name = item.name AND d.version = item.version) AS found",
);

pub(crate) const DEFINITIONS: Statement = Statement::both(
    "engine.definitions",
    "SELECT tenant, hash, name, text, contracts FROM flow_definition ORDER BY tenant, hash",
);

pub(crate) const SET_ALIAS: Statement = Statement::pair(
    "engine.set_alias",
    "INSERT INTO flow_alias (tenant, line, name, hash, moved_at) VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (tenant, line, name) DO UPDATE SET hash = excluded.hash, moved_at = excluded.moved_at
     WHERE hash <> excluded.hash",
    "WITH item AS (
       SELECT DISTINCT ON (tenant, line, name) *
       FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, line, name, hash, moved_at, n)
       ORDER BY tenant, line, name, n DESC),
     moved AS (
       INSERT INTO flow_alias (tenant, line, name, hash, moved_at)
       SELECT tenant, line, name, hash, moved_at FROM item ORDER BY tenant, line, name
       ON CONFLICT (tenant, line, name) DO UPDATE SET hash = excluded.hash, moved_at = excluded.moved_at
       WHERE flow_alias.hash <> excluded.hash RETURNING tenant, line, name)
     SELECT n FROM item WHERE ((tenant, line, name) IN (TABLE moved)) IS TRUE",
);

pub(crate) const ADD_ALIAS: Statement = Statement::pair(
    "engine.add_alias",
    "INSERT INTO flow_alias (tenant, line, name, hash, moved_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5)
       WITH ORDINALITY AS item (tenant, line, name, hash, moved_at, n)),
     added AS (
       INSERT INTO flow_alias (tenant, line, name, hash, moved_at)
       SELECT tenant, line, name, hash, moved_at FROM item ORDER BY tenant, line, name, n
       ON CONFLICT DO NOTHING RETURNING tenant, line, name)
     SELECT min(n) FROM item WHERE ((tenant, line, name) IN (TABLE added)) IS TRUE GROUP BY tenant, line, name",
);

pub(crate) const ALIAS_MOVED: Statement = Statement::pair(
    "engine.alias_moved",
    "INSERT INTO flow_alias_move (tenant, line, name, hash, moved_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5)
       WITH ORDINALITY AS item (tenant, line, name, hash, moved_at, n)),
     added AS (
       INSERT INTO flow_alias_move (tenant, line, name, hash, moved_at)
       SELECT tenant, line, name, hash, moved_at FROM item ORDER BY tenant, name, moved_at, line, hash, n
       ON CONFLICT DO NOTHING RETURNING tenant, name, moved_at, line, hash)
     SELECT min(n) FROM item WHERE ((tenant, name, moved_at, line, hash) IN (TABLE added)) IS TRUE
     GROUP BY tenant, name, moved_at, line, hash",
);

pub(crate) const ALIASES: Statement = Statement::both(
    "engine.aliases",
    "SELECT tenant, line, name, hash FROM flow_alias ORDER BY tenant, line, name",
);

pub(crate) const POLICIES: Statement =
    Statement::both("engine.policies", "SELECT tenant, line, channel, name, document FROM policy");

pub(crate) const SET_POLICY: Statement = Statement::pair(
    "engine.set_policy",
    "INSERT INTO policy (tenant, line, channel, name, document, set_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT (tenant, line, channel, name) DO UPDATE SET document = excluded.document, set_at = excluded.set_at",
    "INSERT INTO policy (tenant, line, channel, name, document, set_at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ORDER BY 1, 2, 3, 4
     ON CONFLICT (tenant, line, channel, name)
       DO UPDATE SET document = excluded.document, set_at = excluded.set_at",
);

pub(crate) const SCOPE_OF: Statement = Statement::pair(
    "engine.scope_of",
    "SELECT line, channel FROM flow_instance WHERE tenant = ?1 AND id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     CROSS JOIN LATERAL (
       SELECT line, channel FROM flow_instance WHERE tenant = item.tenant AND id = item.id) AS found",
);

pub(crate) const TRADE_STATUS: Statement = Statement::pair(
    "engine.trade_status",
    "SELECT flow, hash, line, caller, answer, outcome, started_at,
        (SELECT record FROM flow_journal j WHERE j.tenant = ?1 AND j.instance = ?2 ORDER BY seq LIMIT 1)
     FROM flow_instance WHERE tenant = ?1 AND id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     CROSS JOIN LATERAL (
       SELECT flow, hash, line, caller, answer, outcome, started_at,
       (SELECT record FROM flow_journal j WHERE j.tenant = item.tenant AND j.instance = item.id
         ORDER BY seq LIMIT 1)
       FROM flow_instance WHERE tenant = item.tenant AND id = item.id) AS found",
);
