//! What is refused before anything runs: components that are none, imports that reach out, manifests and bindings that
//! cannot be true. And what is not refused: a binding whose extension is absent.

use std::fs;
use std::path::Path;

use mortise_bindings::Bindings;
use mortise_host::{Ceilings, Extension, Host, HostError, Runtime, Shelf};
use mortise_points::{FailureKind, PointError, Verdict};

use crate::support::{ask, bind, folder, hostile_extension, only, question, runtime, runtime_with};

fn refused(runtime: &Runtime, component: &[u8]) -> String {
    Extension::load(runtime, folder(component).path()).unwrap_err().problem.to_string()
}

fn text(component: &str) -> Vec<u8> {
    wat::parse_str(component).unwrap()
}

#[test]
fn a_component_that_is_none_is_refused() {
    let runtime = runtime();
    for (component, problem, mend) in [
        (b"not wasm".to_vec(), "the component is no WebAssembly", "mortise ext build"),
        (text("(module)"), "the component is a core module, not a component", "build it for wasm32-wasip2"),
        (b"\0asm\x0d\0\x01\0broken".to_vec(), "the component does not compile", ""),
        (
            text("(component)"),
            "the component does not answer unit-price: it exports nothing",
            "export the point",
        ),
        (
            exporting("mortise:discount/discounting@1.0.0"),
            "the component does not answer unit-price: it exports mortise:discount/discounting@1.0.0 and nothing of mortise:unit-price",
            "is extension.toml right about [points]",
        ),
        (
            exporting("mortise:unit-price/pricing@2.0.0"),
            "the component does not answer unit-price: it exports mortise:unit-price/pricing@2.0.0, and extension.toml says \
             unit-price = \"1.0\"",
            "build it with that version's WIT",
        ),
        (
            exporting("mortise:unit-price/pricing@1.0.0"),
            "the component does not answer unit-price: ",
            "its mortise:unit-price/pricing@1.0.0 has no function: implement every function of \
             points/unit-price/wit/1.0/world.wit",
        ),
    ] {
        let found = refused(&runtime, &component);
        assert!(found.starts_with(problem) && found.contains(mend), "{found}");
    }
}

/// A component that exports an empty interface of this name.
fn exporting(interface: &str) -> Vec<u8> {
    text(&format!("(component (instance $i) (export {interface:?} (instance $i)))"))
}

#[test]
fn a_component_that_is_too_large_is_refused_before_it_is_read() {
    let runtime = runtime_with(Ceilings { component_bytes: 7, ..Ceilings::default() });
    let found = refused(&runtime, b"not wasm");
    assert!(found.starts_with("the component has 8 bytes, at most 7; leave out symbols"), "{found}");
}

#[test]
fn an_export_of_another_shape_is_refused() {
    let other = r#"
        (component
          (core module $m (func (export "f") (result i32) (i32.const 1)))
          (core instance $m (instantiate $m))
          (func $f (result u32) (canon lift (core func $m "f")))
          (instance $i (export "offer-prices" (func $f)))
          (export "mortise:unit-price/pricing@1.0.0" (instance $i)))"#;
    let found = refused(&runtime(), &text(other));
    assert!(found.starts_with("the component does not answer unit-price"), "{found}");
}

