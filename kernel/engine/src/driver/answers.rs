//! Who waits for which answer: starts, their repetitions, and those who ask for the answer of a trade that is under way.

use super::*;

impl Driver {
    pub(super) fn start(&mut self, start: Start) {
        let Start { id, program, scope, caller, fresh, reply } = start;
        self.beginnings.insert(id.clone(), Beginning { program, scope, caller });
        self.waiters.entry(id.clone()).or_default().push((reply, Replay::First));
        self.notice(Notice::Work { trade: id, work: Work::Begin(fresh) });
    }

    /// Registers first and looks second, so that an answer which comes meanwhile is not missed.
    pub(super) fn await_answer(&mut self, trade: TradeId, reply: oneshot::Sender<Started>) {
        let waiting = self.waiters.entry(trade.clone()).or_default();
        waiting.retain(|(waiter, _)| !waiter.is_closed());
        waiting.push((reply, Replay::Repeated));
        let (store, to_self) = (Arc::clone(&self.store), self.to_self.clone());
        tokio::spawn(async move {
            while !to_self.is_closed() {
                match look_up(&store, trade.clone()).await {
                    Ok(Some(message)) => return drop(to_self.send(message)),
                    Ok(None) => return,
                    Err(error) => tracing::warn!(%trade, %error, "an answer could not be read"),
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

/// What those who wait for a trade's answer are to be told by its row: nothing while it is under way.
async fn look_up(store: &Store, trade: TradeId) -> Result<Option<Message>, StoreError> {
    let id = trade.clone();
    let rows = store.read(async move |reader| {
        let key = [(id.tenant.as_str(), &*id.id)];
        reader.fetch_optional::<(String, Vec<u8>, Option<String>), _>(&sql::INSTANCE_ANSWER, key).await
    });
    Ok(match rows.await?.into_iter().next().flatten() {
        None => Some(Message::Nowhere(trade)),
        Some((_, _, None)) => None,
        Some((_, _, Some(text))) => match stored_answer(&text) {
            Ok(answer) => Some(Message::Stored { trade, answer }),
            Err(error) => {
                tracing::error!(%trade, %error, "an answer cannot be read back");
                Some(Message::Nowhere(trade))
            }
        },
    })
}
