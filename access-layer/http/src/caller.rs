//! Who asks. Until customers and staff can sign in, their names are taken from headers, and only from this machine: behind
//! a loopback address stands whoever runs the server. What a caller may see is decided where it is asked for.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use mortise_fault::codes;
use mortise_types::CustomerId;

use crate::problem::Problem;

static CUSTOMER: HeaderName = HeaderName::from_static("mortise-customer");
static STAFF: HeaderName = HeaderName::from_static("mortise-staff");

/// The longest name of a member of staff.
const STAFF_MAX_CHARS: usize = 64;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody who is signed in.
    Nobody,
    /// A customer.
    Customer(CustomerId),
    /// A member of staff, by name.
    Staff(String),
}

impl Caller {
    /// The customer, if it is one.
    pub(crate) fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Customer(customer) => Some(customer),
            Self::Nobody | Self::Staff(_) => None,
        }
    }

    /// Refuses everybody but staff.
    pub(crate) fn staff(&self) -> Result<&str, Problem> {
        match self {
            Self::Staff(name) => Ok(name),
            Self::Nobody => Err(Problem::of(&codes::UNAUTHENTICATED, "This is for staff who are signed in.")),
            Self::Customer(_) => Err(Problem::of(&codes::FORBIDDEN, "This is for staff.")),
        }
    }

    /// Refuses those who are not signed in.
    pub(crate) fn anybody(&self) -> Result<(), Problem> {
        match self {
            Self::Nobody => Err(Problem::of(&codes::UNAUTHENTICATED, "This is for those who are signed in.")),
            Self::Customer(_) | Self::Staff(_) => Ok(()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refused = |detail: &str| Problem::of(&codes::UNAUTHENTICATED, detail);
        let named = match (parts.headers.get(&CUSTOMER), parts.headers.get(&STAFF)) {
            (None, None) => return Ok(Self::Nobody),
            (Some(_), Some(_)) => {
                return Err(refused("Mortise-Customer and Mortise-Staff exclude each other."));
            }
            (Some(name), None) => {
                let name = name.to_str().ok().and_then(|name| CustomerId::new(name).ok());
                name.map(Self::Customer).ok_or_else(|| refused("Mortise-Customer is no customer's id."))?
            }
            (None, Some(name)) => staff(name)
                .map(Self::Staff)
                .ok_or_else(|| refused("Mortise-Staff is a name of 1 to 64 of A-Z a-z 0-9 - _ . @"))?,
        };
        from_this_machine(parts)?;
        Ok(named)
    }
}

fn staff(name: &HeaderValue) -> Option<String> {
    let name = name.to_str().ok()?;
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@');
    ((1..=STAFF_MAX_CHARS).contains(&name.len()) && name.bytes().all(known)).then(|| name.to_owned())
}

/// Refuses whoever is not on this machine, and pages of other sites in a browser on this machine: such a page can reach
/// a loopback address only under a name of its own.
pub(crate) fn from_this_machine(parts: &Parts) -> Result<(), Problem> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let near = peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    if near && is_own_name(&parts.headers) {
        return Ok(());
    }
    Err(Problem::of(
        &codes::UNAUTHENTICATED,
        "Nobody can sign in from elsewhere yet: this is taken from the same machine only.",
    ))
}

/// Whether the request was sent to an address or to `localhost`.
fn is_own_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    if host.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost"
        || name.parse::<IpAddr>().is_ok()
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn caller(peer: &str, headers: &[(&'static str, &str)]) -> Result<Caller, &'static str> {
        let mut request = Request::builder().extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let caller = Caller::from_request_parts(&mut parts, &()).await;
        caller.map_err(|problem| problem.fault().code().code)
    }

    #[tokio::test]
    async fn names_are_taken_from_this_machine_only() {
        let ada = || Ok(Caller::Customer(CustomerId::new("ada").unwrap()));
        let refused = Err("unauthenticated");
        let name = ("mortise-customer", "ada");
        for (peer, headers, outcome) in [
            ("127.0.0.1:9", vec![name], ada()),
            ("[::1]:9", vec![name], ada()),
            ("[::ffff:127.0.0.1]:9", vec![name], ada()),
            ("127.0.0.1:9", vec![name, ("host", "localhost:8080")], ada()),
            ("127.0.0.1:9", vec![name, ("host", "127.0.0.1")], ada()),
            ("[::1]:9", vec![name, ("host", "[::1]:8080")], ada()),
            ("[::1]:9", vec![name, ("host", "[::1]")], ada()),
            ("127.0.0.1:9", vec![name, ("host", "shop.example")], refused.clone()),
            ("127.0.0.1:9", vec![name, ("host", "shop.example:8080")], refused.clone()),
            ("192.0.2.7:9", vec![name], refused.clone()),
            ("192.0.2.7:9", vec![("mortise-staff", "grace")], refused.clone()),
            ("192.0.2.7:9", vec![], Ok(Caller::Nobody)),
            ("127.0.0.1:9", vec![("mortise-staff", "grace")], Ok(Caller::Staff("grace".into()))),
            ("127.0.0.1:9", vec![("mortise-staff", "")], refused.clone()),
            ("127.0.0.1:9", vec![name, ("mortise-staff", "grace")], refused.clone()),
            ("127.0.0.1:9", vec![("mortise-customer", "")], refused.clone()),
        ] {
            assert_eq!(caller(peer, &headers).await, outcome, "{peer} {headers:?}");
        }
    }
}
