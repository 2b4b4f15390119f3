//! Who takes a rejection: the handlers of `on:` and of an attempt's `else:`, by code and by `any`.

use super::Checker;
use super::failure::Source;
use super::scope::Binding;
use super::steps::Level;
use super::ways::Ways;
use crate::ast::{At, Handler, Place};
use crate::report::{listed, nearest_or};
use crate::typing::{Field, Kind, Presence, Ty};

/// What a remote operation that does not answer is rejected with, before the pivot.
pub(super) const UNAVAILABLE: &str = "unavailable";

/// An operation or a flow, and what it may be rejected with.
pub(super) struct Rejecter<'s, 'c> {
    pub(super) name: &'s At<String>,
    pub(super) codes: Vec<(&'c str, Ty<'c>)>,
    /// Asked without end, it is never `unavailable`.
    pub(super) without_end: bool,
}

impl<'c> Checker<'c> {
    /// The handlers of a step, and what nobody handles. Gives the ways that go on behind the step without its result.
    pub(super) fn handlers(
        &mut self,
        on: &[Handler],
        rejecters: &[Rejecter<'_, 'c>],
        ways: &Ways,
        place: Place,
    ) -> Ways {
        let names = listed_names(rejecters);
        let mut all: Vec<&'c str> = Vec::new();
        for (code, _) in rejecters.iter().flat_map(|rejecter| &rejecter.codes) {
            if !all.contains(code) {
                all.push(code);
            }
        }
        let mut open = all.clone();
        let mut missed = Ways::default();
        for handler in on {
            let code = handler.code.value.as_str();
            let taken: Vec<&str> = match code {
                "any" => std::mem::take(&mut open),
                _ => open.extract_if(.., |known| *known == code).collect(),
            };
            if taken.is_empty() {
                self.never_rejected(handler, rejecters, &all);
            }
            let detail =
                if code == "any" { self.said(rejecters, &taken) } else { self.said(rejecters, &[code]) };
            let mut from = if taken.is_empty() { Ways::default() } else { ways.clone() };
            self.points.mark(&mut from, place, format!("{names} is rejected ({code})"));
            let out = self.handler(handler, &taken, detail, from);
            missed = missed.union(out, self.limit);
        }
        for rejecter in rejecters {
            let left: Vec<(&str, Ty<'c>)> =
                rejecter.codes.iter().filter(|(code, _)| open.contains(code)).cloned().collect();
            self.fails(Source::Rejected(rejecter.name.clone()), &left, ways);
        }
        missed
    }

    /// Handlers of what is not known, so that their steps are looked at too.
    pub(super) fn handlers_of_unknown(&mut self, on: &[Handler], ways: &Ways) -> Ways {
        let mut missed = Ways::default();
        for handler in on {
            let out = self.handler(handler, &[], Kind::Anything.into(), ways.clone());
            missed = missed.union(out, self.limit);
        }
        missed
    }

    fn never_rejected(&mut self, handler: &Handler, rejecters: &[Rejecter<'_, 'c>], all: &[&str]) {
        let names = listed_names(rejecters);
        let without_end = rejecters.iter().any(|rejecter| rejecter.without_end);
        let code = handler.code.value.as_str();
        let known = || listed(all.iter().copied());
        let message = match code {
            "any" if all.is_empty() => format!("{names} is never rejected"),
            "any" => format!("nothing is left for `any`: {names} is rejected with {} only", known()),
            UNAVAILABLE if without_end => {
                "behind the pivot a remote operation is asked without end and never `unavailable`".to_owned()
            }
            _ => format!("{names} is never rejected with `{code}`"),
        };
        let help = match code {
            "any" => "take it away".to_owned(),
            _ => nearest_or(code, all.iter().copied(), || format!("it is rejected with {}", known())),
        };
        self.refuse("unreachable", handler.code.place, message, help);
    }

    /// What a rejection with one of these codes says.
    fn said(&self, rejecters: &[Rejecter<'_, 'c>], codes: &[&str]) -> Ty<'c> {
        let [code] = codes else { return Kind::Anything.into() };
        let said = rejecters.iter().flat_map(|rejecter| &rejecter.codes).filter(|(known, _)| known == code);
        let mut all: Option<Ty<'c>> = None;
        for (_, detail) in said {
            all = Some(match all {
                None => detail.clone(),
                Some(before) => before.join(detail, self.contracts).unwrap_or_else(|_| Kind::Anything.into()),
            });
        }
        all.unwrap_or_else(|| Ty::record(Vec::new()))
    }

    /// A handler's steps, with `rejection` bound.
    fn handler(&mut self, handler: &Handler, codes: &[&str], detail: Ty<'c>, ways: Ways) -> Ways {
        let mark = self.scope.mark();
        self.bind_rejection(handler, codes, detail);
        let ways = self.list(&handler.steps, ways, Level::Inside);
        self.close(mark, ways).0
    }

    pub(super) fn bind_rejection(&mut self, handler: &Handler, codes: &[&str], detail: Ty<'c>) {
        let field = |name: &'static str, ty| Field { name: name.into(), ty, presence: Presence::Always };
        let code = match codes {
            [] => Ty::text(),
            codes => {
                let allowed: Vec<_> = codes.iter().map(|code| mortise_contract::Value::text(*code)).collect();
                Kind::Text { name: None, allowed: Some(allowed.into()) }.into()
            }
        };
        let ty = Ty::record(vec![field("code", code), field("detail", detail)]);
        let key = handler.code.place.offset;
        self.scope.bind(Binding { name: "rejection".to_owned(), ty, ran: None, key, line: 0 });
    }
}

fn listed_names(rejecters: &[Rejecter<'_, '_>]) -> String {
    match rejecters {
        [one] => format!("`{}`", one.name.value),
        _ => "this `tcc`".to_owned(),
    }
}
