//! `mortise flow explain CODE`: the page of a code of the checker, as `docs/flow` has it. What a code means is not decided
//! here.

use mortise_flow::diagnostic::CODES;

use crate::cli::FlowExplain;
use crate::failure::{Exit, Failure};
use crate::print;

/// The pages by code.
const PAGES: [(&str, &str); CODES.len()] = [
    ("syntax", include_str!("../../../../../docs/flow/syntax.md")),
    ("unknown-operation", include_str!("../../../../../docs/flow/unknown-operation.md")),
    ("unknown-event", include_str!("../../../../../docs/flow/unknown-event.md")),
    ("unknown-type", include_str!("../../../../../docs/flow/unknown-type.md")),
    ("unknown-name", include_str!("../../../../../docs/flow/unknown-name.md")),
    ("missing-field", include_str!("../../../../../docs/flow/missing-field.md")),
    ("unknown-field", include_str!("../../../../../docs/flow/unknown-field.md")),
    ("type-mismatch", include_str!("../../../../../docs/flow/type-mismatch.md")),
    ("unit-mismatch", include_str!("../../../../../docs/flow/unit-mismatch.md")),
    ("not-yet-known", include_str!("../../../../../docs/flow/not-yet-known.md")),
    ("maybe-absent", include_str!("../../../../../docs/flow/maybe-absent.md")),
    ("cannot-undo", include_str!("../../../../../docs/flow/cannot-undo.md")),
    ("rejects-after-pivot", include_str!("../../../../../docs/flow/rejects-after-pivot.md")),
    ("leaks-resource", include_str!("../../../../../docs/flow/leaks-resource.md")),
    ("used-twice", include_str!("../../../../../docs/flow/used-twice.md")),
    ("no-timeout", include_str!("../../../../../docs/flow/no-timeout.md")),
    ("unbounded", include_str!("../../../../../docs/flow/unbounded.md")),
    ("no-answer", include_str!("../../../../../docs/flow/no-answer.md")),
    ("unreachable", include_str!("../../../../../docs/flow/unreachable.md")),
    ("shadowed-name", include_str!("../../../../../docs/flow/shadowed-name.md")),
    ("duplicate-id", include_str!("../../../../../docs/flow/duplicate-id.md")),
    ("over-budget", include_str!("../../../../../docs/flow/over-budget.md")),
    ("unused-result", include_str!("../../../../../docs/flow/unused-result.md")),
];

pub(super) fn run(command: &FlowExplain) -> Result<Exit, Failure> {
    match PAGES.iter().find(|(code, _)| *code == command.code) {
        Some((_, page)) => {
            print::line(page.trim_end());
            Ok(Exit::Clean)
        }
        None => Err(Failure::unusable(format!("the checker has no code `{}`", command.code))
            .mend(format!("its codes are {}", CODES.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::{CODES, PAGES};

    #[test]
    fn every_code_has_its_own_page() {
        assert_eq!(PAGES.map(|(code, _)| code), CODES);
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}\n")), "{code}");
        }
    }
}
