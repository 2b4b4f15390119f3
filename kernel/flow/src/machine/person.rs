//! A person has looked at the trade, and decides: what is held is tried again or passed over, or the trade goes backward.

use super::run::Run;
use super::state::{Again, Doing};
use crate::compile::{Op, Pc};

/// The code of what a person let go backward.
pub const COMPENSATED: &str = "compensated";

impl Run<'_> {
    /// What is held is tried again.
    pub(super) fn resume(&mut self) {
        if self.undo_again() {
            return;
        }
        for id in self.held() {
            let Some(index) = self.index(id) else { continue };
            match &self.state.fibers[index].doing {
                Doing::Stuck { again: Again::Step, .. } => self.wake(index, self.state.fibers[index].pc),
                Doing::Stuck { again: Again::TakeBack(called), .. } => {
                    self.take_back(index, called.clone());
                }
                Doing::Stuck { again: Again::Confirm, .. } => self.confirm_next(index),
                Doing::Scope(_) => self.undo_scope_again(index),
                _ => {}
            }
        }
    }

    /// Goes on behind what is held: a step as if it had not run, an undo as if it had.
    pub(super) fn skip(&mut self) {
        if self.skip_undo(None) {
            return;
        }
        for id in self.held() {
            let Some(index) = self.index(id) else { continue };
            match &self.state.fibers[index].doing {
                Doing::Stuck { again: Again::Step, .. } => {
                    if let Some(behind) = self.behind(self.state.fibers[index].pc) {
                        self.wake(index, behind);
                    }
                }
                Doing::Stuck { again: Again::TakeBack(_), .. } => self.taken_back(index),
                Doing::Scope(_) => {
                    self.skip_undo(Some(id));
                }
                _ => {}
            }
        }
    }

    /// The trade goes backward, wherever it stands; one that has passed its pivot does not.
    pub(super) fn compensate(&mut self) {
        if self.state.can_turn_back() {
            self.fail(COMPENSATED.into(), self.program.nothing.clone());
        }
    }

    /// The fibers that may be held, by id: what is decided of one may end another.
    fn held(&self) -> Vec<u32> {
        let held = self
            .state
            .fibers
            .iter()
            .filter(|fiber| matches!(fiber.doing, Doing::Stuck { .. } | Doing::Scope(_)));
        held.map(|fiber| fiber.id).collect()
    }

    /// Behind a step; none where there is nothing to pass over.
    fn behind(&self, pc: Pc) -> Option<Pc> {
        Some(match self.program.ops.get(pc)? {
            Op::Call(site) => site.then,
            Op::Wait(site) => site.then,
            Op::Foreach(site) => site.then,
            Op::Repeat(site) => site.then,
            Op::Parallel(site) => site.then,
            Op::Scope(site) => site.then,
            Op::Branch { otherwise, .. } => *otherwise,
            Op::Bind { .. }
            | Op::Sleep(_)
            | Op::Emit { .. }
            | Op::Answer(_)
            | Op::Attention(_)
            | Op::Fail { .. } => pc + 1,
            Op::Race(_) | Op::BodyEnd | Op::Confirm | Op::Jump(_) | Op::Pivot | Op::End(_) | Op::Finish => {
                return None;
            }
        })
    }
}
