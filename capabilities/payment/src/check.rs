//! What must hold in every committed state: a payment's figures are the sums of its ledger, the ledger has no gaps, money
//! stands on the one account that its payment says, and refunds on their way are those that were set aside.

use futures::future::{FutureExt, LocalBoxFuture};
use mortise_capability::{Check, Finding};
use mortise_store::{Reader, StoreError};

use crate::store::{CHECK_FUNDS, CHECK_HISTORY, CHECK_LEDGER, CHECK_ORPHANS, CHECK_REFUNDS};

/// How many findings one check names.
const FINDINGS_MAX: usize = 100;

pub(crate) const LEDGER: Check = Check { name: "ledger", run: ledger };
pub(crate) const FUNDS: Check = Check { name: "funds", run: funds };
pub(crate) const HISTORY: Check = Check { name: "history", run: history };
pub(crate) const REFUNDS: Check = Check { name: "refunds", run: refunds };

type Findings<'a> = LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>>;

fn ledger<'a>(reader: &'a Reader<'a>) -> Findings<'a> {
    async move {
        type Row = (String, String, i64, i64, i64, i64, i64, i64, i64);
        let mut findings = Vec::new();
        for (tenant, payment, captured, refunded, transfers, credited, debited, count, last) in
            reader.fetch_all::<Row, _>(&CHECK_LEDGER, (0_i64,)).await?
        {
            let subject = format!("{tenant} payment {payment}");
            let mut off = |problem: String| findings.push(Finding { subject: subject.clone(), problem });
            if credited != captured {
                off(format!("captured is {captured}, its ledger brought {credited}"));
            }
            if debited != refunded {
                off(format!("refunded is {refunded}, its ledger took {debited} away"));
            }
            if count != transfers || last != transfers {
                off(format!(
                    "{transfers} transfers were posted, the ledger has {count}, the last is number {last}"
                ));
            }
        }
        for (tenant, payment, number) in
            reader.fetch_all::<(String, String, i64), _>(&CHECK_ORPHANS, (0_i64,)).await?
        {
            let subject = format!("{tenant} payment {payment}");
            findings.push(Finding { subject, problem: format!("transfer {number} has no payment") });
        }
        findings.truncate(FINDINGS_MAX);
        Ok(findings)
    }
    .boxed_local()
}

fn funds<'a>(reader: &'a Reader<'a>) -> Findings<'a> {
    async move {
        type Row = (String, String, i64, String, i64, i64, i64);
        let rows = reader.fetch_all::<Row, _>(&CHECK_FUNDS, (0_i64,)).await?;
        let finding = |(tenant, payment, there, deposit, order_funds, held, forfeited): Row| {
            let what =
                if deposit.is_empty() { "no deposit".to_owned() } else { format!("a deposit, {deposit}") };
            let problem = format!(
                "{there} is there of {what}; the ledger has {order_funds} of it as order_funds, {held} as \
                 deposits_held, {forfeited} as deposits_forfeited"
            );
            Finding { subject: format!("{tenant} payment {payment}"), problem }
        };
        Ok(rows.into_iter().map(finding).collect())
    }
    .boxed_local()
}

fn history<'a>(reader: &'a Reader<'a>) -> Findings<'a> {
    async move {
        type Row = (String, String, i64, i64, i64, i64);
        let rows = reader.fetch_all::<Row, _>(&CHECK_HISTORY, (0_i64,)).await?;
        let finding = |(tenant, customer, collected, refused, paid, left_there): Row| Finding {
            subject: format!("{tenant} customer {customer}"),
            problem: format!(
                "the history has {collected} paid at the door and {refused} refused, the payments {paid} and {left_there}"
            ),
        };
        Ok(rows.into_iter().map(finding).collect())
    }
    .boxed_local()
}

fn refunds<'a>(reader: &'a Reader<'a>) -> Findings<'a> {
    async move {
        type Row = (String, String, i64, i64, i64, i64, i64, i64, i64);
        let mut findings = Vec::new();
        for (tenant, payment, amount, captured, refunded, set_aside, pending, done, cancelled) in
            reader.fetch_all::<Row, _>(&CHECK_REFUNDS, (0_i64,)).await?
        {
            let subject = format!("{tenant} payment {payment}");
            let mut off = |problem: String| findings.push(Finding { subject: subject.clone(), problem });
            if set_aside != pending {
                off(format!("{set_aside} is set aside for refunds, those on their way are {pending}"));
            }
            if refunded != done.saturating_add(cancelled) {
                off(format!(
                    "refunded is {refunded}, its refunds are {done} and cancelled claims {cancelled}"
                ));
            }
            if refunded.saturating_add(set_aside) > captured.max(amount) || refunded > captured {
                off(format!(
                    "{refunded} went back and {set_aside} is on its way back of {captured} captured"
                ));
            }
        }
        findings.truncate(FINDINGS_MAX);
        Ok(findings)
    }
    .boxed_local()
}
