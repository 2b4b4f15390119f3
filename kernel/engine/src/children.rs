//! Trades that are parts of another one: begun in the commit of the stretch that starts them, looked at when they may have
//! ended, told to take themselves back. Their names are made of the parent's and the call's, so nothing has to remember them.

use std::sync::Arc;

use mortise_capability::Staleness;
use mortise_contract::Value;
use mortise_flow::{Answer, Begin, CallOutcome, Command, Input};
use mortise_store::{StoreError, Tx};

use crate::commit::stored_answer;
use crate::engine::scope_value;
use crate::job::{Fresh, Job, Starting, Work};
use crate::load::unborn;
use crate::store as sql;
use crate::stretch::Tools;

/// Trades within trades at most.
const DEEPEST: usize = 16;
/// The code of a start whose flow nobody publishes any more.
const UNKNOWN_FLOW: &str = "unknown_flow";
/// The code of a start whose input the flow of today does not take.
const INVALID_INPUT: &str = "invalid_input";
/// The code of a start that nests beyond all reason.
const TOO_DEEP: &str = "too_deep";

impl Tools {
    /// Looks at the trades that may have ended, and tells those who wait for them.
    pub(crate) async fn look(&self, tx: &Tx<'_>, jobs: &mut [Job]) -> Result<(), StoreError> {
        let mut asked = Vec::new();
        for (index, job) in jobs.iter_mut().enumerate() {
            let look = std::mem::take(&mut job.look);
            asked.extend(look.into_iter().map(|of| (index, of, job.trade.id.child(of))));
        }
        if asked.is_empty() {
            return Ok(());
        }
        // Peers' answers may have been booked before.
        tx.unconfine().await?;
        let rows = asked.iter().map(|(_, _, child)| (child.tenant.as_str(), &*child.id));
        type Row = (Option<String>, Option<String>);
        let found = tx.fetch_optional::<Row, _>(&sql::CHILD, rows).await?;
        for ((index, of, _), row) in asked.into_iter().zip(found) {
            let job = &mut jobs[index];
            let Some(command) = job.asks_of(of) else { continue };
            match (command, row) {
                (Command::Start { call, flow, input, .. }, None) => {
                    job.starts.push(Starting { call, flow, input });
                }
                (Command::Start { call, .. }, Some((Some(outcome), answer))) => {
                    let outcome = ended(&outcome, answer.as_deref())?;
                    job.feed(Input::Replied { call, outcome });
                }
                (Command::TakeBack { call, .. }, row) => match row {
                    Some((outcome, _)) if !outcome.as_deref().is_some_and(has_failed) => {
                        job.take_back.push(of)
                    }
                    _ => {
                        let outcome = CallOutcome::Done(Value::empty_record());
                        job.feed(Input::Replied { call, outcome });
                    }
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes trades of what the jobs want started. Says whether a start was refused, which its trade has been told.
    pub(crate) fn start_children(&self, jobs: &mut [Job]) -> bool {
        let mut refused = false;
        for job in jobs.iter_mut().filter(|job| !job.starts.is_empty()) {
            for starting in std::mem::take(&mut job.starts) {
                let call = starting.call;
                match self.child(job, starting) {
                    Ok(child) => job.children.push(child),
                    Err(code) => {
                        let (code, detail) = (code.to_owned(), Value::empty_record());
                        job.feed(Input::Replied { call, outcome: CallOutcome::Rejected { code, detail } });
                        refused = true;
                    }
                }
            }
        }
        refused
    }

    /// The trade, begun. It has no key: it is known by the call that started it. What it calls runs in a batch of its own,
    /// and so does what it starts, so that trades which start each other do not hold up a commit.
    fn child(&self, job: &Job, Starting { call, flow, input }: Starting) -> Result<Job, &'static str> {
        let parent = &job.trade;
        let id = parent.id.child(call);
        if id.depth() > DEEPEST {
            return Err(TOO_DEEP);
        }
        let published = self.catalogue.find(&parent.scope, &flow).ok_or(UNKNOWN_FLOW)?;
        let contracts = self.registry.contracts();
        let input =
            contracts.validate(published.program.input_schema(), &input).map_err(|_| INVALID_INPUT)?;
        let begin = Begin { input, scope: scope_value(&parent.scope) };
        let fresh = Arc::new(Fresh { begin, key: None, input_hash: Vec::new(), idempotency: None });
        let (program, now) = (Arc::clone(&published.program), job.record.now);
        let trade = unborn(id, program, parent.scope.clone(), parent.caller.clone(), parent.epoch, now);
        let mut child = Job::new(trade, vec![Work::Begin(fresh)], Staleness::MayReply, now);
        child.tell();
        Ok(child)
    }
}

/// What a trade that has ended is to the one that started it.
fn ended(outcome: &str, answer: Option<&str>) -> Result<CallOutcome, StoreError> {
    let answer = answer.map(stored_answer).transpose()?;
    let Some(failed) = outcome.strip_prefix("failed:") else {
        return Ok(CallOutcome::Done(match answer {
            Some(Answer::Ok(value)) => value,
            _ => Value::empty_record(),
        }));
    };
    let detail = match answer {
        Some(Answer::Failed { code, detail }) if code == failed => detail,
        _ => Value::empty_record(),
    };
    Ok(CallOutcome::Rejected { code: failed.to_owned(), detail })
}

fn has_failed(outcome: &str) -> bool {
    outcome.starts_with("failed:")
}
