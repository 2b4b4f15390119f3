//! Where a platform's data is, as `--data` names it: a directory, or a database of a PostgreSQL server. Opening it is
//! `compose`'s.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParserFactory};

/// A directory with a SQLite database, or a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A directory; whatever writes makes it if it is missing.
    Directory(PathBuf),
    /// `postgres://user:password@host:port/database`; the database is there.
    Postgres(String),
}

impl Place {
    /// The directory for what can be made again, such as compiled extensions: that of the data, or the user's for caches.
    pub(crate) fn cache(&self) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.clone(),
            Self::Postgres(_) => {
                let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
                let home = || named("HOME").map(|home| PathBuf::from(home).join(".cache"));
                let caches = named("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
                caches.unwrap_or_else(std::env::temp_dir).join("mortise")
            }
        }
    }
}

impl From<PathBuf> for Place {
    fn from(directory: PathBuf) -> Self {
        Self::Directory(directory)
    }
}

/// As a person and the log may see it: without user and password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(directory) => directory.display().fmt(f),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let (address, _) = rest.split_once('?').unwrap_or((rest, ""));
                let server = address.rsplit_once('@').map_or(address, |(_, server)| server);
                write!(f, "{scheme}://{server}")
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// A text that is not an address of PostgreSQL is the name of a directory.
impl From<OsString> for Place {
    fn from(text: OsString) -> Self {
        let is_address = |text: &&str| ["postgres://", "postgresql://"].iter().any(|s| text.starts_with(s));
        match text.to_str().filter(is_address) {
            Some(url) => Self::Postgres(url.to_owned()),
            None => Self::Directory(text.into()),
        }
    }
}

/// A standby of a PostgreSQL database, as `--replica` names it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Replica(String);

impl Replica {
    /// Its address, with its password.
    pub(crate) fn url(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Place::Postgres(self.0.clone()).fmt(f)
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replica({self})")
    }
}

impl std::str::FromStr for Replica {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Place::from(OsString::from(text)) {
            Place::Postgres(url) => Ok(Self(url)),
            Place::Directory(_) => {
                Err("a replica is a standby in PostgreSQL, at `postgres://user@host/database`".to_owned())
            }
        }
    }
}

/// `--data` takes a directory whose name is not Unicode too.
impl ValueParserFactory for Place {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(read).into()
    }
}

fn read(text: OsString) -> Result<Place, String> {
    match Place::from(text) {
        Place::Directory(directory) if directory.to_string_lossy().contains("://") => Err(format!(
            "{}: data is in a directory, or in PostgreSQL at `postgres://user@host/database`",
            directory.display()
        )),
        Place::Directory(directory) if directory.exists() && !directory.is_dir() => Err(format!(
            "{} is no directory: give the directory that the data is in, or is to be in",
            directory.display()
        )),
        place => Ok(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Result<Place, String> {
        read(text.into())
    }

    #[test]
    fn what_is_no_address_is_a_directory_or_refused() {
        assert_eq!(place("./data").unwrap(), Place::Directory("./data".into()));
        let url = "postgres://shop:secret@db.example:5433/trade?sslmode=require";
        assert_eq!(place(url).unwrap(), Place::Postgres(url.to_owned()));
        assert!(place("mysql://db/trade").unwrap_err().contains("postgres://user@host/database"));
    }

    #[test]
    fn a_file_is_no_data_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = place(file.path().to_str().unwrap()).unwrap_err();
        assert!(
            error.ends_with("is no directory: give the directory that the data is in, or is to be in"),
            "{error}"
        );
    }

    #[test]
    fn nobody_is_shown_a_password() {
        let place = place("postgres://shop:se@cret@db.example:5433/trade?password=secret").unwrap();
        assert_eq!(place.to_string(), "postgres://db.example:5433/trade");
        assert_eq!(format!("{place:?}"), "Place(postgres://db.example:5433/trade)");
        let replica: Replica = "postgres://shop:se@cret@db2.example/trade?password=secret".parse().unwrap();
        assert_eq!(format!("{replica:?}"), "Replica(postgres://db2.example/trade)");
        assert!("db2".parse::<Replica>().unwrap_err().contains("postgres://user@host/database"));
    }
}
