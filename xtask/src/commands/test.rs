//! `cargo xtask test`: every test of the project. Guests first, since tests run them; then one compilation of the whole
//! workspace, whose products the later stages find finished.

use super::{Next, build_guests, grocery_year, note, sdk};
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
            "a selection ran; documentation, guests, templates, scripts and the grocery year have their tests too",
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
    sdk::templates(workshop, stages, &sdk::QUICK)?;
    stages.run("tests of the examples' Python", || grocery_year::test_rules(workshop))?;
    stages.run("a slice of the grocery year", || grocery_year::slice(workshop))?;
    Ok(Next::Done)
}

/// The packages whose tests open whichever database the run says: those that know both the store and the testkit.
fn on_either(workshop: &Workshop) -> Result<String, Failure> {
    let mut packages = Vec::new();
    for part in ["kernel/engine", "capabilities", "extensions", "access-layer"] {
        for manifest in source::files(&workshop.root().join(part), &|name| name == "Cargo.toml")? {
            packages.extend(opens_either(&source::read(&manifest)?).map(|name| format!("package({name})")));
        }
    }
    Ok(packages.join(" + "))
}

fn opens_either(manifest: &str) -> Option<&str> {
    let names = |wanted: &str| manifest.lines().any(|line| line.split(['.', ' ']).next() == Some(wanted));
    if !(names("mortise-testkit") && names("mortise-store")) {
        return None;
    }
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(name.trim_matches('"'))
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
    fn a_package_with_a_store_and_the_testkit_runs_on_either() {
        let manifest = |line: &str| {
            format!(
                "[package]\nname = \"mortise-tax\"\n\n[dependencies]\nmortise-store.workspace = true\n{line}\n"
            )
        };
        assert_eq!(opens_either(&manifest("mortise-testkit.workspace = true")), Some("mortise-tax"));
        assert_eq!(opens_either(&manifest("mortise-testkits.workspace = true")), None);
    }

    #[test]
    fn only_code_in_rust_is_a_doc_test() {
        assert!(holds_doc_test("/// As in:\n/// ```\n/// f();\n/// ```\nfn f() {}"));
        assert!(holds_doc_test("    //! ```rust\n    //! f();\n    //! ```"));
        assert!(!holds_doc_test("//! ```text\n//! spread 1.00\n//! ```\nlet fence = \"```\";"));
        assert!(holds_doc_test("/// ```yaml\n/// flow: x\n/// ```\n/// ```\n/// f();\n/// ```"));
    }
}
