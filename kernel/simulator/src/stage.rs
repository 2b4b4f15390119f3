//! What stands between the engine and the capabilities: it answers calls as the script wishes, counts them, and keeps how
//! each moved the books. It outlives a crash of the engine, as the world does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use mortise_capability::{Entry, Rejection};
use mortise_contract::Value;
use mortise_engine::Engine;
use tokio::sync::Notify;

use crate::books::{Moves, moves};
use crate::script::Answers;

/// Which part of a call moved the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    Local,
    Intent,
    Settle,
}

/// A call that was made, in the order in which calls were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) operation: Arc<str>,
    /// Among the calls of its operation, from 1.
    pub(crate) nth: u32,
    /// Trade, path and number.
    pub(crate) call: Arc<str>,
}

/// One call that is made otherwise, whichever trade makes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forced {
    pub(crate) operation: Arc<str>,
    pub(crate) nth: u32,
    pub(crate) how: How,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum How {
    /// It is rejected.
    Reject(Rejection),
    /// So many of its attempts are not answered.
    Silent { attempts: u32, reach: Reach },
    /// The peer is asked twice for each attempt; a call that takes back is made twice.
    Repeat,
}

/// Whether a peer that does not answer was asked at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Lost,
    Reached,
}

/// What a wrapped send is to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sending {
    Ask,
    AskTwice,
    Silent(Reach),
    Says(Value),
}

#[derive(Debug)]
struct Wish {
    operation: String,
    answers: Answers,
    left: u32,
}

#[derive(Debug, Default)]
struct State {
    wishes: Vec<Wish>,
    forced: Vec<Forced>,
    made: Vec<Made>,
    numbers: HashMap<Arc<str>, u32>,
    counts: HashMap<Arc<str>, u32>,
    decided: HashMap<Arc<str>, Option<Rejection>>,
    minted: HashMap<Arc<str>, Value>,
    said: HashMap<Arc<str>, Value>,
    silent: HashMap<Arc<str>, u32>,
    moves: HashMap<(Arc<str>, Phase), Moves>,
    points: u64,
    crash_at: Option<u64>,
    crashed: bool,
}

/// Shared by everything that a world is run with.
#[derive(Default)]
pub(crate) struct Stage {
    state: Mutex<State>,
    crashed: Notify,
    engine: Mutex<Option<Engine>>,
    early: Mutex<Option<Early>>,
    /// Whether moves of the books are kept.
    pub(crate) watching: bool,
}

/// What happens between a peer's doing and its answer.
pub(crate) struct Early {
    pub(crate) operation: Arc<str>,
    pub(crate) nth: u32,
    /// Over the known part of the call's output.
    pub(crate) act: Box<dyn FnOnce(Value) -> BoxFuture<'static, ()> + Send>,
}

/// Ends a task without a word.
struct Crash;

impl Stage {
    pub(crate) fn new(watching: bool, crash_at: Option<u64>) -> Self {
        let state = State { crash_at, ..State::default() };
        Self { state: Mutex::new(state), watching, ..Self::default() }
    }

    /// These calls are made otherwise.
    pub(crate) fn force(&self, forced: Vec<Forced>) {
        self.state().forced = forced;
    }

    /// The engine that runs now; none between two lives.
    pub(crate) fn set_engine(&self, engine: Option<Engine>) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    pub(crate) fn engine(&self) -> Option<Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something is to happen before a call is answered.
    pub(crate) fn set_early(&self, early: Early) {
        *self.early.lock().unwrap_or_else(PoisonError::into_inner) = Some(early);
    }

    /// The known part of a call's output, once its intent stands.
    pub(crate) fn minted(&self, call: &Arc<str>, minted: &Value) {
        self.state().minted.insert(Arc::clone(call), minted.clone());
    }

