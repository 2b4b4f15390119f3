//! The engine's statements, in plain sight. Each runs on all trades of a batch.

use mortise_store::Statement;

pub(crate) const INSTANCE_BY_KEY: Statement = Statement::sqlite(
    "engine.instance_by_key",
    "SELECT id, input_hash, answer FROM flow_instance WHERE tenant = ?1 AND flow = ?2 AND key = ?3",
);

pub(crate) const INSTANCE_ANSWER: Statement = Statement::sqlite(
    "engine.instance_answer",
    "SELECT id, input_hash, answer FROM flow_instance WHERE tenant = ?1 AND id = ?2",
);

pub(crate) const IDEMPOTENCY: Statement = Statement::sqlite(
    "engine.idempotency",
    "SELECT request, instance FROM idempotency WHERE tenant = ?1 AND key = ?2",
);

pub(crate) const INSERT_IDEMPOTENCY: Statement = Statement::sqlite(
    "engine.insert_idempotency",
    "INSERT INTO idempotency (tenant, key, request, instance, at) VALUES (?1, ?2, ?3, ?4, ?5)",
);

pub(crate) const STILL_OURS: Statement = Statement::sqlite(
    "engine.still_ours",
    "SELECT 1 FROM flow_instance WHERE tenant = ?1 AND id = ?2 AND epoch = ?3 AND next_seq = ?4 AND status <> 2",
);

/// The same for a trade that is asked to take itself back, which it may be when it is over.
pub(crate) const STILL_OURS_OR_OVER: Statement = Statement::sqlite(
    "engine.still_ours_or_over",
    "SELECT 1 FROM flow_instance WHERE tenant = ?1 AND id = ?2 AND epoch = ?3 AND next_seq = ?4",
);

pub(crate) const CHILD: Statement = Statement::sqlite(
    "engine.child",
    "SELECT CASE WHEN status = 2 THEN outcome END, answer FROM flow_instance WHERE tenant = ?1 AND id = ?2",
);

pub(crate) const INSERT_INSTANCE: Statement = Statement::sqlite(
    "engine.insert_instance",
    "INSERT INTO flow_instance (tenant, id, flow, hash, key, line, channel, caller, input_hash, status, epoch, next_seq,
        wake_at, started_at, outcome, answer)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
     ON CONFLICT DO NOTHING",
);

pub(crate) const UPDATE_INSTANCE: Statement = Statement::sqlite(
    "engine.update_instance",
    "UPDATE flow_instance SET next_seq = ?3, status = ?4, wake_at = ?5, ended_at = ?6, outcome = ?7,
        answer = coalesce(answer, ?8)
     WHERE tenant = ?1 AND id = ?2",
);

pub(crate) const INSERT_JOURNAL: Statement = Statement::sqlite(
    "engine.insert_journal",
    "INSERT INTO flow_journal (tenant, instance, seq, record) VALUES (?1, ?2, ?3, ?4)",
);

pub(crate) const INSERT_WAIT: Statement = Statement::sqlite(
    "engine.insert_wait",
    "INSERT INTO flow_wait (tenant, event, key, instance, wait, kind, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
     ON CONFLICT DO NOTHING",
);

pub(crate) const DELETE_WAIT: Statement = Statement::sqlite(
    "engine.delete_wait",
    "DELETE FROM flow_wait WHERE tenant = ?1 AND instance = ?2 AND wait = ?3 AND kind = ?4",
);

pub(crate) const WAITERS: Statement = Statement::sqlite(
    "engine.waiters",
    "SELECT instance, wait, kind FROM flow_wait
     WHERE tenant = ?1 AND event = ?2 AND key = ?3 ORDER BY instance, kind = 2, wait",
);

pub(crate) const EARLY: Statement = Statement::sqlite(
    "engine.early",
    "SELECT position, payload FROM inbox
     WHERE tenant = ?1 AND event = ?2 AND key = ?3 AND received_at >= ?4
        AND NOT EXISTS (SELECT 1 FROM inbox_taken t WHERE t.tenant = ?1 AND t.instance = ?5 AND t.position = inbox.position)
     ORDER BY position",
);

pub(crate) const INSERT_INBOX: Statement = Statement::sqlite(
    "engine.insert_inbox",
    "INSERT INTO inbox (tenant, event, key, position, payload, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
);

pub(crate) const INSERT_TAKEN: Statement = Statement::sqlite(
    "engine.insert_taken",
    "INSERT INTO inbox_taken (tenant, instance, position) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
);

pub(crate) const IS_TAKEN: Statement = Statement::sqlite(
    "engine.is_taken",
    "SELECT 1 FROM inbox_taken WHERE tenant = ?1 AND instance = ?2 AND position = ?3",
);

pub(crate) const INSERT_OUTBOX: Statement = Statement::sqlite(
    "engine.insert_outbox",
    "INSERT INTO outbox (tenant, event, key, instance, payload, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING position",
);

pub(crate) const INSERT_ATTENTION: Statement = Statement::sqlite(
    "engine.insert_attention",
    "INSERT INTO flow_attention (tenant, instance, number, path, text, at)
     SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5 FROM flow_attention WHERE tenant = ?1 AND instance = ?2",
);

