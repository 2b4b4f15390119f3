//! World scripts: what a shop is set up with, what its world usually does, and what happens in one world. The grammar is in
//! the README; here it is read, nothing is run.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use mortise_contract::Value;
use mortise_types::{Scope, Span, Timestamp};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Failure;

/// 2026-01-05, a Monday, 09:00 in UTC: when a world begins whose script does not say.
const OPENS_AT: Timestamp = Timestamp::from_millis(1_767_603_600_000);

/// A shop, or the part of a world that could stand in one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ShopFile {
    scope: ScopeText,
    opens_at: Option<Timestamp>,
    seed: Vec<Seed>,
    habits: BTreeMap<String, Habit>,
    raises: BTreeMap<String, Raise>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ScopeText {
    tenant: Option<String>,
    line: Option<String>,
    channel: Option<String>,
}

/// Rows or a policy that the shop has before anything happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The operation that takes the rows.
    pub import: Option<String>,
    /// A policy that is chosen.
    pub policy: Option<String>,
    /// The business line, where it is not the shop's.
    pub line: Option<String>,
    /// The rows.
    #[serde(default)]
    pub rows: Vec<Value>,
    /// A YAML or JSON file with the rows, beside the script.
    pub file: Option<PathBuf>,
    /// The policy's document.
    pub document: Option<Value>,
}

/// What the world does whenever a call has gone through or an event was written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habit {
    /// An operation, or an event.
    pub on: String,
    /// How long after.
    #[serde(default)]
    pub after: Span,
    /// The operation that is called then.
    pub operation: Option<String>,
    /// What a peer does then.
    pub peer: Option<String>,
    /// With what; `input` and `output` are the call's, `event` is the event's payload.
    #[serde(default = "Value::empty_record")]
    pub with: Value,
    /// So often at most.
    pub times: Option<u32>,
    /// Of a peer: how long its message about it takes.
    #[serde(default)]
    pub told_after: Span,
}

/// How the world brings about an event, over its `key`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// The operation that writes it.
    pub operation: String,
    /// With what.
    #[serde(default = "Value::empty_record")]
    pub with: Value,
}

/// A habit that is otherwise in one world.
#[derive(Debug, Clone)]
enum HabitChange {
    Never,
    Change(Change),
}

/// By hand: read as any value, a key `on` would be a truth to YAML's older readers.
impl<'de> Deserialize<'de> for HabitChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = HabitChange;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`never`, or what is otherwise with the habit")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<HabitChange, E> {
                match word {
                    "never" => Ok(HabitChange::Never),
                    word => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HabitChange, A::Error> {
                Change::deserialize(MapAccessDeserializer::new(map)).map(HabitChange::Change)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    on: Option<String>,
    after: Option<Span>,
    operation: Option<String>,
    peer: Option<String>,
    with: Option<Value>,
    times: Option<u32>,
    told_after: Option<Span>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    world: String,
    #[serde(default)]
    about: String,
    shop: Option<PathBuf>,
    #[serde(default)]
    scope: ScopeText,
    opens_at: Option<Timestamp>,
    #[serde(default)]
    seed: Vec<Seed>,
    #[serde(default)]
    habits: BTreeMap<String, HabitChange>,
    until: Option<Span>,
    script: Vec<EntryFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    at: Option<Span>,
    after: Option<Span>,
    note: Option<String>,
    #[serde(rename = "as")]
    name: Option<String>,
    line: Option<String>,
    caller: Option<String>,
    start: Option<String>,
    operation: Option<String>,
    peer: Option<String>,
    event: Option<String>,
    call: Option<String>,
    #[serde(default = "Value::empty_record")]
    with: Value,
    answers: Option<Answers>,
    times: Option<u32>,
    told_after: Option<Span>,
}

/// What a call is answered instead of what it would be.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// The peer is not reached.
    Unavailable,
    /// The peer does it, and its answer is lost.
    Unanswered,
    /// The operation itself says no, and nothing has changed.
    Rejected(String),
    /// The peer answers this, in the words of its adapter.
    Says(Value),
}

/// Something that happens in a world.
#[derive(Debug, Clone)]
pub struct Entry {
    /// After the world has begun.
    pub at: Span,
    /// For the reader of the transcript.
    pub note: Option<String>,
    /// What later entries know it by.
    pub name: Option<String>,
    /// Where.
    pub scope: Scope,
    /// The customer who does it.
    pub caller: Option<String>,
    /// What.
    pub deed: Deed,
}

/// What somebody does.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Starts a trade.
    Start {
        /// Of this flow.
        flow: String,
        /// With this input.
        with: Value,
    },
    /// Calls an operation, as staff or a webhook does.
    Operation {
        /// Which.
        operation: String,
        /// With this input.
        with: Value,
    },
    /// A peer does something that is not our doing.
    Peer {
        /// `provider.pay`.
        action: String,
        /// With what.
        with: Value,
        /// How long its message about it takes.
        told_after: Span,
    },
    /// An event that no operation writes.
    Event {
        /// Which.
        event: String,
        /// Its payload.
        with: Value,
    },
    /// From now on calls of an operation are answered so.
    Answers {
        /// Which.
        operation: String,
        /// How.
        answers: Answers,
        /// How often.
        times: u32,
    },
}

