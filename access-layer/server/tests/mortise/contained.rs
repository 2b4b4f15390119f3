//! Extensions of a running server: compiled by the same binary in a process apart, and counted on the page of figures.

use std::path::Path;

use mortise_host::{Ceilings, CompileLimits, Compiler, Extension, Runtime};
use serde_json::json;

use crate::guest::{Does, package};
use crate::support::{Listening, Shop, mortise_with, order, seed};

const BINDINGS: &str = "[[binding]]\npoint = \"unit-price\"\ntenant = \"demo\"\nline = \"grocery\"\nextension = \"content\"\n\
                        version = \"1.0.0\"\npriority = 1\non_failure = \"refuse\"\n";

fn extensions(folder: &Path) {
    let own = folder.join("content");
    std::fs::create_dir_all(&own).unwrap();
    let package = package("content", "1.0.0", Does::Offer(100));
    std::fs::write(own.join("extension.toml"), &package.manifest).unwrap();
    std::fs::write(own.join("extension.wasm"), &package.component).unwrap();
    std::fs::write(folder.join("bindings.toml"), BINDINGS).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_extensions_are_compiled_apart_and_their_calls_are_counted() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    extensions(folder.path());
    seed(data.path());
    let arguments =
        ["serve", "--data", data.path().to_str().unwrap(), "--listen", "127.0.0.1:0", "--extensions"];
    let arguments: Vec<&str> = arguments.into_iter().chain([folder.path().to_str().unwrap()]).collect();
    let server = Listening::start(&arguments, &[]);
    let basket = json!([{"sku": "bread", "quantity": 1}]);
    let (status, body) = Shop::at(&server).order(&order("o-1", "invoice", &basket)).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let page = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
    let labels = "point=\"unit-price\",extension=\"content\",version=\"1.0.0\"";
    for line in [
        format!("mortise_extension_calls_total{{{labels},outcome=\"answered\"}} 1"),
        format!("mortise_extension_call_seconds_bucket{{{labels},le=\"+Inf\"}} 1"),
        format!("mortise_extension_call_seconds_count{{{labels}}} 1"),
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert!(page.contains(&format!("mortise_extension_fuel_total{{{labels}}} ")), "{page}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_binary_compiles_when_it_is_asked_and_does_nothing_else_then() {
    let folder = tempfile::tempdir().unwrap();
    extensions(folder.path());
    let compiler = Compiler::apart_by(env!("CARGO_BIN_EXE_mortise").into(), CompileLimits::default());
    let runtime = Runtime::start(Ceilings::default(), None).unwrap().compiling_by(compiler);
    let loaded = Extension::load(&runtime, &folder.path().join("content")).unwrap();
    assert_eq!(loaded.id().as_str(), "content@1.0.0");
    let said = mortise_with(&["__compile-extension", "60", "2000000000", "0"], "no component");
    assert_eq!((said.code, said.out.as_str()), (Some(10), ""), "{said:?}");
    let said = mortise_with(&["__compile-extension"], "");
    assert_eq!(said.code, Some(11), "{said:?}");
}
