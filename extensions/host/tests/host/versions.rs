//! Two versions of one point side by side: an extension as it was built for `discount` 1.0, beside one of today's.

use std::path::PathBuf;

use mortise_bindings::Bindings;
use mortise_host::{Extension, Host};
use mortise_points::{Discount, Points, Verdict};
use mortise_types::Amount;

use crate::support::{self, CALL, host_folder, runtime, scope};
use crate::two_points::basket;

/// Of the component, as it was built when 1.0 was the only version.
const HASH: &str = "291315424511287da12526f5cb57f8f655bf114ef7ad345d589ef65e67a93275";

fn fixture() -> PathBuf {
    host_folder().join("../points/discount/fixtures/grocery-multibuy")
}

#[test]
fn the_fixture_is_the_component_of_that_time() {
    let component = std::fs::read(fixture().join("extension.wasm")).unwrap();
    assert_eq!(blake3::hash(&component).to_hex().as_str(), HASH, "it is kept, never built again");
}

fn bound() -> Host {
    let binding = |extension: &str, priority: u32, config: &str| {
        format!(
            "[[binding]]\npoint = \"discount\"\ntenant = \"shop\"\nextension = \"{extension}\"\n\
             version = \"1.2.0\"\npriority = {priority}\non_failure = \"refuse\"\nconfig = {config}\n"
        )
    };
    let bindings = binding("grocery-multibuy", 1, "{ department = \"DAIRY\", of = 4 }")
        + &binding("two-points", 2, "{ department = \"DAIRY\" }");
    let runtime = runtime();
    let load = |folder: PathBuf| Extension::load(&runtime, &folder).unwrap();
    let extensions = [load(fixture()), load(support::two_points())];
    assert_eq!(extensions[0].manifest().points["discount"], "1.0");
    assert_eq!(extensions[1].manifest().points["discount"], "1.1");
    support::host(&runtime, extensions, &Bindings::from_toml(&bindings).unwrap())
}

#[test]
fn an_extension_built_for_the_former_version_answers_beside_todays() {
    let host = bound();
    let points: &dyn Points = &host;
    let outcome = points.ask::<Discount>(&scope("grocery"), CALL, &basket()).unwrap();
    assert!(outcome.answers.iter().all(|answered| answered.verdict == Verdict::Answered));
    let proposed: Vec<_> = outcome
        .reduced
        .iter()
        .map(|one| (one.extension.as_str(), one.candidate.amount_off, one.candidate.reason.as_str()))
        .collect();
    assert_eq!(
        proposed,
        [
            ("grocery-multibuy@1.2.0", Amount(129), "4 for 3 on dairy"),
            ("two-points@1.2.0", Amount(129), "1 free in DAIRY for c-7 with SPRING+MILK, delivery 490"),
        ]
    );
}

#[test]
fn a_manifest_that_claims_another_version_than_the_component_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["extension.toml", "config.schema.json", "extension.wasm"] {
        std::fs::copy(fixture().join(file), folder.path().join(file)).unwrap();
    }
    let manifest = folder.path().join("extension.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    for (claimed, problem) in [
        ("1.1", "the component does not answer discount"),
        ("0.9", "extension.toml: points.discount: this platform has version 1.1 and 1.0, not 0.9"),
    ] {
        let claim = text.replace("discount = \"1.0\"", &format!("discount = \"{claimed}\""));
        std::fs::write(&manifest, claim).unwrap();
        let found = Extension::load(&runtime(), folder.path()).unwrap_err().problem.to_string();
        assert!(found.starts_with(problem), "{found}");
    }
}
