//! Does what is due: starts trades, calls operations, lets peers act, wishes answers, cancels.

use std::sync::Arc;

use futures::future::BoxFuture;
use mortise_contract::Value;
use mortise_engine::{Begun, CallRequest, EngineError, StartRequest};
use mortise_types::{CustomerId, Scope, Span};

use super::Play;
use super::deed::{Change, DeedId, Done, Due, Open, Repeated};
use crate::house::{House, Ran, words};
use crate::names::Known;
use crate::platform::Message;
use crate::script::Deed;
use crate::stage::Early;
use crate::{Failure, raise, transcript};

impl Play<'_> {
    pub(super) fn perform(&mut self, due: Due) -> Result<(), Failure> {
        let local: Vec<(&str, &Value)> = due.local.iter().map(|(name, value)| (*name, value)).collect();
        let filled = match &due.deed {
            Deed::Start { with, .. }
            | Deed::Operation { with, .. }
            | Deed::Peer { with, .. }
            | Deed::Event { with, .. } => self.known.fill(with, &local),
            Deed::Answers { .. } => Ok(Value::empty_record()),
        };
        let with = match filled {
            Ok(with) => with,
            Err(_) if self.playing.lenient => return Ok(()),
            Err(problem) => return Err(Failure::deed(&due.id, problem)),
        };
        match due.deed.clone() {
            Deed::Start { flow, .. } => self.start(due, flow, with),
            Deed::Operation { operation, .. } => self.operate(due, operation, with),
            Deed::Peer { action, told_after, .. } => self.peer(&due, &action, &with, told_after),
            Deed::Event { event, .. } => {
                let flow = raise::flow_name(&event);
                self.start(due, flow, Value::record([("payload", with)]))
            }
            Deed::Answers { operation, answers, times } => {
                self.house.stage.wish(&operation, answers.clone(), times);
                let words = transcript::wish(&operation, &answers, times);
                self.deed_row(due.note.unwrap_or(words), String::new());
                Ok(())
            }
        }
    }

    fn caller(due: &Due) -> Result<Option<CustomerId>, Failure> {
        let caller = due.caller.as_ref().map(|caller| CustomerId::new(caller.as_str()));
        caller.transpose().map_err(|error| Failure::deed(&due.id, error.to_string()))
    }

    /// The same start or call, repeated after a crash or by the explorer, is one.
    fn idempotency(due: &Due) -> Option<(String, Vec<u8>)> {
        let again = if due.repeated == Repeated::ByPeer { ", again" } else { "" };
        Some((format!("{}{again}", due.id), due.id.to_string().into_bytes()))
    }

    fn start(&mut self, due: Due, flow: String, with: Value) -> Result<(), Failure> {
        let words = due.note.clone().unwrap_or_else(|| match &due.name {
            Some(name) => format!("{name} starts {flow}"),
            None => format!("{flow} is started"),
        });
        let caller = Self::caller(&due)?;
        self.begin(due, words, move |house, idempotency, scope| {
            let (flow, input, caller) = (flow.clone(), with.clone(), caller.clone());
            house.engine().begin_trade(StartRequest { scope, flow, input, caller, idempotency })
        })
    }

    fn operate(&mut self, due: Due, operation: String, with: Value) -> Result<(), Failure> {
        let words = match &due.note {
            Some(note) => format!("{note}: {operation}"),
            None => operation.clone(),
        };
        let caller = Self::caller(&due)?;
        self.begin(due, words, move |house, idempotency, scope| {
            let (operation, input, caller) = (operation.clone(), with.clone(), caller.clone());
            house.engine().begin_call(CallRequest { scope, operation, input, caller, idempotency })
        })
    }

    /// Begins a trade and lets the engine come to rest; after a crash before its first commit it is begun again.
    fn begin(
        &mut self,
        due: Due,
        words_of: String,
        begin: impl Fn(&House, Option<(String, Vec<u8>)>, Scope) -> Result<Begun, EngineError>,
    ) -> Result<(), Failure> {
        let refused = |error: EngineError| Failure::deed(&due.id, words(&error));
        let again = |house: &House| begin(house, Self::idempotency(&due), due.scope.clone()).map_err(refused);
        let mut begun = again(&self.house)?;
        let row = self.deed_row(words_of, String::new());
        if let Some(name) = &due.name {
            self.watch.name(&begun.trade, name);
        }
        if self.rest()? == Ran::Crashed {
            let known = self.house.block_on(self.house.engine().trades())?;
            begun = match known.iter().any(|row| row.trade == begun.trade) {
                true => Begun {
                    answer: self.house.engine().await_answer(begun.trade.clone()),
                    trade: begun.trade,
                },
                false => again(&self.house)?,
            };
            if let Some(name) = &due.name {
                self.watch.name(&begun.trade, name);
            }
            self.rest()?;
        }
        let (starts, operations) = match &due.deed {
            Deed::Operation { operation, .. } => (false, vec![operation.clone()]),
            _ => (true, Vec::new()),
        };
        let after = due.after.clone();
        self.done.push(Done { id: due.id.clone(), at: self.house.now(), operations, starts, after });
        self.open.push(Open { due, trade: begun.trade, answer: begun.answer, row });
        self.look()
    }

    fn peer(&mut self, due: &Due, action: &str, with: &Value, told_after: Span) -> Result<(), Failure> {
        let act = match self.house.peers.act(action, with) {
            Ok(act) => act,
            Err(_) if self.playing.lenient => return Ok(()),
            Err(problem) => return Err(Failure::deed(&due.id, problem)),
        };
        let words = match &due.note {
            Some(note) => format!("{note}: {action}"),
            None => action.to_owned(),
        };
        self.deed_row(words, act.said);
        let operations = act.messages.iter().map(|message| message.operation.clone()).collect();
        let after = due.after.clone();
        self.done.push(Done { id: due.id.clone(), at: self.house.now(), operations, starts: false, after });
        let told_at = self.house.now().saturating_add(told_after);
        for (number, Message { operation, input }) in act.messages.into_iter().enumerate() {
            let due = Due {
                id: DeedId::Message(Box::new(due.id.clone()), number),
                scope: due.scope.clone(),
                note: None,
                name: None,
                caller: None,
                deed: Deed::Operation { operation, with: input },
                local: Vec::new(),
                repeated: Repeated::No,
                after: None,
            };
            self.plan(told_at, due);
        }
        Ok(())
    }

    /// Lets the one habit that is to be early happen within the call that it answers to.
    pub(super) fn prepare_early(&self) {
        let early = self.playing.changes.iter().find(|(_, change)| **change == Change::Early);
        let Some((DeedId::Habit(name, nth), _)) = early else { return };
        let Some(habit) = self.world.habits.get(name).cloned() else { return };
        let (peers, stage) = (Arc::clone(&self.house.peers), Arc::downgrade(&self.house.stage));
        let scope = self.world.scope.clone();
        let operation = habit.on.as_str().into();
        let act = move |minted: Value| -> BoxFuture<'static, ()> {
            Box::pin(async move {
                let Ok(with) = Known::default().fill(&habit.with, &[("output", &minted)]) else { return };
                let messages = match (habit.operation, habit.peer) {
                    (Some(operation), _) => vec![Message { operation, input: with }],
                    (None, Some(action)) => {
                        peers.act(&action, &with).map(|act| act.messages).unwrap_or_default()
                    }
                    (None, None) => Vec::new(),
                };
                for Message { operation, input } in messages {
                    let Some(engine) = stage.upgrade().and_then(|stage| stage.engine()) else { return };
                    let begun = engine.call(scope.clone(), &operation, input, None).await;
                    drop(engine);
                    if let Ok(answer) = begun {
                        let _ = answer.await;
                    }
                }
            })
        };
        self.house.stage.set_early(Early { operation, nth: *nth, act: Box::new(act) });
    }

    /// Cancels a trade, if it can be cancelled now and the shop says how.
    pub(super) fn cancel(&mut self, trade: &str, event: &str) -> Result<(), Failure> {
        let found = self.watch.trades().find(|(_, followed)| *followed.name == *trade);
        let Some((_, followed)) = found else { return Ok(()) };
        let scope = followed.scope.clone().unwrap_or_else(|| self.world.scope.clone());
        let found = followed.cancellable.values().find(|(of, _)| **of == *event);
        let Some(key) = found.map(|(_, key)| key.clone()) else { return Ok(()) };
        let Some(raise) = self.world.raises.get(event) else { return Ok(()) };
        let Ok(with) = self.known.fill(&raise.with, &[("key", &key)]) else { return Ok(()) };
        let due = Due {
            id: DeedId::Explored,
            scope,
            note: Some(format!("{trade} is cancelled")),
            name: None,
            caller: None,
            deed: Deed::Operation { operation: raise.operation.clone(), with: with.clone() },
            local: Vec::new(),
            repeated: Repeated::No,
            after: None,
        };
        self.operate(due, raise.operation.clone(), with)
    }
}
