//! Every code has a page, every page a code, and all pages have the same form: what it is, what it means to the person
//! who meets it, why it happens, what to do.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mortise_fault::{Class, FaultCode, codes};

const HEADINGS: [&str; 3] = ["## What it means", "## Why it happens", "## What to do"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(code: &FaultCode) -> String {
    let path = repository().join(code.page());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let entries = fs::read_dir(repository().join("docs/faults")).unwrap();
    let pages: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let wanted: BTreeSet<String> = codes::ALL.iter().map(|code| format!("{}.md", code.code)).collect();
    assert_eq!(pages, wanted);
}

#[test]
fn a_page_opens_with_what_the_table_says() {
    for code in codes::ALL {
        let text = page(code);
        let opening =
            format!("# {}\n\n{}. HTTP {}, {}.\n", code.code, code.title, code.http_status, code.class);
        assert!(text.starts_with(&opening), "{}: the page opens with\n{opening}", code.page());
    }
}

#[test]
fn a_page_has_the_three_parts_and_each_says_something() {
    for code in codes::ALL {
        let text = page(code);
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("##")).collect();
        assert_eq!(headings, HEADINGS, "{}", code.page());
        let parts = text.split("\n## ").skip(1);
        for part in parts {
            let (heading, body) = part.split_once('\n').unwrap();
            assert!(body.trim().len() >= 40, "{}: little is said under {heading:?}", code.page());
        }
    }
}

#[test]
fn codes_are_kebab_case_and_stand_once() {
    let mut seen = BTreeSet::new();
    for code in codes::ALL {
        let kebab = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        assert!(code.code.split('-').all(kebab), "{}", code.code);
        assert!(seen.insert(code.code), "{} stands twice", code.code);
        assert_eq!(codes::find(code.code), Some(*code));
        assert!(!code.title.is_empty() && !code.title.ends_with('.'), "{}: {:?}", code.code, code.title);
    }
    assert_eq!(codes::find("no-such-code"), None);
}

#[test]
fn the_status_fits_the_class() {
    for code in codes::ALL {
        let fits = match code.class {
            Class::Rejected => code.http_status == 422,
            Class::Invalid => (400..=422).contains(&code.http_status),
            Class::Unavailable => [409, 429, 503, 504].contains(&code.http_status),
            Class::Broken => code.http_status == 500,
        };
        assert!(fits, "{} is {} and answers {}", code.code, code.class, code.http_status);
    }
}
