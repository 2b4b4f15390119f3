//! A project's cases on the real host: read, run twice each (one question has one answer), rewritten where the author
//! says so. How a case is compared is the host's business.

use std::fs;
use std::path::{Path, PathBuf};

use mortise_host::{Case, CaseRun, Extension, Runtime};

use crate::Fault;

/// A case and its file.
#[derive(Debug)]
pub struct CaseFile {
    /// Its file, from the project's folder.
    pub name: String,
    /// The case.
    pub case: Case,
    file: PathBuf,
    text: String,
}

/// Whether what a case expects is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// A difference is a failure.
    Never,
    /// A difference is the new expectation.
    Expectations,
}

/// What a case gave.
#[derive(Debug)]
pub struct Ran {
    /// Its file.
    pub name: String,
    /// What the first call gave.
    pub run: CaseRun,
    /// What is off; nothing if the case holds.
    pub differences: Vec<String>,
    /// Whether its file was rewritten.
    pub rewritten: bool,
}

/// How much above the used fuel a rewritten case allows, in per cent: another compiler's version may need a little more.
const FUEL_MARGIN_PERCENT: u64 = 25;

impl CaseFile {
    /// All cases of a project, by name.
    ///
    /// # Errors
    /// There are none, or one cannot be read.
    pub fn all(folder: &Path) -> Result<Vec<CaseFile>, Fault> {
        let cases = folder.join("cases");
        let mut files: Vec<PathBuf> = fs::read_dir(&cases)
            .map_err(|error| Fault::file(&cases, &error))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
            .collect();
        files.sort();
        if files.is_empty() {
            return Err(Fault::new(format!("{} has no case", cases.display()))
                .mend("write one: {\"point\", \"config\", \"question\", \"answer\", \"fuel_at_most\"}"));
        }
        files.into_iter().map(CaseFile::read).collect()
    }

    /// One case, by its file or by its name in `cases`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn named(folder: &Path, name: &str) -> Result<CaseFile, Fault> {
        let given = PathBuf::from(name);
        let inside = folder.join("cases").join(format!("{}.json", name.trim_end_matches(".json")));
        match (inside.is_file(), given.is_file()) {
            (true, _) => CaseFile::read(inside),
            (false, true) => CaseFile::read(given),
            (false, false) => {
                let known: Vec<String> = CaseFile::all(folder)?.into_iter().map(|case| case.name).collect();
                Err(Fault::new(format!("there is no case {name:?}; there are {}", known.join(", "))))
            }
        }
    }

    fn read(file: PathBuf) -> Result<CaseFile, Fault> {
        let text = fs::read_to_string(&file).map_err(|error| Fault::file(&file, &error))?;
        let case =
            Case::from_json(&text).map_err(|error| Fault::new(format!("{}: {error}", file.display())))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(CaseFile { name, case, file, text })
    }

    /// Writes what was answered and used into the file. What stands before the answer stays as it was written.
    fn rewrite(&self, run: &CaseRun) -> Result<bool, Fault> {
        let Ok(answer) = &run.result else { return Ok(false) };
        let fuel = match run.fuel_used > self.case.fuel_at_most {
            true => run.fuel_used + run.fuel_used * FUEL_MARGIN_PERCENT / 100,
            false => self.case.fuel_at_most,
        };
        let kept = self.text.rfind("\"answer\"").map_or("{\n  ", |at| &self.text[..at]);
        let text = format!("{kept}\"answer\": {},\n  \"fuel_at_most\": {fuel}\n}}\n", lines(answer));
        if Case::from_json(&text).is_err() {
            return Err(Fault::new(format!("{}: cannot be rewritten", self.file.display()))
                .mend("let `answer` and `fuel_at_most` be its last two fields"));
        }
        fs::write(&self.file, text).map_err(|error| Fault::file(&self.file, &error))?;
        Ok(true)
    }
}

/// A list with an item a line, as people write cases.
fn lines(answer: &serde_json::Value) -> String {
    match answer.as_array() {
        Some(items) if !items.is_empty() => {
            let items: Vec<String> = items.iter().map(|item| format!("    {item}")).collect();
            format!("[\n{}\n  ]", items.join(",\n"))
        }
        _ => answer.to_string(),
    }
}

