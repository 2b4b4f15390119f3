//! What holds in every committed state of the purchase limits: the counters are what the open orders claim.

use futures::future::LocalBoxFuture;
use mortise_capability::{Check, Finding, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::{Quantity, Timestamp};

const USED: Statement = Statement::pair(
    "purchase_limit.check_used",
    "WITH claimed AS (
        SELECT c.tenant AS tenant, c.customer_id AS customer_id, claim.value ->> 0 AS rule,
               claim.value ->> 1 AS window_start, sum(claim.value ->> 2) AS units
        FROM purchase_limit_claim c, json_each(c.claims) claim
        WHERE c.state = 'open'
        GROUP BY 1, 2, 3, 4)
     SELECT u.tenant, u.customer_id, u.rule, u.window_start, u.used, coalesce(c.units, 0)
     FROM purchase_limit_use u
     LEFT JOIN claimed c ON c.tenant = u.tenant AND c.customer_id = u.customer_id AND c.rule = u.rule
                        AND c.window_start = u.window_start
     WHERE u.used <> coalesce(c.units, 0)
     UNION ALL
     SELECT c.tenant, c.customer_id, c.rule, c.window_start, 0, c.units
     FROM claimed c
     WHERE NOT EXISTS (SELECT 1 FROM purchase_limit_use u
                       WHERE u.tenant = c.tenant AND u.customer_id = c.customer_id AND u.rule = c.rule
                         AND u.window_start = c.window_start)
     LIMIT 100",
    "WITH claimed AS (
        SELECT c.tenant, c.customer_id, claim.value ->> 0 AS rule, (claim.value ->> 1)::bigint AS window_start,
               sum((claim.value ->> 2)::bigint)::bigint AS units
        FROM purchase_limit_claim c CROSS JOIN json_array_elements(c.claims::json) AS claim (value)
        WHERE c.state = 'open'
        GROUP BY 1, 2, 3, 4)
     SELECT u.tenant, u.customer_id, u.rule, u.window_start, u.used, coalesce(c.units, 0)
     FROM purchase_limit_use u
     LEFT JOIN claimed c ON c.tenant = u.tenant AND c.customer_id = u.customer_id AND c.rule = u.rule
                        AND c.window_start = u.window_start
     WHERE u.used <> coalesce(c.units, 0)
     UNION ALL
     SELECT c.tenant, c.customer_id, c.rule, c.window_start, 0, c.units
     FROM claimed c
     WHERE NOT EXISTS (SELECT 1 FROM purchase_limit_use u
                       WHERE u.tenant = c.tenant AND u.customer_id = c.customer_id AND u.rule = c.rule
                         AND u.window_start = c.window_start)
     LIMIT 100",
);

/// What a customer has used of a limit is the sum of what their open orders claim.
pub(crate) const LIMITS_USED: Check = Check { name: "limits used", run: limits_used };

fn limits_used<'a>(reader: &'a Reader<'a>) -> LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>> {
    Box::pin(async move {
        type Row = (String, String, String, Timestamp, Quantity, Quantity);
        let rows: Vec<Row> = reader.fetch_all(&USED, ()).await?;
        let finding = |(tenant, customer, rule, window_start, used, claimed): Row| Finding {
            subject: format!("{tenant}: {customer} under {rule} since {window_start}"),
            problem: format!("used is {used}, open orders claim {claimed}"),
        };
        Ok(rows.into_iter().map(finding).collect())
    })
}
