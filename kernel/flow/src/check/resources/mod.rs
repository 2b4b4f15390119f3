//! Resources: whatever a flow acquires, it releases or consumes, once, on each way, backward ones too. Each acquisition is
//! followed on its own, so that conditions that have nothing to do with each other do not multiply.

mod blocks;
mod calls;
mod ends;
mod source;
mod survey;
mod tcc;
mod track;
mod value;
mod values;
mod walk;

use std::collections::HashSet;

use mortise_contract::{Acquires, CallTemplate, How, OperationContract, Schema};

use super::Checker;
use crate::ast::{Flow, Place};
use crate::diagnostic::Diagnostic;
use crate::parse::contract_template;
use crate::report::listed;
use crate::typing::Ty;

use ends::{Leak, Second, Verdict};
use survey::{Held, Origin, Site, Survey, TakenBack};
pub(super) use track::Track;
use value::parts;
use walk::Walk;

/// Findings behind which names and steps are not what they seem.
const UNSOUND: [&str; 8] = [
    "syntax",
    "unknown-operation",
    "unknown-event",
    "unknown-name",
    "not-yet-known",
    "duplicate-id",
    "shadowed-name",
    "unknown-type",
];
/// Steps times ways that are looked at for all acquisitions of a flow: more was not written by hand.
const WORK: usize = 400_000;
/// Nodes of conditions times ways, likewise.
const LOOKED: usize = 3_000_000;
/// Ways that are kept apart while one acquisition is followed.
const WAYS: usize = 256;

impl<'c> Checker<'c> {
    /// Follows everything that the flow acquires, once all else is known of it.
    pub(super) fn resources(&mut self, flow: &'c Flow) {
        if self.found.iter().any(|finding| UNSOUND.contains(&finding.code.as_str())) {
            return;
        }
        let mut survey = Survey::of(flow, self.contracts);
        for finding in std::mem::take(&mut survey.found) {
            let known = |other: &Diagnostic| other.code == finding.code && other.bytes == finding.bytes;
            if !self.found.iter().any(known) {
                self.push(finding);
            }
        }
        let within = Ty::of(&flow.input.value, self.contracts);
        let inputs: Vec<Site> = survey
            .inputs()
            .map(|(path, resource, place)| Site {
                origin: Origin::Input,
                place,
                name: format!("input.{path}"),
                id: None,
                held: vec![Held {
                    resource: resource.to_owned(),
                    path: parts(path, within.clone(), self.contracts),
                }],
                undo: TakenBack::Never,
                behind: HashSet::new(),
            })
            .collect();
        let (mut left, mut looked) = (WORK, 0);
        for site in survey.sites.iter().chain(&inputs) {
            self.work = 0;
            self.limit = WAYS;
            let verdict = Walk::new(self, site, &mut left).run(flow);
            looked += self.work;
            if left == 0 || looked > LOOKED {
                return self.too_much(site);
            }
            self.tell(site, verdict);
        }
    }

    /// Whether a contract's own call settles all that its operation or event acquires, which is in `name`.
    pub(super) fn takes_all_back(
        &self,
        acquires: &[Acquires],
        within: &'c Schema,
        name: &str,
        call: &CallTemplate,
    ) -> bool {
        let Some(contract) = self.contracts.operations.get(&call.call) else { return true };
        let Ok(with) = contract_template(&call.with, Place::default()) else { return true };
        let path =
            |acquired: &Acquires| parts(&acquired.handle, Ty::of(within, self.contracts), self.contracts);
        let paths: Vec<_> = acquires.iter().map(path).collect();
        let (output, numbers) = value::acquired(&paths.iter().map(|path| &**path).collect::<Vec<_>>());
        let given = value::of_contract(&with, &[(name, &output)]);
        let mut settled = Vec::new();
        for settles in &contract.settles {
            let mut slots = Vec::new();
            given.handles(&parts(&settles.handle, Ty::unknown(), self.contracts), &mut slots);
            settled.extend(slots.into_iter().filter(|slot| {
                numbers
                    .get(usize::from(*slot))
                    .is_some_and(|number| acquires[*number].resource == settles.resource)
            }));
        }
        (0..numbers.len()).all(|slot| settled.iter().any(|known| usize::from(*known) == slot))
    }

    fn too_much(&mut self, site: &Site) {
        let message = format!(
            "what `{}` acquires cannot be followed: there are too many ways through the flow",
            site.name
        );
        let help = "put what depends on the same condition under one `switch`, or split the flow";
        self.refuse("over-budget", site.place, message, help);
    }

    fn tell(&mut self, site: &Site, verdict: Verdict) {
        let left_behind = verdict.leaks.values().any(|leak| leak.backward);
        for (resource, leak) in verdict.leaks {
            self.leaks(site, &resource, leak);
        }
        for ((_, resource), second) in verdict.twice {
            self.used_twice(site, &resource, second);
        }
        if let TakenBack::Own(place) = site.undo
            && verdict.undo_falls_short
            && !left_behind
        {
            let resources: Vec<&str> = site.held.iter().map(|held| held.resource.as_str()).collect();
            let message = format!(
                "the undo of `{}` does not settle the {} that it acquires",
                site.name,
                resources.join(" and ")
            );
            self.refuse("cannot-undo", place, message, self.settlers(resources[0], Some(How::Release)));
        }
    }

    fn leaks(&mut self, site: &Site, resource: &str, leak: Leak) {
        let message = format!(
            "`{}` acquires {resource}, and there is a way on which it is neither released nor consumed",
            site.name
        );
        let help = match (leak.backward, site.undo) {
            (true, TakenBack::Never) => return,
            (true, TakenBack::Own(_)) => {
                format!("its `undo` has to settle it: {}", self.settlers(resource, Some(How::Release)))
            }
            (true, _) => format!(
                "give the step an `undo` that settles it: {}",
                self.settlers(resource, Some(How::Release))
            ),
            (false, _) => {
                let id = if site.id.is_none() { "give the step an `id`, and " } else { "" };
                format!("{id}settle it on that way too: {}", self.settlers(resource, None))
            }
        };
        self.push(Diagnostic::error("leaks-resource", site.place, message, help).along(leak.way));
    }

    fn used_twice(&mut self, site: &Site, resource: &str, second: Second) {
        let whose = match site.origin {
            Origin::Input => format!("`{}`", site.name),
            Origin::Step(_) => format!("the {resource} of `{}` (line {})", site.name, site.place.line),
        };
        let message = format!(
            "`{}` settles {whose} a second time: it is settled already on line {}",
            second.by, second.first.line
        );
        let help = "settle it once on each way: put one of the two under a condition, or take it away";
        self.push(Diagnostic::error("used-twice", second.place, message, help).along(second.way));
    }

    /// What settles a resource, of all operations that there are.
    fn settlers(&self, resource: &str, how: Option<How>) -> String {
        let said = |wanted: How, word: &str| {
            let settles = |contract: &OperationContract| {
                contract.settles.iter().any(|settles| settles.resource == resource && settles.how == wanted)
            };
            let found = self.contracts.operations.iter().filter(|(_, contract)| settles(contract));
            let names: Vec<&str> = found.map(|(name, _)| name.as_str()).collect();
            let asked = how.is_none_or(|how| how == wanted) && !names.is_empty();
            asked.then(|| format!("{word} by {}", listed(names)))
        };
        let all = [said(How::Consume, "consumed"), said(How::Release, "released")];
        let all: Vec<String> = all.into_iter().flatten().collect();
        if all.is_empty() {
            return format!("but no contract declares what settles {resource}");
        }
        format!("{resource} is {}", all.join(", or "))
    }
}
