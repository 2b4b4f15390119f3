//! Why a file is not the extension that its manifest says, in its author's terms, and what to do: asked only when loading
//! has failed or would, so it may look closely. It refuses nothing by itself.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// What a file begins with: `\0asm`, then whether it is a module or a component.
const MAGIC: &[u8] = b"\0asm";
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];

/// What kind of file this is, where it is no component at all.
pub(crate) fn not_a_component(bytes: &[u8]) -> Option<String> {
    let Some(version) = bytes.strip_prefix(MAGIC) else {
        return Some("is no WebAssembly; build it: mortise ext build".to_owned());
    };
    (!version.starts_with(&COMPONENT)).then(|| {
        "is a core module, not a component; build it for wasm32-wasip2 (Rust), or by `mortise ext build`, which makes components"
            .to_owned()
    })
}

/// Too large, and what makes components large.
pub(crate) fn too_large(bytes: u64, most: u64) -> String {
    format!(
        "has {bytes} bytes, at most {most}; leave out symbols (Rust: strip = true and opt-level = \"s\" in \
         [profile.release]) and libraries that the rule does not need"
    )
}

/// An import that no extension may have.
pub(crate) fn forbidden_import(import: &str) -> String {
    let interface = import.split([' ', '@']).next().unwrap_or(import);
    let mend = match interface.split('/').next().unwrap_or_default() {
        "wasi:sockets" | "wasi:http" => {
            "an extension reaches no network: what it needs comes in the question or in the binding's config"
        }
        package if package.starts_with("wasi:") => {
            "of WASI there are clocks, randomness and printing; leave out the library that wants more"
        }
        package if package.starts_with("mortise:") => {
            "a point is exported, not imported: let the world say `export`"
        }
        _ => "a component may import WASI only: compose it with what it needs, or leave it out",
    };
    format!("imports {import}, which no extension may have; {mend}")
}

/// What a component exports for a point, if it is not what the point's world asks for.
///
/// `version` is the manifest's, such as `1.0`.
pub(crate) fn not_of_the_world(
    engine: &Engine,
    component: &Component,
    point: &str,
    version: &str,
    problem: &str,
) -> String {
    let ours = format!("mortise:{point}/");
    let exports: Vec<(String, Vec<String>)> = exports(engine, component);
    let of_point: Vec<&(String, Vec<String>)> =
        exports.iter().filter(|(name, _)| name.starts_with(&ours)).collect();
    let wanted = format!("@{version}.");
    let Some((name, functions)) = of_point.iter().find(|(name, _)| name.contains(&wanted)) else {
        let all: Vec<&str> = exports.iter().map(|(name, _)| name.as_str()).collect();
        return match of_point.first() {
            Some((other, _)) => format!(
                "does not answer {point}: it exports {other}, and extension.toml says {point} = \"{version}\"; build it \
                 with that version's WIT, or write the version that it was built for"
            ),
            None if all.is_empty() => format!(
                "does not answer {point}: it exports nothing; export the point (Rust: export!(TYPE: POINT)) and build again"
            ),
            None => format!(
                "does not answer {point}: it exports {} and nothing of mortise:{point}; is extension.toml right about [points], or \
                 is it another world's component?",
                all.join(", ")
            ),
        };
    };
    let there = match functions.as_slice() {
        [] => "no function".to_owned(),
        functions => functions.join(", "),
    };
    format!(
        "does not answer {point}: {problem}; its {name} has {there}: implement every function of \
         points/{point}/wit/{version}/world.wit with the types that stand there"
    )
}

/// The names of exports, with those of the functions in them.
fn exports(engine: &Engine, component: &Component) -> Vec<(String, Vec<String>)> {
    let functions = |item: &ComponentItem| match item {
        ComponentItem::ComponentInstance(instance) => instance
            .exports(engine)
            .filter(|(_, export)| matches!(export.ty, ComponentItem::ComponentFunc(_)))
            .map(|(name, _)| name.to_owned())
            .collect(),
        _ => vec![],
    };
    let exports = component.component_type();
    exports.exports(engine).map(|(name, export)| (name.to_owned(), functions(&export.ty))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_by_its_head_what_it_is() {
        assert!(not_a_component(b"not wasm").unwrap().starts_with("is no WebAssembly"));
        assert!(not_a_component(b"\0asm\x01\0\0\0").unwrap().starts_with("is a core module"));
        assert_eq!(not_a_component(b"\0asm\x0d\0\x01\0"), None);
    }

    #[test]
    fn each_kind_of_import_has_its_own_mend() {
        for (import, mend) in [
            ("wasi:http/outgoing-handler@0.2.0", "reaches no network"),
            ("wasi:nn/graph@0.2.0", "clocks, randomness and printing"),
            ("mortise:unit-price/pricing@1.0.0", "exported, not imported"),
            ("acme:prices/secret", "compose it"),
        ] {
            let said = forbidden_import(import);
            assert!(said.starts_with(&format!("imports {import}, which no extension may have; ")), "{said}");
            assert!(said.contains(mend), "{said}");
        }
    }
}
