//! The operator's policy on what extensions may have: a manifest asks, a grant gives, what runs is what both say. A point or
//! an attribute that is asked for and not granted is refused at deploy; limits are lowered to what is granted.

use mortise_host::{Asks, Manifest, size_of_text};
use serde::Deserialize;

/// All grants, in the order of their file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grants {
    /// None: whatever is asked is granted, within the host's ceilings.
    grants: Option<Vec<Grant>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    /// A name, or the beginning of names with `*` behind it.
    extension: String,
    #[serde(default)]
    points: Vec<String>,
    #[serde(default)]
    sku_attributes: Vec<String>,
    fuel_per_call: Option<u64>,
    fuel_per_line: Option<u64>,
    memory: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    grant: Vec<Grant>,
}

/// What is not granted, or a policy that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The text is no policy.
    #[error("grants: {0}")]
    Syntax(String),
    /// No grant names the extension.
    #[error("no grant is for `{0}`; the operator adds a [[grant]] for it to grants.toml")]
    Nobody(String),
    /// Something that the manifest asks for.
    #[error(
        "`{extension}` asks for {what} `{name}`, which is not granted; take it out of the manifest, or the operator adds it to \
         {list} of its [[grant]] in grants.toml"
    )]
    Missing {
        /// Who asks.
        extension: String,
        /// `the point` or `the SKU attribute`.
        what: &'static str,
        /// Which.
        name: String,
        /// Where it would stand.
        list: &'static str,
    },
}

impl Grants {
    /// Reads a policy: a table `[[grant]]` each.
    ///
    /// # Errors
    /// The text is no policy.
    pub fn from_toml(text: &str) -> Result<Grants, GrantError> {
        let File { grant } = toml::from_str(text).map_err(|error| GrantError::Syntax(error.to_string()))?;
        for grant in &grant {
            if let Some(memory) = grant.memory.as_deref().filter(|memory| size_of_text(memory).is_none()) {
                let problem = format!("memory {memory:?} is not a number of KiB or MiB, such as 16MiB");
                return Err(GrantError::Syntax(problem));
            }
        }
        Ok(Grants { grants: Some(grant) })
    }

    /// What bounds the limits of this extension.
    ///
    /// # Errors
    /// A point or an attribute that is asked for and not granted.
    pub fn check(&self, manifest: &Manifest) -> Result<Asks, GrantError> {
        let Some(grants) = &self.grants else { return Ok(Asks::default()) };
        let name = &manifest.name;
        let mine: Vec<&Grant> = grants.iter().filter(|grant| grant.is_for(name)).collect();
        if mine.is_empty() {
            return Err(GrantError::Nobody(name.clone()));
        }
        let missing = |what, name: &str, list| {
            Err(GrantError::Missing { extension: manifest.name.clone(), what, name: name.to_owned(), list })
        };
        let gives = |list: &[String], wanted: &str| list.iter().any(|given| given == wanted || given == "*");
        if let Some(point) =
            manifest.points.keys().find(|point| !mine.iter().any(|grant| gives(&grant.points, point)))
        {
            return missing("the point", point, "points");
        }
        let attributes = manifest.sku_attributes.iter();
        if let Some(attribute) = attributes
            .map(|attribute| &**attribute)
            .find(|attribute| !mine.iter().any(|grant| gives(&grant.sku_attributes, attribute)))
        {
            return missing("the SKU attribute", attribute, "sku_attributes");
        }
        let bytes = |grant: &&Grant| grant.memory.as_deref().and_then(size_of_text);
        Ok(Asks {
            fuel_per_call: mine.iter().filter_map(|grant| grant.fuel_per_call).max(),
            fuel_per_line: mine.iter().filter_map(|grant| grant.fuel_per_line).max(),
            memory_bytes: mine.iter().filter_map(bytes).max(),
        })
    }
}

impl Grant {
    fn is_for(&self, name: &str) -> bool {
        match self.extension.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => self.extension == name,
        }
    }
}