/// A world, complete.
#[derive(Debug, Clone)]
pub struct World {
    /// In a few words.
    pub title: String,
    /// In a few sentences.
    pub about: String,
    /// Where things happen that say nothing else.
    pub scope: Scope,
    /// When it begins.
    pub opens_at: Timestamp,
    /// What the shop has, with the folder that its files lie in.
    pub seed: Vec<(PathBuf, Seed)>,
    /// What the world does by itself.
    pub habits: BTreeMap<String, Habit>,
    /// How the world brings events about.
    pub raises: BTreeMap<String, Raise>,
    /// When it ends, if trades are open then.
    pub until: Option<Span>,
    /// What happens.
    pub script: Vec<Entry>,
}

impl World {
    /// Reads a script and the shop that it names.
    ///
    /// # Errors
    /// A file that cannot be read, or what in it is off.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file: WorldFile = read(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let (shop_folder, shop) = match &file.shop {
            Some(shop) => {
                let path = folder.join(shop);
                (path.parent().unwrap_or(folder).to_owned(), read::<ShopFile>(&path)?)
            }
            None => (folder.to_owned(), ShopFile::default()),
        };
        let off = |problem: String| Failure::script(path, problem);
        let scope = scope(&file.scope, &shop.scope).map_err(off)?;
        let seed = shop.seed.into_iter().map(|seed| (shop_folder.clone(), seed));
        let seed = seed.chain(file.seed.into_iter().map(|seed| (folder.to_owned(), seed))).collect();
        let habits = habits(shop.habits, file.habits).map_err(off)?;
        Ok(Self {
            title: file.world,
            about: file.about,
            opens_at: file.opens_at.or(shop.opens_at).unwrap_or(OPENS_AT),
            seed,
            habits,
            raises: shop.raises,
            until: file.until,
            script: entries(file.script, &scope).map_err(off)?,
            scope,
        })
    }
}

/// A YAML or JSON file as a type.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::script(path, error.to_string()))?;
    serde_saphyr::from_str(&text).map_err(|error| Failure::script(path, error.to_string()))
}

fn scope(own: &ScopeText, shop: &ScopeText) -> Result<Scope, String> {
    let part = |own: &Option<String>, shop: &Option<String>, usual: &str| {
        own.clone().or_else(|| shop.clone()).unwrap_or_else(|| usual.to_owned())
    };
    let tenant = part(&own.tenant, &shop.tenant, "demo");
    let line = part(&own.line, &shop.line, "main");
    let channel = part(&own.channel, &shop.channel, "web");
    Scope::new(&tenant, &line, &channel).map_err(|error| error.to_string())
}

fn habits(
    mut habits: BTreeMap<String, Habit>,
    changes: BTreeMap<String, HabitChange>,
) -> Result<BTreeMap<String, Habit>, String> {
    for (name, change) in changes {
        let change = match change {
            HabitChange::Never => {
                habits.remove(&name).ok_or_else(|| format!("the shop has no habit `{name}` to leave off"))?;
                continue;
            }
            HabitChange::Change(change) => change,
        };
        let Change { on, after, operation, peer, with, times, told_after } = change;
        let known = habits.remove(&name);
        let other = operation.is_some() || peer.is_some();
        let (old_operation, old_peer) = match &known {
            Some(known) if !other => (known.operation.clone(), known.peer.clone()),
            _ => (None, None),
        };
        let habit = Habit {
            on: on
                .or_else(|| known.as_ref().map(|known| known.on.clone()))
                .ok_or_else(|| format!("the habit `{name}` says not on what"))?,
            after: after.or(known.as_ref().map(|known| known.after)).unwrap_or_default(),
            operation: operation.or(old_operation),
            peer: peer.or(old_peer),
            with: with
                .or_else(|| known.as_ref().map(|known| known.with.clone()))
                .unwrap_or_else(Value::empty_record),
            times: times.or(known.as_ref().and_then(|known| known.times)),
            told_after: told_after.or(known.map(|known| known.told_after)).unwrap_or_default(),
        };
        habits.insert(name, habit);
    }
    for (name, habit) in &habits {
        if habit.operation.is_some() == habit.peer.is_some() {
            return Err(format!("the habit `{name}` has to be one of `operation` and `peer`"));
        }
    }
    Ok(habits)
}

fn entries(files: Vec<EntryFile>, scope: &Scope) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::with_capacity(files.len());
    let mut last = Span::ZERO;
    for (number, file) in files.into_iter().enumerate() {
        let off = |problem: &str| format!("entry {} of the script: {problem}", number + 1);
        let at = match (file.at, file.after) {
            (Some(at), None) => at,
            (None, after) => Span::from_millis(
                last.as_millis().saturating_add(after.unwrap_or_default().as_millis()).unsigned_abs(),
            ),
            (Some(_), Some(_)) => return Err(off("`at` and `after` exclude each other")),
        };
        last = at;
        let scope = match &file.line {
            Some(line) => Scope::new(scope.tenant.as_str(), line, scope.channel.as_str())
                .map_err(|error| off(&error.to_string()))?,
            None => scope.clone(),
        };
        let (note, name, caller) = (file.note.clone(), file.name.clone(), file.caller.clone());
        let deed = deed(file).map_err(|problem| off(&problem))?;
        entries.push(Entry { at, note, name, scope, caller, deed });
    }
    Ok(entries)
}

