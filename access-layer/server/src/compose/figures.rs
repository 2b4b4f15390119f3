//! What extensions have done, as figures of the server's page. Nothing is counted here.

use std::sync::Arc;

use mortise_host::{Counted, Runtime};
use mortise_http::{MetricsPage, MoreFigures};

/// The figures of all extensions of a runtime.
pub(super) fn of_extensions(runtime: Arc<Runtime>) -> MoreFigures {
    Arc::new(move |page| write(&runtime.counted(), page))
}

fn write(counted: &[Counted], page: &mut MetricsPage) {
    let mut calls = page.counter(
        "mortise_extension_calls_total",
        "Calls of extensions by what came of them: answered, or the kind of failure.",
    );
    for one in counted {
        let [point, extension, version] = labels(one);
        calls.sample(&[point, extension, version, ("outcome", "answered")], one.counters.answered());
        for (kind, count) in &one.counters.failures {
            calls.sample(&[point, extension, version, ("outcome", kind.code())], count);
        }
    }
    let mut fuel = page.counter("mortise_extension_fuel_total", "Fuel used by calls of extensions.");
    for one in counted {
        fuel.sample(&labels(one), one.counters.fuel_used);
    }
    let mut took = page.histogram("mortise_extension_call_seconds", "How long calls of extensions took.");
    for one in counted {
        let counters = &one.counters;
        took.times(&labels(one), &counters.took_within_us, counters.took_us, counters.calls);
    }
}

fn labels(counted: &Counted) -> [(&'static str, &str); 3] {
    let (extension, version) = counted.extension.as_str().split_once('@').unwrap_or_default();
    [("point", counted.point), ("extension", extension), ("version", version)]
}
