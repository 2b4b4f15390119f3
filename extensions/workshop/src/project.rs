//! A project: a folder with a manifest, known as of one language by the file that only this language has.
//! It is read here; what builds it is elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use mortise_host::Manifest;

use crate::{Fault, Language, shipped};

/// How the names of sources end, in any of the languages.
const SOURCES: [&str; 6] = ["rs", "ts", "py", "go", "c", "h"];

/// The manifest's name.
const MANIFEST: &str = "extension.toml";

/// A project on this machine.
#[derive(Debug)]
pub struct Project {
    folder: PathBuf,
    language: Language,
    manifest: Manifest,
}

impl Project {
    /// Opens the project of a folder.
    ///
    /// # Errors
    /// There is no manifest, it cannot be used, or no language is known by the files.
    pub fn open(folder: &Path) -> Result<Project, Fault> {
        let folder = folder.canonicalize().map_err(|error| Fault::file(folder, &error))?;
        let file = folder.join(MANIFEST);
        let text = fs::read_to_string(&file).map_err(|error| {
            Fault::file(&file, &error)
                .mend("go to an extension's folder, or begin one: mortise ext new NAME --point unit-price")
        })?;
        let manifest =
            Manifest::from_toml(&text).map_err(|error| Fault::new(format!("{}: {error}", file.display())))?;
        let language = Language::ALL
            .into_iter()
            .find(|language| folder.join(language.mark()).is_file())
            .ok_or_else(|| {
                let marks: Vec<&str> = Language::ALL.iter().map(|language| language.mark()).collect();
                Fault::new(format!(
                    "{}: none of {} is there, so its language is not known",
                    folder.display(),
                    marks.join(", ")
                ))
            })?;
        Ok(Project { folder, language, manifest })
    }

    /// Where it stands.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it is written in.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where its component stands after a build.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        self.folder.join(&self.manifest.component)
    }

    /// A source that was changed behind the component's build, if there is one in its folder or in `src`.
    #[must_use]
    pub fn changed(&self) -> Option<PathBuf> {
        let component = self.component();
        if component.parent() != Some(&self.folder) {
            // The build tool's own file: what it is made of, that tool knows.
            return None;
        }
        let built = modified(&component)?;
        let sources = [self.folder.clone(), self.folder.join("src")].into_iter();
        let files = sources.flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
        let is_source = |path: &PathBuf| {
            path.extension().is_some_and(|ending| SOURCES.iter().any(|known| ending == *known))
        };
        let mut files: Vec<PathBuf> = files.map(|file| file.path()).filter(is_source).collect();
        files.sort();
        files.into_iter().find(|file| modified(file).is_some_and(|changed| changed > built))
    }

    /// What is made on the way to the component; may be thrown away.
    pub(crate) fn made(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// Its copy of the SDK and of the points' WIT.
    pub(crate) fn sdk(&self) -> PathBuf {
        self.folder.join("mortise").join("sdk").join(self.language.name())
    }

    /// Writes the one world `guest` that joins the worlds of all points of the manifest, and returns its folder.
    ///
    /// # Errors
    /// A point's WIT is not in the project, or a file cannot be written.
    pub(crate) fn world(&self) -> Result<PathBuf, Fault> {
        let folder = self.made().join("wit");
        let mut includes = String::new();
        for (point, version) in &self.manifest.points {
            let from = self.folder.join("mortise/points").join(point).join("wit").join(version);
            let files = fs::read_dir(&from).map_err(|error| {
                Fault::file(&from, &error).mend(format!(
                    "{MANIFEST} names {point} {version}; `mortise ext new` in another folder brings the WIT of every point"
                ))
            })?;
            for file in files {
                let file = file.map_err(|error| Fault::file(&from, &error))?.path();
                let text = fs::read(&file).map_err(|error| Fault::file(&file, &error))?;
                let name = file.file_name().unwrap_or_default();
                shipped::write(&folder.join("deps").join(point).join(name), &text)?;
            }
            includes.push_str(&format!("    include mortise:{point}/{point}@{version}.0;\n"));
        }
        if self.language.prints_by_import() {
            shipped::unpack("workshop/toolchains/log", &folder.join("deps"))?;
            includes.push_str("    import wasi:cli/stdout@0.2.0;\n");
        }
        let world = format!("package mortise:guest;\n\nworld guest {{\n{includes}}}\n");
        shipped::write(&folder.join("world.wit"), world.as_bytes())?;
        Ok(folder)
    }
}

fn modified(file: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_source_that_is_newer_than_the_component_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[extension]\nname = \"a\"\nversion = \"0.1.0\"\nsummary = \"none\"\n[points]\npurchase-limit = \"1.0\"\n";
        fs::create_dir(folder.path().join("src")).unwrap();
        let file = |name: &str, text: &str, seconds: u64| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
            file.canonicalize().unwrap()
        };
        file(MANIFEST, manifest, 200);
        file("extension.c", "", 90);
        file("src/rule.h", "", 90);
        let project = Project::open(folder.path()).unwrap();
        assert_eq!(project.changed(), None, "nothing is built");
        file("extension.wasm", "", 100);
        file("src/notes.txt", "", 110);
        assert_eq!(project.changed(), None);
        let changed = file("src/rule.h", "", 110);
        assert_eq!(project.changed(), Some(changed));
    }
}
