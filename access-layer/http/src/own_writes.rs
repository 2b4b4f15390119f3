//! Who has been told of a write reads it, also where a standby of the database answers: how far the primary was is kept for each
//! caller, and said in `Mortise-Position`, by which a caller tells another server. How old an answer may be is its operation's.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use mortise_fault::codes;
use mortise_store::Position;
use mortise_types::{Scope, TenantId};

use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;

static POSITION: HeaderName = HeaderName::from_static("mortise-position");

/// Callers are spread over so many places (64 KiB). Two that meet in one read, for a moment, what both have written: the primary
/// answers one of them then where a standby could have.
const PLACES: usize = 8_192;

/// How far the primary was when a caller was told of his last write; 0 where he was told of none.
pub(crate) struct OwnWrites(Box<[AtomicU64]>);

impl Default for OwnWrites {
    fn default() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl OwnWrites {
    fn note(&self, tenant: &TenantId, caller: &Caller, position: Position) {
        self.place(tenant, caller).fetch_max(position.bytes(), Ordering::Relaxed);
    }

    /// What a caller's reads have to show at least.
    pub(crate) fn of(&self, tenant: &TenantId, caller: &Caller) -> Option<Position> {
        let bytes = self.place(tenant, caller).load(Ordering::Relaxed);
        (bytes > 0).then(|| Position::at(bytes))
    }

    fn place(&self, tenant: &TenantId, caller: &Caller) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        tenant.as_str().hash(&mut hasher);
        match caller {
            Caller::Nobody => 0_u8.hash(&mut hasher),
            Caller::Customer(customer) => (1_u8, customer.as_str()).hash(&mut hasher),
            Caller::Staff(name) => (2_u8, name).hash(&mut hasher),
        }
        let places = self.0.len() as u64;
        &self.0[usize::try_from(hasher.finish() % places).unwrap_or_default()]
    }
}

impl App {
    /// From here on the caller reads what this answer tells him of, here and wherever he says the position.
    pub(crate) fn told(&self, scope: &Scope, caller: &Caller, mut response: Response) -> Response {
        if let Some(position) = self.engine.position() {
            self.own_writes.note(&scope.tenant, caller, position);
            if let Ok(value) = HeaderValue::try_from(position.to_string()) {
                response.headers_mut().insert(POSITION.clone(), value);
            }
        }
        response
    }
}

/// The position that a caller says he has been told of, here or by another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToldOf(pub(crate) Option<Position>);

impl<S: Sync> FromRequestParts<S> for ToldOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(&POSITION).iter();
        let Some(first) = given.next() else { return Ok(Self(None)) };
        let position = first.to_str().ok().and_then(|text| Position::from_str(text).ok());
        match position {
            Some(position) if given.next().is_none() => Ok(Self(Some(position))),
            _ => Err(Problem::of(
                &codes::INVALID_INPUT,
                "Mortise-Position is one header, as the answer to a write had it: 0/16B3748. Leave it out if there was none.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use mortise_types::CustomerId;

    use super::*;

    #[test]
    fn each_caller_has_his_own_last_write() {
        let (writes, acme, zoo) =
            (OwnWrites::default(), TenantId::new("acme").unwrap(), TenantId::new("zoo").unwrap());
        let ada = Caller::Customer(CustomerId::new("ada").unwrap());
        let staff = Caller::Staff("ada".to_owned());
        writes.note(&acme, &ada, Position::at(9));
        writes.note(&acme, &ada, Position::at(7));
        assert_eq!(writes.of(&acme, &ada), Some(Position::at(9)));
        for (tenant, caller) in [(&acme, &staff), (&zoo, &ada), (&acme, &Caller::Nobody)] {
            assert_eq!(writes.of(tenant, caller), None, "{tenant} {caller:?}");
        }
    }

    #[tokio::test]
    async fn a_position_is_taken_once_and_whole() {
        let told = async |values: &[&str]| {
            let mut request = Request::builder();
            for value in values {
                request = request.header("mortise-position", *value);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            let told = ToldOf::from_request_parts(&mut parts, &()).await;
            told.map(|told| told.0).map_err(|problem| problem.fault().code().code)
        };
        assert_eq!(told(&[]).await, Ok(None));
        assert_eq!(told(&["1/A"]).await, Ok(Some(Position::at(0x1_0000_000A))));
        for off in [&["1/A", "1/A"][..], &["soon"], &[""], &["123456789/0"]] {
            assert_eq!(told(off).await, Err("invalid-input"), "{off:?}");
        }
    }
}
