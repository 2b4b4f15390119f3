//! What a call of an extension costs: ten lines, a fresh instance each time, through the host with all its limits, beside
//! a bare wasmtime call of the same component, in turns in one run. And what a point costs at which nobody is bound.
//!
//!     cargo run --release -p mortise-host --example point_call

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(clippy::disallowed_methods, reason = "measuring code")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run says why by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use mortise_host::{Extension, Host};
use mortise_points::unit_price::Question;
use mortise_points::{Points, UnitPrice};

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/host/support.rs"]
mod support;

const LINES: usize = 10;
const WARM_UP: usize = 2_000;
const CALLS: usize = 20_000;

/// The same component, called with nothing of the host: no fuel, no deadline, no caps, no checks.
mod bare {
    use mortise_points::unit_price::Question;
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

    mod world {
        wasmtime::component::bindgen!({
            path: "../points/unit-price/wit/1.0",
            world: "unit-price",
            ownership: Borrowing { duplicate_if_necessary: false },
        });
    }
    use world::exports::mortise::unit_price::pricing as wit;

    pub(crate) struct Bare {
        engine: Engine,
        linked: world::UnitPricePre<()>,
    }

    impl Bare {
        pub(crate) fn new(component: &[u8]) -> Bare {
            let mut pool = PoolingAllocationConfig::new();
            pool.total_memories(64).total_core_instances(1024).linear_memory_keep_resident(2 << 20);
            pool.table_keep_resident(160_000).pagemap_scan(Enabled::Auto);
            let mut config = Config::new();
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool)).concurrency_support(false);
            let engine = Engine::new(&config).unwrap();
            let component = Component::from_binary(&engine, component).unwrap();
            let mut linker = Linker::new(&engine);
            linker.define_unknown_imports_as_traps(&component).unwrap();
            let linked = world::UnitPricePre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
            Bare { engine, linked }
        }

        pub(crate) fn call(&self, config: &str, question: &Question) -> usize {
            let lines: Vec<wit::Line<'_>> = question
                .lines
                .iter()
                .map(|line| wit::Line {
                    line_id: line.line_id.as_str(),
                    sku: line.sku.as_str(),
                    quantity: line.quantity.units(),
                    list_amount: line.list.amount().minor(),
                    list_per: line.list.per().units(),
                    current_amount: line.current.amount().minor(),
                    current_per: line.current.per().units(),
                    attributes: &[],
                })
                .collect();
            let order = wit::Order {
                currency: question.currency.code(),
                customer_group: question.customer_group.as_deref(),
                trade_time_ms: question.trade_time.as_millis(),
                lines: &lines,
            };
            let mut store = Store::new(&self.engine, ());
            let instance = self.linked.instantiate(&mut store).unwrap();
            let offers =
                instance.mortise_unit_price_pricing().call_offer_prices(&mut store, config, order).unwrap();
            offers.unwrap().len()
        }
    }
}

fn host(extension: &std::path::Path) -> Host {
    let runtime = support::runtime();
    let bindings = mortise_bindings::Bindings::from_toml(
        r#"
        [[binding]]
        point = "unit-price"
        tenant = "shop"
        line = "grocery"
        extension = "loyal-price"
        version = "1.0.0"
        priority = 10
        on_failure = "refuse"
        config = { customer_group = "member", rate_bp = 500 }
        "#,
    )
    .unwrap();
    support::host(&runtime, [Extension::load(&runtime, extension).unwrap()], &bindings)
}

fn timed(work: impl FnOnce() -> usize) -> Duration {
    let start = Instant::now();
    assert_eq!(black_box(work()), LINES);
    start.elapsed()
}

fn report(name: &str, mut took: Vec<Duration>) -> (f64, f64) {
    took.sort_unstable();
    let at = |share: usize| took[took.len() * share / 1000].as_secs_f64() * 1e6;
    println!("{name:<36} p50 {:>6.1} us   p99 {:>6.1} us   p99.9 {:>7.1} us", at(500), at(990), at(999));
    (at(500), at(990))
}

fn unbound(points: &dyn Points, question: &Question) {
    let scope = support::scope("fashion");
    let calls = 1_000_000;
    let start = Instant::now();
    for _ in 0..calls {
        let outcome = black_box(points).ask::<UnitPrice>(black_box(&scope), support::CALL, question).unwrap();
        assert!(black_box(outcome).answers.is_empty());
    }
    println!(
        "{:<36} {:.0} ns",
        "a point at which nobody is bound",
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    );
}

fn main() {
    let folder = support::loyal_price();
    let component = folder.join("../target/wasm32-wasip2/release/loyal_price.wasm");
    let bare = bare::Bare::new(&std::fs::read(component).unwrap());
    let host = host(&folder);
    let question = support::question(LINES);
    let config = r#"{"customer_group":"member","rate_bp":500}"#;
    let by_host = || support::ask(&host, "grocery", &question).unwrap().reduced.len();

    let (mut through_host, mut alone) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
    for round in 0..WARM_UP + CALLS {
        let (one, other) = (timed(by_host), timed(|| bare.call(config, &question)));
        if round >= WARM_UP {
            through_host.push(one);
            alone.push(other);
        }
    }
    println!("unit-price, {LINES} lines, a fresh instance each, {CALLS} calls in turns");
    let host_figures = report("through the host", through_host);
    let bare_figures = report("bare wasmtime", alone);
    println!("ratio: p50 {:.2}, p99 {:.2}", host_figures.0 / bare_figures.0, host_figures.1 / bare_figures.1);
    unbound(&host, &question);
}
