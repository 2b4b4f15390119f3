//! A new project: a point's manifest, config and cases, which are the same in every language; a language's own files; the
//! rule itself; and a copy of the SDK and the WIT, so that the folder builds wherever it is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Fault, Language, Project, shipped};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct New {
    /// The extension's name, 1 to 64 of `a-z 0-9 -`, beginning with a letter.
    pub name: String,
    /// The point that it answers.
    pub point: String,
    /// What it is written in.
    pub language: Language,
    /// The folder that gets a folder of this name.
    pub into: PathBuf,
}

/// The points that there is a template for, in any language.
#[must_use]
pub fn points() -> Vec<&'static str> {
    let mut points: Vec<&str> =
        shipped::below("workshop/templates/points").filter_map(|(path, _)| path.split('/').next()).collect();
    points.dedup();
    points
}

/// The languages of a point's template.
fn languages(point: &str) -> Vec<Language> {
    Language::ALL.into_iter().filter(|language| rule(*language, point).is_some()).collect()
}

/// Writes a project that builds and passes its cases as it is.
///
/// # Errors
/// The name cannot be one, there is no template, the folder is not empty, a file cannot be written.
pub fn create(new: &New) -> Result<Project, Fault> {
    let New { name, point, language, into } = new;
    check_name(name)?;
    let Some(rule) = rule(*language, point) else { return Err(no_template(point, *language)) };
    let folder = into.join(name);
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Fault::new(format!("{} is there already, and not empty", folder.display()))
            .mend("take another name, or another place with --into"));
    }
    let filler = Filler::new(new);
    let of_point = shipped::below(&format!("workshop/templates/points/{point}")).collect::<Vec<_>>();
    let of_language = shipped::below(&format!("workshop/templates/{language}"));
    let files = of_point.into_iter().chain(of_language.filter(|(path, _)| !path.starts_with("points/")));
    for (path, content) in files {
        filler.put(&folder.join(place(path)), content)?;
    }
    filler.put(&folder.join(place_of_rule(*language)), rule.as_bytes())?;
    if let Some(readme) = shipped::text("workshop/templates/README.md") {
        filler.put(&folder.join("README.md"), readme.as_bytes())?;
    }
    unpack_sdk(*language, &folder)?;
    if *language == Language::Rust {
        shipped::write(&folder.join("Cargo.lock"), lock(name).as_bytes())?;
    }
    Project::open(&folder)
}

/// Templates are named so that no tool takes them for what they are to become.
fn place(template: &str) -> String {
    template.trim_end_matches(".txt").replace("gitignore", ".gitignore")
}

/// The SDK of the language, and all WIT: an SDK may know every point, and operations of one's own.
fn unpack_sdk(language: Language, folder: &Path) -> Result<(), Fault> {
    let mortise = folder.join("mortise");
    shipped::unpack(&format!("sdk/{language}"), &mortise.join("sdk").join(language.name()))?;
    shipped::unpack("custom", &mortise.join("custom"))?;
    shipped::unpack("points", &mortise.join("points"))
}

/// The SDK's own lock, with the project in it: the first build resolves nothing, and so needs no index.
fn lock(name: &str) -> String {
    let sdk = shipped::text("sdk/rust/Cargo.lock").unwrap_or_default();
    format!(
        "{}\n\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n \"mortise-extension\",\n \"serde\",\n]\n",
        sdk.trim_end()
    )
}

fn check_name(name: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
    if begins && name.len() <= 64 && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} cannot be an extension's name"))
        .mend("write 1 to 64 of a-z 0-9 -, beginning with a letter, such as loyal-price"))
}

fn no_template(point: &str, language: Language) -> Fault {
    let known = shipped::worlds().iter().any(|(name, _)| *name == point);
    let of_point = languages(point);
    if of_point.is_empty() {
        let what =
            if known { "there is no template for the point" } else { "this platform has no such point" };
        return Fault::new(format!("{point}: {what}"))
            .mend(format!("there are templates for {}", points().join(", ")));
    }
    let names: Vec<&str> = of_point.iter().map(|language| language.name()).collect();
    Fault::new(format!("{point}: there is no template in {language}"))
        .mend(format!("there is one in {}", names.join(", ")))
}

