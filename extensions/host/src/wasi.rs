//! What a language's runtime needs of WASI to start, and nothing beyond it: an empty environment, no files, a clock that
//! stands at the trade's time, randomness that follows from the call's identity, a log for what is printed.
//! Interfaces that reach out of the machine (sockets, HTTP) are refused when a component is loaded.

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Val};
use wasmtime::{StoreContextMut, Trap, bail};

use crate::state::CallState;

type Cx<'a> = StoreContextMut<'a, CallState>;

/// The most randomness that one call of the function gives.
const MOST_RANDOM_BYTES: u64 = 4096;
/// Fuel for each call of a function.
const FUEL_PER_CALL: u64 = 1_000;
/// What a stream takes at a time; what is above the log's cap is counted and dropped.
const STREAM_BYTES: u64 = 4096;
const PACKAGES: [&str; 5] = ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random"];

struct OutputStream;
struct InputStream;
struct Pollable;
struct Other;

/// Numbers of the resources. They have no state: the number says which it is.
const LOGGED: u32 = 1;
const NOTHING: u32 = 2;

/// Defines every import of the component, by the name that it uses: WASI's minor versions differ in their names only.
///
/// # Errors
/// The name of an import that no extension may have.
pub(crate) fn satisfy(linker: &mut Linker<CallState>, component: &Component) -> Result<(), String> {
    let engine = component.engine();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            return Err(name.to_owned());
        };
        let interface = name.split('@').next().unwrap_or(name);
        if !interface.split_once('/').is_some_and(|(package, _)| PACKAGES.contains(&package)) {
            return Err(name.to_owned());
        }
        let defined =
            linker.instance(name).and_then(|mut into| define(&mut into, interface, &instance, component));
        defined.map_err(|error| format!("{name} ({error:#})"))?;
    }
    Ok(())
}

fn define(
    into: &mut LinkerInstance<'_, CallState>,
    interface: &str,
    instance: &ComponentInstance,
    component: &Component,
) -> wasmtime::Result<()> {
    for (name, export) in instance.exports(component.engine()) {
        match export.ty {
            ComponentItem::Resource(_) => into.resource(name, resource(name), |_, _| Ok(()))?,
            ComponentItem::ComponentFunc(_) => define_function(into, interface, name)?,
            _ => {}
        }
    }
    Ok(())
}

/// By the resource's own name, so that an interface that borrows it from another means the same.
fn resource(name: &str) -> ResourceType {
    match name {
        "output-stream" => ResourceType::host::<OutputStream>(),
        "input-stream" => ResourceType::host::<InputStream>(),
        "pollable" => ResourceType::host::<Pollable>(),
        _ => ResourceType::host::<Other>(),
    }
}

fn define_function(
    into: &mut LinkerInstance<'_, CallState>,
    interface: &str,
    name: &str,
) -> wasmtime::Result<()> {
    match name {
        // Typed, since they carry data: as single values a text would take forty times its size.
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => into
            .func_wrap(name, |cx: Cx<'_>, (stream, bytes): (Resource<OutputStream>, Vec<u8>)| {
                write(cx, &stream, &bytes)
            }),
        _ => {
            let function = format!("{interface}#{name}");
            into.func_new(name, move |mut cx, _, arguments, results| {
                charge(&mut cx)?;
                answer(&mut cx, &function, arguments, results)?;
                arguments.iter().try_for_each(|argument| give_back(&mut cx, argument))
            })
        }
    }
}

/// Writing never fails, so no error has to be expressed.
#[derive(wasmtime::component::ComponentType, wasmtime::component::Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(dead_code, reason = "part of the type")]
    Failed(Resource<Other>),
    #[component(name = "closed")]
    #[allow(dead_code, reason = "part of the type")]
    Closed,
}

fn write(
    mut cx: Cx<'_>,
    stream: &Resource<OutputStream>,
    bytes: &[u8],
) -> wasmtime::Result<(Result<(), StreamError>,)> {
    charge(&mut cx)?;
    if stream.rep() == LOGGED {
        cx.data_mut().write_log(bytes);
    }
    Ok((Ok(()),))
}

/// What the host does for the guest takes time that the guest's own fuel does not measure.
fn charge(cx: &mut Cx<'_>) -> wasmtime::Result<()> {
    // A bare engine counts no fuel.
    let Ok(there) = cx.get_fuel() else { return Ok(()) };
    let left = there.checked_sub(FUEL_PER_CALL);
    cx.set_fuel(left.unwrap_or(0))?;
    left.map(drop).ok_or_else(|| Trap::OutOfFuel.into())
}

/// A call may end only when the handles that it was lent are given back.
fn give_back(cx: &mut Cx<'_>, argument: &Val) -> wasmtime::Result<()> {
    match argument {
        Val::Resource(handle) => handle.resource_drop(&mut *cx),
        Val::List(items) => items.iter().try_for_each(|item| give_back(cx, item)),
        _ => Ok(()),
    }
}

