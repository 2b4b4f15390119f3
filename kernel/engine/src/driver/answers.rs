//! Who waits for which answer: starts, their repetitions, and those who ask for the answer of a trade that is under way.

use super::*;

impl Driver {
    pub(super) fn start(&mut self, start: Start) {
        let Start { id, program, scope, caller, fresh, reply } = start;
        let beginning = Beginning { program, scope, caller, fresh: Arc::clone(&fresh) };
        self.beginnings.insert(id.clone(), beginning);
        self.waiters.entry(id.clone()).or_default().push((reply, Replay::First));
        self.notice(Notice::Work { trade: id, work: Work::Begin(fresh) });
    }

    /// Registers first and looks second, so that an answer which comes meanwhile is not missed.
    pub(super) fn await_answer(&mut self, trade: TradeId, reply: oneshot::Sender<Started>) {
        let waiting = self.waiters.entry(trade.clone()).or_default();
        waiting.retain(|(waiter, _)| !waiter.is_closed());
        waiting.push((reply, Replay::Repeated));
        self.look_up(vec![trade]);
    }

    /// Looks for answers in the database; nobody is at rest before they are told.
    pub(super) fn look_up(&self, trades: Vec<TradeId>) {
        let (store, pen) = (Arc::clone(&self.store), self.pen.clone());
        self.running.push(Box::pin(async move {
            loop {
                match look_up(&store, &pen, trades.clone()).await {
                    Ok(found) => return Done::LookedUp(found),
                    Err(error) => tracing::warn!(?trades, %error, "answers could not be read"),
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }));
    }

    pub(super) fn looked_up(&mut self, found: Vec<(TradeId, Stands)>) {
        for (trade, stands) in found {
            match stands {
                Stands::Answered(answer) => self.tell(&trade, &answer),
                Stands::Elsewhere => self.elsewhere(trade),
                Stands::Nowhere if self.beginnings.contains_key(&trade) => {}
                Stands::Nowhere => drop(self.waiters.remove(&trade)),
            }
        }
    }

    pub(super) fn tell(&mut self, trade: &TradeId, answer: &Answer) {
        for (waiter, replay) in self.waiters.remove(trade).unwrap_or_default() {
            let _ = waiter.send(Started::Answered { trade: trade.clone(), answer: answer.clone(), replay });
        }
    }

    pub(super) fn duplicate(&mut self, id: &TradeId, duplicate: Duplicate) {
        let waiters = self.waiters.remove(id).unwrap_or_default();
        for (waiter, _) in waiters {
            match &duplicate {
                Duplicate::Same { trade, answer: Some(answer) } => {
                    let (trade, answer, replay) = (trade.clone(), answer.clone(), Replay::Repeated);
                    let _ = waiter.send(Started::Answered { trade, answer, replay });
                }
                Duplicate::Same { trade, answer: None } => self.await_answer(trade.clone(), waiter),
                Duplicate::KeyConflict => drop(waiter.send(Started::KeyConflict)),
                Duplicate::IdempotencyMismatch => drop(waiter.send(Started::IdempotencyMismatch)),
            }
        }
    }
}

/// What the database says of a trade whose answer is waited for.
pub(super) enum Stands {
    Answered(Answer),
    /// Another process drives it: its answer is in the database some time.
    Elsewhere,
    /// There is no such trade, or no answer of it that can be read.
    Nowhere,
}

/// Where these trades stand by their rows: nothing about one that is under way here, since its driver hears of it.
async fn look_up(
    store: &Store,
    pen: &Pen,
    trades: Vec<TradeId>,
) -> Result<Vec<(TradeId, Stands)>, StoreError> {
    let ids = trades.clone();
    let rows = store.read(async move |reader| {
        let keys = ids.iter().map(|id| (id.tenant.as_str(), &*id.id));
        reader.fetch_optional::<(i64, i64, Option<String>), _>(&sql::INSTANCE_ANSWER, keys).await
    });
    let rows = rows.await?;
    if rows.iter().flatten().any(|(status, _, answer)| *status == ENDED || answer.is_some()) {
        // Whoever is told of it reads it, though another process may have written it.
        store.note_position().await?;
    }
    let found = trades.into_iter().zip(rows).filter_map(|(trade, row)| {
        let stands = match row {
            None => Stands::Nowhere,
            Some((ENDED, _, None)) => Stands::Answered(Answer::Ok(Value::empty_record())),
            Some((_, driver, None)) if pen.is_elsewhere(driver) => Stands::Elsewhere,
            Some((_, _, None)) => return None,
            Some((_, _, Some(text))) => match stored_answer(&text) {
                Ok(answer) => Stands::Answered(answer),
                Err(error) => {
                    tracing::error!(%trade, %error, "an answer cannot be read back");
                    Stands::Nowhere
                }
            },
        };
        Some((trade, stands))
    });
    Ok(found.collect())
}
