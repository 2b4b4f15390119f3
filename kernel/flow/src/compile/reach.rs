//! What follows what: which waits may come behind a timeout of which. Late events need it.

use std::collections::BTreeSet;

use super::program::{Op, Pc};
use super::steps::Compiled;

/// Fills in [`super::program::Acquiring::later`].
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
                open.extend(site.handlers.starts());
            }
            Op::Scope(site) => {
                open.push(site.then);
                open.extend(site.handlers.starts());
            }
            Op::Race(racers) => open.extend(racers.iter().copied()),
            Op::Wait(site) => open.extend([site.then, site.on_timeout]),
            Op::Foreach(site) => open.push(site.then),
            Op::Repeat(site) => open.push(site.then),
            Op::Parallel(site) => open.push(site.then),
            Op::BodyEnd | Op::Fail { .. } | Op::End(_) | Op::Finish => {}
            Op::Sleep(_)
            | Op::Confirm
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
