//! Operations as the engine calls them: values in, values out. The conversion to a capability's own types happens here
//! and nowhere else, and so does confining its statements to the tenants of its calls.

use std::sync::Arc;

use futures::future::{BoxFuture, LocalBoxFuture};
use mortise_contract::{Value, from_value, to_value};
use mortise_store::{Reader, StoreError, Tenants, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{Call, Reply};
use crate::operation::{
    Intended, PureOperation, ReadOperation, RemoteOperation, SendContext, Settling, Unanswered,
    WriteOperation,
};

type Replies = Result<Vec<Reply<Value>>, StoreError>;
type PureFn = dyn Fn(&[Call<Value>]) -> Replies + Send + Sync;
type ReadFn = dyn for<'a> Fn(&'a Reader<'_>, &'a [Call<Value>]) -> LocalBoxFuture<'a, Replies> + Send + Sync;
type WriteFn = dyn for<'a> Fn(&'a mut Tx<'_>, &'a [Call<Value>]) -> LocalBoxFuture<'a, Replies> + Send + Sync;

/// An operation of any kind.
#[derive(Clone)]
pub enum Handler {
    /// See [`PureOperation`].
    Pure(Arc<PureFn>),
    /// See [`ReadOperation`].
    Read(Arc<ReadFn>),
    /// See [`WriteOperation`].
    Write(Arc<WriteFn>),
    /// See [`RemoteOperation`].
    Remote(Arc<dyn RemoteHandler>),
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pure(_) => "Pure",
            Self::Read(_) => "Read",
            Self::Write(_) => "Write",
            Self::Remote(_) => "Remote",
        })
    }
}

/// One item to settle, as values.
#[derive(Debug, Clone)]
pub struct SettleCall {
    /// The call as it was made.
    pub call: Call<Value>,
    /// What the intent stored.
    pub intent: Value,
    /// What the peer answered.
    pub answer: Value,
}

/// A remote operation over values.
pub trait RemoteHandler: Send + Sync {
    /// See [`RemoteOperation::intent`].
    fn intent<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        calls: &'a [Call<Value>],
    ) -> LocalBoxFuture<'a, Result<Vec<Intended<Value, Value>>, StoreError>>;

    /// See [`RemoteOperation::send`].
    fn send<'a>(
        &'a self,
        context: SendContext,
        intent: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Unanswered>>;

    /// See [`RemoteOperation::settle`].
    fn settle<'a>(&'a self, tx: &'a mut Tx<'_>, items: &'a [SettleCall]) -> LocalBoxFuture<'a, Replies>;
}

fn value<T: Serialize>(of: T) -> Result<Value, StoreError> {
    to_value(&of).map_err(|e| StoreError::Value(e.to_string()))
}

fn typed<T: DeserializeOwned>(what: &str, of: &Value) -> Result<T, StoreError> {
    from_value(of).map_err(|e| StoreError::Value(format!("{what}: {e}")))
}

/// Whose rows an operation may touch: those of the tenants that it is called for.
fn tenants(calls: &[Call<Value>]) -> Tenants {
    Tenants::of(calls.iter().map(|call| &call.context.scope.tenant))
}

fn inputs<I: DeserializeOwned>(calls: &[Call<Value>]) -> Result<Vec<Call<I>>, StoreError> {
    calls
        .iter()
        .map(|c| Ok(Call { context: Arc::clone(&c.context), input: typed("input", &c.input)? }))
        .collect()
}

fn outputs<O: Serialize>(calls: usize, replies: Vec<Reply<O>>) -> Replies {
    if replies.len() != calls {
        return Err(StoreError::Value(format!("{} replies to {calls} calls", replies.len())));
    }
    replies.into_iter().map(|reply| reply.try_map(value)).collect()
}

impl Handler {
    /// A pure operation.
    pub fn pure<T: PureOperation>(operation: T) -> Self {
        Self::Pure(Arc::new(move |calls| outputs(calls.len(), operation.run(&inputs(calls)?)?)))
    }

    /// A reading operation.
    pub fn read<T: ReadOperation>(operation: T) -> Self {
        let operation = Arc::new(operation);
        Self::Read(Arc::new(move |reader, calls| {
            let operation = Arc::clone(&operation);
            Box::pin(async move {
                reader.confine(&tenants(calls)).await?;
                outputs(calls.len(), operation.run(reader, &inputs(calls)?).await?)
            })
        }))
    }

    /// A writing operation.
    pub fn write<T: WriteOperation>(operation: T) -> Self {
        let operation = Arc::new(operation);
        Self::Write(Arc::new(move |tx, calls| {
            let operation = Arc::clone(&operation);
            Box::pin(async move {
                tx.confine(&tenants(calls)).await?;
                outputs(calls.len(), operation.run(tx, &inputs(calls)?).await?)
            })
        }))
    }

    /// A remote operation.
    pub fn remote<T: RemoteOperation>(operation: T) -> Self {
        Self::Remote(Arc::new(Remote(operation)))
    }
}

struct Remote<T>(T);

impl<T: RemoteOperation> RemoteHandler for Remote<T> {
    fn intent<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        calls: &'a [Call<Value>],
    ) -> LocalBoxFuture<'a, Result<Vec<Intended<Value, Value>>, StoreError>> {
        Box::pin(async move {
            tx.confine(&tenants(calls)).await?;
            let decided = self.0.intent(tx, &inputs(calls)?).await?;
            if decided.len() != calls.len() {
                return Err(StoreError::Value(format!(
                    "{} intents for {} calls",
                    decided.len(),
                    calls.len()
                )));
            }
            let mut out = Vec::with_capacity(decided.len());
            for one in decided {
                out.push(match one {
                    Intended::Send { intent, minted } => Intended::Send { intent: value(intent)?, minted },
                    Intended::Decided(reply) => Intended::Decided(reply.try_map(value)?),
                });
            }
            Ok(out)
        })
    }

    fn send<'a>(
        &'a self,
        context: SendContext,
        intent: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Unanswered>> {
        Box::pin(async move {
            let intent = from_value(intent).map_err(|e| Unanswered::new(format!("stored intent: {e}")))?;
            let answer = self.0.send(context, intent).await?;
            to_value(&answer).map_err(|e| Unanswered::new(format!("answer: {e}")))
        })
    }

    fn settle<'a>(&'a self, tx: &'a mut Tx<'_>, items: &'a [SettleCall]) -> LocalBoxFuture<'a, Replies> {
        Box::pin(async move {
            tx.confine(&Tenants::of(items.iter().map(|item| &item.call.context.scope.tenant))).await?;
            let mut typed_items = Vec::with_capacity(items.len());
            for item in items {
                typed_items.push(Settling {
                    call: Call {
                        context: Arc::clone(&item.call.context),
                        input: typed("input", &item.call.input)?,
                    },
                    intent: typed("intent", &item.intent)?,
                    answer: typed("answer", &item.answer)?,
                });
            }
            outputs(items.len(), self.0.settle(tx, &typed_items).await?)
        })
    }
}
