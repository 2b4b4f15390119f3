//! The pages of the checker's codes (`docs/flow`): each has an example that is refused, with the lines marked, what the
//! checker says of it, and one that is accepted. `UPDATE_EXPECT=1` rewrites what the checker says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mortise_contract::Contracts;
use mortise_flow::diagnostic::{CODES, Diagnostic};
use mortise_flow::{check_contracts, check_text};

/// Marks a line of the refused example on which the code is found.
const MARK: &str = "# <-";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flow")
}

fn contracts() -> Contracts {
    serde_json::from_str(include_str!("../../../docs/flow/contracts.json"))
        .expect("the contracts of the pages are JSON")
}

/// The blocks of a page of this kind, in order, without their fences.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match &mut open {
            None if line == format!("```{kind}") => open = Some(String::new()),
            Some(_) if line == "```" => all.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None => {}
        }
    }
    all
}

fn says(found: &[Diagnostic]) -> String {
    let mut out = String::new();
    for finding in found {
        out += &format!("{}:{} {}: {}\n", finding.line, finding.column, finding.code, finding.message);
        out += &format!("  help: {}\n", finding.help);
        for point in &finding.way {
            out += &format!("  way: line {}: {}\n", point.line, point.what);
        }
    }
    out
}

/// What is wrong with a page, or nothing.
fn page(code: &str, contracts: &Contracts) -> Result<(), String> {
    let path = folder().join(format!("{code}.md"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !text.starts_with(&format!("# {code}\n")) {
        return Err(format!("{code}.md: its title is not `# {code}`"));
    }
    let [refused, mended] = &blocks(&text, "yaml")[..] else {
        return Err(format!("{code}.md: it has not two examples in ```yaml"));
    };
    let [told] = &blocks(&text, "text")[..] else {
        return Err(format!("{code}.md: it has not what the checker says in one ```text"));
    };
    let marked: BTreeSet<usize> = refused
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains(MARK))
        .map(|(number, _)| number + 1)
        .collect();
    let (_, found) = check_text(refused.as_bytes(), contracts);
    let lines: BTreeSet<usize> = found.iter().map(|finding| finding.line as usize).collect();
    if marked.is_empty() || lines != marked || found.iter().any(|finding| finding.code != code) {
        return Err(format!("{code}.md: marked are the lines {marked:?}, found is\n{}", says(&found)));
    }
    if *told != says(&found) {
        if std::env::var_os("UPDATE_EXPECT").is_none_or(|value| value != "1") {
            return Err(format!("{code}.md: it says\n{told}and the checker says\n{}", says(&found)));
        }
        let new = text.replacen(&format!("```text\n{told}```"), &format!("```text\n{}```", says(&found)), 1);
        std::fs::write(&path, new).map_err(|error| error.to_string())?;
    }
    let (flow, found) = check_text(mended.as_bytes(), contracts);
    match flow.is_some() && found.is_empty() {
        true => Ok(()),
        false => Err(format!("{code}.md: the mended example is not clean:\n{}", says(&found))),
    }
}

#[test]
fn each_code_has_a_page_with_a_refused_and_a_mended_example() {
    let contracts = contracts();
    assert_eq!(check_contracts(&contracts), Vec::<String>::new());
    let wrong: Vec<String> = CODES.iter().filter_map(|code| page(code, &contracts).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_page_is_of_a_code_that_does_not_exist_and_the_index_has_all() {
    let index = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "md") && name != "README" {
            assert!(CODES.contains(&&*name), "{name}.md is of no code");
        }
    }
    for code in CODES {
        assert!(index.contains(&format!("[{code}]({code}.md)")), "docs/flow/README.md lacks {code}");
    }
}
