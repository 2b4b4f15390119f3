//! `purchase_limit.import_rules` and `purchase_limit.import_items`: what limits there are and which items are in a group.

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::{Statement, Tx};

use crate::contract::{ImportItemsInput, ImportRulesInput, Imported, RuleState, RuleUnclear};
use crate::rules::target;
use crate::store::{period_word, target_word};

const UPSERT_RULE: Statement = Statement::pair(
    "purchase_limit.upsert_rule",
    "INSERT INTO purchase_limit_rule
       (tenant, rule, target, business_line, period, most, valid_from, valid_until, state)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
     ON CONFLICT (tenant, rule) DO UPDATE
     SET target = excluded.target, business_line = excluded.business_line, period = excluded.period,
         most = excluded.most, valid_from = excluded.valid_from, valid_until = excluded.valid_until,
         state = excluded.state",
    "INSERT INTO purchase_limit_rule (tenant, rule, target, business_line, period, most, valid_from,
         valid_until, state)
     SELECT DISTINCT ON (tenant, rule) tenant, rule, target, business_line, period, most, valid_from,
       valid_until, state
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY
       AS item (tenant, rule, target, business_line, period, most, valid_from, valid_until, state, n)
     ORDER BY tenant, rule, n DESC
     ON CONFLICT (tenant, rule) DO UPDATE
       SET target = excluded.target, business_line = excluded.business_line, period = excluded.period,
       most = excluded.most, valid_from = excluded.valid_from, valid_until = excluded.valid_until,
       state = excluded.state",
);
const UPSERT_ITEM: Statement = Statement::pair(
    "purchase_limit.upsert_item",
    "INSERT INTO purchase_limit_item (tenant, sku, item_group) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, sku, item_group, n)),
     added AS (
       INSERT INTO purchase_limit_item (tenant, sku, item_group)
       SELECT tenant, sku, item_group FROM item ORDER BY tenant, sku, item_group, n
       ON CONFLICT DO NOTHING RETURNING tenant, sku, item_group)
     SELECT min(n) FROM item WHERE ((tenant, sku, item_group) IN (TABLE added)) IS TRUE
     GROUP BY tenant, sku, item_group",
);

pub(crate) struct ImportRules;

impl WriteOperation for ImportRules {
    type Input = ImportRulesInput;
    type Output = Imported;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportRulesInput>],
    ) -> Result<Vec<Reply<Imported>>, StoreError> {
        let (mut rows, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for call in calls {
            let mut clear = Vec::with_capacity(call.input.rows.len());
            let mut unclear = None;
            for row in &call.input.rows {
                match target(row) {
                    Ok(target) => clear.push((row, target_word(&target))),
                    Err(problem) => {
                        unclear = Some(RuleUnclear { rule: row.rule.clone(), problem: problem.to_owned() });
                        break;
                    }
                }
            }
            if let Some(detail) = unclear {
                replies.push(Reply::rejected("rule_unclear", &detail)?);
                continue;
            }
            replies.push(Reply::done(Imported { rows: clear.len() as i64 }));
            rows.extend(clear.into_iter().map(|(row, target)| (&call.context.scope.tenant, row, target)));
        }
        let rows = rows.iter().map(|(tenant, row, target)| {
            let state = match row.state {
                RuleState::Active => "active",
                RuleState::Retired => "retired",
            };
            let (line, period) = (&row.business_line, period_word(row.period));
            (*tenant, &row.rule, target, line, period, row.most, row.valid_from, row.valid_until, state)
        });
        tx.execute(&UPSERT_RULE, rows).await?;
        Ok(replies)
    }
}

pub(crate) struct ImportItems;

impl WriteOperation for ImportItems {
    type Input = ImportItemsInput;
    type Output = Imported;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportItemsInput>],
    ) -> Result<Vec<Reply<Imported>>, StoreError> {
        let rows = calls.iter().flat_map(|call| {
            call.input.rows.iter().map(|row| (&call.context.scope.tenant, &row.sku, &row.item_group))
        });
        tx.execute(&UPSERT_ITEM, rows).await?;
        Ok(calls.iter().map(|call| Reply::done(Imported { rows: call.input.rows.len() as i64 })).collect())
    }
}
