//! Puts the stage around the code of every operation. The operations' own code runs, on its own tables; only a call that is
//! wished otherwise does not reach it.

use std::sync::Arc;

use futures::future::{BoxFuture, LocalBoxFuture};
use mortise_capability::{
    Book, Call, Handler, Intended, Registry, RemoteHandler, Reply, SendContext, SettleCall, StoreError,
    Unanswered,
};
use mortise_contract::{Contracts, Undo, Value};
use mortise_store::Tx;

use crate::books;
use crate::stage::{Phase, Reach, Sending, Stage};

type Replies = Result<Vec<Reply<Value>>, StoreError>;

/// The registry with the stage around every operation.
pub(crate) fn wrapped(registry: Registry, stage: &Arc<Stage>) -> Registry {
    let books: Arc<[Book]> = registry.books().into();
    let taking_back = taking_back(registry.contracts());
    registry.wrapped(|operation, handler| {
        let around = Around {
            operation: operation.into(),
            stage: Arc::clone(stage),
            books: Arc::clone(&books),
            takes_back: taking_back.iter().any(|name| name == operation),
        };
        around.handler(handler)
    })
}

/// The operations that others are taken back by.
fn taking_back(contracts: &Contracts) -> Vec<String> {
    let undos = contracts.operations.values().filter_map(|contract| match &contract.undo {
        Some(Undo::Call(undo)) => Some(undo.call.clone()),
        _ => None,
    });
    undos
        .chain(
            contracts.events.values().filter_map(|event| event.late.as_ref().map(|late| late.call.clone())),
        )
        .collect()
}

#[derive(Clone)]
struct Around {
    operation: Arc<str>,
    stage: Arc<Stage>,
    books: Arc<[Book]>,
    /// Whether others are undone by it, so that it may come twice.
    takes_back: bool,
}

impl Around {
    fn handler(self, handler: Handler) -> Handler {
        match handler {
            Handler::Pure(run) => Handler::Pure(Arc::new(move |calls| {
                let (rejected, kept) = self.sort(calls);
                Ok(merge(rejected, if kept.is_empty() { Vec::new() } else { run(&kept)? }))
            })),
            Handler::Read(run) => Handler::Read(Arc::new(move |reader, calls| {
                let (around, run) = (self.clone(), Arc::clone(&run));
                Box::pin(async move {
                    let (rejected, kept) = around.sort(calls);
                    Ok(merge(rejected, if kept.is_empty() { Vec::new() } else { run(reader, &kept).await? }))
                })
            })),
            Handler::Write(run) => Handler::Write(Arc::new(move |tx, calls| {
                let (around, run) = (self.clone(), Arc::clone(&run));
                Box::pin(async move {
                    let (rejected, kept) = around.sort(calls);
                    let mut replies = Vec::with_capacity(kept.len());
                    for calls in around.portions(&kept) {
                        let before = around.look(tx).await?;
                        let replied = run(tx, calls).await?;
                        around.moved(tx, &calls[0].context.call, Phase::Local, before).await?;
                        if around.takes_back
                            && around.stage.repeats(&around.operation, &calls[0].context.call)
                        {
                            around.again(tx, &*run, calls).await?;
                        }
                        replies.extend(replied);
                    }
                    Ok(merge(rejected, replies))
                })
            })),
            Handler::Remote(remote) => Handler::Remote(Arc::new(AroundRemote { around: self, remote })),
        }
    }

    /// Which calls are rejected at once, and the others.
    fn sort(&self, calls: &[Call<Value>]) -> (Vec<Option<Reply<Value>>>, Vec<Call<Value>>) {
        let mut kept = Vec::with_capacity(calls.len());
        let rejected = calls.iter().map(|call| {
            let rejection = self.stage.takes(&self.operation, &call.context.call);
            if rejection.is_none() {
                kept.push(call.clone());
            }
            rejection.map(|rejection| Reply {
                outcome: mortise_capability::Outcome::Rejected(rejection),
                events: Vec::new(),
                extensions: Vec::new(),
            })
        });
        (rejected.collect(), kept)
    }

