//! What a batch writes when its trades have met the world: instances, journal, listeners, outbox and inbox, in a few
//! statements for all of them. Also what turns away: starts that came before, trades that another driver owns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mortise_capability::EmittedEvent;
use mortise_contract::{Value, json};
use mortise_flow::{Answer, Begin, Ended, Input, Program, WaitNo};
use mortise_store::{StoreError, Tx};
use mortise_types::{Clock, IdSource, TenantId, Timestamp};

use crate::definitions::{Catalogue, is_one_call};
use crate::job::{CANCEL, Job, LATE, Listen, Sending, WAIT, Work, key_text};
use crate::record::{Record, Trade, TradeId};
use crate::store as sql;
use crate::stretch::Tools;

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
    pub(crate) trade: Trade,
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
}

/// What a commit did.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) finished: Vec<Finished>,
    /// Jobs whose reads no longer held; nothing of them was written.
    pub(crate) stale: Vec<TradeId>,
    pub(crate) follow_ups: Vec<(TradeId, Work)>,
    pub(crate) journal_bytes: usize,
    pub(crate) wrote_events: usize,
}

/// What writing needs beside the batch.
#[derive(Clone)]
pub(crate) struct Pen {
    pub(crate) tools: Tools,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Pen {
    /// Runs the batch to its end in `tx` and writes all that has to survive.
    pub(crate) async fn commit(&self, tx: &mut Tx<'_>, jobs: Vec<Job>) -> Result<Committed, StoreError> {
        let mut done = Committed::default();
        let mut jobs = self.turn_away(tx, jobs, &mut done).await?;
        loop {
            tx.savepoint().await?;
            let mut attempt = jobs.clone();
            let stale = self.tools.run(tx, &mut attempt).await?;
            if stale.is_empty() {
                tx.release_savepoint().await?;
                jobs = attempt;
                break;
            }
            tx.rollback_to_savepoint().await?;
            for index in stale.into_iter().rev() {
                done.stale.push(jobs.remove(index).trade.id);
            }
        }
        self.write(tx, jobs, &mut done).await?;
        Ok(done)
    }

    /// Takes out of the batch what may not run: the second start of a trade, the trade of another driver.
    async fn turn_away(
        &self,
        tx: &mut Tx<'_>,
        jobs: Vec<Job>,
        done: &mut Committed,
    ) -> Result<Vec<Job>, StoreError> {
        let mut fates: Vec<Option<Fate>> = jobs.iter().map(|_| None).collect();
        self.lost(tx, &jobs, &mut fates).await?;
        let echoes = self.repeated_requests(tx, &jobs, &mut fates).await?;
        self.repeated_keys(tx, &jobs, &mut fates).await?;
        for (index, first) in echoes {
            if let Some(Fate::Duplicate(duplicate)) = &fates[first] {
                fates[index] = Some(Fate::Duplicate(duplicate.clone()));
            }
        }
        let mut kept = Vec::with_capacity(jobs.len());
        for (job, fate) in jobs.into_iter().zip(fates) {
            match fate {
                None => kept.push(job),
                Some(fate) => done.finished.push(Finished {
                    trade: job.trade,
                    fate,
                    answer: None,
                    sends: Vec::new(),
                    attention: Vec::new(),
                }),
            }
        }
        Ok(kept)
    }

    async fn lost(&self, tx: &Tx<'_>, jobs: &[Job], fates: &mut [Option<Fate>]) -> Result<(), StoreError> {
        let running: Vec<usize> = (0..jobs.len()).filter(|i| jobs[*i].fresh.is_none()).collect();
        let rows = running.iter().map(|i| &jobs[*i].trade);
        let ours = tx
            .fetch_optional::<(i64,), _>(
                &sql::STILL_OURS,
                rows.map(|trade| (trade.id.tenant.clone(), &*trade.id.id, trade.epoch, trade.next_seq)),
            )
            .await?;
        for (index, ours) in running.into_iter().zip(ours) {
            if ours.is_none() {
                fates[index] = Some(Fate::Lost);
            }
        }
        Ok(())
    }

    /// Says which starts repeat which other start of the same batch: they share its fate.
    async fn repeated_requests(
        &self,
        tx: &Tx<'_>,
        jobs: &[Job],
        fates: &mut [Option<Fate>],
    ) -> Result<Vec<(usize, usize)>, StoreError> {
        let asked: Vec<(usize, &TradeId, &str, &[u8])> = jobs
            .iter()
            .enumerate()
            .filter_map(|(index, job)| {
                let (key, request) = job.fresh.as_ref()?.idempotency.as_ref()?;
                Some((index, &job.trade.id, key.as_str(), request.as_slice()))
            })
            .collect();
        let rows = asked.iter().map(|(_, trade, key, _)| (trade.tenant.as_str(), *key));
        let found = tx.fetch_optional::<(Vec<u8>, String), _>(&sql::IDEMPOTENCY, rows).await?;
        let mut here: HashMap<(&str, &str), (&[u8], usize)> = HashMap::new();
        let (mut same, mut echoes) = (Vec::new(), Vec::new());
        for ((index, trade, key, request), found) in asked.into_iter().zip(found) {
            let known = match &found {
                Some((known, instance)) => {
                    let first = TradeId { tenant: trade.tenant.clone(), id: instance.as_str().into() };
                    Some((known.as_slice(), first, None))
                }
                None => here
                    .get(&(trade.tenant.as_str(), key))
                    .map(|(known, first)| (*known, jobs[*first].trade.id.clone(), Some(*first))),
            };
            match known {
                None => {
                    here.insert((trade.tenant.as_str(), key), (request, index));
                }
                Some((known, ..)) if known != request => {
                    fates[index] = Some(Fate::Duplicate(Duplicate::IdempotencyMismatch));
                }
                Some((_, first, echo)) => {
                    same.push((index, first));
                    echoes.extend(echo.map(|first| (index, first)));
                }
            }
        }
        let rows = same.iter().map(|(_, first)| (first.tenant.as_str(), &*first.id));
        let found =
            tx.fetch_optional::<(String, Vec<u8>, Option<String>), _>(&sql::INSTANCE_ANSWER, rows).await?;
        for ((index, trade), found) in same.into_iter().zip(found) {
            let answer =
                found.and_then(|(_, _, answer)| answer).map(|text| stored_answer(&text)).transpose()?;
            fates[index] = Some(Fate::Duplicate(Duplicate::Same { trade, answer }));
        }
        Ok(echoes)
    }

    async fn repeated_keys(
        &self,
        tx: &Tx<'_>,
        jobs: &[Job],
        fates: &mut [Option<Fate>],
    ) -> Result<(), StoreError> {
        let keyed: Vec<(usize, &Job, &str, &[u8])> = jobs
            .iter()
            .enumerate()
            .filter(|(index, _)| fates[*index].is_none())
            .filter_map(|(index, job)| {
                let fresh = job.fresh.as_ref()?;
                Some((index, job, fresh.key.as_deref()?, fresh.input_hash.as_slice()))
            })
            .collect();
        let rows = keyed
            .iter()
            .map(|(_, job, key, _)| (job.trade.id.tenant.as_str(), job.trade.program.name(), *key));
        let found =
            tx.fetch_optional::<(String, Vec<u8>, Option<String>), _>(&sql::INSTANCE_BY_KEY, rows).await?;
        let mut here: HashMap<(&str, &str, &str), (&[u8], &TradeId)> = HashMap::new();
        for ((index, job, key, input), found) in keyed.into_iter().zip(found) {
            let tenant = &job.trade.id.tenant;
            let place = (tenant.as_str(), &**job.trade.program.name(), key);
            let known = match found {
                Some((id, hash, answer)) => {
                    let answer = answer.map(|text| stored_answer(&text)).transpose()?;
                    Some((hash, TradeId { tenant: tenant.clone(), id: id.into() }, answer))
                }
                None => here.get(&place).map(|(hash, first)| (hash.to_vec(), (*first).clone(), None)),
            };
            fates[index] = match known {
                None => {
                    here.insert(place, (input, &job.trade.id));
                    None
                }
                Some((hash, ..)) if hash != input => Some(Fate::Duplicate(Duplicate::KeyConflict)),
                Some((_, trade, answer)) => Some(Fate::Duplicate(Duplicate::Same { trade, answer })),
            };
        }
        Ok(())
    }

    async fn write(&self, tx: &mut Tx<'_>, jobs: Vec<Job>, done: &mut Committed) -> Result<(), StoreError> {
        write_instances(tx, &jobs).await?;
        done.journal_bytes += write_journal(tx, &jobs).await?;
        write_listeners(tx, &jobs).await?;
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
        let mut matched = Matched::default();
        self.publish(tx, &jobs, &mut matched, done).await?;
        self.look_back(tx, &jobs, &mut matched).await?;
        self.deliver(tx, matched, done).await?;
        done.finished.extend(jobs.into_iter().map(finish));
        Ok(())
    }

    /// Writes events to the outbox; those that a flow may wait for also to the inbox, matched with who waits now.
    async fn publish(
        &self,
        tx: &mut Tx<'_>,
        jobs: &[Job],
        matched: &mut Matched,
        done: &mut Committed,
    ) -> Result<(), StoreError> {
        struct Out<'a> {
            job: &'a Job,
            event: &'a EmittedEvent,
            key: String,
            payload: String,
        }
        let mut out = Vec::new();
        for job in jobs {
            for event in job.events.iter().map(|(_, event)| event).chain(&job.emitted) {
                let key = self
                    .tools
                    .registry
                    .contracts()
                    .events
                    .get(&event.name)
                    .and_then(|c| c.key_from.as_deref());
                let key = key.and_then(|field| event.payload.get(field)).map(key_text).unwrap_or_default();
                out.push(Out { job, event, key, payload: event.payload.to_json() });
            }
        }
        if out.is_empty() {
            return Ok(());
        }
        done.wrote_events += out.len();
        let rows = out.iter().map(|o| {
            let id = &o.job.trade.id;
            (
                id.tenant.as_str(),
                o.event.name.as_str(),
                o.key.as_str(),
                &*id.id,
                o.payload.as_str(),
                o.job.record.now,
            )
        });
        let positions = tx.fetch::<(i64,), _>(&sql::INSERT_OUTBOX, rows).await?;
        let awaited: Vec<(&Out<'_>, i64)> = out
            .iter()
            .zip(positions)
            .filter(|(o, _)| self.catalogue.is_awaited(&o.event.name))
            .map(|(o, (_, (position,)))| (o, position))
            .collect();
        let rows = awaited.iter().map(|(o, position)| {
            let tenant = o.job.trade.id.tenant.as_str();
            (tenant, o.event.name.as_str(), o.key.as_str(), *position, o.payload.as_str(), o.job.record.now)
        });
        tx.execute(&sql::INSERT_INBOX, rows).await?;
        let rows = awaited
            .iter()
            .map(|(o, _)| (o.job.trade.id.tenant.as_str(), o.event.name.as_str(), o.key.as_str()));
        let waiters = tx.fetch_grouped::<(String, u32, i64), _>(&sql::WAITERS, rows).await?;
        for ((o, position), waiters) in awaited.into_iter().zip(waiters) {
            for (instance, wait, kind) in waiters {
                let trade = TradeId { tenant: o.job.trade.id.tenant.clone(), id: instance.into() };
                matched.add(trade, kind, wait, &o.event.name, position, &o.event.payload);
            }
        }
        Ok(())
    }

    /// Finds events that came before their listener, and events that have found their wait over for another one.
    async fn look_back(
        &self,
        tx: &mut Tx<'_>,
        jobs: &[Job],
        matched: &mut Matched,
    ) -> Result<(), StoreError> {
        let again: Vec<(&Job, Vec<Listen>)> =
            jobs.iter().filter(|job| job.look_again).map(|job| (job, job.open_waits())).collect();
        let new = jobs.iter().flat_map(|job| job.listen.iter().map(move |listen| (job, listen)));
        let again = again.iter().flat_map(|(job, waits)| waits.iter().map(move |listen| (*job, listen)));
        let mut listeners: Vec<(&Job, &Listen)> = new.chain(again).collect();
        listeners.sort_by_key(|(_, listen)| listen.kind == LATE);
        let rows = listeners.iter().map(|(job, listen)| {
            let id = &job.trade.id;
            (id.tenant.as_str(), &*listen.event, listen.key.as_str(), job.trade.started_at, &*id.id)
        });
        let early = tx.fetch_grouped::<(i64, String), _>(&sql::EARLY, rows).await?;
        for ((job, listen), early) in listeners.into_iter().zip(early) {
            for (position, payload) in early {
                let payload = stored(&payload)?;
                matched.add(
                    job.trade.id.clone(),
                    listen.kind,
                    listen.wait.0,
                    &listen.event,
                    position,
                    &payload,
                );
            }
        }
        Ok(())
    }

    /// Turns matches into work: an event for its trade, a cancellation, or the late call of an event that nobody wants.
    async fn deliver(
        &self,
        tx: &mut Tx<'_>,
        matched: Matched,
        done: &mut Committed,
    ) -> Result<(), StoreError> {
        let (late, told): (Vec<Match>, Vec<Match>) =
            matched.found.into_iter().partition(|found| found.kind == LATE);
        let wanted: HashSet<(TenantId, i64)> = told
            .iter()
            .filter(|found| found.kind == WAIT)
            .map(|found| (found.trade.tenant.clone(), found.position))
            .collect();
        done.follow_ups.extend(told.into_iter().filter_map(Match::work));
        for Match { trade, event, position, payload, .. } in late {
            if wanted.contains(&(trade.tenant.clone(), position)) {
                continue;
            }
            let taken =
                tx.execute(&sql::INSERT_TAKEN, [(trade.tenant.as_str(), &*trade.id, position)]).await?;
            if taken == [1] {
                self.begin_late(tx, &trade, &event, position, payload, done).await?;
            }
        }
        Ok(())
    }

    /// Begins the trade of one call that gives back what came too late.
    async fn begin_late(
        &self,
        tx: &mut Tx<'_>,
        of: &TradeId,
        event: &str,
        position: i64,
        payload: Value,
        done: &mut Committed,
    ) -> Result<(), StoreError> {
        let Some(program) = self.catalogue.late_call(event) else {
            return Ok(());
        };
        let row =
            tx.fetch_optional::<(String, String), _>(&sql::SCOPE_OF, [(of.tenant.as_str(), &*of.id)]).await?;
        let Some(Some((line, channel))) = row.into_iter().next() else {
            return Ok(());
        };
        let id = TradeId { tenant: of.tenant.clone(), id: self.ids.next().simple().to_string().into() };
        let now = self.clock.now();
        let scope = Value::record(
            [("tenant", of.tenant.as_str()), ("line", &line), ("channel", &channel)]
                .map(|(k, v)| (k, v.into())),
        );
        let begin = Begin { input: payload, scope };
        let mut record = Record::new(now);
        record.inputs.push(Input::Begin(begin));
        let key = format!("late:{position}");
        if begin_row(tx, &id, &program, &key, (&line, &channel), &record).await? == Begun::Now {
            done.follow_ups.push((id, Work::Resume));
        }
        Ok(())
    }
}

/// Whether a late call begins, or one for another trade that was late for the same event has.
#[derive(PartialEq, Eq)]
enum Begun {
    Now,
    Before,
}

async fn begin_row(
    tx: &mut Tx<'_>,
    id: &TradeId,
    program: &Program,
    key: &str,
    (line, channel): (&str, &str),
    record: &Record,
) -> Result<Begun, StoreError> {
    let nothing: Option<&str> = None;
    let row = (
        id.tenant.as_str(),
        &*id.id,
        program.name(),
        program.hash(),
        key,
        line,
        channel,
        nothing,
        [].as_slice(),
        DRIVEN,
        0_i64,
        1_i64,
        None::<i64>,
        record.now,
        nothing,
        nothing,
    );
    if tx.execute(&sql::INSERT_INSTANCE, [row]).await? == [0] {
        return Ok(Begun::Before);
    }
    let text = serde_json::to_string(record).map_err(|e| StoreError::Value(e.to_string()))?;
    tx.execute(&sql::INSERT_JOURNAL, [(id.tenant.as_str(), &*id.id, 0_i64, text.as_str())]).await?;
    Ok(Begun::Now)
}

/// Calls are outstanding.
pub(crate) const DRIVEN: i64 = 0;
/// Waits for an event or a clock.
pub(crate) const WAITING: i64 = 1;
/// Over.
pub(crate) const ENDED: i64 = 2;
/// Waits for a person.
pub(crate) const HELD: i64 = 3;

fn status(job: &Job) -> i64 {
    if job.ended.is_some() {
        ENDED
    } else if job.trade.state.stuck().is_some() {
        HELD
    } else if !job.trade.state.pending_calls().is_empty() {
        DRIVEN
    } else {
        WAITING
    }
}

fn outcome(job: &Job) -> Option<String> {
    job.ended.as_ref().map(|ended| match ended {
        Ended::Completed => "completed".to_owned(),
        Ended::Early(outcome) => format!("ended:{outcome}"),
        Ended::Failed(code) => format!("failed:{code}"),
    })
}

fn answer_text(job: &Job) -> Result<Option<String>, StoreError> {
    let text = job.answer.as_ref().map(serde_json::to_string).transpose();
    text.map_err(|e| StoreError::Value(e.to_string()))
}

async fn write_instances(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<(), StoreError> {
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push((answer_text(job)?, outcome(job)));
    }
    let begun = jobs.iter().zip(&answers).filter_map(|(job, (answer, outcome))| {
        let fresh = job.fresh.as_ref()?;
        let trade = &job.trade;
        Some((
            trade.id.tenant.as_str(),
            &*trade.id.id,
            trade.program.name(),
            trade.program.hash(),
            fresh.key.as_deref(),
            trade.scope.line.as_str(),
            trade.scope.channel.as_str(),
            trade.caller.as_ref().map(|c| c.as_str()),
            fresh.input_hash.as_slice(),
            status(job),
            trade.epoch,
            1_i64,
            job.due(),
            trade.started_at,
            outcome.as_deref(),
            answer.as_deref(),
        ))
    });
    let inserted = tx.execute(&sql::INSERT_INSTANCE, begun).await?;
    if inserted.contains(&0) {
        return Err(StoreError::Value("a trade of this key was begun meanwhile".to_owned()));
    }
    let asked = jobs.iter().filter_map(|job| {
        let (key, request) = job.fresh.as_ref()?.idempotency.as_ref()?;
        let id = &job.trade.id;
        Some((id.tenant.as_str(), key.as_str(), request.as_slice(), &*id.id, job.record.now))
    });
    tx.execute(&sql::INSERT_IDEMPOTENCY, asked).await?;
    let moved =
        jobs.iter().zip(&answers).filter(|(job, _)| job.fresh.is_none()).map(|(job, (answer, outcome))| {
            let trade = &job.trade;
            let ended_at = job.ended.is_some().then_some(job.record.now);
            (
                trade.id.tenant.as_str(),
                &*trade.id.id,
                trade.next_seq + 1,
                status(job),
                job.due(),
                ended_at,
                outcome.as_deref(),
                answer.as_deref(),
            )
        });
    tx.execute(&sql::UPDATE_INSTANCE, moved).await?;
    Ok(())
}

/// A trade of one call that ended where it began leaves no journal: there is nothing to fold.
async fn write_journal(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<usize, StoreError> {
    let mut records = Vec::with_capacity(jobs.len());
    for job in jobs {
        if job.fresh.is_some() && job.ended.is_some() && is_one_call(&job.trade.program) {
            continue;
        }
        let text = serde_json::to_string(&job.record).map_err(|e| StoreError::Value(e.to_string()))?;
        records.push((&job.trade, text));
    }
    let bytes = records.iter().map(|(_, text)| text.len()).sum();
    let rows = records
        .iter()
        .map(|(trade, text)| (trade.id.tenant.as_str(), &*trade.id.id, trade.next_seq, text.as_str()));
    tx.execute(&sql::INSERT_JOURNAL, rows).await?;
    Ok(bytes)
}

async fn write_listeners(tx: &mut Tx<'_>, jobs: &[Job]) -> Result<(), StoreError> {
    let over = jobs.iter().flat_map(|job| {
        let id = &job.trade.id;
        job.unlisten.iter().map(move |(wait, kind)| (id.tenant.as_str(), &*id.id, wait.0, *kind))
    });
    tx.execute(&sql::DELETE_WAIT, over).await?;
    let new = jobs.iter().flat_map(|job| {
        let id = &job.trade.id;
        job.listen.iter().map(move |listen| {
            let since = job.trade.started_at;
            (
                id.tenant.as_str(),
                &*listen.event,
                listen.key.as_str(),
                &*id.id,
                listen.wait.0,
                listen.kind,
                since,
            )
        })
    });
    tx.execute(&sql::INSERT_WAIT, new).await?;
    Ok(())
}

fn finish(mut job: Job) -> Finished {
    let fate = if job.ended.is_some() {
        Fate::Ended
    } else if job.pending.is_empty() {
        Fate::Open { due: job.due() }
    } else {
        Fate::Cut
    };
    job.trade.next_seq += 1;
    Finished { trade: job.trade, fate, answer: job.answer, sends: job.sends, attention: job.attention }
}

/// An event and one who listens for it.
struct Match {
    trade: TradeId,
    kind: i64,
    wait: u32,
    event: String,
    position: i64,
    payload: Value,
}

/// Matches of a batch: an event satisfies one wait of a trade, the oldest; it is late only where nobody waits.
#[derive(Default)]
pub(crate) struct Matched {
    found: Vec<Match>,
    seen: HashSet<(TradeId, i64)>,
    waited: HashSet<(TradeId, u32)>,
}

impl Matched {
    pub(crate) fn add(
        &mut self,
        trade: TradeId,
        kind: i64,
        wait: u32,
        event: &str,
        position: i64,
        payload: &Value,
    ) {
        if kind == WAIT && self.waited.contains(&(trade.clone(), wait)) {
            return;
        }
        if !self.seen.insert((trade.clone(), position)) {
            return;
        }
        if kind == WAIT {
            self.waited.insert((trade.clone(), wait));
        }
        debug_assert!([WAIT, CANCEL, LATE].contains(&kind), "an unknown kind of listener");
        self.found.push(Match {
            trade,
            kind,
            wait,
            event: event.to_owned(),
            position,
            payload: payload.clone(),
        });
    }
}

impl Matched {
    /// What waits and cancellations are to be told.
    pub(crate) fn works(self) -> impl Iterator<Item = (TradeId, Work)> {
        self.found.into_iter().filter_map(Match::work)
    }
}

impl Match {
    /// What its trade is to be told; nothing if it is late.
    fn work(self) -> Option<(TradeId, Work)> {
        let Self { trade, kind, wait, position, payload, .. } = self;
        let work = match kind {
            WAIT => Work::Event { wait: WaitNo(wait), position, payload },
            CANCEL => Work::Cancel { position },
            _ => return None,
        };
        Some((trade, work))
    }
}

/// A stored payload.
pub(crate) fn stored(text: &str) -> Result<Value, StoreError> {
    json(text).map_err(|error| StoreError::Value(format!("stored payload: {error}")))
}

/// A stored answer.
pub(crate) fn stored_answer(text: &str) -> Result<Answer, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Value(format!("stored answer: {error}")))
}
