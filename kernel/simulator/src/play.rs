//! Runs one world: the script's entries and the world's habits in the order of their moments, and the engine's clocks between
//! them. The clock jumps to whatever is next; nothing waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_capability::Entry as BookEntry;
use mortise_contract::Value;
use mortise_engine::{Begun, CallRequest, StartRequest, Started, TradeId};
use mortise_flow::Answer;
use mortise_types::{CustomerId, Scope, Span, Timestamp};
use tokio::sync::oneshot;

use crate::books::{self, Moves};
use crate::house::{House, Ran, words};
use crate::names::Known;
use crate::platform::Message;
use crate::row::{Row, What};
use crate::script::{Deed, World};
use crate::stage::Early;
use crate::watch::{SeenWait, Trigger, Watch};
use crate::{Failure, raise};

/// Deeds and clocks of one world at most; one that has more turns in circles.
const MOST_TURNS: usize = 100_000;
/// When a world ends that never comes to an end by itself.
const LONGEST: Span = Span::days(3 * 366);

/// What a deed is, for the explorer, which changes single ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DeedId {
    /// An entry of the script, from 0.
    Script(usize),
    /// A habit's so-manieth time, from 1.
    Habit(String, u32),
    /// What a peer told of the deed.
    Message(Box<DeedId>, usize),
    /// The explorer's own.
    Explored,
}

impl std::fmt::Display for DeedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Script(entry) => write!(f, "entry-{}", entry + 1),
            Self::Habit(name, nth) => write!(f, "{name}-{nth}"),
            Self::Message(of, number) => write!(f, "{of}-message-{}", number + 1),
            Self::Explored => f.write_str("explored"),
        }
    }
}

impl std::str::FromStr for DeedId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbered = |text: &str, word: &str| {
            let (of, number) = text.rsplit_once(word)?;
            Some((of.to_owned(), number.parse::<u32>().ok().filter(|number| *number > 0)?))
        };
        if text == "explored" {
            return Ok(Self::Explored);
        }
        if let Some((of, number)) = numbered(text, "-message-") {
            return Ok(Self::Message(Box::new(of.parse()?), number as usize - 1));
        }
        match numbered(text, "-") {
            Some((name, number)) if name == "entry" => Ok(Self::Script(number as usize - 1)),
            Some((name, number)) => Ok(Self::Habit(name, number)),
            None => Err(()),
        }
    }
}

/// What is otherwise with one deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It does not happen.
    Never,
    /// It happens so much later.
    Later(Span),
    /// It happens twice, the second time so much later.
    Twice(Span),
    /// A peer's message overtakes the answer to the call that it is about.
    Early,
}

/// A deed that is due.
#[derive(Debug, Clone)]
struct Due {
    id: DeedId,
    scope: Scope,
    note: Option<String>,
    name: Option<String>,
    caller: Option<String>,
    deed: Deed,
    local: Vec<(&'static str, Value)>,
    repeated: Repeated,
    /// The call that a habit answers to.
    after: Option<(String, u32)>,
}

/// Whether a deed has been done before, and by whom it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeated {
    No,
    /// A caller tries again, with the same idempotency key.
    ByCaller,
    /// A peer says it again, and knows no key of ours.
    ByPeer,
}

/// A deed that was done, for the explorer.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) id: DeedId,
    pub(crate) at: Timestamp,
    /// The operations that it called, or that its messages did.
    pub(crate) operations: Vec<String>,
    /// Whether it was a start of a flow.
    pub(crate) starts: bool,
    /// The call that a habit answered to.
    pub(crate) after: Option<(String, u32)>,
}

/// A start or a call whose answer is still to come.
struct Open {
    due: Due,
    trade: TradeId,
    answer: oneshot::Receiver<Started>,
    row: usize,
}

/// How a world is played.
#[derive(Debug, Clone, Default)]
pub(crate) struct Playing {
    pub(crate) changes: BTreeMap<DeedId, Change>,
    /// A trade that is cancelled at a moment, if it can be then.
    pub(crate) cancel: Option<(String, String, Timestamp)>,
    /// Whether a path that leads nowhere ends the world or only its deed.
    pub(crate) lenient: bool,
}

/// A world while it runs.
pub(crate) struct Play<'w> {
    world: &'w World,
    pub(crate) house: House,
    pub(crate) watch: Watch,
    known: Known,
    playing: Playing,
    agenda: BTreeMap<(Timestamp, u64), Due>,
    order: u64,
    habits: BTreeMap<String, u32>,
    open: Vec<Open>,
    next: Option<Timestamp>,
    pub(crate) rows: Vec<Row>,
    pub(crate) done: Vec<Done>,
    pub(crate) waits: Vec<SeenWait>,
    /// Answers of starts by their script names.
    pub(crate) answers: BTreeMap<String, String>,
    /// What was put before a person.
    pub(crate) before: Vec<BookEntry>,
}

