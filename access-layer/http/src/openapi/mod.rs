//! The description of what is published, generated when it is asked for: an OpenAPI 3.1 document, and pages made of it.

pub(crate) mod document;
pub(crate) mod html;
mod sample;
mod schema;
