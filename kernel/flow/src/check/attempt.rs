//! `attempt`: a scope of its own. What fails inside takes back what finished inside, and then a handler runs; what no handler
//! takes goes on to the scope around.

use super::Checker;
use super::failure::{Failure, Frame};
use super::scope::Binding;
use super::steps::{Level, Outcome};
use super::ways::Ways;
use crate::ast::{Attempt, Handler, Step};
use crate::report::{listed, nearest_or};
use crate::typing::{Kind, Ty};

impl<'c> Checker<'c> {
    pub(super) fn attempt(&mut self, step: &Step, attempt: &Attempt, mut ways: Ways) -> Outcome<'c> {
        let level = if step.result.is_some() { Level::Apart } else { Level::Inside };
        if level == Level::Apart {
            self.none_ran(step, &mut ways);
        }
        if let Some(cancel) = &attempt.cancel_on {
            self.cancel_key(cancel, &ways);
        }
        let code = attempt.cancel_on.as_ref().map(|cancel| cancel.code.clone());
        self.frames.push(Frame::new(step.place.offset, code));
        let entry = ways.clone();
        let mut inner = Vec::new();
        let mut done = self.case(&attempt.steps, ways, level, &mut inner);
        let mut open = self.pop_frame(&entry);
        if self.frames.is_empty() {
            done.forget_final();
        }
        let all: Vec<String> = open.keys().cloned().collect();
        for handler in &attempt.otherwise {
            let code = handler.code.value.as_str();
            let taken: Vec<(String, Failure<'c>)> = match code {
                "any" => std::mem::take(&mut open).into_iter().collect(),
                _ => open.remove_entry(code).into_iter().collect(),
            };
            if taken.is_empty() {
                self.never_fails(handler, &all);
            }
            let out = self.otherwise(step, handler, taken, level, &mut inner);
            done = done.union(out, self.limit);
        }
        self.fails_outward(open);
        self.closing(step, inner, done)
    }

    fn never_fails(&mut self, handler: &Handler, all: &[String]) {
        let code = handler.code.value.as_str();
        let known = || all.iter().map(String::as_str);
        let message = match code {
            _ if all.is_empty() => "nothing inside of this attempt is rejected or fails".to_owned(),
            "any" => format!("nothing is left for `any`: this attempt fails with {} only", listed(known())),
            _ => format!("nothing inside of this attempt fails with `{code}`"),
        };
        let help = match code {
            _ if all.is_empty() => "take it away".to_owned(),
            "any" => "take it away".to_owned(),
            _ => nearest_or(code, known(), || format!("it fails with {}", listed(known()))),
        };
        self.refuse("unreachable", handler.code.place, message, help);
    }

    /// A handler of the attempt. What was undone has not run.
    fn otherwise(
        &mut self,
        step: &Step,
        handler: &Handler,
        taken: Vec<(String, Failure<'c>)>,
        level: Level,
        inner: &mut Vec<Binding<'c>>,
    ) -> Ways {
        let codes: Vec<String> = taken.iter().map(|(code, _)| code.clone()).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let mut detail: Ty<'c> = Kind::Anything.into();
        let mut ways = Ways::default();
        let one = taken.len() == 1;
        for (_, failure) in taken {
            ways = ways.union(failure.ways, self.limit);
            if one {
                detail = failure.detail;
            }
        }
        if level == Level::Apart {
            self.none_ran(step, &mut ways);
        }
        let mark = self.scope.mark();
        self.bind_rejection(handler, &codes, detail);
        let word = self.scope.mark();
        let ways = self.list(&handler.steps, ways, level);
        inner.extend(self.scope.close(word));
        self.close(mark, ways).0
    }
}
