//! Pages for people, made of the document and of the fault pages: one file each, nothing loaded from anywhere, no script.

use std::fmt::Write as _;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;

/// Nothing is loaded and nothing runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2329;background:#fff}\
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #d5dae0;text-transform:capitalize}\
details{border:1px solid #d5dae0;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}summary{cursor:pointer}\
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f5f7;border-radius:4px}code{padding:.1rem .25rem}pre{padding:.7rem;overflow:auto}\
.m{display:inline-block;min-width:3.2rem;font-weight:600}.get{color:#0b6e4f}.post{color:#8a3ffc}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eceff2}\
@media(prefers-color-scheme:dark){body{color:#e4e8ec;background:#15191d}code,pre{background:#22282e}details,h2{border-color:#3a424a}td,th{border-color:#2b3238}.get{color:#5fd4a8}.post{color:#c2a0ff}}";

/// A page as an answer.
pub(crate) fn response(page: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let policy = HeaderValue::from_static(POLICY);
    let cache = HeaderValue::from_static("no-cache");
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::CACHE_CONTROL, cache),
        ],
        page,
    )
        .into_response()
}

/// The reference: every endpoint with its parameters, an example to send to `server`, and what comes back.
pub(crate) fn reference_page(document: &Json, server: &str) -> String {
    let text = |pointer: &str| document.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let mut body =
        format!("<h1>{}</h1><p>{}</p>", escaped(text("/info/title")), escaped(text("/info/description")));
    body.push_str("<p>The same for programs: <a href=\"openapi.json\">openapi.json</a>.</p>");
    for tag in ["trades", "reads", "operations", "hooks", "health"] {
        let mut section = String::new();
        for (path, method, operation) in operations(document)
            .filter(|(_, _, operation)| operation.pointer("/tags/0").and_then(Json::as_str) == Some(tag))
        {
            endpoint(&mut section, (document, server), path, method, operation);
        }
        if !section.is_empty() {
            let _ = write!(body, "<h2>{tag}</h2>{section}");
        }
    }
    page("Mortise", &body)
}

fn operations(document: &Json) -> impl Iterator<Item = (&str, &str, &Json)> {
    let paths = document.get("paths").and_then(Json::as_object).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        let methods = methods.filter(|(method, _)| matches!(method.as_str(), "get" | "post"));
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn endpoint(out: &mut String, (document, server): (&Json, &str), path: &str, method: &str, operation: &Json) {
    let summary = operation.get("summary").and_then(Json::as_str).unwrap_or_default();
    let _ = write!(
        out,
        "<details><summary><span class=\"m {method}\">{}</span> <code>{}</code> {}</summary>",
        method.to_uppercase(),
        escaped(path),
        escaped(summary)
    );
    parameters(out, operation);
    let body = operation.pointer("/requestBody/content/application~1json");
    let example = body.and_then(|body| body.get("example"));
    let address = format!("{server}{path}");
    let _ = write!(out, "<p>Send</p><pre>{}</pre>", escaped(&curl(&address, method, operation, example)));
    if let Some(schema) = body.and_then(|body| body.get("schema")) {
        fields(out, document, "Body", schema);
    }
    for (status, response) in operation.get("responses").and_then(Json::as_object).into_iter().flatten() {
        let description = response.get("description").and_then(Json::as_str).unwrap_or_default();
        let _ = write!(out, "<p><b>{}</b> {}</p>", escaped(status), escaped(description));
        if let Some(schema) = response.pointer("/content/application~1json/schema") {
            fields(out, document, "Answer", schema);
        }
    }
    out.push_str("</details>");
}

fn parameters(out: &mut String, operation: &Json) {
    let parameters =
        operation.get("parameters").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    if parameters.is_empty() {
        return;
    }
    out.push_str("<table><tr><th>Parameter</th><th>In</th><th></th></tr>");
    for parameter in parameters {
        let text = |name: &str| escaped(parameter.get(name).and_then(Json::as_str).unwrap_or_default());
        let required = parameter.get("required").and_then(Json::as_bool) == Some(true);
        let needed = if required { "Has to be there. " } else { "" };
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td>{needed}{}</td></tr>",
            text("name"),
            text("in"),
            text("description")
        );
    }
    out.push_str("</table>");
}

