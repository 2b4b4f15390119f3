//! One trade inside a batch: the machine's commands sorted into what runs here and what is written at the end. It decides
//! nothing about other trades and runs no statement.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mortise_capability::{Call, CallContext, EmittedEvent, Reply, Staleness};
use mortise_contract::Value;
use mortise_flow::{
    Answer, Begin, CallKind, CallNo, CallOutcome, Command, Ended, Input, Persistence, WaitNo, step,
};
use mortise_types::Timestamp;

use crate::attention::{Decision, Verdict};
use crate::record::{Asked, Intent, Record, Trade};

/// What a trade is to be told.
#[derive(Debug, Clone)]
pub enum Work {
    /// It begins.
    Begin(Arc<Fresh>),
    /// A peer answered a remote call.
    Answered {
        /// Which call.
        call: CallNo,
        /// What it said.
        answer: Value,
    },
    /// A peer never answered.
    GaveUp {
        /// Which call.
        call: CallNo,
    },
    /// An event of the inbox.
    Event {
        /// The wait that it was matched with.
        wait: WaitNo,
        /// Its place in the outbox.
        position: i64,
        /// What it carries.
        payload: Value,
    },
    /// The event of a `cancel_on`.
    Cancel {
        /// The number of what it cancels; 0 is the trade.
        wait: WaitNo,
        /// Its place in the outbox.
        position: i64,
    },
    /// The trade that this call started may have ended: its row says.
    Child {
        /// The call that started it.
        of: CallNo,
    },
    /// The trade that started this one wants it taken back.
    TakeBack,
    /// A clock has passed.
    Due,
    /// Go on with the calls that the last stretch left.
    Continue,
    /// What a person has decided.
    Decided(Verdict),
    /// What another process had for the trade, by the number of its note.
    Posted(i64, Box<Self>),
    /// After a start: go on with all calls that are outstanding, and ask peers again.
    Resume,
}

/// What a new trade is begun with.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// Flow input and scope.
    pub begin: Begin,
    /// The flow's key, where it has one.
    pub key: Option<String>,
    /// Whether a second start with the key is the same start.
    pub input_hash: Vec<u8>,
    /// The caller's idempotency key and the hash of the request.
    pub idempotency: Option<(String, Vec<u8>)>,
}

/// A call that the machine asked for and that has no reply yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) call: CallNo,
    pub(crate) operation: Arc<str>,
    pub(crate) path: Arc<str>,
    pub(crate) input: Value,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) persistence: Persistence,
}

/// A trade that is to be started as a part of another one.
#[derive(Debug, Clone)]
pub(crate) struct Starting {
    pub(crate) call: CallNo,
    pub(crate) flow: Arc<str>,
    pub(crate) input: Value,
}

/// A remote call that is to be sent when the batch is committed.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) pending: Pending,
    pub(crate) intent: Value,
    /// The call's identity: the peer's idempotency key.
    pub(crate) key: Arc<str>,
}

/// A key that a trade listens for.
#[derive(Debug, Clone)]
pub(crate) struct Listen {
    pub(crate) event: Arc<str>,
    pub(crate) key: String,
    pub(crate) wait: WaitNo,
    pub(crate) kind: i64,
}

/// A listener that waits for its event.
pub(crate) const WAIT: i64 = 0;
/// A listener that cancels.
pub(crate) const CANCEL: i64 = 1;
/// A listener for an acquiring event that nobody will wait for.
pub(crate) const LATE: i64 = 2;

