//! The tables: components, revisions, observations. What they mean is decided elsewhere.

use mortise_store::{Migration, Migrations, Role, Statement};

/// The tables' history.
#[must_use]
pub const fn migrations() -> Migrations {
    Migrations {
        owner: "deployments",
        role: Role::Engine,
        steps: &[Migration {
            version: 1,
            description: "deployments",
            sqlite: include_str!("../migrations/sqlite/0001_deployments.sql"),
            postgres: include_str!("../migrations/postgres/0001_deployments.sql"),
        }],
    }
}

pub(crate) const SAVE_COMPONENT: Statement = Statement::pair(
    "deployments.save_component",
    "INSERT INTO deployment_component
       (hash, name, release, manifest, config_schema, component, granted, added_at, added_by)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (hash) DO UPDATE SET granted = excluded.granted",
    "INSERT INTO deployment_component
       (hash, name, release, manifest, config_schema, component, granted, added_at, added_by)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY 1
     ON CONFLICT (hash) DO UPDATE SET granted = excluded.granted",
);

pub(crate) const DROP_COMPONENT: Statement = Statement::pair(
    "deployments.drop_component",
    "DELETE FROM deployment_component WHERE name = ?1 AND release = ?2 AND hash <> ?3",
    "DELETE FROM deployment_component t USING unnest($1, $2, $3) WITH ORDINALITY AS item (name, release, hash, n)
     WHERE t.name = item.name AND t.release = item.release AND t.hash <> item.hash RETURNING item.n",
);

pub(crate) const COMPONENT: Statement = Statement::pair(
    "deployments.component",
    "SELECT hash, manifest, config_schema, component, granted FROM deployment_component
     WHERE name = ?1 AND release = ?2",
    "SELECT item.n, c.hash, c.manifest, c.config_schema, c.component, c.granted
     FROM unnest($1, $2) WITH ORDINALITY AS item (name, release, n)
     JOIN deployment_component c ON c.name = item.name AND c.release = item.release",
);

pub(crate) const HASH: Statement = Statement::pair(
    "deployments.hash",
    "SELECT hash, granted FROM deployment_component WHERE name = ?1 AND release = ?2",
    "SELECT item.n, c.hash, c.granted FROM unnest($1, $2) WITH ORDINALITY AS item (name, release, n)
     JOIN deployment_component c ON c.name = item.name AND c.release = item.release",
);

pub(crate) const NEWEST: Statement = Statement::both(
    "deployments.newest",
    "SELECT number FROM deployment_revision ORDER BY number DESC LIMIT 1",
);

pub(crate) const REVISIONS: Statement = Statement::pair(
    "deployments.revisions",
    "SELECT number, kind, made_at, effective_from, made_by, reason, restores, withdrawn, bindings
     FROM deployment_revision WHERE number > ?1 ORDER BY number DESC LIMIT ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (number, most, n)
     CROSS JOIN LATERAL (
       SELECT number, kind, made_at, effective_from, made_by, reason, restores, withdrawn, bindings
       FROM deployment_revision r WHERE r.number > item.number ORDER BY r.number DESC LIMIT item.most) AS found",
);

pub(crate) const ADD_REVISION: Statement = Statement::pair(
    "deployments.add_revision",
    "INSERT INTO deployment_revision
       (number, kind, made_at, effective_from, made_by, reason, restores, withdrawn, bindings)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    "INSERT INTO deployment_revision
       (number, kind, made_at, effective_from, made_by, reason, restores, withdrawn, bindings)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY 1",
);

pub(crate) const OBSERVE: Statement = Statement::pair(
    "deployments.observe",
    "INSERT INTO deployment_observation
       (rollout, point, tenant, instance, call, observed_at, failed, took_us, currency, live_minor, trial_minor)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (rollout, point, tenant, instance, call)
     DO UPDATE SET observed_at = excluded.observed_at, failed = excluded.failed, took_us = excluded.took_us,
       currency = excluded.currency, live_minor = excluded.live_minor, trial_minor = excluded.trial_minor",
    "INSERT INTO deployment_observation
       (rollout, point, tenant, instance, call, observed_at, failed, took_us, currency, live_minor, trial_minor)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ORDER BY 1, 2, 3, 4, 5
     ON CONFLICT (rollout, point, tenant, instance, call)
     DO UPDATE SET observed_at = excluded.observed_at, failed = excluded.failed, took_us = excluded.took_us,
       currency = excluded.currency, live_minor = excluded.live_minor, trial_minor = excluded.trial_minor",
);

pub(crate) const SEEN: Statement = Statement::pair(
    "deployments.seen",
    "SELECT currency, count(*), count(DISTINCT instance), sum(failed), sum(took_us), sum(trial_minor - live_minor),
       sum(abs(trial_minor - live_minor))
     FROM deployment_observation WHERE rollout = ?1 AND point = ?2 AND tenant = ?3 GROUP BY currency ORDER BY currency",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (rollout, point, tenant, n)
     CROSS JOIN LATERAL (
       SELECT currency, count(*), count(DISTINCT instance), sum(failed)::bigint, sum(took_us)::bigint,
         sum(trial_minor - live_minor)::bigint, sum(abs(trial_minor - live_minor))::bigint
       FROM deployment_observation o
       WHERE o.rollout = item.rollout AND o.point = item.point AND o.tenant = item.tenant
       GROUP BY currency ORDER BY currency) AS found",
);

pub(crate) const FURTHEST: Statement = Statement::pair(
    "deployments.furthest",
    "SELECT instance, currency, sum(live_minor), sum(trial_minor) FROM deployment_observation
     WHERE rollout = ?1 AND point = ?2 AND tenant = ?3 GROUP BY instance, currency
     HAVING sum(trial_minor) <> sum(live_minor)
     ORDER BY abs(sum(trial_minor) - sum(live_minor)) DESC, instance LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (rollout, point, tenant, most, n)
     CROSS JOIN LATERAL (
       SELECT instance, currency, sum(live_minor)::bigint, sum(trial_minor)::bigint FROM deployment_observation o
       WHERE o.rollout = item.rollout AND o.point = item.point AND o.tenant = item.tenant
       GROUP BY instance, currency HAVING sum(trial_minor) <> sum(live_minor)
       ORDER BY abs(sum(trial_minor) - sum(live_minor)) DESC, instance LIMIT item.most) AS found",
);

pub(crate) const FORGET: Statement = Statement::pair(
    "deployments.forget",
    "DELETE FROM deployment_observation WHERE rollout < ?1",
    "DELETE FROM deployment_observation t USING unnest($1) WITH ORDINALITY AS item (rollout, n)
     WHERE t.rollout < item.rollout RETURNING item.n",
);
