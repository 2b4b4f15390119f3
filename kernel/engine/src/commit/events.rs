//! Events meet those who listen for them: now, before, or too late.

use super::*;

impl Pen {
    /// Writes events to the outbox; those that a flow may wait for also to the inbox, matched with who waits now.
    pub(super) async fn publish(
        &self,
        tx: &mut Tx<'_>,
        jobs: &[Job],
        matched: &mut Matched,
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
        let waiters = tx.fetch_grouped::<(String, u32, i64, i64), _>(&sql::WAITERS, rows).await?;
        for ((o, position), waiters) in awaited.into_iter().zip(waiters) {
            for (instance, wait, kind, epoch) in waiters {
                let trade = TradeId { tenant: o.job.trade.id.tenant.clone(), id: instance.into() };
                let elsewhere = self.is_elsewhere(epoch).then_some(epoch);
                matched.add((trade, elsewhere), kind, wait, &o.event.name, position, &o.event.payload);
            }
        }
        Ok(())
    }

    /// Finds events that came before their listener, and events that have found their wait over for another one.
    pub(super) async fn look_back(
        &self,
        tx: &mut Tx<'_>,
        jobs: &[Job],
        matched: &mut Matched,
    ) -> Result<(), StoreError> {
        let again: Vec<(&Job, Vec<Listen>)> =
            jobs.iter().filter(|job| job.look_again).map(|job| (job, job.open_listeners())).collect();
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
                    (job.trade.id.clone(), None),
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
    pub(super) async fn deliver(
        &self,
        tx: &mut Tx<'_>,
        matched: Matched,
        done: &mut Committed,
    ) -> Result<(), StoreError> {
        let (told, late) = matched.divided();
        let (elsewhere, here): (Vec<Match>, Vec<Match>) =
            told.into_iter().partition(|found| found.elsewhere.is_some());
        done.follow_ups.extend(here.into_iter().filter_map(Match::work));
        let posts = elsewhere.into_iter().filter_map(|found| {
            let driver = found.elsewhere?;
            found.work().map(|(trade, work)| (trade, driver, work))
        });
        post::write(tx, posts.collect()).await?;
        for Match { trade, event, position, payload, .. } in late {
            let taken =
                tx.execute(&sql::INSERT_TAKEN, [(trade.tenant.as_str(), &*trade.id, position)]).await?;
            if taken == [1] {
                self.begin_late(tx, &trade, &event, position, payload, done).await?;
            }
        }
        Ok(())
    }

    /// Begins the trade of one call that gives back what came too late.
    pub(super) async fn begin_late(
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
        let begun = begin_row(tx, &id, (&program, self.epoch), &key, (&line, &channel), &record).await?;
        if begun == Begun::Now {
            done.follow_ups.push((id, Work::Resume));
        }
        Ok(())
    }
}

/// Whether a late call begins, or one for another trade that was late for the same event has.
#[derive(PartialEq, Eq)]
pub(super) enum Begun {
    Now,
    Before,
}

pub(super) async fn begin_row(
    tx: &mut Tx<'_>,
    id: &TradeId,
    (program, epoch): (&Program, i64),
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
        epoch,
        1_i64,
        None::<i64>,
        record.now,
        nothing,
        nothing,
    );
    if tx.execute(&sql::INSERT_INSTANCE, [row]).await? == [0] {
        return Ok(Begun::Before);
    }
    let text = text_of(record)?;
    tx.execute(&sql::INSERT_JOURNAL, [(id.tenant.as_str(), &*id.id, 0_i64, text.as_str())]).await?;
    Ok(Begun::Now)
}

/// An event and one who listens for it.
pub(crate) struct Match {
    pub(crate) trade: TradeId,
    /// The driver's epoch, where it is another.
    elsewhere: Option<i64>,
    kind: i64,
    wait: u32,
    pub(crate) event: String,
    pub(crate) position: i64,
    pub(crate) payload: Value,
}

/// Matches of a batch: an event satisfies one wait of a trade, the oldest; it is late only where nobody waits.
#[derive(Default)]
pub(crate) struct Matched {
    found: Vec<Match>,
    seen: HashSet<(TradeId, i64)>,
    waited: HashSet<(TradeId, u32)>,
}

impl Matched {
    /// The trade comes with its driver's epoch where that is another.
    pub(crate) fn add(
        &mut self,
        (trade, elsewhere): (TradeId, Option<i64>),
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
            elsewhere,
            kind,
            wait,
            event: event.to_owned(),
            position,
            payload: payload.clone(),
        });
    }
}

impl Matched {
    /// What waits and cancellations are to be told, and what comes late: an event that no wait of its tenant wants.
    pub(crate) fn divided(self) -> (Vec<Match>, Vec<Match>) {
        let (mut late, told): (Vec<Match>, Vec<Match>) =
            self.found.into_iter().partition(|found| found.kind == LATE);
        let waits = told.iter().filter(|found| found.kind == WAIT);
        let wanted: HashSet<(TenantId, i64)> =
            waits.map(|found| (found.trade.tenant.clone(), found.position)).collect();
        late.retain(|found| !wanted.contains(&(found.trade.tenant.clone(), found.position)));
        (told, late)
    }

    /// What waits and cancellations are to be told.
    pub(crate) fn works(self) -> impl Iterator<Item = (TradeId, Work)> {
        self.found.into_iter().filter_map(Match::work)
    }
}

impl Match {
    /// What its trade is to be told; nothing if it is late.
    pub(crate) fn work(self) -> Option<(TradeId, Work)> {
        let Self { trade, kind, wait, position, payload, .. } = self;
        let work = match kind {
            WAIT => Work::Event { wait: WaitNo(wait), position, payload },
            CANCEL => Work::Cancel { wait: WaitNo(wait), position },
            _ => return None,
        };
        Some((trade, work))
    }
}
