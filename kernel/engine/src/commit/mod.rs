//! What a batch writes when its trades have met the world: instances, journal, listeners, outbox and inbox, in a few
//! statements for all of them. Also what turns away: starts that came before, trades that another driver owns.

mod events;
mod rows;
mod turn_away;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::future::join;
use mortise_capability::EmittedEvent;
use mortise_contract::{Value, json};
use mortise_flow::{Answer, Begin, Ended, Input, Program, WaitNo};
use mortise_store::{StoreError, Tx};
use mortise_types::{Clock, IdSource, Scope, TenantId, Timestamp};
use serde::Serialize;

pub(crate) use self::events::Matched;
use self::rows::{journal_texts, write_instances, write_journal, write_listeners};
use crate::definitions::{Catalogue, is_one_call};
use crate::job::{CANCEL, Job, LATE, Listen, Sending, WAIT, Work, key_text};
use crate::record::{Record, Trade, TradeId};
use crate::store as sql;
use crate::stretch::Tools;
use crate::{lease, post};

/// Why a start did not begin a trade.
#[derive(Debug, Clone, PartialEq)]
pub enum Duplicate {
    /// The same start came before.
    Same {
        /// The trade that it began.
        trade: TradeId,
        /// What it answered, if it has.
        answer: Option<Answer>,
    },
    /// The flow's key stands for a trade with another input.
    KeyConflict,
    /// The idempotency key stands for another request.
    IdempotencyMismatch,
}

/// A trade behind its stretch.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id: TradeId,
    pub(crate) scope: Scope,
    /// Its state, where something comes to it soon. Any other's is folded again from its journal when something does.
    pub(crate) kept: Option<Trade>,
    pub(crate) fate: Fate,
    pub(crate) answer: Option<Answer>,
    pub(crate) sends: Vec<Sending>,
    pub(crate) attention: Vec<(Arc<str>, String)>,
}

/// Where a stretch left its trade.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It waits.
    Open { due: Option<Timestamp> },
    /// It has calls left that run in its next stretch.
    Cut,
    /// It is over.
    Ended,
    /// It never began.
    Duplicate(Duplicate),
    /// Another driver has it.
    Lost,
    /// It stands elsewhere than it does in memory: what its last commit came to was not heard.
    Behind,
}

/// What a commit did.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) finished: Vec<Finished>,
    /// Jobs whose reads no longer held; nothing of them was written.
    pub(crate) stale: Vec<TradeId>,
    pub(crate) follow_ups: Vec<(TradeId, Work)>,
    pub(crate) journal_bytes: usize,
}

/// What writing needs beside the batch.
#[derive(Clone)]
pub(crate) struct Pen {
    pub(crate) tools: Tools,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Under what trades are driven here.
    pub(crate) epoch: i64,
    /// Whether others may drive trades beside it.
    pub(crate) tenure: Tenure,
}

/// Which trades of its database an engine drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tenure {
    /// All: its lease is the only one.
    All,
    /// Those that have its epoch.
    Shared,
}

impl Pen {
    /// Runs the batch to its end in `tx` and writes all that has to survive.
    pub(crate) async fn commit(&self, tx: &mut Tx<'_>, jobs: Vec<Job>) -> Result<Committed, StoreError> {
        let mut done = Committed::default();
        self.fence(tx).await?;
        let mut jobs = self.turn_away(tx, jobs, &mut done).await?;
        // To run again takes a copy of the batch: only what may be stale needs one.
        while jobs.iter().any(|job| self.tools.may_be_stale(job)) {
            let mut attempt = jobs.clone();
            let stale = self.tools.run(tx, &mut attempt).await?;
            if stale.is_empty() {
                self.write(tx, attempt, &mut done).await?;
                return Ok(done);
            }
            tx.start_over().await?;
            // The hold on the lease went with what was taken back.
            self.fence(tx).await?;
            for index in stale.into_iter().rev() {
                done.stale.push(jobs.remove(index).trade.id);
            }
        }
        if !self.tools.run(tx, &mut jobs).await?.is_empty() {
            return Err(StoreError::Value(
                "an operation whose contract does not say so replied stale".to_owned(),
            ));
        }
        self.write(tx, jobs, &mut done).await?;
        Ok(done)
    }

    /// Only who holds his lease until the commit writes.
    pub(crate) async fn fence(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        lease::fence(tx, self.epoch).await
    }

    /// Whether a trade's driver is another one, by the epoch of its row.
    pub(crate) fn is_elsewhere(&self, driver: i64) -> bool {
        self.tenure == Tenure::Shared && driver != self.epoch
    }