/// A trade inside a batch.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) trade: Trade,
    pub(crate) fresh: Option<Arc<Fresh>>,
    pub(crate) works: Vec<Work>,
    pub(crate) staleness: Staleness,
    pub(crate) record: Record,
    pub(crate) pending: Vec<Pending>,
    /// Whether the works were told to the machine already.
    pub(crate) told: bool,
    /// Replies that this stretch has had.
    pub(crate) steps: u32,
    done_here: HashSet<CallNo>,
    /// Undo calls whose effect this very stretch had, with what they take back.
    silent: HashMap<CallNo, CallNo>,
    pub(crate) events: Vec<(CallNo, EmittedEvent)>,
    pub(crate) emitted: Vec<EmittedEvent>,
    pub(crate) listen: Vec<Listen>,
    pub(crate) unlisten: Vec<(WaitNo, i64)>,
    pub(crate) taken: Vec<i64>,
    /// Notes of other processes that this stretch takes.
    pub(crate) posts: Vec<i64>,
    /// An event found its wait over: another wait of the trade may want it.
    pub(crate) look_again: bool,
    pub(crate) attention: Vec<(Arc<str>, String)>,
    pub(crate) answer: Option<Answer>,
    pub(crate) ended: Option<Ended>,
    pub(crate) sends: Vec<Sending>,
    /// Trades that are to be started.
    pub(crate) starts: Vec<Starting>,
    /// Trades that begin with this stretch.
    pub(crate) children: Vec<Job>,
    /// A trade begins with this stretch whose end this one is told.
    pub(crate) has_child: bool,
    /// Calls whose trades are to be looked at: they may have ended, or may be still to be started.
    pub(crate) look: Vec<CallNo>,
    /// Trades that are to be told to take themselves back, by the calls that started them.
    pub(crate) take_back: Vec<CallNo>,
}

impl Job {
    pub(crate) fn new(trade: Trade, works: Vec<Work>, staleness: Staleness, now: Timestamp) -> Self {
        let mut posts = Vec::new();
        let unpacked = works.into_iter().map(|work| match work {
            Work::Posted(number, work) => {
                posts.push(number);
                *work
            }
            work => work,
        });
        let works: Vec<Work> = unpacked.collect();
        let fresh = works.iter().find_map(|work| match work {
            Work::Begin(fresh) => Some(Arc::clone(fresh)),
            _ => None,
        });
        Self {
            trade,
            fresh,
            works,
            staleness,
            record: Record::new(now),
            pending: Vec::new(),
            told: false,
            steps: 0,
            done_here: HashSet::new(),
            silent: HashMap::new(),
            events: Vec::new(),
            emitted: Vec::new(),
            listen: Vec::new(),
            unlisten: Vec::new(),
            taken: Vec::new(),
            posts,
            look_again: false,
            attention: Vec::new(),
            answer: None,
            ended: None,
            sends: Vec::new(),
            starts: Vec::new(),
            children: Vec::new(),
            has_child: false,
            look: Vec::new(),
            take_back: Vec::new(),
        }
    }

    /// Whether a peer's answer has to be booked before the machine can go on.
    pub(crate) fn settles(&self) -> bool {
        self.works.iter().any(|work| matches!(work, Work::Answered { .. }))
    }

