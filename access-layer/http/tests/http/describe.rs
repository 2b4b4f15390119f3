//! What the server says of itself: the document, the pages, and how they follow what is published.

use insta::assert_snapshot;
use mortise_engine::{Aliasing, PLATFORM};
use serde_json::Value;

use crate::house::{House, body, header};

async fn document(house: &House, path: &str) -> Value {
    let answer = house.send(house.request(&format!("GET {path}"), "", "")).await;
    serde_json::from_str(body(&answer)).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test]
async fn the_document_has_what_is_published_and_nothing_else() {
    let house = House::new().await;
    let document = document(&house, "/v1/acme/books/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    let lines: Vec<String> = paths
        .iter()
        .map(|(path, item)| {
            let methods: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
            format!("{} {path}", methods.join(","))
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    get /health/live
    get /health/ready
    get /v1/acme/books/follow/till/timeline
    post /v1/acme/books/hooks/courier
    post /v1/acme/books/operations/till/ask
    post /v1/acme/books/operations/till/break
    post /v1/acme/books/operations/till/note
    post /v1/acme/books/operations/till/place
    post /v1/acme/books/operations/till/rise
    post /v1/acme/books/read/till/budget
    get,post /v1/acme/books/read/till/find
    get,post /v1/acme/books/read/till/order
    post /v1/acme/books/read/till/quote
    get,post /v1/acme/books/read/till/timeline
    post /v1/acme/books/trades/ask
    post /v1/acme/books/trades/buy
    post /v1/acme/books/trades/recount
    get /v1/acme/books/trades/{id}
    "#);
}

#[tokio::test]
async fn an_endpoint_is_described_as_it_answers() {
    let house = House::new().await;
    let document = document(&house, "/v1/acme/books/openapi.json").await;
    assert_snapshot!(serde_json::to_string_pretty(&document["paths"]["/v1/acme/books/trades/buy"]).unwrap(), @r##"
    {
      "post": {
        "operationId": "start-buy",
        "parameters": [
          {
            "description": "New for each request, the same when it is repeated.",
            "in": "header",
            "name": "Idempotency-Key",
            "required": true,
            "schema": {
              "maxLength": 255,
              "minLength": 1,
              "type": "string"
            }
          },
          {
            "description": "Who asks; from the same machine only, until customers can sign in. It fills customer_id.",
            "in": "header",
            "name": "Mortise-Customer",
            "required": true,
            "schema": {
              "type": "string"
            }
          }
        ],
        "requestBody": {
          "content": {
            "application/json": {
              "example": {
                "offer": {
                  "amount": 1299,
                  "currency": "EUR"
                },
                "order_id": "order_id-1",
                "sku": "sku-1"
              },
              "schema": {
                "additionalProperties": false,
                "properties": {
                  "currency": {
                    "$ref": "#/components/schemas/pricing.Currency",
                    "default": "EUR"
                  },
                  "offer": {
                    "$ref": "#/components/schemas/Money"
                  },
                  "order_id": {
                    "type": "string"
                  },
                  "sku": {
                    "type": "string"
                  },
                  "tips": {
                    "default": [],
                    "items": {
                      "$ref": "#/components/schemas/Money"
                    },
                    "maxItems": 3,
                    "type": "array"
                  }
                },
                "required": [
                  "offer",
                  "order_id",
                  "sku"
                ],
                "type": "object"
              }
            }
          },
          "required": true
        },
        "responses": {
          "200": {
            "content": {
              "application/json": {
                "schema": {
                  "additionalProperties": false,
                  "properties": {
                    "order_id": {
                      "type": "string"
                    },
                    "tips": {
                      "default": [],
                      "items": {
                        "$ref": "#/components/schemas/Money"
                      },
                      "maxItems": 3,
                      "type": "array"
                    },
                    "total": {
                      "$ref": "#/components/schemas/Money"
                    }
                  },
                  "required": [
                    "order_id",
                    "tips",
                    "total"
                  ],
                  "type": "object"
                }
              }
            },
            "description": "The trade's answer."
          },
          "202": {
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Running"
                }
              }
            },
            "description": "The trade has not answered yet: ask Location again."
          },
          "409": {
            "content": {
              "application/problem+json": {
                "schema": {
                  "$ref": "#/components/schemas/Problem"
                }
              }
            },
            "description": "The first request with this key is still running, the trade's key is taken, or what is there does not allow it."
          },
          "422": {
            "content": {
              "application/problem+json": {
                "schema": {
                  "$ref": "#/components/schemas/Problem"
                }
              }
            },
            "description": "The trade was refused or went backward. `reason` is one of sold_out."
          },
          "default": {
            "content": {
              "application/problem+json": {
                "schema": {
                  "$ref": "#/components/schemas/Problem"
                }
              }
            },
            "description": "Anything else."
          }
        },
        "summary": "Buys one thing.",
        "tags": [
          "trades"
        ]
      }
    }
    "##);
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let house = House::new().await;
    let document = document(&house, "/openapi.json").await;
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/v1/{tenant}/{line}/trades/buy"]["parameters"][0]["name"] == "tenant");
}

fn collect(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|inner| collect(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}

#[tokio::test]
async fn publishing_creates_the_endpoint_and_its_description() {
    let house = House::new().await;
    assert!(house.post("/trades/greet", "k1", "{}").await.starts_with("404"));
    let first = house.send(house.request("GET /openapi.json", "", "")).await;
    let tag = header(&first, "etag").unwrap().to_owned();
    let ask = async || {
        let headers = format!("if-none-match: {tag}");
        house.ask(house.request("GET /openapi.json", &headers, "")).await[..3].to_owned()
    };
    assert_eq!(ask().await, "304");
    let greet = "flow: greet\nversion: 1\nsummary: Says hello.\ninput: { type: object, properties: { customer_id: { $ref: customer/CustomerId } } }\nsteps:\n  - answer: { hello: world }\n";
    house.engine.publish((PLATFORM, ""), greet, Aliasing::Keep).await.unwrap();
    assert_eq!(ask().await, "200");
    let answer = house.post("/trades/greet", "k2", "{}").await;
    assert_eq!(answer.lines().last().unwrap(), r#"{"hello":"world"}"#);
}

#[tokio::test]
async fn a_lines_own_flow_is_shown_to_that_line_only() {
    let house = House::new().await;
    let greet = "flow: greet\nversion: 1\nsummary: Says hello.\ninput: { type: object, properties: {} }\nsteps:\n  - answer: { hello: world }\n";
    house.engine.publish(("acme", "books"), greet, Aliasing::Keep).await.unwrap();
    let has = async |path: &str| {
        document(&house, path).await["paths"]
            .as_object()
            .unwrap()
            .keys()
            .any(|path| path.ends_with("/trades/greet"))
    };
    assert!(has("/v1/acme/books/openapi.json").await);
    assert!(!has("/v1/acme/toys/openapi.json").await);
    assert!(!has("/v1/zenith/books/openapi.json").await);
    assert!(!has("/openapi.json").await);
}

#[tokio::test]
async fn the_pages_need_nothing_from_elsewhere() {
    let house = House::new().await;
    for path in ["/", "/docs", "/v1/acme/books/docs"] {
        let page = house.send(house.request(&format!("GET {path}"), "", "")).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.contains("/trades/buy") && page.contains("Buys one thing."), "{path}");
        assert!(page.contains("content-security-policy: default-src 'none'"), "{path}");
        for outside in ["<script", "src=", "href=\"http", "url("] {
            assert!(!body(&page).contains(outside), "{path}: {outside}");
        }
    }
}

#[tokio::test]
async fn every_code_has_its_page() {
    let house = House::new().await;
    for code in mortise_fault::codes::ALL {
        let page = house.send(house.request(&format!("GET /problems/{}", code.code), "", "")).await;
        assert_eq!(body(&page), code.page_text);
        assert_eq!(header(&page, "content-type"), Some("text/markdown; charset=utf-8"));
    }
    let page = house.send(house.request("GET /problems/sold_out", "accept: text/html", "")).await;
    assert!(page.contains("<body><h1>sold_out</h1><p>There is none left.</p></body>"), "{page}");
}
