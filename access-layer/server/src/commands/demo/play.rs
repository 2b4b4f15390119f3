//! Plays a story over HTTP: sends each step's request, holds the answer to what is expected, keeps what later steps name, and
//! looks at the stock before and after each scene.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mortise_types::{Span, Timestamp};
use serde_json::{Value as Json, json};

use super::matching::differs;
use super::names::{Names, pointed};
use super::story::{Asker, Scene, Step, Story, Waiting};
use super::tell::{Change, Teller, Told};
use crate::failure::Failure;

/// How long a step that waits is asked again.
const WAIT_LIMIT: Duration = Duration::from_secs(20);
/// How long between two askings.
const WAIT_PAUSE: Duration = Duration::from_millis(50);

/// Where the story plays.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) http: reqwest::Client,
    pub(super) server: String,
    pub(super) sandbox: String,
    /// What makes this run's ids its own.
    pub(super) run: String,
    /// Requests so far.
    pub(super) requests: AtomicU64,
}

/// How it went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) held: usize,
    pub(super) broken: usize,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Json,
}

/// Stock levels of the watched items, by item and place.
type Levels = BTreeMap<(String, String), BTreeMap<String, i64>>;

impl Stage {
    /// Plays all scenes; a scene ends at its first step that does not hold, the next one is played all the same.
    pub(super) async fn play(&self, story: &Story, teller: &mut Teller) -> Tally {
        let mut tally = Tally::default();
        for scene in &story.scenes {
            teller.scene(&scene.scene, &scene.line, &scene.customer);
            match self.play_scene(story, scene, teller).await {
                Ok(held) => tally.held += held,
                Err(problem) => {
                    tally.broken += 1;
                    teller.broken(&problem);
                }
            }
        }
        tally
    }

    async fn play_scene(&self, story: &Story, scene: &Scene, teller: &mut Teller) -> Result<usize, String> {
        let mut names = Names::since(self.now().await?);
        for (name, value) in [
            ("run", &self.run),
            ("tenant", &story.tenant),
            ("line", &scene.line),
            ("customer", &scene.customer),
            ("server", &self.server),
            ("sandbox", &self.sandbox),
        ] {
            names.keep(name, json!(value));
        }
        let before = self.levels(story, scene, &names).await?;
        for step in &scene.steps {
            let told = self
                .play_step(step, scene, &mut names)
                .await
                .map_err(|problem| format!("{}: {problem}", step.step))?;
            teller.step(&step.step, &told);
        }
        let after = self.levels(story, scene, &names).await?;
        let changes = changes(&before, &after);
        teller.stock(&changes);
        let surprises = surprises(scene, &changes);
        if surprises.is_empty() { Ok(scene.steps.len() + 1) } else { Err(surprises.join("; ")) }
    }

    async fn play_step(&self, step: &Step, scene: &Scene, names: &mut Names) -> Result<Told, String> {
        if let Some(span) = step.advance {
            let now = self.advance(span).await?;
            return Ok(Told::said(format!("it is {now}")));
        }
        let expected = step.expect.body.as_ref().map(|body| names.fill(body)).transpose()?;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let key = step
            .key
            .as_ref()
            .map_or_else(|| Ok(format!("{}-{number}", self.run)), |key| names.fill_text(key))?;
        let began = tokio::time::Instant::now();
        let answer = loop {
            let answer = self.ask(step, scene, &key, names).await?;
            let off = match (&expected, answer.status == step.expect.status) {
                (_, false) => {
                    Some(format!("it is answered {} instead of {}", answer.status, step.expect.status))
                }
                (Some(expected), true) => differs(expected, &answer.body),
                (None, true) => None,
            };
            let Some(off) = off else { break answer };
            if step.wait == Waiting::No || began.elapsed() > WAIT_LIMIT {
                return Err(format!("{off}; the whole answer: {}", answer.body));
            }
            tokio::time::sleep(WAIT_PAUSE).await;
        };
        for (name, pointer) in &step.keep {
            let pointer = names.fill_text(pointer)?;
            let kept = pointed(&answer.body, &pointer)
                .ok_or_else(|| format!("the answer has no {pointer}: {}", answer.body))?;
            names.keep(name, kept.clone());
        }
        let proof = step.proof.as_ref().and_then(|pointer| answer.body.pointer(pointer)).cloned();
        Ok(Told::of(answer.status, &answer.body, proof))
    }