pub(crate) const INSERT_ATTENTION_ONCE: Statement = Statement::sqlite(
    "engine.insert_attention_once",
    "INSERT INTO flow_attention (tenant, instance, number, path, text, at)
     SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5 FROM flow_attention WHERE tenant = ?1 AND instance = ?2
     HAVING coalesce(max(path = ?3 AND text = ?4), 0) = 0",
);

pub(crate) const LOAD_INSTANCE: Statement = Statement::sqlite(
    "engine.load_instance",
    "SELECT hash, flow, line, channel, caller, status, epoch, started_at FROM flow_instance WHERE tenant = ?1 AND id = ?2",
);

pub(crate) const LOAD_JOURNAL: Statement = Statement::sqlite(
    "engine.load_journal",
    "SELECT record FROM flow_journal WHERE tenant = ?1 AND instance = ?2 ORDER BY seq",
);

pub(crate) const OPEN_INSTANCES: Statement = Statement::sqlite(
    "engine.open_instances",
    "SELECT tenant, id, status, wake_at FROM flow_instance WHERE status <> 2 ORDER BY tenant, id",
);

pub(crate) const UNDELIVERED: Statement = Statement::sqlite(
    "engine.undelivered",
    "SELECT w.tenant, w.instance, w.wait, w.kind, i.position, i.payload
     FROM flow_instance f
     CROSS JOIN flow_wait w ON w.tenant = f.tenant AND w.instance = f.id
     CROSS JOIN inbox i ON i.tenant = w.tenant AND i.event = w.event AND i.key = w.key
     WHERE f.status <> 2 AND w.kind <> 2 AND i.received_at >= w.since
        AND NOT EXISTS (SELECT 1 FROM inbox_taken t
            WHERE t.tenant = i.tenant AND t.instance = w.instance AND t.position = i.position)
     ORDER BY i.position, w.instance, w.wait",
);

pub(crate) const CLAIM_OPEN: Statement = Statement::sqlite(
    "engine.claim_open",
    "UPDATE flow_instance SET epoch = ?1 WHERE status <> 2 AND epoch <> ?1",
);

pub(crate) const HIGHEST_EPOCH: Statement = Statement::sqlite(
    "engine.highest_epoch",
    "SELECT coalesce(max(epoch), 0) FROM flow_instance WHERE status <> 2",
);

pub(crate) const HOLD: Statement = Statement::sqlite(
    "engine.hold",
    "UPDATE flow_instance SET status = 3 WHERE tenant = ?1 AND id = ?2 AND status <> 2",
);

pub(crate) const OUTBOX_SINCE: Statement = Statement::sqlite(
    "engine.outbox_since",
    "SELECT position, tenant, event, key, instance, payload, at FROM outbox WHERE position > ?1 ORDER BY position LIMIT ?2",
);

pub(crate) const SUBSCRIBER: Statement =
    Statement::sqlite("engine.subscriber", "SELECT position FROM subscriber WHERE name = ?1");

pub(crate) const MOVE_SUBSCRIBER: Statement = Statement::sqlite(
    "engine.move_subscriber",
    "INSERT INTO subscriber (name, position) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
);

pub(crate) const INSERT_DEFINITION: Statement = Statement::sqlite(
    "engine.insert_definition",
    "INSERT INTO flow_definition (tenant, hash, name, version, text, contracts, published_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
);

pub(crate) const DEFINITIONS: Statement = Statement::sqlite(
    "engine.definitions",
    "SELECT tenant, hash, name, text, contracts FROM flow_definition ORDER BY tenant, hash",
);

pub(crate) const SET_ALIAS: Statement = Statement::sqlite(
    "engine.set_alias",
    "INSERT INTO flow_alias (tenant, line, name, hash, moved_at) VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (tenant, line, name) DO UPDATE SET hash = excluded.hash, moved_at = excluded.moved_at
     WHERE hash <> excluded.hash",
);

pub(crate) const ADD_ALIAS: Statement = Statement::sqlite(
    "engine.add_alias",
    "INSERT INTO flow_alias (tenant, line, name, hash, moved_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
);

pub(crate) const ALIAS_MOVED: Statement = Statement::sqlite(
    "engine.alias_moved",
    "INSERT INTO flow_alias_move (tenant, line, name, hash, moved_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
);

pub(crate) const ALIASES: Statement = Statement::sqlite(
    "engine.aliases",
    "SELECT tenant, line, name, hash FROM flow_alias ORDER BY tenant, line, name",
);

pub(crate) const POLICIES: Statement =
    Statement::sqlite("engine.policies", "SELECT tenant, line, channel, name, document FROM policy");

pub(crate) const SET_POLICY: Statement = Statement::sqlite(
    "engine.set_policy",
    "INSERT INTO policy (tenant, line, channel, name, document, set_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT (tenant, line, channel, name) DO UPDATE SET document = excluded.document, set_at = excluded.set_at",
);

pub(crate) const SCOPE_OF: Statement = Statement::sqlite(
    "engine.scope_of",
    "SELECT line, channel FROM flow_instance WHERE tenant = ?1 AND id = ?2",
);

pub(crate) const TRADE_STATUS: Statement = Statement::sqlite(
    "engine.trade_status",
    "SELECT flow, hash, line, caller, answer, outcome, started_at,
        (SELECT record FROM flow_journal j WHERE j.tenant = ?1 AND j.instance = ?2 ORDER BY seq LIMIT 1)
     FROM flow_instance WHERE tenant = ?1 AND id = ?2",
);