fn deed(file: EntryFile) -> Result<Deed, String> {
    let EntryFile { start, operation, peer, event, call, with, answers, times, told_after, .. } = file;
    if told_after.is_some() && peer.is_none() {
        return Err("`told_after` stands beside `peer`: a peer tells us what it did".to_owned());
    }
    let deed = match (start, operation, peer, event, call) {
        (Some(flow), None, None, None, None) => Deed::Start { flow, with },
        (None, Some(operation), None, None, None) => Deed::Operation { operation, with },
        (None, None, Some(action), None, None) => {
            Deed::Peer { action, with, told_after: told_after.unwrap_or_default() }
        }
        (None, None, None, Some(event), None) => Deed::Event { event, with },
        (None, None, None, None, Some(operation)) => {
            let answers =
                answers.ok_or("`call` needs `answers`: how it is answered; `operation` makes a call")?;
            return Ok(Deed::Answers { operation, answers, times: times.unwrap_or(1) });
        }
        _ => return Err("it has to be one of `start`, `operation`, `peer`, `event` and `call`".to_owned()),
    };
    match (answers, times) {
        (None, None) => Ok(deed),
        _ => Err("`answers` and `times` stand beside `call`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(shop: &str, world: &str) -> Result<World, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.yaml"), shop).unwrap();
        let path = folder.path().join("world.yaml");
        std::fs::write(&path, format!("world: x\nshop: shop.yaml\n{world}")).unwrap();
        World::read(&path).map_err(|failure| failure.to_string())
    }

    const SHOP: &str = "scope: { tenant: acme, line: books }\nhabits:\n  paying: { on: till.pay, after: 2m, peer: bank.pay, with: { a: 1 } }\n";

    #[test]
    fn a_habit_is_the_shops_or_changed_or_new_or_left_off() {
        let read = |habits: &str| world(SHOP, &format!("habits: {habits}\nscript: []"));
        let plain = world(SHOP, "script: []").unwrap();
        assert_eq!((plain.habits["paying"].after, plain.scope.tenant.as_str()), (Span::minutes(2), "acme"));
        let changed = read("{ paying: { after: 40m } }").unwrap();
        let habit = &changed.habits["paying"];
        assert_eq!(
            (habit.after, habit.peer.as_deref(), habit.on.as_str()),
            (Span::minutes(40), Some("bank.pay"), "till.pay")
        );
        assert!(read("{ paying: never }").unwrap().habits.is_empty());
        let other = read("{ paying: { operation: till.note } }").unwrap();
        assert_eq!(
            (other.habits["paying"].operation.as_deref(), &other.habits["paying"].peer),
            (Some("till.note"), &None)
        );
        assert_eq!(read("{ packing: { on: till.sell, operation: till.pack } }").unwrap().habits.len(), 2);
        for (off, word) in [
            ("{ packing: never }", "no habit `packing`"),
            ("{ paying: sometimes }", "never"),
            ("{ packing: { operation: a } }", "says not on what"),
            ("{ packing: { on: a } }", "one of `operation` and `peer`"),
        ] {
            let problem = read(off).unwrap_err();
            assert!(problem.contains(word), "{off}: {problem}");
        }
    }

    #[test]
    fn entries_stand_at_their_moment_or_after_the_one_before() {
        let script = "script:\n- { start: a }\n- { at: 5m, operation: b, line: games }\n- { after: 1m, call: c, answers: unavailable, times: 2 }\n- { peer: d, told_after: 1h }\n- { call: e, answers: { says: { refused: 1 } } }";
        let entries = world(SHOP, script).unwrap().script;
        let at: Vec<Span> = entries.iter().map(|entry| entry.at).collect();
        assert_eq!(at, [0, 5, 6, 6, 6].map(Span::minutes));
        assert_eq!(entries[1].scope.line.as_str(), "games");
        assert!(matches!(&entries[2].deed, Deed::Answers { answers: Answers::Unavailable, times: 2, .. }));
        assert!(matches!(&entries[3].deed, Deed::Peer { told_after, .. } if *told_after == Span::hours(1)));
        assert!(matches!(&entries[4].deed, Deed::Answers { answers: Answers::Says(_), times: 1, .. }));
        for off in [
            "{ start: a, operation: b }",
            "{ at: 1m, after: 1m, start: a }",
            "{ call: a }",
            "{ start: a, times: 2 }",
            "{ start: a, told_after: 1m }",
        ] {
            assert!(world(SHOP, &format!("script: [{off}]")).is_err(), "{off}");
        }
    }
}
