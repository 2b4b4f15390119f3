//! From a project to its component, a way a language. Each is what an author could type himself; nothing is read from a
//! network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::program::Program;
use crate::toolchain::{Go, Native, Python, Rust, TypeScript, Workshop};
use crate::{Fault, Language, Project, shipped};

/// The flags of this machine's builds, which are not for guests.
const OWN_FLAGS: &[&str] = &["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"];

/// A component that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its file.
    pub component: PathBuf,
    /// Its size.
    pub bytes: u64,
}

impl Workshop {
    /// Builds a project's component.
    ///
    /// # Errors
    /// The toolchain is not there, or it has something to say about the project.
    pub fn build(&self, project: &Project) -> Result<Built, Fault> {
        let component = project.component();
        fs::create_dir_all(project.made()).map_err(|error| Fault::file(&project.made(), &error))?;
        let folder = self.cache().join(project.language().name());
        let built = match project.language() {
            Language::Rust => rust(&Rust::find()?, project, &component),
            Language::TypeScript => typescript(&TypeScript::find(&folder)?, project, &component),
            Language::Python => python(&Python::find(&folder)?, project, &component),
            Language::Go => go(&Go::find(self)?, project, &component),
            Language::C => c(&Native::find(self)?, project, &component),
        };
        if built.is_err() && component.parent() == Some(project.folder()) {
            // What an earlier build made is not what the sources say now: nobody is to test or deploy it.
            let _ = fs::remove_file(&component);
        }
        built?;
        let bytes = fs::metadata(&component).map_err(|error| Fault::file(&component, &error))?.len();
        Ok(Built { component, bytes })
    }
}

fn rust(toolchain: &Rust, project: &Project, component: &Path) -> Result<(), Fault> {
    let said = Program::new(&toolchain.cargo, project.folder())
        .args(["build", "--release", "--target", crate::toolchain::RUST_TARGET])
        .arg("--message-format=json-render-diagnostics")
        .without(OWN_FLAGS)
        .that_answers()
        .run()?;
    let made = wasm_of(&said).ok_or_else(|| {
        Fault::new(format!("{}: cargo made no component", project.folder().display()))
            .mend("Cargo.toml needs: [lib] crate-type = [\"cdylib\"]")
    })?;
    put(&made, component)
}

/// Copies a component to where it belongs, unless that is where it stands: a copy of a file onto itself empties it.
fn put(made: &Path, component: &Path) -> Result<(), Fault> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(made).is_none() || real(made) != real(component) {
        fs::copy(made, component).map_err(|error| Fault::file(made, &error))?;
    }
    Ok(())
}

/// The last WebAssembly file that cargo's messages name: dependencies come before what depends on them.
fn wasm_of(messages: &str) -> Option<PathBuf> {
    let files = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message.get("filenames")?.as_array().cloned())
        .flatten();
    let mut wasm = files.filter_map(|file| file.as_str().map(PathBuf::from));
    wasm.rfind(|file| file.extension().is_some_and(|ending| ending == "wasm"))
}

fn typescript(toolchain: &TypeScript, project: &Project, component: &Path) -> Result<(), Fault> {
    let wit = project.world()?;
    Program::new(&toolchain.node, project.folder())
        .arg(&toolchain.script)
        .args([project.folder(), wit.as_path(), component])
        .run()
        .map(drop)
}

fn python(toolchain: &Python, project: &Project, component: &Path) -> Result<(), Fault> {
    let (wit, bindings) = (project.world()?, project.made().join("bindings"));
    // For the author's editor; the component gets its own.
    renewed(&bindings)?;
    let program = || {
        Program::new(&toolchain.componentize, project.folder())
            .arg("-q")
            .arg("-d")
            .arg(&wit)
            .args(["-w", "guest"])
    };
    program().arg("bindings").arg(&bindings).run()?;
    program()
        // CPython's library imports sockets and files, which no extension may have: what it reaches for traps instead.
        .args(["componentize", "extension", "--stub-wasi", "-p", ".", "-p"])
        .arg(project.sdk())
        .arg("-o")
        .arg(component)
        .variable("PYTHONDONTWRITEBYTECODE", "1")
        .run()
        .map(drop)
}

