//! What extensions say of a return that the shop's own rules would take on: a refusal of a line refuses the return, caps go
//! with it.

use mortise_capability::{Call, Reply, StoreError};
use mortise_points::refund_check::{Capped, Kind, Line, Question, Refused, Ruled};
use mortise_points::{Opened, RefundCheck};
use mortise_types::Amount;

use super::open::{caller, refusal};
use crate::contract::{
    AssessInput, Assessment, EntitledLine, RETURN_REFUSED, RefundCap, ReturnProblem, ReturnRefused, RmaKind,
};
use crate::rules::{Account, AfterSaleError, Request, Sale, judge};

/// What is judged.
pub(super) struct Judging<'a> {
    pub(super) call: &'a Call<AssessInput>,
    pub(super) sale: &'a Sale,
    pub(super) account: &'a Account,
}

/// Asks about all lines at once.
pub(super) fn ruled(
    opened: &Opened<RefundCheck>,
    judging: &Judging<'_>,
    request: Request,
) -> Result<Reply<Assessment>, StoreError> {
    let Judging { call: Call { context, input }, sale, account } = judging;
    let asked = match mortise_asking::ask(opened, context, &question(judging, &request)?) {
        Ok(asked) => asked,
        Err(refusal) => return refusal.reply(),
    };
    let Ruled { refused, capped } = asked.reduced;
    if let Some(refused) = refused.into_iter().next() {
        return Ok(Reply::rejected(RETURN_REFUSED, &objected(refused))?.asked(asked.calls));
    }
    let caps: Vec<RefundCap> = capped.into_iter().map(cap).collect();
    let judged = match caps.is_empty() {
        true => Ok(request),
        false => judge(sale, account, input, &caps, caller(context), context.now)?,
    };
    let reply = match judged {
        Ok(Request { entitlement, state, .. }) => Reply::done(Assessment { entitlement, state, caps }),
        Err(no) => refusal(&no)?,
    };
    Ok(reply.asked(asked.calls))
}

fn question(judging: &Judging<'_>, request: &Request) -> Result<Question, AfterSaleError> {
    let Judging { call: Call { context, input }, sale, .. } = judging;
    let lines = request.entitlement.lines.iter().map(|line| asked_line(sale, request, line));
    Ok(Question {
        order_id: input.order_id.clone(),
        customer_id: input.customer_id.clone(),
        currency: input.currency,
        kind: if input.kind == RmaKind::Exchange { Kind::Exchange } else { Kind::Return },
        placed_at: input.placed_at,
        returnable_from: input.returnable_from,
        trade_time: context.now,
        refund: request.entitlement.refund,
        lines: lines.collect::<Result<_, _>>()?,
    })
}

fn asked_line(sale: &Sale, request: &Request, line: &EntitledLine) -> Result<Line, AfterSaleError> {
    let of_line = request.lines.iter().filter(|asked| asked.line_id == line.line_id);
    let mut reasons: Vec<String> = Vec::new();
    for reason in of_line.map(|asked| asked.reason.code()) {
        if !reasons.iter().any(|known| known == reason) {
            reasons.push(reason.to_owned());
        }
    }
    Ok(Line {
        line_id: line.line_id.clone(),
        sku: line.sku.clone(),
        bought: sale.line(&line.line_id)?.quantity,
        returned: line.quantity,
        reasons,
        paid: line.goods.max(Amount::ZERO),
    })
}

fn objected(Refused { line_id, reason, extension }: Refused) -> ReturnRefused {
    ReturnRefused {
        problem: ReturnProblem::Objected,
        line_id: Some(line_id),
        extension: Some(extension.as_str().to_owned()),
        reason: Some(reason),
    }
}

fn cap(Capped { line_id, at_most, reason, extension }: Capped) -> RefundCap {
    RefundCap { line_id, at_most, reason, extension: extension.as_str().to_owned() }
}
