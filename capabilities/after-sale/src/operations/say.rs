//! `after_sale.approve`, `refuse`, `withdraw`, `receive`, `settle`: a word about a return. What is no longer asked for is
//! free again in the same transaction.

use std::marker::PhantomData;

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Amount, Applied, RmaId};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::batch::{Batch, key, news};
use crate::contract::{
    Moved, RMA_UNKNOWN, RefuseInput, RmaRef, RmaState, RmaUnknown, SettleInput, WRONG_STATE, WrongState,
};
use crate::rules::{Rma, Step, Word, step};
use crate::store;

/// A word, and what comes with it.
pub(crate) trait Saying: Send + Sync + 'static {
    type Input: DeserializeOwned + JsonSchema + 'static;
    const WORD: Word;
    const EVENT: &'static str;

    fn rma_id(input: &Self::Input) -> &RmaId;
    fn note(_: &Self::Input) -> Option<String> {
        None
    }
    fn given(_: &Self::Input) -> Option<Amount> {
        None
    }
}

macro_rules! saying {
    ($(#[$doc:meta] $name:ident: $input:ty, $word:ident, $event:literal $(, { $($more:tt)* })?;)+) => {$(
        #[$doc]
        pub(crate) struct $name;

        impl Saying for $name {
            type Input = $input;
            const WORD: Word = Word::$word;
            const EVENT: &'static str = $event;

            fn rma_id(input: &$input) -> &RmaId {
                &input.rma_id
            }
            $($($more)*)?
        }
    )+};
}

saying! {
    /// `after_sale.approve`.
    Approve: RmaRef, Approve, "after_sale.approved";
    /// `after_sale.refuse`.
    Refuse: RefuseInput, Refuse, "after_sale.refused", {
        fn note(input: &RefuseInput) -> Option<String> {
            Some(input.reason.clone())
        }
    };
    /// `after_sale.withdraw`: the undo of opening. It tolerates a return that was never opened, or has gone on.
    Withdraw: RmaRef, Withdraw, "after_sale.withdrawn";
    /// `after_sale.receive`.
    Receive: RmaRef, Receive, "after_sale.received";
    /// `after_sale.settle`.
    Settle: SettleInput, Settle, "after_sale.settled", {
        fn given(input: &SettleInput) -> Option<Amount> {
            Some(input.given)
        }
    };
}

/// Says a word about each return of a batch.
pub(crate) struct Say<S>(PhantomData<S>);

impl<S: Saying> Say<S> {
    pub(crate) const fn new() -> Say<S> {
        Say(PhantomData)
    }
}

impl<S: Saying> WriteOperation for Say<S> {
    type Input = S::Input;
    type Output = Moved;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<S::Input>]) -> Result<Vec<Reply<Moved>>, StoreError> {
        let keys = calls.iter().map(|call| key(&call.context, S::rma_id(&call.input)));
        let mut batch = Batch::load(tx, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            replies.push(say::<S>(&mut batch, call)?);
        }
        batch.save(tx).await?;
        Ok(replies)
    }
}

fn say<S: Saying>(batch: &mut Batch, call: &Call<S::Input>) -> Result<Reply<Moved>, StoreError> {
    let key = key(&call.context, S::rma_id(&call.input));
    let Some((rma, stored)) = batch.find(&key)? else {
        return unknown(S::WORD, &key.1);
    };
    match step(rma.state, S::WORD) {
        Step::Already => Ok(Reply::done(Moved { applied: Applied::Already, state: rma.state })),
        Step::Wrong => wrong(S::WORD, rma),
        Step::To(state) => {
            if matches!(state, RmaState::Refused | RmaState::Withdrawn) {
                rma.let_go(&mut stored.account)?;
            }
            rma.state = state;
            rma.changed_at = call.context.now;
            rma.document.note = S::note(&call.input).or(rma.document.note.take());
            rma.given = S::given(&call.input).unwrap_or(rma.given);
            let reply = Reply::done(Moved { applied: Applied::Now, state }).emit(S::EVENT, &news(rma))?;
            batch.touch(&key);
            Ok(reply)
        }
    }
}

/// Only people are told that there is none: what goes backward, and what is said of goods that arrive, tolerates it.
fn unknown(word: Word, rma_id: &RmaId) -> Result<Reply<Moved>, StoreError> {
    match word {
        Word::Approve | Word::Refuse => Reply::rejected(RMA_UNKNOWN, &RmaUnknown { rma_id: rma_id.clone() }),
        Word::Withdraw | Word::Receive | Word::Grant | Word::Settle => {
            Ok(Reply::done(Moved { applied: Applied::Already, state: RmaState::Unknown }))
        }
    }
}

fn wrong(word: Word, rma: &Rma) -> Result<Reply<Moved>, StoreError> {
    match word {
        Word::Approve | Word::Refuse => {
            Reply::rejected(WRONG_STATE, &WrongState { rma_id: rma.rma_id.clone(), state: rma.state })
        }
        _ => {
            let (said, state) = (said(word), store::word(&rma.state)?);
            Err(StoreError::Conflict(format!("return {} is {state}: it cannot be {said}", rma.rma_id)))
        }
    }
}

fn said(word: Word) -> &'static str {
    match word {
        Word::Approve => "approved",
        Word::Refuse => "refused",
        Word::Withdraw => "withdrawn",
        Word::Receive => "received",
        Word::Grant => "granted",
        Word::Settle => "settled",
    }
}
