//! An extension as it is handed over: its manifest, the schema of its config, its component, as they stand in a folder or
//! were stored. Nothing is compiled here, and nothing but sizes is checked.

use std::fs;
use std::path::Path;

use crate::diagnosis;
use crate::extension::{ExtensionError, MANIFEST, Problem};
use crate::limits::Ceilings;
use crate::manifest::Manifest;

/// The largest manifest or schema, in bytes.
const TEXT_BYTES: usize = 256 << 10;

/// An extension, not yet loaded.
#[derive(Clone, PartialEq, Eq)]
pub struct Package {
    /// The text of `extension.toml`.
    pub manifest: String,
    /// The text of the config's schema; none: it has no config.
    pub config_schema: Option<String>,
    /// The component.
    pub component: Vec<u8>,
}

impl Package {
    /// Reads an extension's folder.
    ///
    /// # Errors
    /// A file that cannot be read, or is too large; a manifest that cannot be true.
    pub fn read(folder: &Path, ceilings: &Ceilings) -> Result<Package, ExtensionError> {
        read(folder, ceilings).map_err(|problem| ExtensionError { folder: folder.to_owned(), problem })
    }

    /// What it is, as its manifest says.
    ///
    /// # Errors
    /// A manifest that cannot be true.
    pub fn describe(&self) -> Result<Manifest, Problem> {
        Manifest::from_toml(&self.manifest).map_err(Problem::Manifest)
    }

    /// Its identity: that of all its bytes, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let schema = self.config_schema.as_deref().map(str::as_bytes);
        for part in [Some(self.manifest.as_bytes()), schema, Some(self.component.as_slice())] {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hasher.update(&length.to_le_bytes()).update(part.unwrap_or_default());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Holds the sizes: what is larger is not even looked at.
    pub(crate) fn check_sizes(&self, ceilings: &Ceilings) -> Result<(), Problem> {
        let texts = [Some(&self.manifest), self.config_schema.as_ref()];
        if let Some(text) = texts.into_iter().flatten().find(|text| text.len() > TEXT_BYTES) {
            return Err(Problem::Schema(format!(
                "a text of {} bytes; a manifest and a schema have at most {TEXT_BYTES}",
                text.len()
            )));
        }
        check_size(self.component.len() as u64, ceilings)
    }
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Package { manifest, config_schema, component } = self;
        f.debug_struct("Package")
            .field("manifest", manifest)
            .field("config_schema", config_schema)
            .field("component_bytes", &component.len())
            .finish()
    }
}

fn check_size(bytes: u64, ceilings: &Ceilings) -> Result<(), Problem> {
    let most = ceilings.component_bytes as u64;
    if bytes <= most {
        return Ok(());
    }
    Err(Problem::Component(diagnosis::too_large(bytes, most)))
}

fn read(folder: &Path, ceilings: &Ceilings) -> Result<Package, Problem> {
    let manifest = text(&folder.join(MANIFEST))?;
    let Manifest { component: file, config_schema, .. } =
        Manifest::from_toml(&manifest).map_err(Problem::Manifest)?;
    let config_schema = config_schema.map(|file| text(&folder.join(file))).transpose()?;
    let file = folder.join(file);
    let unreadable = |source| Problem::File { file: file.clone(), source };
    check_size(fs::metadata(&file).map_err(unreadable)?.len(), ceilings)?;
    let component = fs::read(&file).map_err(unreadable)?;
    Ok(Package { manifest, config_schema, component })
}

fn text(file: &Path) -> Result<String, Problem> {
    fs::read_to_string(file).map_err(|source| Problem::File { file: file.to_owned(), source })
}
