//! An operation of one's own (`custom/NAME`, world 1.0) for Rust: its trait over the author's own types, and the bridge to
//! the WIT world. What it takes, answers and refuses is declared in the manifest, and the host holds it to that.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::read_config;

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../custom/wit/1.0",
        world: "custom",
        pub_export_macro: true,
        export_macro_name: "__export_custom",
        default_bindings_module: "mortise_extension::custom::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::custom::operation::{Call, Refusal, Rejection};

/// A pure step of a flow.
pub trait Operation {
    /// What the manifest sets; `serde_json::Value` if it is free.
    type Config: DeserializeOwned;
    /// By the contract's input schema.
    type Input: DeserializeOwned;
    /// By the contract's output schema.
    type Output: Serialize;

    /// The output. The time of the trade, in milliseconds since 1970, is the only one that there is.
    ///
    /// # Errors
    /// A business "no" with one of the contract's codes, or why there is no answer.
    fn run(config: &Self::Config, input: Self::Input, trade_time_ms: i64) -> Result<Self::Output, Refusal>;
}

impl Refusal {
    /// A business "no": a code of the contract, and a detail by its schema.
    #[must_use]
    pub fn no(code: &str, detail: &impl Serialize) -> Refusal {
        match serde_json::to_string(detail) {
            Ok(detail) => Refusal::Rejected(Rejection { code: code.to_owned(), detail }),
            Err(error) => Refusal::Failed(format!("the detail of {code}: {error}")),
        }
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: Operation> world::exports::mortise::custom::operation::Guest for Exported<T> {
    fn run(call: Call) -> Result<String, Refusal> {
        let config = read_config(&call.config).map_err(Refusal::Failed)?;
        let input =
            serde_json::from_str(&call.input).map_err(|error| Refusal::Failed(format!("input: {error}")))?;
        let output = T::run(&config, input, call.trade_time_ms)?;
        serde_json::to_string(&output).map_err(|error| Refusal::Failed(format!("output: {error}")))
    }
}
