//! `cargo xtask sdk`: every template of every language, as an author meets it: begun, built, its cases run on the real host,
//! and run again by another process, which must print the same bytes. What a language needs is installed into the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

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

/// How a rule at `unit-price` prints the number of its lines.
struct Printing {
    language: &'static str,
    file: &'static str,
    /// In the line that opens its function.
    opens: &'static str,
    statement: &'static str,
}

/// Python is not among them: its component reaches nothing outside.
const PRINTING: [Printing; 4] = [
    Printing {
        language: "rust",
        file: "src/lib.rs",
        opens: "fn offer_prices(",
        statement: "println!(\"{} lines asked\", order.lines.len());",
    },
    Printing {
        language: "typescript",
        file: "src/extension.ts",
        opens: "offerPrices: configured(",
        statement: "console.log(order.lines.length, \"lines asked\");",
    },
    Printing {
        language: "go",
        file: "extension.go",
        opens: "func offerPrices(",
        statement: "fmt.Println(len(order.Lines), \"lines asked\")",
    },
    Printing {
        language: "c",
        file: "extension.c",
        opens: "bool exports_mortise_unit_price_pricing_offer_prices(",
        statement: "extern int printf(const char *, ...); printf(\"%zu lines asked\\n\", order->lines.len);",
    },
];

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
    stages.run("what a guest prints", || {
        PRINTING
            .iter()
            .filter(|printing| languages.contains(&printing.language))
            .try_for_each(|printing| printing.is_logged(workshop))
    })?;
    Ok(Next::Done)
}

/// Goes through the templates of these languages, as many at a time as the machine has processors; the binary has been
/// built by then.
pub(super) fn templates(workshop: &Workshop, stages: &mut Stages, languages: &[&str]) -> Result<(), Failure> {
    let named = languages.join(", ");
    stages.run(&format!("toolchains of {named}"), || {
        languages.iter().try_for_each(|language| mortise(workshop).args(["toolchain", language]).run())
    })?;
    stages.run(&format!("templates in {named}"), || {
        let points: Vec<Vec<String>> =
            languages.iter().map(|language| points(workshop, language)).collect::<Result<_, _>>()?;
        let left = Mutex::new(by_turns(languages, &points).into_iter());
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        let worker = || {
            while let Some((language, point)) = next() {
                if let Err(failure) = template(workshop, language, point) {
                    // The others end with the template that they have in hand.
                    while next().is_some() {}
                    return Err(failure);
                }
            }
            Ok(())
        };
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().unwrap_or_else(|_| Err(Failure::new("a worker panicked, as said above")))
            })
        })
    })
}

/// A language after the other, so that those at work at a time are of several: cargo builds one at a time.
fn by_turns<'a>(languages: &[&'a str], points: &'a [Vec<String>]) -> Vec<(&'a str, &'a str)> {
    let most = points.iter().map(Vec::len).max().unwrap_or(0);
    let of_row = |row: usize| {
        let row = move |(language, points): (&&'a str, &'a Vec<String>)| {
            Some((*language, points.get(row)?.as_str()))
        };
        languages.iter().zip(points).filter_map(row)
    };
    (0..most).flat_map(of_row).collect()
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
        .run_quietly()?;
    mortise(workshop).args(["build"]).args([&folder]).run_quietly()?;
    let (one, other) = (tested(workshop, &folder)?, tested(workshop, &folder)?);
    if one != other {
        return Err(Failure::new(format!("{name}: two processes answer differently\n{one}\n{other}")).mend(
            "something that the host does not fix reaches the guest: look at extensions/host/src/wasi.rs",
        ));
    }
    note(&format!("{name}: its cases hold; two processes print the same {} bytes", one.len()));
    Ok(())
}

/// What a process prints of all cases, which hold: answers, fuel, logs.
fn tested(workshop: &Workshop, folder: &Path) -> Result<String, Failure> {
    mortise(workshop).args(["test", "--format", "json"]).args([folder]).run_quietly()
}

impl Printing {
    /// Prints from the template's rule, and finds it in the log of a call.
    fn is_logged(&self, workshop: &Workshop) -> Result<(), Failure> {
        let folder = folder(workshop).join(format!("{}-unit-price", self.language));
        let file = folder.join(self.file);
        let mut rule = String::new();
        for line in source::read(&file)?.lines() {
            rule.extend([line, "\n"]);
            if line.contains(self.opens) {
                rule.extend([self.statement, "\n"]);
            }
        }
        fs::write(&file, rule)?;
        mortise(workshop).args(["build"]).args([&folder]).run_quietly()?;
        let said = mortise(workshop).args(["run", "member", "--in"]).args([&folder]).run_quietly()?;
        if !said.contains("3 lines asked") {
            return Err(Failure::new(format!(
                "{}: what it prints is not in the call's log\n{said}",
                folder.display()
            )));
        }
        note(&format!("{}: what it prints is in the call's log", self.language));
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_take_turns() {
        let points = [vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned()], vec![]];
        assert_eq!(by_turns(&["rust", "go", "c"], &points), [("rust", "a"), ("go", "a"), ("rust", "b")]);
    }
}
