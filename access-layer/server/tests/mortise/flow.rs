//! `mortise flow`: exit codes, the JSON shape, the drawing for people, publishing.

use crate::support::{mortise, root};

const GOOD: &str = "orchestrations/trades/fixed-price/flow.yaml";

fn broken() -> (tempfile::TempDir, String) {
    let text = std::fs::read_to_string(root().join(GOOD)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.yaml");
    std::fs::write(&file, text.replace("call: inventory.allocate", "call: inventory.alocate")).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn what_is_shipped_is_accepted_and_the_verdict_is_the_exit_code() {
    let good = root().join(GOOD);
    let good = good.to_str().unwrap();
    let (_folder, broken) = broken();
    assert_eq!(mortise(&["flow", "check", good]).code, Some(0));
    assert_eq!(mortise(&["flow", "check", &broken]).code, Some(1));
    assert_eq!(mortise(&["flow", "check", "no-such-file.yaml"]).code, Some(2));
    assert_eq!(mortise(&["flow", "check", good, &broken]).code, Some(1));
    assert_eq!(mortise(&["flow", "check", &broken, "no-such-file.yaml"]).code, Some(2));
    assert_eq!(mortise(&["flow", "check", good, "--contracts", "no-such-file.json"]).code, Some(2));
}

#[test]
fn findings_as_json_have_the_languages_shape() {
    let (_folder, broken) = broken();
    let said = mortise(&["flow", "check", &broken, "--format", "json"]).json();
    assert_eq!(said["file"], broken.as_str());
    let first = &said["diagnostics"][0];
    assert_eq!(
        (&first["code"], &first["severity"]),
        (&"unknown-operation".into(), &"error".into()),
        "{said}"
    );
    for number in ["line", "column"] {
        assert!(first[number].as_u64().unwrap() > 0, "{said}");
    }
    assert!(first["message"].as_str().unwrap().contains("inventory.alocate"), "{said}");
    assert!(first["help"].as_str().unwrap().contains("inventory.allocate"), "{said}");
    assert!(first["way"].is_array(), "{said}");
    let clean = mortise(&["flow", "check", root().join(GOOD).to_str().unwrap(), "--format", "json"]).json();
    assert_eq!(clean["diagnostics"], serde_json::json!([]));
}

#[test]
fn findings_for_people_show_the_line_and_the_mend() {
    let (_folder, broken) = broken();
    let said = mortise(&["flow", "check", &broken]);
    assert!(
        said.out.contains("call: inventory.alocate") && said.out.contains("did you mean"),
        "{}",
        said.out
    );
    assert!(said.out.contains("refused: "), "{}", said.out);
}

#[test]
fn a_finding_leads_to_the_page_of_its_code() {
    let (_folder, broken) = broken();
    let said = mortise(&["flow", "check", &broken]);
    assert!(said.out.contains("`mortise flow explain unknown-operation`"), "{}", said.out);
    let page = mortise(&["flow", "explain", "unknown-operation"]).ok();
    let shipped = std::fs::read_to_string(root().join("docs/flow/unknown-operation.md")).unwrap();
    assert_eq!(page.out.trim_end(), shipped.trim_end());
    let unknown = mortise(&["flow", "explain", "no-such-code"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("maybe-absent"), "{unknown:?}");
}

#[test]
fn flows_that_start_each_other_are_checked_together() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, steps: &str| {
        let file = folder.path().join(format!("{name}.yaml"));
        let head = "version: 1\ninternal: true\ninput: { type: object }\nsteps:\n";
        std::fs::write(&file, format!("flow: {name}\n{head}{steps}")).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let outer = write("outer", "  - start: inner\n");
    let inner = write("inner", "  - answer: { a: 1 }\n");
    let alone = mortise(&["flow", "check", &outer]);
    assert!(alone.code == Some(1) && alone.out.contains("no flow `inner` is published"), "{alone:?}");
    assert_eq!(mortise(&["flow", "check", &outer, &inner]).code, Some(0));
}

#[test]
fn any_bytes_get_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bytes.yaml");
    for bytes in [&b""[..], b"\xff\xfe\x00", b"flow: [", b"${{{{", &[b'{'; 10_000]] {
        std::fs::write(&file, bytes).unwrap();
        let said = mortise(&["flow", "check", file.to_str().unwrap(), "--format", "json"]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(!said.json()["diagnostics"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_published_flow_is_listed_for_its_line_and_a_refused_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let file = folder.path().join("flow.yaml");
    let text = std::fs::read_to_string(root().join(GOOD)).unwrap();
    std::fs::write(&file, text.replacen("flow: fixed-price", "flow: another-name", 1)).unwrap();
    let publish =
        ["flow", "publish", file.to_str().unwrap(), "--data", data, "--tenant", "acme", "--line", "toys"];
    mortise(&publish).ok();
    let names =
        |line: &str| mortise(&["flow", "list", "--data", data, "--tenant", "acme", "--line", line]).ok().out;
    assert!(names("toys").contains("another-name"));
    assert!(!names("books").contains("another-name"));
    mortise(&publish).ok();
    std::fs::write(&file, text.replacen("flow: fixed-price", "flow: another-name", 1) + "\n# other\n")
        .unwrap();
    let refused = mortise(&publish);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("with another text") && refused.err.contains("to 2"), "{refused:?}");
    let same = ["flow", "migrate", "another-name@1", "another-name@1", "--data", data, "--tenant", "acme"];
    let refused = mortise(&same);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("are one definition"), "{refused:?}");
    let (_folder, broken) = broken();
    let refused = mortise(&["flow", "publish", &broken, "--data", data, "--tenant", "acme"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("inventory.alocate"), "{refused:?}");
    assert!(!names("toys").contains("fixed-price"));
}