/// Runs all cases of a project.
///
/// # Errors
/// A case cannot be read or run. One that differs is a result.
pub fn run_all(
    runtime: &Runtime,
    extension: &Extension,
    folder: &Path,
    update: Update,
) -> Result<Vec<Ran>, Fault> {
    CaseFile::all(folder)?.iter().map(|case| run_one(runtime, extension, case, update)).collect()
}

/// Runs one case, twice: the second call must give what the first gave.
///
/// # Errors
/// The case cannot be run.
pub fn run_one(
    runtime: &Runtime,
    extension: &Extension,
    file: &CaseFile,
    update: Update,
) -> Result<Ran, Fault> {
    let run = || {
        file.case
            .run(runtime, extension)
            .map_err(|error| Fault::new(format!("{}: {error}", file.file.display())))
    };
    let (first, second) = (run()?, run()?);
    let mut differences = first.differences.clone();
    let rewritten = update == Update::Expectations && !differences.is_empty() && file.rewrite(&first)?;
    if rewritten {
        differences.clear();
    }
    if let Some(difference) = unlike(&first, &second) {
        differences.push(difference);
    }
    Ok(Ran { name: file.name.clone(), run: first, differences, rewritten })
}

fn unlike(first: &CaseRun, second: &CaseRun) -> Option<String> {
    let said = |run: &CaseRun| match &run.result {
        Ok(answer) => answer.to_string(),
        Err(why) => format!("failed, {why}"),
    };
    if said(first) != said(second) {
        return Some(format!("asked again it said {}, not {}", said(second), said(first)));
    }
    if first.log != second.log {
        return Some("asked again it printed something else".to_owned());
    }
    (first.fuel_used != second.fuel_used)
        .then(|| format!("asked again it used {} units of fuel, not {}", second.fuel_used, first.fuel_used))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = "{\n  \"point\": \"unit-price\",\n  \"question\": { \"lines\": [] },\n  \"answer\": [],\n  \"fuel_at_most\": 10\n}\n";

    fn ran(answer: serde_json::Value, fuel_used: u64) -> CaseRun {
        CaseRun { result: Ok(answer), fuel_used, took_us: 1, log: None, differences: vec![] }
    }

    #[test]
    fn a_case_is_rewritten_behind_its_question() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cases")).unwrap();
        fs::write(folder.path().join("cases/one.json"), CASE).unwrap();
        let case = CaseFile::named(folder.path(), "one").unwrap();
        assert!(case.rewrite(&ran(serde_json::json!([{ "line_id": "1" }]), 100)).unwrap());
        let text = fs::read_to_string(folder.path().join("cases/one.json")).unwrap();
        assert_eq!(
            text,
            CASE.replace("[],\n", "[\n    {\"line_id\":\"1\"}\n  ],\n")
                .replace("\"fuel_at_most\": 10", "\"fuel_at_most\": 125")
        );
        let again = CaseFile::named(folder.path(), "one.json").unwrap();
        let fault = CaseFile::named(folder.path(), "two").unwrap_err();
        assert_eq!(fault.sentence, "there is no case \"two\"; there are one");
        assert!(again.rewrite(&ran(serde_json::json!([]), 100)).unwrap());
        let text = fs::read_to_string(folder.path().join("cases/one.json")).unwrap();
        assert!(text.contains("\"answer\": [],\n  \"fuel_at_most\": 125"), "{text}");
    }

    #[test]
    fn two_calls_that_differ_are_named() {
        let one = ran(serde_json::json!([]), 5);
        assert_eq!(unlike(&one, &ran(serde_json::json!([]), 5)), None);
        assert_eq!(unlike(&one, &ran(serde_json::json!([1]), 5)).unwrap(), "asked again it said [1], not []");
        assert_eq!(
            unlike(&one, &ran(serde_json::json!([]), 6)).unwrap(),
            "asked again it used 6 units of fuel, not 5"
        );
        let printed = CaseRun { log: Some("x".to_owned()), ..ran(serde_json::json!([]), 5) };
        assert_eq!(unlike(&one, &printed).unwrap(), "asked again it printed something else");
    }

    #[test]
    fn a_folder_without_cases_says_so() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cases")).unwrap();
        assert!(CaseFile::all(folder.path()).unwrap_err().sentence.ends_with("has no case"));
    }
}