    async fn write(
        &self,
        tx: &mut Tx<'_>,
        mut jobs: Vec<Job>,
        done: &mut Committed,
    ) -> Result<(), StoreError> {
        tx.unconfine().await?;
        let mut children = Vec::new();
        for job in &mut jobs {
            job.has_child |= !job.children.is_empty();
            children.append(&mut job.children);
        }
        jobs.extend(children);
        self.open_again(tx, &jobs).await?;
        // A server writes the one while the other is put into words here.
        let (written, texts) = join(write_instances(tx, &jobs), async { journal_texts(&jobs) }).await;
        written?;
        let texts = texts?;
        done.journal_bytes += texts.iter().flatten().map(String::len).sum::<usize>();
        write_journal(tx, &jobs, &texts).await?;
        write_listeners(tx, &jobs).await?;
        // What a person was told before he decided is settled; what this stretch tells him is not.
        let settled = jobs.iter().filter_map(|job| {
            let (id, verdict) = (&job.trade.id, job.verdict()?);
            let how = verdict.decision.name();
            Some((id.tenant.as_str(), &*id.id, job.record.now, how, verdict.reason.as_str()))
        });
        tx.execute(&sql::SETTLE_ATTENTION, settled).await?;
        let attention = jobs.iter().flat_map(|job| {
            job.attention.iter().map(move |(path, text)| {
                (job.trade.id.tenant.as_str(), &*job.trade.id.id, &**path, text.as_str(), job.record.now)
            })
        });
        tx.execute(&sql::INSERT_ATTENTION, attention).await?;
        let taken = jobs.iter().flat_map(|job| {
            job.taken.iter().map(move |position| (job.trade.id.tenant.as_str(), &*job.trade.id.id, *position))
        });
        tx.execute(&sql::INSERT_TAKEN, taken).await?;
        post::strike(tx, jobs.iter().flat_map(|job| job.posts.iter().copied())).await?;
        let mut matched = Matched::default();
        self.publish(tx, &jobs, &mut matched).await?;
        self.look_back(tx, &jobs, &mut matched).await?;
        self.deliver(tx, matched, done).await?;
        for job in &jobs {
            let asked = job.take_back.iter().map(|of| (job.trade.id.child(*of), Work::TakeBack));
            done.follow_ups.extend(asked);
            if job.ended.is_some() {
                done.follow_ups.extend(ended_child(&job.trade.id));
            }
        }
        done.finished.extend(jobs.into_iter().map(finish));
        Ok(())
    }

    /// A trade that was over and is taken back is driven from here on, whoever drove it when it ended.
    async fn open_again(&self, tx: &mut Tx<'_>, jobs: &[Job]) -> Result<(), StoreError> {
        let again = jobs.iter().filter(|job| job.fresh.is_none() && job.is_taken_back());
        let rows = again.map(|job| (job.trade.id.tenant.as_str(), &*job.trade.id.id, self.epoch));
        tx.execute(&sql::OPEN_AGAIN, rows).await.map(drop)
    }
}

/// Calls are outstanding.
pub(crate) const DRIVEN: i64 = 0;
/// Waits for an event or a clock.
pub(crate) const WAITING: i64 = 1;
/// Over.
pub(crate) const ENDED: i64 = 2;
/// Waits for a person.
pub(crate) const HELD: i64 = 3;

/// The trade that started this one is to look at it.
fn ended_child(trade: &TradeId) -> Option<(TradeId, Work)> {
    trade.parent().map(|(parent, of)| (parent, Work::Child { of }))
}

fn finish(mut job: Job) -> Finished {
    let fate = if job.ended.is_some() {
        Fate::Ended
    } else if job.is_cut() {
        Fate::Cut
    } else {
        Fate::Open { due: job.due() }
    };
    job.trade.next_seq += 1;
    let (id, scope, stays) = (job.trade.id.clone(), job.trade.scope.clone(), is_near(&job, &fate));
    // What is not kept ends here, where it is warm: to drop the state of a trade later takes longer than its driver has.
    let kept = stays.then_some(job.trade);
    Finished { id, scope, kept, fate, answer: job.answer, sends: job.sends, attention: job.attention }
}

/// Whether something is likely to come to a trade before long: it goes on by itself, has asked a peer or another trade, or has
/// been come back to before. One that has just begun and waits may wait for days.
fn is_near(job: &Job, fate: &Fate) -> bool {
    match fate {
        Fate::Cut => true,
        Fate::Open { .. } => job.fresh.is_none() || job.has_child || !job.trade.intents.is_empty(),
        Fate::Ended | Fate::Duplicate(_) | Fate::Lost | Fate::Behind => false,
    }
}

/// What is stored as text: records, answers, notes.
pub(crate) fn text_of(what: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(what).map_err(|error| StoreError::Value(error.to_string()))
}

/// A stored payload.
pub(crate) fn stored(text: &str) -> Result<Value, StoreError> {
    json(text).map_err(|error| StoreError::Value(format!("stored payload: {error}")))
}

/// A stored answer.
pub(crate) fn stored_answer(text: &str) -> Result<Answer, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Value(format!("stored answer: {error}")))
}