    /// The calls in one batch; one by one where it is watched how each moves the books, or one may be made twice.
    fn portions<'c, T>(&self, calls: &'c [T]) -> std::slice::Chunks<'c, T> {
        calls.chunks(if self.stage.watching || self.takes_back { 1 } else { calls.len().max(1) })
    }

    async fn look(&self, tx: &Tx<'_>) -> Result<Vec<mortise_capability::Entry>, StoreError> {
        if self.stage.watching { books::read(&self.books, tx).await } else { Ok(Vec::new()) }
    }

    async fn moved(
        &self,
        tx: &Tx<'_>,
        call: &Arc<str>,
        phase: Phase,
        before: Vec<mortise_capability::Entry>,
    ) -> Result<(), StoreError> {
        if self.stage.watching {
            self.stage.moved(call, phase, &before, &self.look(tx).await?);
        }
        Ok(())
    }

    /// Makes a call that takes back once more: it must do nothing.
    async fn again(&self, tx: &mut Tx<'_>, run: &WriteFn, calls: &[Call<Value>]) -> Result<(), StoreError> {
        let before = books::read(&self.books, tx).await?;
        run(tx, calls).await?;
        let moved = books::moves(&before, &books::read(&self.books, tx).await?);
        if moved.is_empty() {
            return Ok(());
        }
        Err(StoreError::Value(format!(
            "`{}`, repeated, moved the books: {}",
            self.operation,
            moved.words().join("; ")
        )))
    }
}

type WriteFn = dyn for<'a> Fn(&'a mut Tx<'_>, &'a [Call<Value>]) -> LocalBoxFuture<'a, Replies> + Send + Sync;

/// Puts the replies of the calls that were run between those that were rejected.
fn merge<T>(rejected: Vec<Option<T>>, run: Vec<T>) -> Vec<T> {
    let mut run = run.into_iter();
    rejected.into_iter().filter_map(|rejected| rejected.or_else(|| run.next())).collect()
}

struct AroundRemote {
    around: Around,
    remote: Arc<dyn RemoteHandler>,
}

impl RemoteHandler for AroundRemote {
    fn intent<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        calls: &'a [Call<Value>],
    ) -> LocalBoxFuture<'a, Result<Vec<Intended<Value, Value>>, StoreError>> {
        Box::pin(async move {
            let (rejected, kept) = self.around.sort(calls);
            let rejected = rejected.into_iter().map(|reply| reply.map(Intended::Decided)).collect();
            let mut intended = Vec::with_capacity(kept.len());
            for calls in self.around.portions(&kept) {
                let before = self.around.look(tx).await?;
                let decided = self.remote.intent(tx, calls).await?;
                for (call, decided) in calls.iter().zip(&decided) {
                    if let Intended::Send { minted, .. } = decided {
                        self.around.stage.minted(&call.context.call, minted);
                    }
                }
                intended.extend(decided);
                self.around.moved(tx, &calls[0].context.call, Phase::Intent, before).await?;
            }
            Ok(merge(rejected, intended))
        })
    }

    fn send<'a>(
        &'a self,
        context: SendContext,
        intent: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Unanswered>> {
        Box::pin(async move {
            let sending = self.around.stage.sending(&self.around.operation, &context.idempotency_key);
            match sending {
                Sending::Ask => {
                    let call = Arc::clone(&context.idempotency_key);
                    let answer = self.remote.send(context, intent).await?;
                    if let Some(early) = self.around.stage.take_early(&self.around.operation, &call) {
                        early.await;
                    }
                    Ok(answer)
                }
                Sending::AskTwice => {
                    self.remote.send(context.clone(), intent).await?;
                    self.remote.send(context, intent).await
                }
                Sending::Silent(reach) => {
                    if reach == Reach::Reached {
                        self.remote.send(context, intent).await?;
                    }
                    Err(Unanswered::new("the peer does not answer"))
                }
                Sending::Says(answer) => Ok(answer),
            }
        })
    }

    fn settle<'a>(&'a self, tx: &'a mut Tx<'_>, items: &'a [SettleCall]) -> LocalBoxFuture<'a, Replies> {
        Box::pin(async move {
            let mut replies = Vec::with_capacity(items.len());
            for items in self.around.portions(items) {
                let before = self.around.look(tx).await?;
                replies.extend(self.remote.settle(tx, items).await?);
                self.around.moved(tx, &items[0].call.context.call, Phase::Settle, before).await?;
            }
            Ok(replies)
        })
    }
}
