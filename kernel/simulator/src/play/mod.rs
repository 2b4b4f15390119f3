//! Runs one world: the script's entries and the world's habits in the order of their moments, and the engine's clocks between
//! them. The clock jumps to whatever is next; nothing waits.

mod deed;
mod perform;

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_capability::Entry as BookEntry;
use mortise_engine::{Started, TradeId};
use mortise_flow::Answer;
use mortise_types::{Span, Timestamp};

pub(crate) use self::deed::{Change, DeedId, Done};

use self::deed::{Due, Open, Repeated};
use crate::Failure;
use crate::books::{self, Moves};
use crate::house::{House, Ran};
use crate::names::Known;
use crate::row::{Row, What};
use crate::script::{Deed, World};
use crate::watch::{SeenWait, Trigger, Watch};

/// Deeds and clocks of one world at most; one that has more turns in circles.
const MOST_TURNS: usize = 100_000;
/// When a world ends that never comes to an end by itself.
const LONGEST: Span = Span::days(3 * 366);

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
            Started::Broken(trouble) => (format!("broken: {}", trouble.problem), None),
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