fn curl(address: &str, method: &str, operation: &Json, example: Option<&Json>) -> String {
    let follows = operation.pointer("/responses/200/content/text~1event-stream").is_some();
    let mut text = if follows { "curl -N ".to_owned() } else { "curl ".to_owned() };
    if method == "post" {
        text.push_str("-X POST ");
    }
    let mut query = Vec::new();
    for parameter in operation.get("parameters").and_then(Json::as_array).into_iter().flatten() {
        let name = parameter.get("name").and_then(Json::as_str).unwrap_or_default();
        let required = parameter.get("required").and_then(Json::as_bool) == Some(true);
        match parameter.get("in").and_then(Json::as_str) {
            Some("header") if required => {
                let value = if name == "Idempotency-Key" { "\"$(uuidgen)\"" } else { "ada" };
                let _ = write!(text, "-H {name}:{value} ");
            }
            Some("query") if required => query.push(format!("{name}=...")),
            _ => {}
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    // What has to be filled in is in capitals: curl takes braces for a list of addresses.
    let address: String = address
        .split('{')
        .enumerate()
        .map(|(n, part)| match part.split_once('}').filter(|_| n > 0) {
            Some((name, rest)) => format!("{}{rest}", name.to_ascii_uppercase()),
            None => part.to_owned(),
        })
        .collect();
    let _ = write!(text, "'{address}{query}'");
    if let Some(example) = example {
        let example = serde_json::to_string_pretty(example).unwrap_or_default();
        let _ = write!(text, " \\\n  -H 'Content-Type: application/json' -d '{example}'");
    }
    text
}

fn fields(out: &mut String, document: &Json, title: &str, schema: &Json) {
    let schema = resolved(document, schema);
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let _ = write!(out, "<table><tr><th>{title}</th><th>Type</th><th></th></tr>");
    for (name, field) in properties {
        let needed = if required.contains(&name.as_str()) { "" } else { "Optional. " };
        let description = field.get("description").or_else(|| resolved(document, field).get("description"));
        let description = description.and_then(Json::as_str).unwrap_or_default();
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td>{needed}{}</td></tr>",
            escaped(name),
            escaped(&type_of(field)),
            escaped(description)
        );
    }
    out.push_str("</table>");
}

fn resolved<'a>(document: &'a Json, schema: &'a Json) -> &'a Json {
    let reference = schema.get("$ref").and_then(Json::as_str);
    reference.and_then(|reference| document.pointer(reference.trim_start_matches('#'))).unwrap_or(schema)
}

fn type_of(schema: &Json) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return values.iter().map(Json::to_string).collect::<Vec<_>>().join(" or ");
    }
    let text = match schema.get("type") {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" or "),
        _ => schema.get("anyOf").map_or(String::new(), |_| "Money or null".into()),
    };
    match (text.as_str(), schema.get("items"), schema.get("format").and_then(Json::as_str)) {
        ("array", Some(items), _) => format!("list of {}", type_of(items)),
        (_, _, Some(format)) => format!("{text} ({format})"),
        _ => text,
    }
}

/// A fault page, or any text of headings, paragraphs, lists and `code`.
pub(crate) fn markdown_page(title: &str, markdown: &str) -> String {
    let mut body = String::new();
    let mut in_list = false;
    for line in markdown.lines() {
        let item = line.strip_prefix("- ");
        if item.is_some() != in_list {
            body.push_str(if in_list { "</ul>" } else { "<ul>" });
            in_list = !in_list;
        }
        let (tag, text) = match (item, line.strip_prefix("## "), line.strip_prefix("# ")) {
            (Some(text), _, _) => ("li", text),
            (_, Some(text), _) => ("h2", text),
            (_, _, Some(text)) => ("h1", text),
            _ if line.trim().is_empty() => continue,
            _ => ("p", line),
        };
        let _ = write!(body, "<{tag}>{}</{tag}>", with_code(text));
    }
    if in_list {
        body.push_str("</ul>");
    }
    page(title, &body)
}

fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(n, part)| if n % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part) })
        .collect()
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style></head><body>{body}</body></html>",
        escaped(title)
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_is_published_becomes_markup() {
        let document = json!({ "info": { "title": "T", "description": "D" }, "paths": { "/a": { "post": {
            "tags": ["trades"], "summary": "<script>alert(1)</script>", "responses": { "200": { "description": "\"><b>" } },
            "requestBody": { "content": { "application/json": { "schema": { "type": "object", "required": ["<i>"],
                "properties": { "<i>": { "enum": ["<u>'"] } } } } } },
        } } } });
        let page = reference_page(&document, "http://<b>Y");
        for tag in ["<script", "<b>Y", "\"><b>", "<i>", "<u>"] {
            assert!(!page.contains(tag), "{tag}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)"));
        assert!(
            markdown_page("x", "# <b>\n- `<i>`")
                .contains("<h1>&lt;b&gt;</h1><ul><li><code>&lt;i&gt;</code></li></ul>")
        );
    }
}
