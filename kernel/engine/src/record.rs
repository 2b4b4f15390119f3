//! A trade in memory and what the journal keeps of each of its stretches. State is a fold of the journal; nothing else
//! about a trade survives a crash, and nothing else has to.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_capability::ExtensionCall;
use mortise_contract::Value;
use mortise_flow::{CallNo, Input, Program, State, step};
use mortise_types::{CustomerId, Scope, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// A running trade's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TradeId {
    /// Whose it is.
    pub tenant: TenantId,
    /// Time-ordered.
    pub id: Arc<str>,
}

impl TradeId {
    /// The name of the trade that a call of this one starts: the same whenever it is asked for.
    pub(crate) fn child(&self, call: CallNo) -> Self {
        Self { tenant: self.tenant.clone(), id: format!("{}-{}", self.id, call.0).into() }
    }

    /// The trade that started this one, and by which call; none for a trade of its own.
    pub fn parent(&self) -> Option<(Self, CallNo)> {
        let (parent, call) = self.id.rsplit_once('-')?;
        let call = CallNo(call.parse().ok()?);
        Some((Self { tenant: self.tenant.clone(), id: parent.into() }, call))
    }

    /// How many trades stand above this one.
    pub(crate) fn depth(&self) -> usize {
        self.id.matches('-').count()
    }
}

impl std::fmt::Display for TradeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.tenant, self.id)
    }
}

/// A remote call between intent and settle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Which call.
    pub call: CallNo,
    /// What `send` and `settle` are given.
    pub intent: Value,
    /// The known part of the output.
    pub minted: Value,
}

/// An extension that was asked on the way to a call's reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Which call.
    pub call: CallNo,
    /// Who answered what.
    pub extensions: Vec<ExtensionCall>,
}

/// The trade is driven by another version of its definition from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The hash of the definition that it had.
    pub from: String,
    /// The hash of the one that it has.
    pub to: String,
}

/// One stretch, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The stretch's one moment.
    pub now: Timestamp,
    /// What the machine was told.
    pub inputs: Vec<Input>,
    /// Remote calls that were decided to be sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<Intent>,
    /// Extensions that were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// Behind this stretch, the trade was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

impl Record {
    /// An empty stretch at `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self { now, inputs: Vec::new(), intents: Vec::new(), asked: Vec::new(), moved: None }
    }
}

/// A trade as the driver holds it between stretches.
#[derive(Debug, Clone)]
pub struct Trade {
    /// Its name.
    pub id: TradeId,
    /// Its definition.
    pub program: Arc<Program>,
    /// Where it stands.
    pub state: State,
    /// Who drives it: a driver with another epoch writes nothing.
    pub epoch: i64,
    /// The next record's place in the journal.
    pub next_seq: i64,
    /// Tenant, line, channel.
    pub scope: Scope,
    /// The customer who began it.
    pub caller: Option<CustomerId>,
    /// When it began.
    pub started_at: Timestamp,
    /// Remote calls that are under way.
    pub intents: BTreeMap<CallNo, Intent>,
}

impl Trade {
    /// Takes one record of the journal; `known` finds a definition by its hash.
    ///
    /// # Errors
    /// A definition to which the trade was moved and which is gone.
    pub(crate) fn fold(
        &mut self,
        record: Record,
        known: impl Fn(&str) -> Option<Arc<Program>>,
    ) -> Result<(), String> {
        for input in record.inputs {
            if let Input::Replied { call, .. } = &input {
                self.intents.remove(call);
            }
            let state = std::mem::take(&mut self.state);
            let (state, _) = step(&self.program, state, record.now, input);
            self.state = state;
        }
        self.intents.extend(record.intents.into_iter().map(|intent| (intent.call, intent)));
        self.next_seq += 1;
        if let Some(Moved { to, .. }) = record.moved {
            let program =
                known(&to).ok_or_else(|| format!("the definition {to}, to which it was moved, is gone"))?;
            self.state = self.state.moved(&self.program, &program)?;
            self.program = program;
        }
        Ok(())
    }
}

/// The definition that a trade began with, by its journal: it may have been moved since.
pub(crate) fn first_hash<'r>(records: &'r [Record], current: &'r str) -> &'r str {
    records.iter().find_map(|record| record.moved.as_ref()).map_or(current, |moved| &moved.from)
}