fn c(toolchain: &Native, project: &Project, component: &Path) -> Result<(), Fault> {
    let (wit, bindings) = (project.world()?, project.made().join("bindings"));
    let core = project.made().join("core.wasm");
    renewed(&bindings)?;
    toolchain.componentizer.bindings(&["c"], &wit, &bindings)?;
    Program::new(&toolchain.python, project.folder())
        .args(["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-mexec-model=reactor", "-std=gnu11"])
        // A stack as large as Rust's; zig's own choice of 16 MiB is more memory than an extension gets.
        .arg("-Wl,-z,stack-size=1048576")
        // The SDK's own: nothing of an instance is freed on its own.
        .arg("-Wl,--wrap=free")
        .args(["-Os", "-s", "-Wall", "-Wextra", "-Werror=implicit-function-declaration"])
        .arg("-I")
        .arg(project.sdk())
        .arg("-I")
        .arg(&bindings)
        .arg("-o")
        .args([&core, &project.folder().join("extension.c"), &project.sdk().join("mortise.c")])
        .args([bindings.join("guest.c"), bindings.join("guest_component_type.o")])
        .variable("ZIG_GLOBAL_CACHE_DIR", &toolchain.cache)
        .variable("ZIG_LOCAL_CACHE_DIR", &toolchain.cache)
        .run()?;
    toolchain.componentizer.component(&core, &[], component)
}

fn go(toolchain: &Go, project: &Project, component: &Path) -> Result<(), Fault> {
    let (wit, bindings) = (project.world()?, project.made().join("bindings"));
    let core = project.made().join("core.wasm");
    renewed(&bindings)?;
    toolchain.componentizer.bindings(&["go"], &wit, &bindings)?;
    join_go(&bindings)?;
    Program::new(&toolchain.go, &bindings)
        .args(["build", "-trimpath", "-ldflags=-s -w", "-buildmode=c-shared", "-o"])
        .arg(&core)
        .arg(".")
        .variable("GOOS", "wasip1")
        .variable("GOARCH", "wasm")
        .variable("GOPROXY", "off")
        .variable("GOFLAGS", "-mod=mod")
        .variable("GOTOOLCHAIN", "local")
        .variable("GOWORK", "off")
        .variable("GOCACHE", &toolchain.cache)
        .run()?;
    // Go's runtime can be asked for memory only once it has started, and the adapter asks before.
    let embedded = toolchain.componentizer.embed(&core, &wit)?;
    toolchain.componentizer.component(&embedded, &["--realloc-via-memory-grow"], component)
}

/// Joins wit-bindgen's package `main` with the author's package `extension`: for each interface there is a package in
/// which the bindings look for its functions, and each of these is the author's of the same name.
fn join_go(bindings: &Path) -> Result<(), Fault> {
    let module = "module wit_component\n\ngo 1.25\n\nrequire (\n\textension v0.0.0\n\tgo.bytecodealliance.org/pkg v0.4.0\n\t\
                  mortise v0.0.0\n)\n\nreplace (\n\textension => ../..\n\tgo.bytecodealliance.org/pkg => \
                  ../../mortise/sdk/go/pkg\n\tmortise => ../../mortise/sdk/go\n)\n";
    shipped::write(&bindings.join("go.mod"), module.as_bytes())?;
    let file = bindings.join("wit_exports.go");
    let main = fs::read_to_string(&file).map_err(|error| Fault::file(&file, &error))?;
    shipped::write(&file, narrowed(&main).as_bytes())?;
    for (package, functions) in exported_by_go(&main) {
        let mut text = format!("package {package}\n\nimport \"extension\"\n\n");
        for function in functions {
            text.push_str(&format!("var {function} = extension.{function}\n"));
        }
        shipped::write(&bindings.join(&package).join("exports.go"), text.as_bytes())?;
    }
    Ok(())
}

/// The bindings with pointers of four bytes for arguments, as WebAssembly's are. Go's own have eight, and the 128 bytes that it
/// lets the arguments of an exported function have are then too few for a point with many fields.
fn narrowed(main: &str) -> String {
    let (mut narrowed, mut exported) = (String::with_capacity(main.len()), false);
    for line in main.lines() {
        let (mut line, is_next) = (line.to_owned(), line.starts_with("//go:wasmexport "));
        if exported {
            let arguments: Vec<String> = (0..)
                .map(|index| format!("arg{index}"))
                .take_while(|argument| line.contains(&format!("{argument} ")))
                .filter(|argument| line.contains(&format!("{argument} uintptr")))
                .collect();
            for argument in arguments {
                line = line.replace(&format!("{argument} uintptr"), &format!("{argument}Narrow uint32"));
                line.push_str(&format!("\n\t{argument} := uintptr({argument}Narrow)"));
            }
        }
        narrowed.push_str(&line);
        narrowed.push('\n');
        exported = is_next;
    }
    narrowed
}

