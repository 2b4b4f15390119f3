//! `mortise policy`: a choice holds in its scope and nowhere else, and a choice that cannot be read is not stored.

use serde_json::Value as Json;

use crate::support::{mortise, mortise_with};

#[test]
fn a_choice_holds_in_its_scope_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let set = |name: &str, choices: &str| {
        let scope = ["--tenant", "acme", "--line", "toys", "--data", data];
        mortise_with(&["policy", "set", name, "-"].into_iter().chain(scope).collect::<Vec<_>>(), choices)
    };
    let currency = |line: &str| {
        let scope = ["--tenant", "acme", "--line", line, "--data", data, "--format", "json"];
        let listed = mortise(&["policy", "list"].into_iter().chain(scope).collect::<Vec<_>>()).ok().out;
        let mut policies = listed.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        policies.find(|policy| policy["policy"] == "line").unwrap()["choices"]["currency"].clone()
    };
    set("line", "{\"currency\": \"JPY\"}").ok();
    assert_eq!((currency("toys"), currency("books")), ("JPY".into(), "EUR".into()));
    for (name, choices, code, said) in [
        ("line", "{\"curency\": \"JPY\"}", 1, "curency"),
        ("line", "{\"currency\": \"nothing\"}", 1, "nothing"),
        ("lines", "{}", 2, "there is no policy `lines`"),
    ] {
        let refused = set(name, choices);
        assert_eq!(refused.code, Some(code), "{refused:?}");
        assert!(refused.err.contains(said), "{refused:?}");
    }
    assert_eq!(currency("toys"), "JPY");
}
