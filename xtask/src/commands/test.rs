//! `cargo xtask test`: every test of the project. Guests first, since tests run them; then one compilation of the whole
//! workspace, whose products the later stages find finished.

use super::{Next, build_guests, endure, grocery_year, note, release, sdk};
use crate::failure::Failure;
use crate::guests;
use crate::source;
use crate::stage::Stages;
use crate::tools::{self, NEXTEST};
use crate::workshop::Workshop;

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    let nextest = stages.run("set-up: cargo-nextest", || tools::tool(workshop, &NEXTEST))?;
    stages.run("set-up: PostgreSQL", || tools::postgres(workshop))?;
    build_guests(workshop, stages)?;
    stages.run("the workspace and its tests, compiled", || {
        // Binaries too: the same selection gives the same features, so nothing is compiled a second time for them.
        workshop.cargo().args(["build", "--workspace", "--locked", "--bins", "--tests"]).run()
    })?;
    stages.run("tests", || {
        let select = ["nextest", "run", "--workspace", "--locked"];
        workshop.program(&nextest).args(select).args(args).run()
    })?;
    stages.run("the same on PostgreSQL, where a test has a database", || {
        let either = on_either(workshop)?;
        // A selection may leave nothing of them.
        let select = ["nextest", "run", "--workspace", "--locked", "--no-tests=pass", "--filterset", &either];
        let nextest = workshop.program(&nextest).variable("MORTISE_TEST_DATABASE", "postgres");
        nextest.args(select).args(args).run()
    })?;
    if !args.is_empty() {
        note(
            "a selection ran; documentation, guests, endurance, benchmarks, templates, scripts and the grocery year have their tests too",
        );
        return Ok(Next::Done);
    }
    if has_doc_tests(workshop)? {
        stages.run("documentation tests", || {
            workshop.cargo().args(["test", "--workspace", "--locked", "--doc"]).run()
        })?;
    }
    for guest in guests::find(workshop)?.iter().filter(|guest| guest.has_tests()) {
        stages.run(&format!("tests of {}", guest.name(workshop)), || guest.test(workshop))?;
    }
    stages.run("endurance, in short", || endure::short(workshop))?;
    stages.run("what a release is shown, in short", || release::rehearse(workshop))?;
    sdk::templates(workshop, stages, &sdk::QUICK)?;
    stages.run("tests of the examples' Python", || grocery_year::test_rules(workshop))?;
    stages.run("a slice of the grocery year", || grocery_year::slice(workshop))?;
    stages.run("extensions rolled out over it", || grocery_year::rollout(workshop))?;
    Ok(Next::Done)
}

/// The packages whose tests open whichever database the run says.
fn on_either(workshop: &Workshop) -> Result<String, Failure> {
    let mut packages = Vec::new();
    for part in ["kernel/engine", "capabilities", "extensions", "access-layer"] {
        for manifest in source::files(&workshop.root().join(part), &|name| name == "Cargo.toml")? {
            let folder = manifest.parent().unwrap_or(&manifest);
            let sources = source::files(folder, &|name| name.to_string_lossy().ends_with(".rs"))?;
            for file in sources {
                if opens_either(&source::read(&file)?) {
                    let manifest = source::read(&manifest)?;
                    packages.extend(name(&manifest).map(|name| format!("package({name})")));
                    break;
                }
            }
        }
    }
    Ok(packages.join(" + "))
}

/// Whether a test asks the testkit for a database and leaves to the run which.
fn opens_either(source: &str) -> bool {
    let names_a_rig = || source.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Rig");
    source.contains("mortise_testkit") && (names_a_rig() || source.contains("TestDatabase::new("))
}

fn name(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("name = ")).map(|name| name.trim_matches('"'))
}

/// Whether any documentation holds code. Asking costs milliseconds; an empty run over all crates costs a minute.
fn has_doc_tests(workshop: &Workshop) -> Result<bool, Failure> {
    for part in ["kernel", "capabilities", "extensions", "access-layer"] {
        for file in
            source::files(&workshop.root().join(part), &|name| name.to_string_lossy().ends_with(".rs"))?
        {
            if holds_doc_test(&source::read(&file)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn holds_doc_test(source: &str) -> bool {
    let mut inside = false;
    for line in source.lines().map(str::trim) {
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let Some(language) = doc.and_then(|doc| doc.trim().strip_prefix("```")) else {
            continue;
        };
        if !inside
            && (language.is_empty() || language.starts_with("rust") || language.starts_with("compile_fail"))
        {
            return true;
        }
        inside = !inside;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_whose_tests_leave_the_database_open_runs_on_either() {
        assert!(opens_either("use mortise_testkit::Rig;"));
        assert!(opens_either("use mortise_testkit::TestDatabase;\nTestDatabase::new().await"));
        assert!(!opens_either("use mortise_testkit::TestDatabase;\nTestDatabase::postgres().await"));
        assert!(!opens_either("use mortise_testkit::table;"));
        assert!(!opens_either("use mortise_testkit::TestDatabase;\n/// Rights on a table"));
        assert_eq!(name("[package]\nname = \"mortise-tax\"\n"), Some("mortise-tax"));
    }

    #[test]
    fn only_code_in_rust_is_a_doc_test() {
        assert!(holds_doc_test("/// As in:\n/// ```\n/// f();\n/// ```\nfn f() {}"));
        assert!(holds_doc_test("    //! ```rust\n    //! f();\n    //! ```"));
        assert!(!holds_doc_test("//! ```text\n//! spread 1.00\n//! ```\nlet fence = \"```\";"));
        assert!(holds_doc_test("/// ```yaml\n/// flow: x\n/// ```\n/// ```\n/// f();\n/// ```"));
    }
}
