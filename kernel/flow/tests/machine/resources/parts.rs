//! Which lines of a flow, written as indented JSON, run side by side: the branches of a `parallel`, the rounds of a loop with
//! `at_once`.

use std::ops::Range;

#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    /// Of each `parallel`, its branches.
    branches: Vec<Vec<Range<u32>>>,
    /// Whole loops: any two of their rounds run side by side.
    loops: Vec<Range<u32>>,
}

impl Parts {
    pub(crate) fn of(text: &str) -> Self {
        let lines: Vec<(usize, &str)> =
            text.lines().map(|line| (line.len() - line.trim_start().len(), line.trim())).collect();
        let ends = |from: usize, indent: usize| {
            let end = (from..lines.len()).find(|at| lines[*at].0 <= indent && lines[*at].1.starts_with('}'));
            end.unwrap_or(lines.len())
        };
        let number = |at: usize| u32::try_from(at + 1).unwrap();
        let mut parts = Self::default();
        for (at, (indent, line)) in lines.iter().enumerate() {
            if line.starts_with("\"parallel\":") {
                let end = ends(at + 1, *indent);
                let names =
                    (at + 1..end).filter(|of| lines[*of].0 == indent + 2 && lines[*of].1.starts_with('"'));
                let mut begins: Vec<usize> = names.collect();
                begins.push(end);
                let branches = begins.windows(2).map(|pair| number(pair[0])..number(pair[1]));
                parts.branches.push(branches.collect());
            }
            if line.starts_with("\"at_once\":") {
                let begin = (0..at).rev().find(|of| lines[*of].0 < *indent).unwrap_or(0);
                parts.loops.push(number(begin)..number(ends(at, lines[begin].0)));
            }
        }
        parts
    }

    /// Whether these lines may run in any order.
    pub(crate) fn are_beside(&self, one: u32, other: u32) -> bool {
        let branch = |branches: &[Range<u32>], line: u32| branches.iter().position(|of| of.contains(&line));
        let apart = |branches: &Vec<Range<u32>>| match (branch(branches, one), branch(branches, other)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        };
        self.branches.iter().any(apart)
            || self.loops.iter().any(|rounds| rounds.contains(&one) && rounds.contains(&other))
    }
}

#[test]
fn branches_and_rounds_are_beside_each_other_and_steps_are_not() {
    let text = serde_json::to_string_pretty(&serde_json::json!({"steps": [
        {"parallel": {"one": [{"call": "a"}, {"call": "b"}], "other": [{"call": "c"}]}},
        {"foreach": "list", "at_once": 2, "do": [{"call": "d"}, {"call": "e"}]},
        {"call": "f"},
    ]}))
    .unwrap();
    let line = |name: &str| {
        let at = text.lines().position(|line| line.contains(&format!("\"{name}\""))).unwrap();
        u32::try_from(at + 1).unwrap()
    };
    let parts = Parts::of(&text);
    let beside = |one: &str, other: &str| parts.are_beside(line(one), line(other));
    assert!(beside("a", "c") && beside("c", "b") && beside("d", "e") && beside("d", "d"));
    assert!(!beside("a", "b") && !beside("c", "d") && !beside("e", "f") && !beside("a", "f"));
}
