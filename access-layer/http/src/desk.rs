//! A desk: where staff on this machine have a running server work on the platform itself, as on what is deployed. What is
//! asked and answered there is the desk's own; the route exists only where a server is given one.

use futures::future::BoxFuture;

/// Takes requests of staff.
pub trait Desk: Send + Sync + std::fmt::Debug {
    /// The largest request, in bytes.
    fn request_max_bytes(&self) -> usize;

    /// Does what a member of staff asks for; the answer is a JSON document, also where it is refused.
    fn serve(&self, staff: String, request: Vec<u8>) -> BoxFuture<'_, String>;
}
