//! Whether running trades of one definition may go on by another: for each place where a trade may stand, the other one has
//! that place, with every result that it needs from there on, and can take back what was done before. It moves nothing.

mod places;

use std::collections::BTreeMap;

use mortise_contract::Contracts;

use crate::ast::Flow;
use places::{Bound, Places, Stand};

/// Why trades that stand at a place cannot be moved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Obstacle {
    /// The place: `shipping.packed`.
    pub place: String,
    /// Its line in the old definition.
    pub old_line: u32,
    /// The line of the new definition that is concerned, where there is one.
    pub new_line: Option<u32>,
    /// What is in the way.
    pub problem: String,
    /// What would mend it.
    pub help: String,
}

/// What stands in the way of moving running trades of `old` to `new`, wherever they may stand; nothing: they may all be
/// moved. Both must have been accepted by the checker.
#[must_use]
pub fn obstacles(old: &Flow, new: &Flow, contracts: &Contracts) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if old.name.value != new.name.value {
        found.push(Obstacle {
            place: "the flow".to_owned(),
            old_line: old.name.place.line,
            new_line: Some(new.name.place.line),
            problem: format!("`{}` and `{}` are two flows", old.name.value, new.name.value),
            help: "a trade is moved to another version of its own flow".to_owned(),
        });
        return found;
    }
    let (before, after) = (Places::of(old, contracts), Places::of(new, contracts));
    let known: BTreeMap<&str, &Stand> = after.stands.iter().map(|stand| (&*stand.place, stand)).collect();
    for stand in before.stands.iter().filter(|stand| stand.rests) {
        match known.get(&*stand.place) {
            None => found.push(missing(stand)),
            Some(place) => compare(stand, place, &before, &after, &mut found),
        }
    }
    found
}

fn obstacle(old: &Stand, new: Option<u32>, problem: String, help: impl Into<String>) -> Obstacle {
    Obstacle { place: old.place.clone(), old_line: old.line, new_line: new, problem, help: help.into() }
}

fn missing(stand: &Stand) -> Obstacle {
    let problem = format!("the new definition has no `{}`, and a trade may stand there", stand.place);
    let help = if stand.named {
        "keep the step, in the same block and by the same id"
    } else {
        "keep the step in the same block; a step with an id is found wherever it stands in it"
    };
    obstacle(stand, None, problem, help)
}

fn compare(old: &Stand, new: &Stand, before: &Places, after: &Places, found: &mut Vec<Obstacle>) {
    let at = Some(new.line);
    if old.does != new.does {
        let problem =
            format!("`{}` is {} in the old definition, {} in the new one", old.place, old.does, new.does);
        found.push(obstacle(old, at, problem, "give the new step another id"));
        return;
    }
    if old.label != new.label {
        let problem = format!("`{}` has no id, and its number among steps like it has changed", old.place);
        found.push(obstacle(
            old,
            at,
            problem,
            "give steps that do the same ids; publish that first, and move trades later",
        ));
        return;
    }
    if !old.certain || !new.certain {
        let problem = format!("several steps are called `{}`: which one is meant cannot be told", old.place);
        found.push(obstacle(
            old,
            at,
            problem,
            "give these steps ids; publish that first, and move trades later",
        ));
        return;
    }
    if old.reach != new.reach {
        let (was, is) =
            if old.reach < new.reach { ("in front of", "behind") } else { ("behind", "in front of") };
        let problem = format!("`{}` was {was} the pivot and is {is} it", old.place);
        found.push(obstacle(
            old,
            at,
            problem,
            "what can still be taken back has to stay so: leave the pivot where it is",
        ));
        return;
    }
    needs(old, new, before, after, found);
    undoes(old, new, before, after, found);
}

/// Every name that the new definition reads from there on was bound by then, by the same step.
fn needs(old: &Stand, new: &Stand, before: &Places, after: &Places, found: &mut Vec<Obstacle>) {
    for (name, line) in after.read_from(new) {
        let Some(wanted) = bound(after, new, &name) else { continue };
        let problem = match bound(before, old, &name) {
            None => format!(
                "`{name}` is read on line {line}, and trades that stand at `{}` have not had it",
                old.place
            ),
            Some(had) if had.by != wanted.by => format!(
                "`{name}` is read on line {line}; for trades that stand at `{}` it is {}, not {}",
                old.place, had.by, wanted.by
            ),
            Some(had) if had.when != wanted.when => format!(
                "`{name}` is read on line {line}; trades that stand at `{}` have had it under another condition",
                old.place
            ),
            Some(_) => continue,
        };
        found.push(obstacle(
            old,
            Some(line),
            problem,
            "read what both definitions have, or add the step behind the place",
        ));
    }
}

fn bound<'p>(places: &'p Places, at: &Stand, name: &str) -> Option<&'p Bound> {
    at.sees.iter().map(|bound| &places.bound[*bound]).rev().find(|bound| bound.name == name)
}

/// Every effect that a trade may have had by then, and may still have to take back, is one that the new definition has.
fn undoes(old: &Stand, new: &Stand, before: &Places, after: &Places, found: &mut Vec<Obstacle>) {
    let known: BTreeMap<&str, &str> =
        after.effects.iter().map(|effect| (&*effect.place, &*effect.does)).collect();
    for effect in before.effects.iter().filter(|effect| old.may_take_back(effect)) {
        match known.get(&*effect.place) {
            Some(does) if *does == effect.does => {}
            _ => {
                let problem = format!(
                    "trades that stand at `{}` may have done `{}` ({}, line {}), which the new definition does not have",
                    old.place, effect.place, effect.does, effect.line
                );
                found.push(obstacle(
                    old,
                    Some(new.line),
                    problem,
                    "keep the step: it says how it is taken back",
                ));
            }
        }
    }
}
