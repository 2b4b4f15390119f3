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

    /// Looks for answers in the database.
    pub(super) fn look_up(&self, trades: Vec<TradeId>) {
        let (store, to_self, epoch) = (Arc::clone(&self.store), self.to_self.clone(), self.pen.epoch);
        tokio::spawn(async move {
            while !to_self.is_closed() {
                match look_up(&store, epoch, trades.clone()).await {
                    Ok(messages) => {
                        // A driver that is gone tells nobody.
                        return messages.into_iter().for_each(|message| drop(to_self.send(message)));
                    }
                    Err(error) => tracing::warn!(?trades, %error, "answers could not be read"),
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
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

/// What those who wait for these trades' answers are to be told by their rows: nothing about one that is under way under
/// this epoch, since its driver hears of it.
async fn look_up(store: &Store, epoch: i64, trades: Vec<TradeId>) -> Result<Vec<Message>, StoreError> {
    let ids = trades.clone();
    let rows = store.read(async move |reader| {
        let keys = ids.iter().map(|id| (id.tenant.as_str(), &*id.id));
        reader.fetch_optional::<(i64, i64, Option<String>), _>(&sql::INSTANCE_ANSWER, keys).await
    });
    let told = trades.into_iter().zip(rows.await?).filter_map(|(trade, row)| match row {
        None => Some(Message::Nowhere(trade)),
        Some((ENDED, _, None)) => Some(Message::Stored { trade, answer: Answer::Ok(Value::empty_record()) }),
        Some((_, driver, None)) if driver == epoch => None,
        Some((_, _, None)) => Some(Message::Elsewhere(trade)),
        Some((_, _, Some(text))) => Some(match stored_answer(&text) {
            Ok(answer) => Message::Stored { trade, answer },
            Err(error) => {
                tracing::error!(%trade, %error, "an answer cannot be read back");
                Message::Nowhere(trade)
            }
        }),
    });
    Ok(told.collect())
}