    /// What is to happen before this call is answered: once.
    pub(crate) fn take_early(&self, operation: &str, call: &Arc<str>) -> Option<BoxFuture<'static, ()>> {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state();
        let wanted = early.as_ref().is_some_and(|early| {
            *early.operation == *operation && state.numbers.get(call) == Some(&early.nth)
        });
        let minted = state.minted.get(call).cloned().unwrap_or_else(Value::empty_record);
        drop(state);
        if wanted { early.take().map(|early| (early.act)(minted)) } else { None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on calls of an operation are answered so.
    pub(crate) fn wish(&self, operation: &str, answers: Answers, times: u32) {
        self.state().wishes.push(Wish { operation: operation.to_owned(), answers, left: times });
    }

    /// Counts a call, and says whether it is rejected. The same call, run again, gets the same answer.
    pub(crate) fn takes(&self, operation: &str, call: &Arc<str>) -> Option<Rejection> {
        let mut state = self.state();
        if let Some(decided) = state.decided.get(call) {
            return decided.clone();
        }
        let operation: Arc<str> = operation.into();
        let count = state.counts.entry(Arc::clone(&operation)).or_default();
        *count += 1;
        let nth = *count;
        state.numbers.insert(Arc::clone(call), nth);
        state.made.push(Made { operation: Arc::clone(&operation), nth, call: Arc::clone(call) });
        let forced = state.forced.iter().find_map(|forced| match forced {
            Forced { operation: of, nth: at, how: How::Reject(rejection) }
                if *of == operation && *at == nth =>
            {
                Some(rejection.clone())
            }
            _ => None,
        });
        let rejection = forced.or_else(|| state.wished(&operation));
        state.decided.insert(Arc::clone(call), rejection.clone());
        rejection
    }

    /// Whether a call is the one that is to be made twice.
    pub(crate) fn repeats(&self, operation: &str, call: &Arc<str>) -> bool {
        self.state().is_forced(operation, call, &How::Repeat)
    }

    /// What becomes of an attempt to ask a peer.
    pub(crate) fn sending(&self, operation: &str, call: &Arc<str>) -> Sending {
        let mut state = self.state();
        let silence = state.forced.iter().find_map(|forced| match forced {
            Forced { operation: of, nth, how: How::Silent { attempts, reach } }
                if **of == *operation && state.numbers.get(call) == Some(nth) =>
            {
                Some((*attempts, *reach))
            }
            _ => None,
        });
        if let Some((attempts, reach)) = silence {
            let made = state.silent.entry(Arc::clone(call)).or_default();
            *made += 1;
            if *made <= attempts {
                return Sending::Silent(reach);
            }
        }
        // A peer that is asked again for the same call says the same.
        if let Some(answer) = state.said.get(call) {
            return Sending::Says(answer.clone());
        }
        let wish = state.wishes.iter_mut().find(|wish| {
            wish.left > 0 && wish.operation == operation && !matches!(wish.answers, Answers::Rejected(_))
        });
        let answers = wish.map(|wish| {
            wish.left -= 1;
            wish.answers.clone()
        });
        match answers {
            Some(Answers::Unavailable) => Sending::Silent(Reach::Lost),
            Some(Answers::Unanswered) => Sending::Silent(Reach::Reached),
            Some(Answers::Says(answer)) => {
                state.said.insert(Arc::clone(call), answer.clone());
                Sending::Says(answer)
            }
            Some(Answers::Rejected(_)) | None if state.is_forced(operation, call, &How::Repeat) => {
                Sending::AskTwice
            }
            Some(Answers::Rejected(_)) | None => Sending::Ask,
        }
    }

    /// Keeps how a part of a call moved the books; a part that runs again has moved them once.
    pub(crate) fn moved(&self, call: &Arc<str>, phase: Phase, before: &[Entry], after: &[Entry]) {
        self.state().moves.insert((Arc::clone(call), phase), moves(before, after));
    }

    /// How a call moved the books, all of its parts together.
    pub(crate) fn moves_of(&self, call: &str) -> Moves {
        let state = self.state();
        let mut all = Moves::default();
        let mut found: Vec<_> = state.moves.iter().filter(|((of, _), _)| **of == *call).collect();
        found.sort_by_key(|((_, phase), _)| *phase);
        for (_, moves) in found {
            all.add(moves);
        }
        all
    }

    /// The calls of a trade that moved the books, in no order.
    pub(crate) fn moves_within(&self, trade: &str) -> Moves {
        let state = self.state();
        let mut all = Moves::default();
        for (_, moves) in state.moves.iter().filter(|((call, _), _)| is_within(call, trade)) {
            all.add(moves);
        }
        all
    }

    /// The calls so far.
    pub(crate) fn made(&self) -> Vec<Made> {
        self.state().made.clone()
    }

    /// Which call of its operation a call was.
    pub(crate) fn nth(&self, call: &str) -> Option<u32> {
        self.state().numbers.get(call).copied()
    }

    /// When a call was made, among all.
    pub(crate) fn order(&self, call: &str) -> Option<usize> {
        self.state().made.iter().position(|made| *made.call == *call).map(|place| place + 1)
    }

    /// The engine passes one of its crash points; if it is the one, whoever passes it ends here.
    pub(crate) fn pass(&self) {
        {
            let mut state = self.state();
            state.points += 1;
            if state.crashed || state.crash_at != Some(state.points) {
                return;
            }
            state.crashed = true;
        }
        self.crashed.notify_one();
        std::panic::resume_unwind(Box::new(Crash));
    }

    /// Crash points that were passed.
    pub(crate) fn points(&self) -> u64 {
        self.state().points
    }

    /// Returns when the engine has crashed.
    pub(crate) async fn crash(&self) {
        self.crashed.notified().await;
    }

    /// Whether the engine has crashed since this was last asked; it does so once.
    pub(crate) fn take_crash(&self) -> bool {
        let mut state = self.state();
        let crashed = state.crashed && state.crash_at.is_some();
        if crashed {
            state.crash_at = None;
        }
        crashed
    }
}

/// Whether a call is one of a trade's.
pub(crate) fn is_within(call: &str, trade: &str) -> bool {
    call.strip_prefix(trade).is_some_and(|rest| rest.starts_with('/'))
}

impl State {
    fn is_forced(&self, operation: &str, call: &Arc<str>, how: &How) -> bool {
        self.forced.iter().any(|forced| {
            *forced.operation == *operation
                && forced.how == *how
                && self.numbers.get(call) == Some(&forced.nth)
        })
    }

    fn wished(&mut self, operation: &str) -> Option<Rejection> {
        self.wishes.iter_mut().find_map(|wish| match &wish.answers {
            Answers::Rejected(code) if wish.left > 0 && wish.operation == operation => {
                wish.left -= 1;
                Some(Rejection { code: code.clone(), detail: Value::empty_record() })
            }
            _ => None,
        })
    }
}
