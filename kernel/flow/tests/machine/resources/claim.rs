//! A finding of the checker as a claim about the machine: on some way, on which what the finding tells happens in that order,
//! this handle leaks or is settled twice.

use mortise_flow::diagnostic::{Diagnostic, WayPoint};

use super::book::Book;
use super::parts::Parts;

#[derive(Debug, Clone)]
pub(crate) struct Claim {
    what: What,
    resource: String,
    /// What the world does on the finding's way.
    way: Vec<Point>,
    parts: Parts,
}

#[derive(Debug, Clone)]
struct Point {
    word: String,
    line: u32,
}

#[derive(Debug, Clone)]
enum What {
    /// What this step acquires is left.
    Leaks { site: String },
    /// It is settled once more by this operation.
    Twice { by: String },
}

impl Claim {
    /// What a finding about a resource says of a flow that is written as `text`.
    pub(crate) fn of(finding: &Diagnostic, text: &str) -> Self {
        let words = ["stock", "money", "credit"];
        let resource = words.into_iter().find(|word| finding.message.contains(&format!(" {word}")));
        let what = match finding.code.as_str() {
            "leaks-resource" => What::Leaks { site: site(&text[finding.bytes.0..]) },
            _ => What::Twice { by: finding.message.split('`').nth(1).unwrap_or_default().to_owned() },
        };
        let told = |point: &WayPoint| word(&point.what).map(|word| Point { word, line: point.line });
        let way = finding.way.iter().filter_map(told).collect();
        Self { what, resource: resource.unwrap_or_default().to_owned(), way, parts: Parts::of(text) }
    }

    /// How much of the way is among this, in any order.
    pub(crate) fn progress(&self, told: &[String]) -> usize {
        let mut left: Vec<&String> = told.iter().collect();
        let mut found = 0;
        for point in &self.way {
            if let Some(at) = left.iter().position(|told| **told == point.word) {
                left.swap_remove(at);
                found += 1;
            }
        }
        found
    }

    /// Whether a way on which all this happened shows it.
    pub(crate) fn is_shown(&self, book: &Book, ended: bool) -> bool {
        let so = match &self.what {
            What::Leaks { site } => {
                ended && book.held.iter().any(|held| held.site == *site && held.resource == self.resource)
            }
            What::Twice { by } => {
                book.twice.iter().any(|twice| twice.by == *by && twice.resource == self.resource)
            }
        };
        so && self.is_told(&book.told)
    }

    /// Whether all of the way is among this, in its order; parts that run side by side are told one after another.
    fn is_told(&self, told: &[String]) -> bool {
        // What cancels while a peer is asked is heard before the answer is.
        let (cancels, in_order): (Vec<&Point>, Vec<&Point>) =
            self.way.iter().partition(|point| point.word.contains("comes and cancels"));
        cancels.iter().all(|point| told.contains(&point.word)) && self.fits(&in_order, told, &mut Vec::new())
    }

    /// Whether the points behind those that have a place in `told` find one, too.
    fn fits(&self, points: &[&Point], told: &[String], places: &mut Vec<usize>) -> bool {
        let Some(point) = points.get(places.len()) else { return true };
        let before =
            points.iter().zip(&*places).filter(|(other, _)| !self.parts.are_beside(other.line, point.line));
        let from = before.map(|(_, place)| place + 1).max().unwrap_or(0);
        (from..told.len()).filter(|place| told[*place] == point.word).any(|place| {
            if places.contains(&place) {
                return false;
            }
            places.push(place);
            let fits = self.fits(points, told, places);
            places.pop();
            fits
        })
    }
}

/// The id of the acquiring step that begins here.
fn site(text: &str) -> String {
    let acquiring = ["stock", "parts", "money", "captured", "won", "credit"];
    let ids = text.split('"').filter(|part| {
        acquiring.iter().any(|word| {
            part.strip_prefix(word)
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        })
    });
    ids.map(str::to_owned).next().unwrap_or_default()
}

/// A point of a way as the book tells it; none of what follows of itself, such as the condition of a step.
fn word(point: &str) -> Option<String> {
    let until = |end: &str| point.find(end).map(|at| point[..at + end.len()].to_owned());
    if let Some(comes) = point.strip_suffix(" acquires money").filter(|by| *by == "`pay.captured`") {
        return Some(format!("{comes} comes"));
    }
    let whole = [" releases ", " consumes ", " is undone by ", " confirms it", " does not come in time"];
    let begun = ["` acquires", "` is rejected", "` comes and cancels", "` comes"];
    if point.starts_with('`') && whole.iter().any(|part| point.contains(part)) {
        return Some(point.to_owned());
    }
    if point.starts_with("the time is over") {
        return Some(point.to_owned());
    }
    begun.iter().filter(|_| point.starts_with('`')).find_map(|end| until(end))
}
