//! `cargo xtask sdk`: every template of every language, as an author meets it: begun, built, its cases run on the real host,
//! and run again by another process, which must print the same bytes. What a language needs is installed into the cache.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Next, note};
use crate::failure::Failure;
use crate::process::Program;
use crate::source;
use crate::stage::Stages;
use crate::workshop::Workshop;

/// Those of the quick suite; the others take minutes to compile.
pub(super) const QUICK: [&str; 2] = ["rust", "typescript"];
const ALL: [&str; 5] = ["rust", "typescript", "python", "go", "c"];

const TEMPLATES: &str = "extensions/workshop/templates";

pub(super) fn run(workshop: &Workshop, stages: &mut Stages, args: &[String]) -> Result<Next, Failure> {
    let languages: Vec<&str> = match args {
        [] => ALL.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    if let Some(unknown) = languages.iter().find(|language| !ALL.contains(language)) {
        return Err(Failure::new(format!("`{unknown}` is no language with an SDK"))
            .mend(format!("there are {}", ALL.join(", "))));
    }
    stages.run("the platform: mortise and its dependencies", || {
        workshop.cargo().args(["build", "--locked", "--package", "mortise"]).run()
    })?;
    templates(workshop, stages, &languages)?;
    Ok(Next::Done)
}

/// Goes through the templates of these languages; the binary has been built by then.
pub(super) fn templates(workshop: &Workshop, stages: &mut Stages, languages: &[&str]) -> Result<(), Failure> {
    for language in languages {
        stages.run(&format!("templates in {language}"), || {
            mortise(workshop).args(["toolchain", language]).run()?;
            points(workshop, language)?.iter().try_for_each(|point| template(workshop, language, point))
        })?;
    }
    Ok(())
}

/// The points that have a template in a language.
fn points(workshop: &Workshop, language: &str) -> Result<Vec<String>, Failure> {
    let folder = workshop.root().join(TEMPLATES).join(language).join("points");
    let files = source::files(&folder, &|_| true)?;
    let names = files.iter().filter_map(|file| file.file_stem());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

fn template(workshop: &Workshop, language: &str, point: &str) -> Result<(), Failure> {
    let name = format!("{language}-{point}");
    let folder = folder(workshop).join(&name);
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    let into = folder.parent().unwrap_or(&folder);
    fs::create_dir_all(into)?;
    mortise(workshop)
        .args(["new", &name, "--point", point, "--lang", language, "--into"])
        .args([into])
        .run()?;
    mortise(workshop).args(["build"]).args([&folder]).run()?;
    mortise(workshop).args(["test"]).args([&folder]).run()?;
    let (one, other) = (bytes(workshop, &folder)?, bytes(workshop, &folder)?);
    if one != other {
        return Err(Failure::new(format!("{name}: two processes answer differently\n{one}\n{other}")).mend(
            "something that the host does not fix reaches the guest: look at extensions/host/src/wasi.rs",
        ));
    }
    note(&format!("{name}: two processes print the same {} bytes", one.len()));
    Ok(())
}

/// What a process prints of all cases: answers, fuel, logs.
fn bytes(workshop: &Workshop, folder: &Path) -> Result<String, Failure> {
    let test = mortise(workshop).args(["test", "--format", "json"]).args([folder]);
    test.output().ok_or_else(|| Failure::new(format!("{}: its cases do not hold again", folder.display())))
}

fn folder(workshop: &Workshop) -> PathBuf {
    workshop.cache().join("templates")
}

/// `mortise ext`, with the project's toolchains, and one folder for what cargo compiles of all templates.
fn mortise(workshop: &Workshop) -> Program {
    workshop
        .program(workshop.binary("mortise"))
        .variable("MORTISE_TOOLCHAINS", workshop.cache().join("toolchains"))
        .variable("CARGO_TARGET_DIR", folder(workshop).join("target"))
        .args(["ext"])
}