    async fn ask(&self, step: &Step, scene: &Scene, key: &str, names: &Names) -> Result<Answer, String> {
        let (request, path) = match (&step.get, &step.post) {
            (Some(path), None) => (self.http.get(self.url(path, names)?), path),
            (None, Some(path)) => {
                (self.http.post(self.url(path, names)?).header("Idempotency-Key", key), path)
            }
            _ => return Err("a step has one of `advance`, `get` and `post`".to_owned()),
        };
        let request = match step.by {
            Asker::Customer => {
                request.header("Mortise-Customer", step.customer.as_ref().unwrap_or(&scene.customer))
            }
            Asker::Staff => request.header("Mortise-Staff", "warehouse"),
            Asker::Nobody => request,
        };
        let request = match &step.body {
            Some(body) => request.json(&names.fill(body)?),
            None => request,
        };
        answer(request).await.map_err(|error| format!("{path}: {error}"))
    }

    fn url(&self, path: &str, names: &Names) -> Result<String, String> {
        let path = names.fill_text(path)?;
        if path.starts_with("http://") {
            return Ok(path);
        }
        names.fill_text(&format!("{}/v1/${{tenant}}/${{line}}/{path}", self.server))
    }

    /// Both clocks go forward by as much.
    async fn advance(&self, span: Span) -> Result<String, String> {
        let now = self.now().await?.saturating_add(span);
        let sandbox = self
            .http
            .post(format!("{}/_control/clock", self.sandbox))
            .json(&json!({"advance_ms": span.as_millis()}));
        let server = self.http.post(format!("{}/dev/clock", self.server)).json(&json!({"now": now}));
        for request in [sandbox, server] {
            let answer = answer(request).await?;
            if answer.status >= 300 {
                return Err(format!("the clock was not moved: {} {}", answer.status, answer.body));
            }
        }
        Ok(now.to_string())
    }

    /// What the server's clock shows.
    pub(super) async fn now(&self) -> Result<Timestamp, String> {
        let answer = answer(self.http.get(format!("{}/dev/clock", self.server))).await?;
        let now = answer.body.get("now").and_then(Json::as_str).and_then(|now| now.parse().ok());
        now.ok_or_else(|| format!("the server's clock says {}", answer.body))
    }

    async fn levels(&self, story: &Story, scene: &Scene, names: &Names) -> Result<Levels, String> {
        let mut levels = Levels::new();
        let mut names = names.clone();
        for sku in scene.stock.keys() {
            names.keep("sku", json!(sku));
            let request =
                self.http.get(self.url(&story.stock.get, &names)?).header("Mortise-Staff", "warehouse");
            let answer = answer(request).await?;
            let rows = answer.body.pointer(&story.stock.rows).and_then(Json::as_array);
            for row in rows.ok_or_else(|| format!("the stock of {sku}: {} {}", answer.status, answer.body))? {
                let text = |name: &str| row.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
                let figures = row.as_object().into_iter().flatten();
                let figures = figures.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?)));
                levels.insert((text("sku"), text("location")), figures.collect());
            }
        }
        Ok(levels)
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let bytes = response.bytes().await.map_err(|error| error.to_string())?;
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    Ok(Answer { status, body })
}

fn changes(before: &Levels, after: &Levels) -> Vec<Change> {
    let mut changes = Vec::new();
    for ((sku, location), levels) in after {
        let former = before.get(&(sku.clone(), location.clone()));
        for (figure, now) in levels {
            let was = former.and_then(|former| former.get(figure)).copied().unwrap_or(0);
            changes.push(Change {
                sku: sku.clone(),
                location: location.clone(),
                figure: figure.clone(),
                was,
                now: *now,
            });
        }
    }
    changes
}

/// Where the stock did not change as the scene says. Figures that follow from the others need not be named.
fn surprises(scene: &Scene, changes: &[Change]) -> Vec<String> {
    let mut surprises = Vec::new();
    for (sku, expected) in &scene.stock {
        for (figure, by) in expected {
            let found: i64 =
                changes.iter().filter(|c| c.sku == *sku && c.figure == *figure).map(|c| c.now - c.was).sum();
            if found != *by {
                surprises.push(format!("the stock of {sku}: {figure} changed by {found} instead of {by}"));
            }
        }
        if expected.is_empty() {
            let moved = changes.iter().filter(|change| change.sku == *sku && change.now != change.was);
            surprises.extend(
                moved.map(|change| format!("the stock of {sku}: {} was not to change", change.figure)),
            );
        }
    }
    surprises
}

/// A story that cannot be played.
pub(super) fn unplayable(problem: String) -> Failure {
    Failure::refused(problem)
}
