//! What follows what: which waits may come behind a timeout, and which keys hang on which call. Late events need both.

use std::collections::BTreeSet;

use super::program::{Op, Pc};
use super::steps::Compiled;

/// Fills in [`super::program::Acquiring::later`] and [`super::program::CallSite::keyed_by`].
pub(super) fn connect(compiled: &mut Compiled) {
    for index in 0..compiled.bodies.len() {
        let waits = compiled.bodies[index].waits.clone();
        for &at in &waits {
            let later = later(&compiled.ops, &waits, at);
            if let Op::Wait(site) = &mut compiled.ops[at]
                && let Some(acquiring) = &mut site.acquiring
            {
                acquiring.later = later;
            }
        }
        let calls = calls_of(&compiled.ops, compiled.bodies[index].start);
        for at in calls {
            let keyed_by = keyed_by(&compiled.ops, &waits, at);
            if let Op::Call(site) = &mut compiled.ops[at] {
                site.keyed_by = keyed_by;
            }
        }
    }
}

/// Waits of the body for the same event that may come behind a timeout of the one at `at`.
fn later(ops: &[Op], waits: &[Pc], at: Pc) -> Vec<Pc> {
    let Some(Op::Wait(site)) = ops.get(at) else {
        return Vec::new();
    };
    let same =
        |other: &Pc| *other != at && matches!(&ops[*other], Op::Wait(wait) if wait.event == site.event);
    let candidates: Vec<Pc> = waits.iter().copied().filter(same).collect();
    if candidates.is_empty() {
        return candidates;
    }
    let reached = reachable(ops, site.on_timeout);
    candidates.into_iter().filter(|at| reached.contains(at)).collect()
}

fn keyed_by(ops: &[Op], waits: &[Pc], call: Pc) -> Vec<Pc> {
    let Some(Op::Call(site)) = ops.get(call) else {
        return Vec::new();
    };
    let Some(slot) = site.slot else { return Vec::new() };
    let keyed = |at: &Pc| matches!(&ops[*at], Op::Wait(wait) if wait.key.uses(slot));
    waits.iter().copied().filter(keyed).collect()
}

/// The calls of a body, without those of loops inside.
fn calls_of(ops: &[Op], start: Pc) -> Vec<Pc> {
    reachable(ops, start).into_iter().filter(|at| matches!(ops[*at], Op::Call(_))).collect()
}

/// The operations of the same body that may come behind `from`, itself among them.
fn reachable(ops: &[Op], from: Pc) -> BTreeSet<Pc> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at >= ops.len() || !seen.insert(at) {
            continue;
        }
        match &ops[at] {
            Op::Branch { otherwise, .. } => open.extend([at + 1, *otherwise]),
            Op::Jump(to) => open.push(*to),
            Op::Call(site) => {
                open.push(site.then);
                open.extend(site.handlers.iter().map(|(_, handler)| handler.start));
                open.extend(site.any.iter().map(|handler| handler.start));
            }
            Op::Wait(site) => open.extend([site.then, site.on_timeout]),
            Op::Foreach(site) => open.push(site.then),
            Op::RoundEnd | Op::Fail { .. } | Op::End(_) | Op::Finish => {}
            Op::Sleep(_)
            | Op::Bind { .. }
            | Op::Emit { .. }
            | Op::Answer(_)
            | Op::Pivot
            | Op::Attention(_) => {
                open.push(at + 1);
            }
        }
    }
    seen
}
