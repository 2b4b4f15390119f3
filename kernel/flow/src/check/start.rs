//! `start`: another published flow as a part of this one. Its input, its answer, the codes it may fail with, and whether it
//! can be taken back as a whole.

use super::handler::Rejecter;
use super::steps::Outcome;
use super::ways::Ways;
use super::{Checker, Phase};
use crate::ast::{Start, Step};
use crate::report::{listed, nearest_or};
use crate::typing::{Kind, Ty};

impl<'c> Checker<'c> {
    pub(super) fn start(&mut self, step: &Step, start: &Start, ways: Ways) -> Outcome<'c> {
        let contracts = self.contracts;
        let name = &start.flow.value;
        let ways = self.must_have_answered(ways, step.place, &format!("it starts `{name}`"));
        if *name == self.name {
            let message = format!("`{name}` starts itself, which may go on without end");
            self.refuse("unbounded", start.flow.place, message, "`repeat` what it does again, with a `max`");
        }
        let Some(flow) = contracts.flows.get(name) else {
            let known = || contracts.flows.keys().map(String::as_str);
            let help = nearest_or(name, known(), || match contracts.flows.is_empty() {
                true => "publish it first, or check against contracts that have it".to_owned(),
                false => format!("published are {}", listed(known())),
            });
            let message = format!("no flow `{name}` is published");
            self.refuse("unknown-operation", start.flow.place, message, help);
            self.built(&start.with, &ways);
            let missed = self.handlers_of_unknown(&start.on, &ways);
            return Outcome { done: ways, missed, ty: Ty::unknown() };
        };
        self.flows.insert(name.clone());
        self.fits(&start.with, &Ty::of(&flow.input, contracts), &format!("`{name}`"), &ways);
        self.between_stretches(&ways);
        let codes = flow.fails.iter().map(|code| (code.as_str(), Kind::Anything.into())).collect();
        let rejecter = Rejecter { name: &start.flow, codes, without_end: false };
        let missed = self.handlers(&start.on, &[rejecter], &ways, step.place);
        let mut done = ways;
        if !start.on.is_empty() {
            self.points.mark(&mut done, step.place, format!("`{name}` succeeds"));
        }
        if !flow.undoable && self.phase == Phase::Before {
            let message =
                format!("`{name}` cannot be taken back as a whole, and is started before the pivot");
            let help =
                "start it behind the pivot, or take the pivot out of it and give all its effects an undo";
            self.refuse("cannot-undo", start.flow.place, message, help);
        } else if !flow.undoable {
            self.is_final(&start.flow, &mut done);
        }
        Outcome { done, missed, ty: Ty::of(&flow.answer, contracts) }
    }
}
