//! W3C trace context and request ids: taken over where they are valid, made where they are not, and sent back.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use mortise_types::IdSource;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of a caller's request id.
const REQUEST_ID_MAX_CHARS: usize = 128;

/// The trace that a request belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// `00-<trace id>-<span id>-<flags>`
    parent: String,
    /// The caller's own name for the request.
    request_id: Option<HeaderValue>,
}

impl Trace {
    /// The caller's trace with a new span, or a new trace.
    pub(crate) fn of(headers: &HeaderMap, ids: &dyn IdSource) -> Self {
        let mut id = [0_u8; 32];
        let id: &str = ids.next().simple().encode_lower(&mut id);
        let given = headers.get(&TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(given);
        let (trace_id, flags) = given.unwrap_or((id, "01"));
        let mut parent = String::with_capacity(55);
        for part in ["00-", trace_id, "-", &id[16..], "-", flags] {
            parent.push_str(part);
        }
        let visible = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            (1..=REQUEST_ID_MAX_CHARS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        };
        Self { parent, request_id: headers.get(&REQUEST_ID).filter(visible).cloned() }
    }

    /// 32 hexadecimal digits.
    pub(crate) fn id(&self) -> &str {
        &self.parent[3..35]
    }

    /// Says in the answer where the request was.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let own = HeaderValue::from_str(self.id()).ok();
        if let Some(id) = self.request_id.or(own) {
            headers.insert(REQUEST_ID.clone(), id);
        }
        if let Ok(parent) = HeaderValue::try_from(self.parent) {
            headers.insert(TRACEPARENT.clone(), parent);
        }
    }
}

/// Trace id and flags of a `traceparent` of version 00.
fn given(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split('-');
    let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let some = |part: &str| part.bytes().any(|b| b != b'0');
    let valid = version == "00"
        && parts.next().is_none()
        && hex(trace_id, 32)
        && some(trace_id)
        && hex(span_id, 16)
        && some(span_id)
        && hex(flags, 2);
    valid.then_some((trace_id, flags))
}

#[cfg(test)]
mod tests {
    use mortise_testkit::SeededIds;

    use super::*;

    #[test]
    fn a_valid_trace_is_taken_over_and_anything_else_replaced() {
        let ours = "019b76daa80070008000000000000000";
        for (sent, kept) in [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", ours),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", ours),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", ours),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", ours),
            ("00-4bf9", ours),
            ("", ours),
        ] {
            let headers = HeaderMap::from_iter([(TRACEPARENT.clone(), HeaderValue::from_static(sent))]);
            assert_eq!(Trace::of(&headers, &SeededIds::new(0)).id(), kept, "{sent}");
        }
    }

    #[test]
    fn the_answer_names_the_trace_the_span_and_the_request() {
        let mut headers = HeaderMap::from_iter([
            (
                TRACEPARENT.clone(),
                HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
            ),
            (REQUEST_ID.clone(), HeaderValue::from_static("basket-7")),
        ]);
        Trace::of(&headers.clone(), &SeededIds::new(0)).write(&mut headers);
        assert_eq!(headers["traceparent"], "00-4bf92f3577b34da6a3ce929d0e0e4736-8000000000000000-00");
        assert_eq!(headers["x-request-id"], "basket-7");
        let long = "x".repeat(129);
        headers.insert(REQUEST_ID.clone(), HeaderValue::try_from(long).unwrap());
        Trace::of(&headers.clone(), &SeededIds::new(0)).write(&mut headers);
        assert_eq!(headers["x-request-id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    }
}