    /// Tells the machine all works but peers' answers, which are booked in the transaction. Clocks come last: an event that
    /// is there wins.
    pub(crate) fn tell(&mut self) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        for work in self.works.clone() {
            match work {
                Work::Begin(fresh) => self.feed(Input::Begin(fresh.begin.clone())),
                // A note was opened when the job was made.
                Work::Answered { .. } | Work::Posted(..) => {}
                Work::GaveUp { call } => {
                    let minted = self.trade.intents.remove(&call).map(|intent| intent.minted);
                    let minted = minted.unwrap_or_else(Value::empty_record);
                    self.feed(Input::Replied { call, outcome: CallOutcome::Unavailable { minted } });
                }
                Work::Event { wait, position, payload } => {
                    let wanted = self.trade.state.waits().iter().any(|open| open.wait == wait);
                    if wanted && !self.taken.contains(&position) {
                        self.taken.push(position);
                        self.stop_listening(wait, WAIT);
                        self.feed(Input::Event { wait, payload });
                    } else {
                        self.look_again = true;
                    }
                }
                Work::Cancel { wait, position } => self.cancel(wait, position),
                Work::Child { of } => self.look.push(of),
                Work::TakeBack => self.taken_back(),
                Work::Due => {}
                Work::Continue => self.take_calls(Peers::Leave),
                Work::Resume => self.take_calls(Peers::AskAgain),
                Work::Decided(Verdict { decision: Decision::Retry, .. }) => {
                    self.take_calls(Peers::AskAgain);
                    self.feed(Input::Resume);
                }
                Work::Decided(Verdict { decision: Decision::Skip, .. }) => self.feed(Input::Skip),
                Work::Decided(Verdict { decision: Decision::Compensate, .. }) => self.feed(Input::Compensate),
            }
        }
        if self.works.iter().any(|work| matches!(work, Work::Due)) {
            self.pass_clocks();
        }
    }

    /// What a person has decided about it last, which settles what he was told.
    pub(crate) fn verdict(&self) -> Option<&Verdict> {
        self.works.iter().rev().find_map(|work| match work {
            Work::Decided(verdict) => Some(verdict),
            _ => None,
        })
    }

    fn cancel(&mut self, wait: WaitNo, position: i64) {
        let wanted = self.cancellable().iter().any(|listen| listen.wait == wait);
        if !wanted || self.taken.contains(&position) {
            self.look_again = true;
            return;
        }
        self.taken.push(position);
        self.feed(if wait == WaitNo(0) { Input::Cancel } else { Input::CancelAttempt { wait } });
    }

    /// A trade that has failed already has nothing to take back, and one that has passed its pivot keeps what it did.
    fn taken_back(&mut self) {
        if !self.trade.state.passed_pivot() && !self.has_failed() {
            self.feed(Input::TakeBack);
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self.trade.state.ended(), Some(Ended::Failed(_)))
    }

    /// Whether it was over before this stretch and stays so.
    pub(crate) fn stays_over(&self) -> bool {
        self.ended.is_none() && self.trade.state.is_ended()
    }

    /// Whether it was asked to take itself back: a trade that is over may be.
    pub(crate) fn is_taken_back(&self) -> bool {
        self.works.iter().any(|work| matches!(work, Work::TakeBack))
    }

    /// What is due, the earliest first. One clock of a race withdraws the others.
    fn pass_clocks(&mut self) {
        let now = self.record.now;
        let mut due: Vec<(Timestamp, WaitNo)> = self
            .trade
            .state
            .waits()
            .iter()
            .filter_map(|open| Some((open.due?, open.wait)))
            .filter(|(due, _)| *due <= now)
            .collect();
        due.sort_unstable();
        for (_, wait) in due {
            if self.trade.state.waits().iter().any(|open| open.wait == wait) {
                self.stop_listening(wait, WAIT);
                self.feed(Input::Due { wait });
            }
        }
    }

    /// Calls that earlier stretches left. What this one has asked for by now is in hand already.
    fn take_calls(&mut self, peers: Peers) {
        for command in self.trade.state.outstanding() {
            self.take_call(command, peers);
        }
    }

    /// An outstanding call: one without a stored intent is made; one with is under way, or sent again after a start. A trade
    /// that it waits for is looked at.
    fn take_call(&mut self, command: Command, peers: Peers) {
        let call = match &command {
            Command::Call { call, .. } => call,
            Command::Start { call: of, .. } | Command::TakeBack { of, .. } => {
                let in_hand = self.starts.iter().any(|starting| starting.call == *of);
                if !in_hand && !self.look.contains(of) {
                    self.look.push(*of);
                }
                return;
            }
            Command::Withdraw { call } if peers == Peers::AskAgain => return self.take_back.push(*call),
            _ => return,
        };
        let stored = self.trade.intents.get(call).map(|intent| intent.intent.clone());
        let in_hand = self.pending.iter().any(|pending| pending.call == *call);
        if in_hand || (stored.is_some() && peers == Peers::Leave) {
            return;
        }
        self.take(command);
        if let Some(intent) = stored
            && let Some(pending) = self.pending.pop()
        {
            let key = self.call_id(&pending);
            self.sends.push(Sending { pending, intent, key });
        }
    }

    /// Tells the machine one thing and takes what it asks for.
    pub(crate) fn feed(&mut self, input: Input) {
        self.record.inputs.push(input.clone());
        let state = std::mem::take(&mut self.trade.state);
        let (state, commands) = step(&self.trade.program, state, self.record.now, input);
        self.trade.state = state;
        for command in commands {
            self.take(command);
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Call { call, kind, operation, path, input, timeout_ms, persistence } => {
                if let CallKind::Undo(undone) = kind
                    && self.done_here.contains(&undone)
                {
                    self.silent.insert(call, undone);
                }
                self.pending.push(Pending { call, operation, path, input, timeout_ms, persistence });
            }
            Command::Wait { wait, event: Some((event, key)), .. } => {
                self.listen.push(Listen { event, key: key_text(&key), wait, kind: WAIT });
            }
            Command::Start { call, flow, input, .. } => self.starts.push(Starting { call, flow, input }),
            Command::Withdraw { call } | Command::TakeBack { of: call, .. } => self.take_back.push(call),
            Command::Wait { event: None, .. } | Command::PivotPassed => {}
            Command::Unwait { wait } => self.stop_listening(wait, WAIT),
            Command::Cancellable { wait, event, key } => {
                self.listen.push(Listen { event, key: key_text(&key), wait, kind: CANCEL });
            }
            Command::NotCancellable { wait } => self.stop_listening(wait, CANCEL),
            Command::LateKey { event, key } => {
                self.listen.push(Listen { event, key: key_text(&key), wait: WaitNo(0), kind: LATE });
            }
            Command::Emit { event, payload } => {
                self.emitted.push(EmittedEvent { name: event.to_string(), payload });
            }
            Command::Answer(answer) => self.answer = Some(answer),
            Command::Attention { text, path } => self.attention.push((path, text)),
            Command::Stuck { path, problem } => {
                self.attention.push((path, problem.to_string()));
            }
            Command::End(ended) => self.ended = Some(ended),
        }
    }

    fn stop_listening(&mut self, wait: WaitNo, kind: i64) {
        let before = self.listen.len();
        self.listen.retain(|listen| listen.wait != wait || listen.kind != kind);
        if self.listen.len() == before {
            self.unlisten.push((wait, kind));
        }
    }

    /// The call as an operation sees it.
    pub(crate) fn call(&self, pending: &Pending) -> Call<Value> {
        let context = CallContext {
            scope: self.trade.scope.clone(),
            now: self.record.now,
            trade: Arc::clone(&self.trade.id.id),
            call: self.call_id(pending),
            caller: self.trade.caller.clone(),
            staleness: self.staleness,
        };
        Call { context: Arc::new(context), input: pending.input.clone() }
    }

    /// The call's identity; a peer gets it as idempotency key.
    pub(crate) fn call_id(&self, pending: &Pending) -> Arc<str> {
        format!("{}/{}/{}", self.trade.id.id, pending.path, pending.call.0).into()
    }

    /// A local reply, told to the machine. Stale ones never come here.
    pub(crate) fn reply(&mut self, call: CallNo, reply: Reply<Value>, outcome: CallOutcome) {
        if !reply.extensions.is_empty() {
            self.record.asked.push(Asked { call, extensions: reply.extensions });
        }
        if matches!(outcome, CallOutcome::Done(_)) {
            self.done_here.insert(call);
        }
        match self.silent.get(&call) {
            Some(undone) if matches!(outcome, CallOutcome::Done(_)) => {
                self.events.retain(|(of, _)| of != undone);
            }
            _ => self.events.extend(reply.events.into_iter().map(|event| (call, event))),
        }
        self.steps += 1;
        self.feed(Input::Replied { call, outcome });
    }

    /// A call that waits for a peer's answer.
    pub(crate) fn outstanding(&self, call: CallNo) -> Option<Pending> {
        match self.trade.state.pending_call(call)?.clone() {
            Command::Call { call, operation, path, input, timeout_ms, persistence, .. } => {
                Some(Pending { call, operation, path, input, timeout_ms, persistence })
            }
            _ => None,
        }
    }

    /// A remote call that is to be sent.
    pub(crate) fn send(&mut self, pending: Pending, intent: Value, minted: Value) {
        let stored = Intent { call: pending.call, intent: intent.clone(), minted };
        self.trade.intents.insert(stored.call, stored.clone());
        self.record.intents.push(stored);
        let key = self.call_id(&pending);
        self.sends.push(Sending { pending, intent, key });
    }

    /// What can cancel the trade or a part of it.
    fn cancellable(&self) -> Vec<Listen> {
        let open = self.trade.state.outstanding().into_iter().filter_map(|command| match command {
            Command::Cancellable { wait, event, key } => {
                Some(Listen { event, key: key_text(&key), wait, kind: CANCEL })
            }
            _ => None,
        });
        open.collect()
    }

    /// What is waited for, and what can cancel, as listeners; the oldest first.
    pub(crate) fn open_listeners(&self) -> Vec<Listen> {
        let waits = self.trade.state.waits().into_iter().filter_map(|open| {
            let (event, key) = open.event?;
            Some(Listen { event, key: key_text(&key), wait: open.wait, kind: WAIT })
        });
        let mut open: Vec<Listen> = waits.chain(self.cancellable()).collect();
        open.sort_by_key(|listen| listen.wait);
        open
    }

    /// The next clock.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.trade.state.next_due()
    }

    /// Whether it has something left that its next stretch can do at once.
    pub(crate) fn is_cut(&self) -> bool {
        !self.pending.is_empty() || !self.starts.is_empty()
    }

    /// The call by which it wants to know of the trade that `of` started: the start itself, or the taking back.
    pub(crate) fn asks_of(&self, of: CallNo) -> Option<Command> {
        self.trade.state.outstanding().into_iter().find(|command| match command {
            Command::Start { call, .. } => *call == of,
            Command::TakeBack { of: started, .. } => *started == of,
            _ => false,
        })
    }
}

