//! What the host's tests share: guests built on first use, a shelf and bindings around them, a question.
//!
//! A guest is built by `cargo build --target wasm32-wasip2 --release` in its own workspace, as its author would; both
//! workspaces share one target directory. Cargo's lock keeps tests in other processes apart, and a build that is up to
//! date takes a moment.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mortise_bindings::Bindings;
use mortise_host::{Ceilings, Extension, Host, Runtime, Shelf};
use mortise_points::unit_price::{Line, Question};
use mortise_points::{Answered, Attribute, CallIdentity, Outcome, PointError, Points, UnitPrice};
use mortise_types::{Amount, Currency, LineId, Price, Quantity, Scope, Sku, Timestamp};

pub(crate) const CALL: CallIdentity<'static> =
    CallIdentity { instance: "trade-1", step: "quote", attempt: 1, customer: None };

pub(crate) fn host_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn workshop() -> PathBuf {
    host_folder().join("../../examples/extensions")
}

/// A shipped example's folder, built.
pub(crate) fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| build(&workshop()));
    workshop().join(name)
}

/// The first example of all.
pub(crate) fn loyal_price() -> PathBuf {
    example("loyal-price")
}

/// The guests of these tests, built.
fn guests() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let workspace = host_folder().join("tests/guests");
    BUILT.get_or_init(|| build(&workspace));
    workspace
}

/// The hostile guest's component.
pub(crate) fn hostile() -> PathBuf {
    guests();
    workshop().join("target/wasm32-wasip2/release/hostile.wasm")
}

/// The folder of the guest that answers two points.
pub(crate) fn two_points() -> PathBuf {
    guests().join("two-points")
}

/// The folder of the guest that cannot count.
pub(crate) fn careless() -> PathBuf {
    guests().join("careless")
}

/// The folder of the guest that wants too much.
pub(crate) fn greedy() -> PathBuf {
    guests().join("greedy")
}

fn build(workspace: &Path) {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--release", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(workshop().join("target"))
        .current_dir(workspace)
        // Flags for this machine's linker or a coverage run are not for the guest.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\nIs the target there? rustup target add wasm32-wasip2");
}

/// With a deadline that no busy machine passes; fuel ends what has to end.
pub(crate) fn runtime() -> Arc<Runtime> {
    runtime_with(Ceilings { deadline: Duration::from_secs(60), ..Ceilings::default() })
}

pub(crate) fn runtime_with(ceilings: Ceilings) -> Arc<Runtime> {
    Arc::new(Runtime::start(ceilings, None).unwrap())
}

/// An extension's folder with this component, and the manifest of the hostile guest.
pub(crate) fn folder(component: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["extension.toml", "config.schema.json"] {
        std::fs::copy(host_folder().join("tests/guests/hostile").join(file), folder.path().join(file))
            .unwrap();
    }
    std::fs::write(folder.path().join("hostile.wasm"), component).unwrap();
    folder
}

pub(crate) fn hostile_extension(runtime: &Runtime) -> Extension {
    Extension::load(runtime, folder(&std::fs::read(hostile()).unwrap()).path()).unwrap()
}

/// Bound for the tenant `shop`: a line `extension@version config on_failure` each, by priority; the business line is
/// the harm, so that one host has them all.
pub(crate) fn bind(harms: &[&str], on_failure: &str) -> Bindings {
    let text: String = harms
        .iter()
        .map(|harm| {
            let line = harm.replace(' ', "-");
            format!(
                "[[binding]]\npoint = \"unit-price\"\ntenant = \"shop\"\nline = \"{line}\"\nextension = \"hostile\"\n\
                 version = \"6.6.6\"\npriority = 1\non_failure = \"{on_failure}\"\nconfig = {{ do = \"{harm}\" }}\n"
            )
        })
        .collect();
    Bindings::from_toml(&text).unwrap()
}

pub(crate) fn host(
    runtime: &Arc<Runtime>,
    extensions: impl IntoIterator<Item = Extension>,
    bindings: &Bindings,
) -> Host {
    let mut shelf = Shelf::default();
    extensions.into_iter().for_each(|extension| shelf.put(extension));
    Host::new(Arc::clone(runtime), &shelf, bindings).unwrap()
}

pub(crate) fn scope(line: &str) -> Scope {
    Scope::new("shop", &line.replace(' ', "-"), "web").unwrap()
}

pub(crate) fn each(amount: i64) -> Price {
    Price::each(Amount(amount))
}

pub(crate) fn question(lines: usize) -> Question {
    let line = |index: usize| Line {
        line_id: LineId::nth(index),
        sku: Sku::new(format!("sku-{index}")).unwrap(),
        quantity: Quantity(2),
        list: each(1_000),
        current: each(1_000),
        floor: None,
        ceiling: None,
        attributes: vec![
            Attribute { name: "department".into(), value: "DAIRY".into() },
            Attribute { name: "brand".into(), value: "private".into() },
        ],
    };
    Question {
        currency: Currency::new("EUR").unwrap(),
        customer_id: None,
        customer_group: Some("member".to_owned()),
        trade_time: Timestamp::from_millis(1_800_000_000_123),
        lines: (0..lines).map(line).collect(),
    }
}

pub(crate) fn ask(host: &Host, line: &str, question: &Question) -> Result<Outcome<UnitPrice>, PointError> {
    let points: &dyn Points = host;
    points.ask::<UnitPrice>(&scope(line), CALL, question)
}

/// The one answer of an outcome.
pub(crate) fn only(answers: &[Answered]) -> &Answered {
    assert_eq!(answers.len(), 1, "{answers:?}");
    &answers[0]
}
