//! An extension's manifest, `extension.toml`: its name and version, the points that it answers, what it asks for.
//! What it gets of that is decided elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What an extension says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its name, 1 to 64 of `a-z 0-9 -`.
    pub name: String,
    /// Its version, three numbers.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// The component's file, relative to the manifest.
    pub component: PathBuf,
    /// The points that it answers, with the version of each world that it was built for.
    pub points: BTreeMap<String, String>,
    /// The SKU attributes that it reads.
    pub sku_attributes: Vec<Arc<str>>,
    /// The JSON Schema of its config, relative to the manifest; none: it has no config.
    pub config_schema: Option<PathBuf>,
    /// The limits that it asks for.
    pub asks: Asks,
}

/// Limits that a manifest asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// Fuel for every call, whatever its size: what a language's runtime takes before it reads the question.
    pub fuel_per_call: Option<u64>,
    /// Fuel for each line of a question.
    pub fuel_per_line: Option<u64>,
    /// Linear memory, in bytes.
    pub memory_bytes: Option<usize>,
}

impl Asks {
    /// What is asked for, as far as it is granted; what a grant leaves out it does not bound.
    #[must_use]
    pub fn within(self, grant: Asks) -> Asks {
        fn lesser<T: Ord>(asked: Option<T>, granted: Option<T>) -> Option<T> {
            match (asked, granted) {
                (Some(asked), Some(granted)) => Some(asked.min(granted)),
                (asked, granted) => asked.or(granted),
            }
        }
        Asks {
            fuel_per_call: lesser(self.fuel_per_call, grant.fuel_per_call),
            fuel_per_line: lesser(self.fuel_per_line, grant.fuel_per_line),
            memory_bytes: lesser(self.memory_bytes, grant.memory_bytes),
        }
    }
}

/// A manifest that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, or not the fields of a manifest.
    #[error("{0}")]
    Syntax(String),
    /// A field has a value that it cannot have.
    #[error("{field}: {problem}")]
    Field {
        /// Such as `extension.name`.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    extension: Header,
    points: BTreeMap<String, String>,
    #[serde(default)]
    reads: Reads,
    config: Option<Config>,
    #[serde(default)]
    limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    version: String,
    summary: String,
    #[serde(default = "beside")]
    component: PathBuf,
}

fn beside() -> PathBuf {
    PathBuf::from("extension.wasm")
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reads {
    #[serde(default)]
    sku_attributes: Vec<Arc<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    schema: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    fuel_per_call: Option<u64>,
    fuel_per_line: Option<u64>,
    memory: Option<String>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn from_toml(text: &str) -> Result<Manifest, ManifestError> {
        let Text { extension, points, reads, config, limits } =
            toml::from_str(text).map_err(|error| ManifestError::Syntax(error.to_string()))?;
        let refuse = |field, problem: &str| ManifestError::Field { field, problem: problem.to_owned() };
        if !is_name(&extension.name) {
            return Err(refuse("extension.name", "not 1 to 64 of a-z 0-9 -"));
        }
        if !is_version(&extension.version) {
            return Err(refuse("extension.version", "not three numbers, such as 1.2.0"));
        }
        if points.is_empty() {
            return Err(refuse("points", "empty; an extension answers at least one"));
        }
        let memory_bytes = limits.memory.as_deref().map(bytes).transpose()?;
        Ok(Manifest {
            name: extension.name,
            version: extension.version,
            summary: extension.summary,
            component: extension.component,
            points,
            sku_attributes: reads.sku_attributes,
            config_schema: config.map(|config| config.schema),
            asks: Asks {
                fuel_per_call: limits.fuel_per_call,
                fuel_per_line: limits.fuel_per_line,
                memory_bytes,
            },
        })
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_version(version: &str) -> bool {
    let is_number =
        |part: &str| (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    version.split('.').count() == 3 && version.split('.').all(is_number)
}

/// A size as manifests write it: `16MiB`, `512KiB`.
#[must_use]
pub fn size_of_text(text: &str) -> Option<usize> {
    let units = [("KiB", 1_usize << 10), ("MiB", 1 << 20)];
    units
        .into_iter()
        .find_map(|(unit, size)| text.strip_suffix(unit)?.parse::<usize>().ok()?.checked_mul(size))
}

fn bytes(text: &str) -> Result<usize, ManifestError> {
    size_of_text(text).ok_or_else(|| ManifestError::Field {
        field: "limits.memory",
        problem: format!("{text:?} is not a number of KiB or MiB, such as 16MiB"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"
        [extension]
        name = "grocery-multibuy"
        version = "1.2.0"
        summary = "Three for the price of two on dairy"
        [points]
        discount = "1.0"
        [reads]
        sku_attributes = ["department", "brand"]
        [config]
        schema = "config.schema.json"
        [limits]
        fuel_per_call = 300_000
        fuel_per_line = 20_000
        memory = "16MiB"
    "#;

    #[test]
    fn a_manifest_is_read() {
        let manifest = Manifest::from_toml(FULL).unwrap();
        assert_eq!(manifest.name, "grocery-multibuy");
        assert_eq!(manifest.component, PathBuf::from("extension.wasm"));
        assert_eq!(manifest.points["discount"], "1.0");
        assert_eq!(manifest.sku_attributes, ["department".into(), "brand".into()]);
        let asks =
            Asks { fuel_per_call: Some(300_000), fuel_per_line: Some(20_000), memory_bytes: Some(16 << 20) };
        assert_eq!(manifest.asks, asks);
    }

    #[test]
    fn faults_name_their_field() {
        for (from, to, fault) in [
            ("grocery-multibuy", "Grocery", "extension.name: not 1 to 64 of a-z 0-9 -"),
            ("1.2.0", "1.2", "extension.version: not three numbers, such as 1.2.0"),
            ("discount = \"1.0\"", "", "points: empty; an extension answers at least one"),
            ("16MiB", "16 MB", "limits.memory: \"16 MB\" is not a number of KiB or MiB, such as 16MiB"),
        ] {
            assert_eq!(Manifest::from_toml(&FULL.replace(from, to)).unwrap_err().to_string(), fault);
        }
        let unknown = Manifest::from_toml(&FULL.replace("[reads]", "[grants]")).unwrap_err().to_string();
        assert!(unknown.contains("grants"), "{unknown}");
    }
}
