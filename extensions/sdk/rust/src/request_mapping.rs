//! The point `request-mapping` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/request-mapping/wit/1.0",
        world: "request-mapping",
        pub_export_macro: true,
        export_macro_name: "__export_request_mapping",
        default_bindings_module: "mortise_extension::request_mapping::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::request_mapping::mapping::{Mapped, Request};

/// The input of a flow, of what a front end sends.
pub trait RequestMapping {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// The flow's input; `None` where the body is not for this extension.
    ///
    /// # Errors
    /// What is wrong with the body: the caller reads it, where the binding refuses.
    fn map_request(config: &Self::Config, request: &Request) -> Answer<Option<Mapped>>;
}

impl Request {
    /// The body as the extension's own type.
    ///
    /// # Errors
    /// Where it is of another form, in words for whoever sent it.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Answer<T> {
        serde_json::from_str(&self.body).map_err(|error| error.to_string())
    }

    /// Whether the body is an object with this field.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.read::<serde_json::Value>().is_ok_and(|body| body.get(field).is_some())
    }
}

impl Mapped {
    /// This input, with what was done.
    ///
    /// # Errors
    /// An input that JSON cannot hold, such as a map whose keys are no texts.
    pub fn of(input: &impl serde::Serialize, reason: impl Into<String>) -> Answer<Self> {
        let input = serde_json::to_string(input).map_err(|error| error.to_string())?;
        Ok(Mapped { input, reason: reason.into() })
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: RequestMapping> world::exports::mortise::request_mapping::mapping::Guest for Exported<T> {
    fn map_request(config: String, request: Request) -> Answer<Option<Mapped>> {
        T::map_request(&read_config(&config)?, &request)
    }
}
