//! `/openapi.json`, `/docs` and `/`, for everybody, and the same beneath a business line: what is published there now.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mortise_engine::PLATFORM;
use mortise_fault::Fault;
use mortise_types::Scope;

use crate::app::App;
use crate::openapi::{document, html};
use crate::place::{CHANNEL, Place};
use crate::problem::Problem;

pub(super) async fn document(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (scope, prefix) = described(&app)?;
    written(&app, &headers, &scope, &prefix)
}

pub(super) async fn line_document(
    State(app): State<Arc<App>>,
    Place { scope, .. }: Place<0>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    written(&app, &headers, &scope, &prefix(&scope))
}

pub(super) async fn page(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let (scope, prefix) = described(&app)?;
    Ok(reference(&app, &scope, &prefix))
}

pub(super) async fn line_page(State(app): State<Arc<App>>, Place { scope, .. }: Place<0>) -> Response {
    reference(&app, &scope, &prefix(&scope))
}

fn reference(app: &App, scope: &Scope, prefix: &str) -> Response {
    html::response(html::reference_page(&document::of(app, scope, prefix), &app.settings.public_url))
}

fn prefix(scope: &Scope) -> String {
    format!("/v1/{}/{}", scope.tenant, scope.line)
}

/// The scope that is described where none is named, and what stands for it in paths.
fn described(app: &App) -> Result<(Scope, String), Problem> {
    match &app.settings.described {
        Some(scope) => Ok((scope.clone(), prefix(scope))),
        None => {
            let scope = Scope::new(PLATFORM, PLATFORM, CHANNEL).map_err(Fault::internal)?;
            Ok((scope, "/v1/{tenant}/{line}".to_owned()))
        }
    }
}

fn written(app: &App, headers: &HeaderMap, scope: &Scope, prefix: &str) -> Result<Response, Problem> {
    let body = serde_json::to_vec_pretty(&document::of(app, scope, prefix)).map_err(Fault::internal)?;
    let hash = blake3::hash(&body).to_hex();
    let tag = HeaderValue::try_from(format!("\"{}\"", &hash[..32])).map_err(Fault::internal)?;
    let mut response = if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, kind)], Body::from(body)).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}
