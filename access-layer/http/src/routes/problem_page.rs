//! `GET /problems/{code}`: the page that explains a fault's code or a rejection's, as a page for browsers and as Markdown
//! for everybody else.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use mortise_fault::codes;

use crate::app::App;
use crate::openapi::html;
use crate::problem::Problem;

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    code: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(code) = code.map_err(|_| Problem::no_such_path())?;
    let known = codes::find(&code).map(|fault| fault.page_text).or_else(|| app.engine.registry().page(&code));
    let text = known.ok_or_else(Problem::no_such_path)?;
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        return Ok(html::response(html::markdown_page(&code, text)));
    }
    let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