#[test]
fn imports_that_reach_out_are_refused_by_name() {
    let runtime = runtime();
    for import in ["wasi:sockets/tcp@0.2.6", "wasi:http/outgoing-handler@0.2.0", "acme:prices/secret"] {
        let found = refused(&runtime, &text(&format!("(component (import {import:?} (instance)))")));
        assert!(
            found.starts_with(&format!("the component imports {import}, which no extension may have")),
            "{found}"
        );
    }
    let function = refused(&runtime, &text(r#"(component (import "log" (func)))"#));
    assert!(function.contains("imports log, which"), "{function}");
}

fn edited(folder: &Path, from: &str, to: &str) {
    let file = folder.join("extension.toml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace(from, to)).unwrap();
}

#[test]
fn a_manifest_that_cannot_be_true_is_refused() {
    let runtime = runtime();
    for (from, to, problem) in [
        (
            "unit-price = \"1.0\"",
            "unit-prices = \"1.0\"",
            "extension.toml: points.unit-prices: this platform has no such point",
        ),
        ("\"1.0\"", "\"2.0\"", "extension.toml: points.unit-price: this platform has version 1.0, not 2.0"),
        ("6.6.6", "six", "extension.toml: extension.version: not three numbers, such as 1.2.0"),
    ] {
        let folder = folder(&text("(component)"));
        edited(folder.path(), from, to);
        let found = Extension::load(&runtime, folder.path()).unwrap_err().problem.to_string();
        assert_eq!(found, problem);
    }
    let folder = folder(&text("(component)"));
    fs::write(folder.path().join("config.schema.json"), r#"{ "type": 7 }"#).unwrap();
    let found = Extension::load(&runtime, folder.path()).unwrap_err().problem.to_string();
    assert!(found.starts_with("the config's schema: "), "{found}");
    fs::remove_file(folder.path().join("hostile.wasm")).unwrap();
    fs::write(folder.path().join("config.schema.json"), "{}").unwrap();
    let found = Extension::load(&runtime, folder.path()).unwrap_err().problem.to_string();
    assert!(found.contains("hostile.wasm cannot be read"), "{found}");
}

#[test]
fn a_shelf_leaves_out_what_is_broken_and_the_rest_works() {
    let runtime = runtime();
    let all = tempfile::tempdir().unwrap();
    let good = folder(&fs::read(crate::support::hostile()).unwrap());
    let broken = folder(b"broken");
    edited(broken.path(), "\"hostile\"", "\"broken\"");
    for (name, from) in [("good", &good), ("broken", &broken)] {
        fs::create_dir(all.path().join(name)).unwrap();
        for file in ["extension.toml", "config.schema.json", "hostile.wasm"] {
            fs::copy(from.path().join(file), all.path().join(name).join(file)).unwrap();
        }
    }
    fs::write(all.path().join("README.md"), "no extension").unwrap();
    let (shelf, errors) = Shelf::load(&runtime, all.path()).unwrap();
    let there: Vec<String> = shelf.extensions().map(|extension| extension.id().to_string()).collect();
    assert_eq!(there, ["hostile@6.6.6"]);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].folder.ends_with("broken"), "{}", errors[0]);
}

#[test]
fn an_absent_extension_fails_as_its_binding_says() {
    let runtime = runtime();
    for on_failure in ["skip", "refuse"] {
        let host = Host::new(runtime.clone(), &Shelf::default(), &bind(&["nothing"], on_failure)).unwrap();
        assert_eq!(host.absent(), ["hostile@6.6.6 at unit-price for shop/nothing/*, priority 1"]);
        let why = match ask(&host, "nothing", &question(1)) {
            Ok(outcome) => match only(&outcome.answers).verdict.clone() {
                Verdict::Skipped { why } => why,
                other => panic!("{other:?}"),
            },
            Err(PointError::Refused { why, .. }) => why,
            Err(other) => panic!("{other}"),
        };
        assert_eq!(why.kind, FailureKind::Missing);
        assert_eq!(why.detail, "hostile@6.6.6 is not installed");
    }
}

#[test]
fn bindings_that_cannot_be_true_are_refused_when_the_host_is_set_up() {
    let runtime = runtime();
    let mut shelf = Shelf::default();
    shelf.put(hostile_extension(&runtime));
    let text = "[[binding]]\npoint = \"POINT\"\ntenant = \"shop\"\nextension = \"hostile\"\nversion = \"6.6.6\"\n\
                priority = 1\non_failure = \"skip\"\nCONFIG\n";
    let set_up = |point: &str, config: &str| {
        let bindings = Bindings::from_toml(&text.replace("POINT", point).replace("CONFIG", config)).unwrap();
        Host::new(runtime.clone(), &shelf, &bindings).unwrap_err()
    };
    let error = set_up("colour", "");
    assert!(
        matches!(&error, HostError::UnknownPoint { known, .. } if known.contains("discount, ")),
        "{error}"
    );
    let error = set_up("unit-price", "config = { do = 7 }");
    assert_eq!(
        error.to_string(),
        "hostile@6.6.6 at unit-price for shop/*/*, priority 1: config/do: 7 is not of type \"string\""
    );
}