fn answer(cx: &mut Cx<'_>, function: &str, arguments: &[Val], results: &mut [Val]) -> wasmtime::Result<()> {
    let answer = match function {
        "wasi:cli/environment#get-environment"
        | "wasi:cli/environment#get-arguments"
        | "wasi:filesystem/preopens#get-directories" => Val::List(vec![]),
        "wasi:cli/environment#initial-cwd"
        | "wasi:cli/terminal-stdin#get-terminal-stdin"
        | "wasi:cli/terminal-stdout#get-terminal-stdout"
        | "wasi:cli/terminal-stderr#get-terminal-stderr"
        | "wasi:filesystem/types#filesystem-error-code" => Val::Option(None),
        "wasi:cli/exit#exit" | "wasi:cli/exit#exit-with-code" => bail!("it ended itself (exit)"),
        "wasi:cli/stdin#get-stdin" => handle(cx, Resource::<InputStream>::new_own(NOTHING))?,
        "wasi:cli/stdout#get-stdout" | "wasi:cli/stderr#get-stderr" => {
            handle(cx, Resource::<OutputStream>::new_own(LOGGED))?
        }
        "wasi:io/streams#[method]output-stream.check-write" => ok(Some(Val::U64(STREAM_BYTES))),
        "wasi:io/streams#[method]output-stream.flush"
        | "wasi:io/streams#[method]output-stream.blocking-flush" => ok(None),
        "wasi:io/streams#[method]input-stream.read"
        | "wasi:io/streams#[method]input-stream.blocking-read" => {
            Val::Result(Err(Some(Box::new(Val::Variant("closed".to_owned(), None)))))
        }
        "wasi:io/streams#[method]output-stream.subscribe"
        | "wasi:io/streams#[method]input-stream.subscribe"
        | "wasi:clocks/monotonic-clock#subscribe-duration"
        | "wasi:clocks/monotonic-clock#subscribe-instant" => {
            handle(cx, Resource::<Pollable>::new_own(NOTHING))?
        }
        "wasi:io/poll#[method]pollable.ready" => Val::Bool(true),
        "wasi:io/poll#[method]pollable.block" => return Ok(()),
        "wasi:io/poll#poll" => all_ready(arguments),
        _ => return clock_or_random(cx, function, arguments, results),
    };
    give(results, answer)
}

fn clock_or_random(
    cx: &mut Cx<'_>,
    function: &str,
    arguments: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let trade_time_ms = u64::try_from(cx.data().trade_time().as_millis()).unwrap_or(0);
    let answer = match function {
        "wasi:clocks/wall-clock#now" => datetime(trade_time_ms),
        "wasi:clocks/wall-clock#resolution" => datetime(1),
        // Never zero, which Go's runtime takes for a clock that does not work.
        "wasi:clocks/monotonic-clock#now" => Val::U64(trade_time_ms.saturating_mul(1_000_000).max(1)),
        "wasi:clocks/monotonic-clock#resolution" => Val::U64(1_000_000),
        "wasi:random/random#get-random-u64" | "wasi:random/insecure#get-insecure-random-u64" => {
            Val::U64(draw(cx))
        }
        "wasi:random/insecure-seed#insecure-seed" => Val::Tuple(vec![Val::U64(draw(cx)), Val::U64(draw(cx))]),
        "wasi:random/random#get-random-bytes" | "wasi:random/insecure#get-insecure-random-bytes" => {
            random_bytes(cx, arguments)?
        }
        _ => bail!("it called {function}, which no extension has"),
    };
    give(results, answer)
}

fn give(results: &mut [Val], answer: Val) -> wasmtime::Result<()> {
    match results {
        [result] => *result = answer,
        _ => bail!("a WASI function of another shape than the host knows"),
    }
    Ok(())
}

fn ok(value: Option<Val>) -> Val {
    Val::Result(Ok(value.map(Box::new)))
}

fn handle<T: 'static>(cx: &mut Cx<'_>, resource: Resource<T>) -> wasmtime::Result<Val> {
    ResourceAny::try_from_resource(resource, cx).map(Val::Resource)
}

/// Nothing is ever waited for.
fn all_ready(arguments: &[Val]) -> Val {
    let count = match arguments {
        [Val::List(pollables)] => u32::try_from(pollables.len()).unwrap_or(u32::MAX),
        _ => 0,
    };
    Val::List((0..count).map(Val::U32).collect())
}

fn datetime(millis: u64) -> Val {
    let nanoseconds = (millis % 1000) as u32 * 1_000_000;
    Val::Record(vec![
        ("seconds".to_owned(), Val::U64(millis / 1000)),
        ("nanoseconds".to_owned(), Val::U32(nanoseconds)),
    ])
}

fn draw(cx: &mut Cx<'_>) -> u64 {
    let mut bytes = [0; 8];
    cx.data_mut().draw(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn random_bytes(cx: &mut Cx<'_>, arguments: &[Val]) -> wasmtime::Result<Val> {
    let wanted = match arguments {
        [Val::U64(wanted)] if *wanted <= MOST_RANDOM_BYTES => *wanted as usize,
        _ => bail!("it asked for more than {MOST_RANDOM_BYTES} random bytes at a time"),
    };
    let mut bytes = vec![0; wanted];
    cx.data_mut().draw(&mut bytes);
    Ok(Val::List(bytes.into_iter().map(Val::U8).collect()))
}