/// The functions that the bindings call, by the package in which they look for them.
fn exported_by_go(main: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in main.match_indices("export_") {
        let rest = &main[at..];
        let package = rest.find(|c| !is_word(c)).map_or(rest, |end| &rest[..end]);
        let Some(function) = rest[package.len()..].strip_prefix('.') else { continue };
        let function = function.find(|c| !is_word(c)).map_or(function, |end| &function[..end]);
        found.entry(package.to_owned()).or_default().insert(function.to_owned());
    }
    found
}

/// An empty folder.
fn renewed(folder: &Path) -> Result<(), Fault> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).map_err(|error| Fault::file(folder, &error))?;
    }
    fs::create_dir_all(folder).map_err(|error| Fault::file(folder, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_wasm_of_cargos_messages_is_the_component() {
        let messages = "{\"filenames\":[\"/a/dep.rlib\"]}\nnoise\n{\"filenames\":[\"/a/x.wasm\"]}\n{\"reason\":\"build-finished\"}\n";
        assert_eq!(wasm_of(messages).unwrap(), Path::new("/a/x.wasm"));
        assert_eq!(wasm_of("{\"filenames\":[\"/a/dep.rlib\"]}"), None);
    }

    #[test]
    fn a_component_that_stands_where_it_belongs_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (made, own) = (folder.path().join("target"), folder.path().join("own"));
        fs::create_dir_all(&made).unwrap();
        fs::create_dir_all(&own).unwrap();
        let made = made.join("x.wasm");
        fs::write(&made, "component").unwrap();
        for component in [own.join("../target/x.wasm"), own.join("extension.wasm")] {
            put(&made, &component).unwrap();
            assert_eq!(fs::read(&made).unwrap(), b"component");
            assert_eq!(fs::read(&component).unwrap(), b"component");
        }
    }

    /// A project in Rust that cargo cannot read.
    fn broken(component: &str) -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        file("Cargo.toml", "[package\n");
        file(
            "extension.toml",
            &format!(
                "[extension]\nname = \"broken\"\nversion = \"0.1.0\"\nsummary = \"none\"\ncomponent = \"{component}\"\n\
                 [points]\npurchase-limit = \"1.0\"\n"
            ),
        );
        fs::create_dir(folder.path().join("target")).unwrap();
        file(component, "what an earlier build made");
        let project = Project::open(folder.path()).unwrap();
        (folder, project)
    }

    #[test]
    fn a_build_that_fails_leaves_no_component_of_an_earlier_one_but_the_build_tools_own() {
        let workshop = Workshop::at(std::env::temp_dir());
        for (component, stays) in [("extension.wasm", false), ("target/extension.wasm", true)] {
            let (folder, project) = broken(component);
            let fault = workshop.build(&project).unwrap_err();
            assert!(fault.sentence.contains("Cargo.toml"), "{fault}");
            assert!(!fault.sentence.contains("{\"reason\""), "{fault}");
            assert_eq!(folder.path().join(component).is_file(), stays, "{component}");
        }
    }

    #[test]
    fn only_pointers_of_exported_functions_are_narrowed() {
        let main = "//go:wasmexport p#rule\nfunc rule(arg0 uintptr, arg1 uint32) uintptr {\n}\n\
                    //go:wasmexport post\nfunc post(result uintptr) {\n}\nfunc own(arg0 uintptr) {\n}\n";
        let expected = main.replacen(
            "(arg0 uintptr, arg1 uint32) uintptr {",
            "(arg0Narrow uint32, arg1 uint32) uintptr {\n\targ0 := uintptr(arg0Narrow)",
            1,
        );
        assert_eq!(narrowed(main), expected);
    }

    #[test]
    fn the_functions_that_gos_bindings_look_for_are_found() {
        let main = "import (\n\"wit_component/export_mortise_unit_price_pricing\"\n)\n\
                    func wasm_export_x() {}\nresult7 := export_mortise_unit_price_pricing.OfferPrices(value)\n";
        let found = exported_by_go(main);
        assert_eq!(found.len(), 1);
        assert!(found["export_mortise_unit_price_pricing"].contains("OfferPrices"));
    }
}
