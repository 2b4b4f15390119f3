//! Runs the trades of a batch: their leading pure and read steps on a reader, the rest in one transaction. Calls of one
//! operation are gathered across trades, wave by wave. When a batch runs is the scheduler's decision.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_capability::{Handler, Intended, Outcome, Registry, Reply, SettleCall, Staleness};
use mortise_contract::Value;
use mortise_flow::CallOutcome;
use mortise_store::{Reader, StoreError, Tx};
use mortise_types::Scope;

use crate::definitions::Catalogue;
use crate::job::{Job, Pending, Work};
use crate::store as sql;

/// Says whether an extension answers a point in a scope.
pub type Bound = Arc<dyn Fn(&str, &Scope) -> bool + Send + Sync>;

/// What running a batch needs beside the batch.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) registry: Arc<Registry>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) bound: Bound,
    /// Every stretch ends behind one step: each step is durable before the next begins.
    pub(crate) single_steps: bool,
}

type Wave = BTreeMap<Arc<str>, Vec<(usize, Pending)>>;

/// Takes the pending calls that `wanted` says, by operation, in the batch's order.
fn wave(jobs: &mut [Job], mut wanted: impl FnMut(&Job, &Pending) -> bool) -> Wave {
    let mut wave = Wave::new();
    for (index, job) in jobs.iter_mut().enumerate() {
        if job.pending.is_empty() {
            continue;
        }
        let pending = std::mem::take(&mut job.pending);
        for one in pending {
            if wanted(job, &one) {
                wave.entry(Arc::clone(&one.operation)).or_default().push((index, one));
            } else {
                job.pending.push(one);
            }
        }
    }
    wave
}

impl Tools {
    fn handler(&self, operation: &str) -> Result<&Handler, StoreError> {
        let handler = self.registry.handler(operation);
        handler.ok_or_else(|| StoreError::Value(format!("no operation `{operation}`")))
    }

    /// Runs the leading pure and read steps of all jobs that need no transaction first.
    pub(crate) async fn prepare(&self, reader: &Reader<'_>, jobs: &mut [Job]) -> Result<(), StoreError> {
        forget_taken(reader, jobs).await?;
        for job in jobs.iter_mut().filter(|job| !job.settles()) {
            job.tell();
        }
        loop {
            let wave = wave(jobs, |job, pending| {
                let handler = self.registry.handler(&pending.operation);
                self.may_step(job) && matches!(handler, Some(Handler::Pure(_) | Handler::Read(_)))
            });
            if wave.is_empty() {
                return Ok(());
            }
            for (operation, items) in wave {
                let calls: Vec<_> = items.iter().map(|(index, pending)| jobs[*index].call(pending)).collect();
                let replies = match self.handler(&operation)? {
                    Handler::Pure(run) => run(&calls)?,
                    Handler::Read(run) => run(reader, &calls).await?,
                    Handler::Write(_) | Handler::Remote(_) => continue,
                };
                for ((index, pending), reply) in items.into_iter().zip(replies) {
                    answer(&mut jobs[index], &pending, reply)?;
                }
            }
        }
    }

    /// Books peers' answers, then runs everything up to where each trade meets the world. Says which jobs found that what
    /// they had read no longer holds; if any did, nothing of this call may be kept.
    pub(crate) async fn run(&self, tx: &mut Tx<'_>, jobs: &mut [Job]) -> Result<Vec<usize>, StoreError> {
        self.settle(tx, jobs).await?;
        for job in jobs.iter_mut() {
            job.tell();
        }
        self.look(tx, jobs).await?;
        loop {
            let wave = wave(jobs, |job, pending| self.may_step(job) && !self.must_leave(job, pending));
            if wave.is_empty() {
                if self.start_children(jobs) {
                    continue;
                }
                return Ok(Vec::new());
            }
            let mut stale = Vec::new();
            for (operation, items) in wave {
                self.run_operation(tx, jobs, &operation, items, &mut stale).await?;
            }
            if !stale.is_empty() {
                stale.sort_unstable();
                stale.dedup();
                return Ok(stale);
            }
        }
    }

    /// Whether an operation that the trade may call can find that what was read no longer holds.
    pub(crate) fn may_be_stale(&self, job: &Job) -> bool {
        let operations = &self.registry.contracts().operations;
        job.trade.program.contract_hashes().keys().any(|name| operations.get(name).is_some_and(|c| c.stale))
    }

    fn may_step(&self, job: &Job) -> bool {
        !(self.single_steps && job.steps > 0)
    }

