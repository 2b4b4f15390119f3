//! Remote calls of the driver: when `remote` says so, the peer is asked, and its answer is work for the trade.
//! Also how a person is told.

use super::*;

/// A remote call as it is asked again and again.
pub(super) struct Peer {
    handler: Arc<dyn RemoteHandler>,
    scope: Scope,
    key: Arc<str>,
    intent: Value,
    deadline: Duration,
    path: Arc<str>,
}

/// Whether a trade that is put before a person goes on meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holding {
    Hold,
    GoOn,
}

impl Driver {
    pub(super) fn send(&mut self, trade: TradeId, scope: Scope, sending: Sending) {
        let Sending { pending, intent, key } = sending;
        let Pending { call, operation, path, timeout_ms, persistence, .. } = pending;
        let Some(Handler::Remote(handler)) = self.pen.tools.registry.handler(&operation) else {
            return;
        };
        let contract = self.pen.tools.registry.contracts().operations.get(&*operation);
        let deadline_ms = timeout_ms.or_else(|| contract.and_then(|c| c.deadline_ms)).unwrap_or(DEADLINE_MS);
        let terms = Terms { attempts: contract.and_then(|c| c.attempts).unwrap_or(1), persistence };
        let name = (trade, call);
        self.peers.entry(name.clone()).or_insert_with(|| {
            let deadline = Duration::from_millis(deadline_ms);
            Arc::new(Peer { handler: Arc::clone(handler), scope, key, intent, deadline, path })
        });
        self.pass_crash_point("intent-committed");
        if let Some(step) = self.remotes.begin(name, terms) {
            self.remote_step(step);
        }
    }

    pub(super) fn pass_crash_point(&self, name: &str) {
        if let Some(crash) = &self.crash_point {
            crash(name);
        }
    }

    pub(super) fn remote_step(&mut self, step: Step<RemoteCall>) {
        match step {
            Step::Send { call, attempt } => self.attempt(call, attempt),
            Step::GiveUp(call) => {
                self.peers.remove(&call);
                let (trade, call) = call;
                self.notice(Notice::Work { trade, work: Work::GaveUp { call } });
            }
            Step::Tell { call, attempts } => {
                let path = self.peers.get(&call).map_or_else(|| "".into(), |peer| Arc::clone(&peer.path));
                let text =
                    format!("the peer has not answered {attempts} times; it is asked again without end");
                self.write_attention(call.0, path, text, Holding::GoOn);
            }
        }
    }

    pub(super) fn attempt(&mut self, call: RemoteCall, attempt: u32) {
        let Some(peer) = self.peers.get(&call).cloned() else {
            return;
        };
        let (to_self, senders, now) = (self.to_self.clone(), Arc::clone(&self.senders), self.now());
        let crash_point = self.crash_point.clone();
        self.sending += 1;
        tokio::spawn(async move {
            let _permit = senders.acquire_owned().await;
            let (scope, idempotency_key) = (peer.scope.clone(), Arc::clone(&peer.key));
            let context = SendContext { scope, idempotency_key, attempt, now };
            let asked = AssertUnwindSafe(peer.handler.send(context, &peer.intent)).catch_unwind();
            let result = match tokio::time::timeout(peer.deadline, asked).await {
                Ok(Ok(answered)) => answered,
                Ok(Err(_)) => Err(Unanswered::new("asking the peer panicked")),
                Err(_) => Err(Unanswered::new(format!("no answer within {} ms", peer.deadline.as_millis()))),
            };
            if let Some(crash) = crash_point {
                crash("sent");
            }
            let _ = to_self.send(Message::Sent { call, result });
        });
    }

    pub(super) fn sent(&mut self, call: RemoteCall, result: Result<Value, Unanswered>) {
        self.sending = self.sending.saturating_sub(1);
        match result {
            Ok(answer) => {
                if self.remotes.answered(&call) {
                    self.peers.remove(&call);
                    let (trade, call) = call;
                    self.notice(Notice::Work { trade, work: Work::Answered { call, answer } });
                }
            }
            Err(unanswered) => {
                tracing::info!(trade = %call.0, reason = %unanswered, "a peer did not answer");
                let now = self.now();
                for step in self.remotes.unanswered(now, &call) {
                    self.remote_step(step);
                }
            }
        }
    }

    pub(super) fn write_attention(&self, trade: TradeId, path: Arc<str>, text: String, holding: Holding) {
        let (store, now, pen) = (Arc::clone(&self.store), self.now(), self.pen.clone());
        tokio::spawn(async move {
            let written = store.write(async move |tx| {
                pen.fence(tx).await?;
                let id = (trade.tenant.as_str(), &*trade.id);
                // A trade that cannot be driven is found so at every start.
                let insert = match holding {
                    Holding::Hold => &sql::INSERT_ATTENTION_ONCE,
                    Holding::GoOn => &sql::INSERT_ATTENTION,
                };
                tx.execute(insert, [(id.0, id.1, &*path, text.as_str(), now)]).await?;
                if holding == Holding::Hold {
                    tx.execute(&sql::HOLD, [id]).await?;
                }
                Ok(())
            });
            if let Err(error) = written.await {
                tracing::error!(%error, "a person could not be told");
            }
        });
    }
}
