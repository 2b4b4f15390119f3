//! The workspace's members and what each names as a dependency, from `cargo metadata`; what their manifests say
//! themselves. Reads declarations only: no crate from outside has to be there.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    /// From the project's folder, with `/`.
    pub(crate) folder: String,
    pub(crate) sees: Vec<Seen>,
}

/// A dependency that a manifest names.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    /// Where it lies, if it is one of ours.
    pub(crate) folder: Option<String>,
    pub(crate) kind: Kind,
}

/// Whether a dependency is part of what ships (normal and build) or of tests only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ships,
    Tests,
}

/// All members, in the order of `cargo metadata`.
pub(crate) fn members(root: &Path) -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let members: Vec<Member> =
        list(&metadata, "packages").iter().map(|package| member(root, package)).collect();
    assert!(members.len() > 20, "only {} members: cargo metadata is misread", members.len());
    members
}

fn member(root: &Path, package: &Value) -> Member {
    let manifest = Path::new(string(package, "manifest_path"));
    let folder = manifest.parent().expect("a manifest lies in a folder");
    Member {
        folder: below(root, folder).expect("a member lies in the project"),
        sees: list(package, "dependencies").iter().map(|dependency| seen(root, dependency)).collect(),
    }
}

fn seen(root: &Path, dependency: &Value) -> Seen {
    let path = dependency.get("path").and_then(Value::as_str);
    let kind = match dependency.get("kind").and_then(Value::as_str) {
        Some("dev") => Kind::Tests,
        _ => Kind::Ships,
    };
    Seen {
        name: string(dependency, "name").to_owned(),
        folder: path.and_then(|path| below(root, Path::new(path))),
        kind,
    }
}

fn below(root: &Path, path: &Path) -> Option<String> {
    let relative = path.strip_prefix(root).ok()?;
    Some(relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"))
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap_or_else(|| panic!("cargo metadata: `{field}` is no list"))
}

fn string<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("cargo metadata: `{field}` is no string"))
}

/// Whether the manifest takes the workspace's lints.
pub(crate) fn inherits_lints(manifest: &str) -> bool {
    sections(manifest)
        .any(|(section, line)| section == "[lints]" && line.replace(' ', "") == "workspace=true")
}

/// The lines of the dependency sections that do not take their version from the workspace.
pub(crate) fn own_versions(manifest: &str) -> Vec<&str> {
    sections(manifest)
        .filter(|(section, _)| section.trim_end_matches(']').ends_with("dependencies"))
        .map(|(_, line)| line)
        .filter(|line| line.contains('=') && !line.replace(' ', "").contains("workspace=true"))
        .collect()
}

/// Each line of a manifest with the heading that it stands under; without comments and empty lines.
fn sections(manifest: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut section = "";
    manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(
        move |line| {
            if line.starts_with('[') {
                section = line;
                return None;
            }
            Some((section, line))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_its_own_is_found() {
        let manifest = "[package]\nversion = \"1\"\n[dependencies]\nserde.workspace = true\ncsv = { workspace = true }\nrand = \"0.9\"\n[dev-dependencies]\nfake = { version = \"5\" }\n";
        assert_eq!(own_versions(manifest), ["rand = \"0.9\"", "fake = { version = \"5\" }"]);
    }

    #[test]
    fn lints_are_inherited_under_their_own_heading_only() {
        assert!(inherits_lints("[lints]\nworkspace = true\n"));
        assert!(!inherits_lints("[other]\nworkspace = true\n[lints]\n"));
    }
}
