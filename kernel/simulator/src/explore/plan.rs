//! Which ways a world has: made of what happened when it went as written. It goes none of them.

use std::collections::BTreeSet;

use mortise_contract::{Contracts, Effect, Schema, Type, Undo, Value};
use mortise_types::{Span, Timestamp};

use super::way::{DeedName, Nth, Silence, Way};
use crate::play::{DeedId, Done, Play};
use crate::script::World;
use crate::stage::is_within;
use crate::watch::SeenWait;

/// Attempts of a silent peer: so many that a call that may be given up is, and a person is told of one that may not.
const SILENT_FOR_LONG: u32 = 12;
/// How much later than its deadline something comes.
const TOO_LATE: Span = Span::minutes(1);
/// How much later something is repeated.
const AGAIN: [Span; 2] = [Span::seconds(1), Span::days(2)];

/// Every single thing that could have gone otherwise.
pub(super) fn ways(world: &World, play: &Play<'_>) -> Vec<Way> {
    let contracts = play.house.engine().registry().contracts();
    let mut ways = Vec::new();
    calls(play, contracts, &mut ways);
    for done in &play.done {
        deed(done, play, contracts, &mut ways);
    }
    cancels(world, play, &mut ways);
    ways.extend((1..=play.house.stage.points()).map(Way::Crash));
    let mut seen = BTreeSet::new();
    ways.retain(|way| seen.insert(way.to_string()));
    ways
}

/// Of the calls of trades; what the world itself calls is a deed.
fn calls(play: &Play<'_>, contracts: &Contracts, ways: &mut Vec<Way>) {
    let trades: Vec<&str> = play
        .watch
        .trades()
        .filter(|(_, followed)| !followed.flow.contains('.'))
        .map(|(trade, _)| &*trade.id)
        .collect();
    let taking_back: BTreeSet<&str> = contracts
        .operations
        .values()
        .filter_map(|contract| match &contract.undo {
            Some(Undo::Call(undo)) => Some(undo.call.as_str()),
            _ => None,
        })
        .collect();
    for made in play.house.stage.made() {
        if !trades.iter().any(|trade| is_within(&made.call, trade)) {
            continue;
        }
        let Some(contract) = contracts.operations.get(&*made.operation) else { continue };
        let call = || Nth { operation: made.operation.to_string(), nth: made.nth };
        ways.extend(contract.rejections.keys().map(|code| Way::Reject(call(), code.clone())));
        if contract.effect == Effect::Remote {
            for silence in [Silence::Unasked, Silence::Unheard] {
                ways.extend([1, SILENT_FOR_LONG].map(|attempts| Way::Silent(call(), silence, attempts)));
            }
        }
        if contract.effect == Effect::Remote || taking_back.contains(&*made.operation) {
            ways.push(Way::Repeat(call()));
        }
    }
}

fn deed(done: &Done, play: &Play<'_>, contracts: &Contracts, ways: &mut Vec<Way>) {
    let deed = || DeedName(done.id.clone());
    if done.starts {
        ways.extend(AGAIN.map(|span| Way::Twice(deed(), span)));
        return;
    }
    ways.push(Way::Never(deed()));
    ways.extend(AGAIN.map(|span| Way::Twice(deed(), span)));
    let writes = |event: &str| {
        let contracts = done.operations.iter().filter_map(|operation| contracts.operations.get(operation));
        contracts.flat_map(|contract| &contract.events).any(|written| written == event)
    };
    for wait in &play.waits {
        let Some(due) = due_of(wait, play) else { continue };
        let waited = wait.event.as_deref().is_some_and(writes) && (wait.at..=due).contains(&done.at);
        if waited {
            let until_due = due.since(done.at);
            let late = Span::from_millis((until_due.as_millis() + TOO_LATE.as_millis()).unsigned_abs());
            ways.extend([Way::Late(deed(), until_due), Way::Late(deed(), late)]);
        }
    }
    let after_peer = done.after.as_ref().and_then(|(operation, _)| contracts.operations.get(operation));
    if matches!(&done.id, DeedId::Habit(..))
        && after_peer.is_some_and(|contract| contract.effect == Effect::Remote)
    {
        ways.push(Way::Early(deed()));
    }
}

/// Right after a trade has begun to wait, at the moment at which its wait is due, and together with everything that happens
/// meanwhile.
fn cancels(world: &World, play: &Play<'_>, ways: &mut Vec<Way>) {
    for wait in &play.waits {
        let Some(due) = due_of(wait, play) else { continue };
        let meanwhile = play.done.iter().map(|done| done.at).filter(|at| (wait.at..due).contains(at));
        let moments: Vec<Timestamp> =
            [wait.at.saturating_add(Span::from_millis(1)), due].into_iter().chain(meanwhile).collect();
        for event in wait.cancel.iter().filter(|event| world.raises.contains_key(&***event)) {
            let at = |moment: &Timestamp| {
                Way::Cancel(wait.trade.to_string(), event.to_string(), moment.since(world.opens_at))
            };
            ways.extend(moments.iter().map(at));
        }
    }
}

/// When a wait is due: by its own clock, or by that of the race that it is a part of.
fn due_of(wait: &SeenWait, play: &Play<'_>) -> Option<Timestamp> {
    wait.due.or_else(|| {
        let beside = play.waits.iter().filter(|other| other.trade == wait.trade && other.at == wait.at);
        beside.filter_map(|other| other.due).min()
    })
}

/// A value that fits a schema, as far as a schema can say: what has to be there, and nothing else.
pub(super) fn sample(schema: &Schema, contracts: &Contracts) -> Value {
    sample_of(schema, contracts, 0)
}

fn sample_of(schema: &Schema, contracts: &Contracts, depth: usize) -> Value {
    let Some(schema) = contracts.resolve(schema).filter(|_| depth < 8) else { return Value::Null };
    if let Some(value) = schema.default.as_ref().or(schema.constant.as_ref()) {
        return value.clone();
    }
    if let Some(first) = schema.allowed.first() {
        return first.clone();
    }
    match schema.types.as_ref().and_then(|types| types.main()) {
        Some(Type::Object) => {
            let required =
                schema.required.iter().filter_map(|name| Some((name, schema.properties.get(name)?)));
            Value::record(
                required.map(|(name, field)| (name.as_str(), sample_of(field, contracts, depth + 1))),
            )
        }
        Some(Type::Array) => Value::list([]),
        Some(Type::Integer | Type::Number) => Value::Int(schema.minimum.unwrap_or(1).max(1)),
        Some(Type::Boolean) => Value::Bool(true),
        Some(Type::String) if schema.format.as_deref() == Some("date-time") => {
            Value::from("2026-01-05T09:00:00Z")
        }
        Some(Type::String) => Value::from("explored"),
        Some(Type::Null) | None => Value::Null,
    }
}