    /// No extension runs inside a write transaction: a step that would ask one ends the stretch.
    fn must_leave(&self, job: &Job, pending: &Pending) -> bool {
        let contract = self.registry.contracts().operations.get(&*pending.operation);
        contract.is_some_and(|c| c.points.iter().any(|point| (self.bound)(point, &job.trade.scope)))
    }

    async fn run_operation(
        &self,
        tx: &mut Tx<'_>,
        jobs: &mut [Job],
        operation: &str,
        items: Vec<(usize, Pending)>,
        stale: &mut Vec<usize>,
    ) -> Result<(), StoreError> {
        let calls: Vec<_> = items.iter().map(|(index, pending)| jobs[*index].call(pending)).collect();
        let replies = match self.handler(operation)? {
            Handler::Pure(run) => run(&calls)?,
            Handler::Read(run) => run(tx, &calls).await?,
            Handler::Write(run) => run(tx, &calls).await?,
            Handler::Remote(remote) => {
                let intended = remote.intent(tx, &calls).await?;
                for ((index, pending), intended) in items.into_iter().zip(intended) {
                    match intended {
                        Intended::Send { intent, minted } => jobs[index].send(pending, intent, minted),
                        Intended::Decided(reply) => answer(&mut jobs[index], &pending, reply)?,
                    }
                }
                return Ok(());
            }
        };
        for ((index, pending), reply) in items.into_iter().zip(replies) {
            if reply.outcome == Outcome::Stale && jobs[index].staleness == Staleness::MayReply {
                stale.push(index);
            } else {
                answer(&mut jobs[index], &pending, reply)?;
            }
        }
        Ok(())
    }

    /// Books what peers answered, by operation.
    async fn settle(&self, tx: &mut Tx<'_>, jobs: &mut [Job]) -> Result<(), StoreError> {
        let mut by_operation: BTreeMap<Arc<str>, Vec<(usize, Pending, SettleCall)>> = BTreeMap::new();
        for (index, job) in jobs.iter_mut().enumerate() {
            for work in job.works.clone() {
                let Work::Answered { call, answer } = work else {
                    continue;
                };
                // An answer that comes twice finds no intent any more.
                let Some(intent) = job.trade.intents.remove(&call) else {
                    continue;
                };
                let Some(pending) = job.outstanding(call) else {
                    continue;
                };
                let item = SettleCall { call: job.call(&pending), intent: intent.intent, answer };
                by_operation.entry(Arc::clone(&pending.operation)).or_default().push((index, pending, item));
            }
        }
        for (operation, items) in by_operation {
            let Handler::Remote(remote) = self.handler(&operation)? else {
                continue;
            };
            let calls: Vec<SettleCall> = items.iter().map(|(_, _, item)| item.clone()).collect();
            let replies = remote.settle(tx, &calls).await?;
            for ((index, pending, _), reply) in items.into_iter().zip(replies) {
                answer(&mut jobs[index], &pending, reply)?;
            }
        }
        Ok(())
    }
}

/// Drops events that their trade has had meanwhile, by another of its waits.
async fn forget_taken(reader: &Reader<'_>, jobs: &mut [Job]) -> Result<(), StoreError> {
    let event = |work: &Work| match work {
        Work::Event { position, .. } => Some(*position),
        _ => None,
    };
    let asked: Vec<(usize, i64)> = jobs
        .iter()
        .enumerate()
        .flat_map(|(index, job)| job.works.iter().filter_map(event).map(move |position| (index, position)))
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let rows = asked.iter().map(|(index, position)| {
        let id = &jobs[*index].trade.id;
        (id.tenant.as_str(), &*id.id, *position)
    });
    let taken = reader.fetch_optional::<(i64,), _>(&sql::IS_TAKEN, rows).await?;
    for ((index, position), _) in asked.into_iter().zip(taken).filter(|(_, taken)| taken.is_some()) {
        let job = &mut jobs[index];
        job.works.retain(|work| event(work) != Some(position));
        job.look_again = true;
    }
    Ok(())
}

/// Tells the machine a reply. One that is stale where it may not be is an error of its operation.
fn answer(job: &mut Job, pending: &Pending, mut reply: Reply<Value>) -> Result<(), StoreError> {
    let outcome = match std::mem::replace(&mut reply.outcome, Outcome::Stale) {
        Outcome::Done(output) => CallOutcome::Done(output),
        Outcome::Rejected(rejection) => {
            CallOutcome::Rejected { code: rejection.code, detail: rejection.detail }
        }
        Outcome::Stale => {
            return Err(StoreError::Value(format!("`{}` may not reply stale", pending.operation)));
        }
    };
    job.reply(pending.call, reply, outcome);
    Ok(())
}