/// The rule of a point's template in a language.
fn rule(language: Language, point: &str) -> Option<&'static str> {
    let ending = place_of_rule(language).rsplit('.').next().unwrap_or_default();
    shipped::text(&format!("workshop/templates/{language}/points/{point}.{ending}"))
}

/// Where the rule stands in a project.
fn place_of_rule(language: Language) -> &'static str {
    match language {
        Language::Rust => "src/lib.rs",
        Language::TypeScript => "src/extension.ts",
        Language::Python => "extension.py",
        Language::Go => "extension.go",
        Language::C => "extension.c",
    }
}

/// Puts a project's own words into a template: `{{name}}` and its like.
struct Filler {
    words: [(&'static str, String); 5],
}

impl Filler {
    fn new(new: &New) -> Filler {
        let New { name, point, language, .. } = new;
        Filler {
            words: [
                ("{{name}}", name.clone()),
                ("{{point}}", point.clone()),
                ("{{language}}", language.name().to_owned()),
                ("{{limits}}", language.limits().to_owned()),
                ("\"{{fuel}}\"", language.fuel_at_most().to_string()),
            ],
        }
    }

    fn put(&self, file: &Path, content: &[u8]) -> Result<(), Fault> {
        let text = String::from_utf8_lossy(content).into_owned();
        let filled = self.words.iter().fold(text, |text, (word, own)| text.replace(word, own));
        shipped::write(file, filled.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, point: &str, language: Language, into: &Path) -> Result<Project, Fault> {
        create(&New { name: name.to_owned(), point: point.to_owned(), language, into: into.to_owned() })
    }

    #[test]
    fn every_template_is_a_project_with_cases_and_without_gaps() {
        let into = tempfile::tempdir().unwrap();
        let of_platform: Vec<&str> = shipped::worlds().into_iter().map(|(point, _)| point).collect();
        assert_eq!(points(), of_platform);
        for point in points() {
            for language in Language::ALL {
                let project = new(&format!("{language}-{point}"), point, language, into.path()).unwrap();
                assert_eq!(project.language(), language);
                assert_eq!(project.manifest().points.keys().collect::<Vec<_>>(), [point]);
                let cases = crate::cases::CaseFile::all(project.folder()).unwrap();
                assert!(
                    cases.len() >= 2,
                    "{point}: a template has a case that answers and one that does not"
                );
                for file in [place_of_rule(language), "README.md", "config.schema.json", ".gitignore"] {
                    let text = fs::read_to_string(project.folder().join(file)).unwrap();
                    assert!(!text.contains("{{"), "{language}/{point}: {file}");
                }
                assert!(project.world().unwrap().join("world.wit").is_file());
            }
        }
    }

    #[test]
    fn what_cannot_be_made_is_said_with_its_mend() {
        let into = tempfile::tempdir().unwrap();
        for (name, point, sentence, mend) in [
            ("Loyal", "unit-price", "\"Loyal\" cannot be an extension's name", "beginning with a letter"),
            ("x-", "unit-price", "\"x-\" cannot be an extension's name", "such as loyal-price"),
            ("x", "price", "price: this platform has no such point", "there are templates for"),
        ] {
            let fault = new(name, point, Language::Rust, into.path()).unwrap_err();
            assert_eq!(fault.sentence, sentence);
            assert!(fault.mend.as_deref().is_some_and(|said| said.contains(mend)), "{fault:?}");
        }
        new("x", "unit-price", Language::Rust, into.path()).unwrap();
        let fault = new("x", "unit-price", Language::Rust, into.path()).unwrap_err();
        assert!(fault.sentence.ends_with("is there already, and not empty"), "{fault}");
    }
}