/// What going on with outstanding calls does about peers that have been asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peers {
    Leave,
    AskAgain,
}

/// A key as the database holds it.
pub(crate) fn key_text(key: &Value) -> String {
    match key {
        Value::Text(text) => text.to_string(),
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use mortise_types::{Scope, TenantId};

    use super::*;
    use crate::load::unborn;
    use crate::record::TradeId;

    const CONTRACTS: &str = r#"{"operations": {"stock.add": {"effect": "write", "undo": "nothing",
        "input": {"type": "object", "properties": {}, "additionalProperties": false},
        "output": {"type": "object", "properties": {}, "additionalProperties": false}}}}"#;

    #[test]
    fn a_call_in_hand_is_not_taken_again_by_going_on() {
        let contracts: mortise_contract::Contracts = serde_json::from_str(CONTRACTS).unwrap();
        let program = Arc::new(mortise_flow::Program::one_call("stock.add", &contracts).unwrap());
        let id = TradeId { tenant: TenantId::new("acme").unwrap(), id: "t".into() };
        let now = Timestamp::from_millis(0);
        let trade = unborn(id, program, Scope::new("acme", "books", "web").unwrap(), None, 1, now);
        let begin = Begin { input: Value::empty_record(), scope: Value::empty_record() };
        let fresh = Arc::new(Fresh { begin, key: None, input_hash: Vec::new(), idempotency: None });
        let retry = Work::Decided(Verdict { decision: Decision::Retry, reason: String::new() });
        let works = vec![Work::Begin(fresh), Work::Continue, retry, Work::Resume];
        let mut job = Job::new(trade, works, Staleness::MayReply, now);
        job.tell();
        assert_eq!(job.pending.len(), 1, "{:?}", job.pending);
    }
}