impl<'w> Play<'w> {
    pub(crate) fn new(world: &'w World, house: House, playing: Playing) -> Result<Self, Failure> {
        let watch = Watch::begin(&house)?;
        let before = read_books(&house)?;
        let mut play = Self {
            world,
            house,
            watch,
            known: Known::default(),
            playing,
            agenda: BTreeMap::new(),
            order: 0,
            habits: BTreeMap::new(),
            open: Vec::new(),
            next: None,
            rows: Vec::new(),
            done: Vec::new(),
            waits: Vec::new(),
            answers: BTreeMap::new(),
            before,
        };
        play.prepare_early();
        for (index, entry) in world.script.iter().enumerate() {
            let due = Due {
                id: DeedId::Script(index),
                scope: entry.scope.clone(),
                note: entry.note.clone(),
                name: entry.name.clone(),
                caller: entry.caller.clone(),
                deed: entry.deed.clone(),
                local: Vec::new(),
                repeated: Repeated::No,
                after: None,
            };
            play.plan(world.opens_at.saturating_add(entry.at), due);
        }
        Ok(play)
    }

    /// Lets the one habit that is to be early happen within the call that it answers to.
    fn prepare_early(&self) {
        let early = self.playing.changes.iter().find(|(_, change)| **change == Change::Early);
        let Some((DeedId::Habit(name, nth), _)) = early else { return };
        let Some(habit) = self.world.habits.get(name).cloned() else { return };
        let (peers, stage) = (Arc::clone(&self.house.peers), Arc::downgrade(&self.house.stage));
        let scope = self.world.scope.clone();
        let operation = habit.on.as_str().into();
        let act = move |minted: Value| -> futures::future::BoxFuture<'static, ()> {
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

    /// Runs the world to its end.
    pub(crate) fn run(&mut self) -> Result<(), Failure> {
        let end = self.world.opens_at.saturating_add(self.world.until.unwrap_or(LONGEST));
        for _ in 0..MOST_TURNS {
            let now = self.house.now();
            if let Some((trade, event, _)) = self.playing.cancel.take_if(|(.., at)| *at <= now) {
                self.cancel(&trade, &event)?;
                continue;
            }
            if let Some(first) = self.agenda.first_entry()
                && first.key().0 <= now
            {
                let due = first.remove();
                self.perform(due)?;
                continue;
            }
            if self.next.is_some_and(|next| next <= now) {
                self.house.engine().tick();
                self.settle()?;
                if self.next.is_none_or(|next| next > now) {
                    continue;
                }
                return Err(Failure::Platform("a clock of the engine stands still".to_owned()));
            }
            let deed = self.agenda.keys().next().map(|(at, _)| *at);
            let cancel = self.playing.cancel.as_ref().map(|(.., at)| *at);
            let Some(next) =
                [deed, self.next, cancel].into_iter().flatten().min().filter(|next| *next <= end)
            else {
                return Ok(());
            };
            self.house.clock.set(next);
        }
        Err(Failure::Platform(format!("the world turns in circles: {MOST_TURNS} deeds and clocks")))
    }

    /// Puts a deed on the agenda, as the explorer has it.
    fn plan(&mut self, at: Timestamp, due: Due) {
        let mut put = |at: Timestamp, due: Due| {
            self.order += 1;
            self.agenda.insert((at, self.order), due);
        };
        match self.playing.changes.get(&due.id) {
            None => put(at, due),
            // What happens early has happened by then.
            Some(Change::Never | Change::Early) => {}
            Some(Change::Later(span)) => put(at.saturating_add(*span), due),
            Some(Change::Twice(span)) => {
                put(at, due.clone());
                let repeated = match due.id {
                    DeedId::Script(_) | DeedId::Explored => Repeated::ByCaller,
                    DeedId::Habit(..) | DeedId::Message(..) => Repeated::ByPeer,
                };
                put(at.saturating_add(*span), Due { repeated, ..due });
            }
        }
    }

    fn perform(&mut self, due: Due) -> Result<(), Failure> {
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
                let words = crate::transcript::wish(&operation, &answers, times);
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
        begin: impl Fn(&House, Option<(String, Vec<u8>)>, Scope) -> Result<Begun, mortise_engine::EngineError>,
    ) -> Result<(), Failure> {
        let refused = |error: mortise_engine::EngineError| Failure::deed(&due.id, words(&error));
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

    fn deed_row(&mut self, words: String, outcome: String) -> usize {
        let what = What::Deed { words, outcome };
        self.rows.push(Row {
            at: self.house.now(),
            trade: None,
            what,
            tells: Vec::new(),
            moves: Moves::default(),
        });
        self.rows.len() - 1
    }

    fn rest(&mut self) -> Result<Ran, Failure> {
        let (next, ran) = self.house.rest()?;
        self.next = next;
        if ran == Ran::Crashed {
            let at = self.house.now();
            self.rows.push(Row {
                at,
                trade: None,
                what: What::Crashed,
                tells: Vec::new(),
                moves: Moves::default(),
            });
            for open in &mut self.open {
                open.answer = self.house.engine().await_answer(open.trade.clone());
            }
            let (next, _) = self.house.rest()?;
            self.next = next;
        }
        Ok(ran)
    }

    fn settle(&mut self) -> Result<(), Failure> {
        self.rest()?;
        self.look()
    }

    /// Sees what has happened, and plans what follows of it.
    fn look(&mut self) -> Result<(), Failure> {
        let look = self.watch.look(&self.house, &mut self.known)?;
        self.rows.extend(look.rows);
        self.waits.extend(look.waits);
        self.hear(&look.loose);
        for trigger in look.triggers {
            self.answer_to(&trigger);
        }
        Ok(())
    }

    /// Takes the answers that have come.
    fn hear(&mut self, loose: &[(TradeId, String)]) {
        let mut open = std::mem::take(&mut self.open);
        open.retain_mut(|one| {
            let Ok(started) = one.answer.try_recv() else { return true };
            self.heard(one, &started, loose);
            false
        });
        self.open = open;
    }

    fn heard(&mut self, open: &Open, started: &Started, loose: &[(TradeId, String)]) {
        let (outcome, brought) = match started {
            Started::Answered { answer: Answer::Ok(value), .. } => ("ok".to_owned(), Some(value)),
            Started::Answered { answer: Answer::Failed { code, .. }, .. } => {
                (format!("rejected: {code}"), None)
            }
            Started::KeyConflict => ("refused: key-conflict".to_owned(), None),
            Started::IdempotencyMismatch => ("refused: idempotency-mismatch".to_owned(), None),
            Started::Broken { problem } => (format!("broken: {problem}"), None),
        };
        let starts = matches!(open.due.deed, Deed::Start { .. });
        if let (Some(name), Some(value)) = (&open.due.name, brought) {
            let part = if starts { "answer" } else { "output" };
            self.known.of(name).parts.insert(part.to_owned(), value.clone());
        }
        if starts {
            let name = open.due.name.clone().unwrap_or_else(|| open.due.id.to_string());
            self.answers.insert(name, outcome);
            return;
        }
        let row = &mut self.rows[open.row];
        if let What::Deed { outcome: said, .. } = &mut row.what {
            *said = outcome;
        }
        let told = loose.iter().filter(|(trade, _)| *trade == open.trade).map(|(_, event)| event.clone());
        row.tells.extend(told);
        if !self.watch.follows(&open.trade) {
            row.moves = self.house.stage.moves_within(&open.trade.id);
        }
    }

    fn answer_to(&mut self, trigger: &Trigger) {
        let world = self.world;
        for (name, habit) in world.habits.iter().filter(|(_, habit)| habit.on == trigger.on) {
            let count = self.habits.entry(name.clone()).or_default();
            if habit.times.is_some_and(|most| *count >= most) {
                continue;
            }
            *count += 1;
            let deed = match (&habit.operation, &habit.peer) {
                (Some(operation), _) => {
                    Deed::Operation { operation: operation.clone(), with: habit.with.clone() }
                }
                (_, Some(action)) => {
                    let (action, with) = (action.clone(), habit.with.clone());
                    Deed::Peer { action, with, told_after: habit.told_after }
                }
                (None, None) => continue,
            };
            let due = Due {
                id: DeedId::Habit(name.clone(), *count),
                scope: self.watch.scope_of(&trigger.trade).unwrap_or_else(|| world.scope.clone()),
                note: None,
                name: None,
                caller: None,
                deed,
                local: trigger.local.clone(),
                repeated: Repeated::No,
                after: trigger
                    .call
                    .as_ref()
                    .and_then(|call| self.house.stage.nth(call))
                    .map(|nth| (trigger.on.clone(), nth)),
            };
            self.plan(trigger.at.saturating_add(habit.after), due);
        }
    }

    /// Cancels a trade, if it can be cancelled now and the shop says how.
    fn cancel(&mut self, trade: &str, event: &str) -> Result<(), Failure> {
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

    /// What is in the books now.
    pub(crate) fn books(&self) -> Result<Vec<BookEntry>, Failure> {
        read_books(&self.house)
    }
}

fn read_books(house: &House) -> Result<Vec<BookEntry>, Failure> {
    let books: Arc<[mortise_capability::Book]> = house.engine().registry().books().into();
    let read = house.engine().store().read(async move |reader| books::read(&books, reader).await);
    Ok(house.block_on(read)?)
}
