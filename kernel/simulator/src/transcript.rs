//! What happened in a world, written for a person: a table in Markdown, or JSON. It leaves nothing out but the journal's
//! detail, and adds nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use mortise_contract::{Contracts, Schema};
use mortise_types::Timestamp;
use serde::Serialize;

use crate::books::Moves;
use crate::row::{Answered, CallRow, Outcome, Row, Way, What};
use crate::script::Answers;
use crate::words::{self, ShortIds};

/// A line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// After the world began: `2d 4h`.
    pub after: String,
    /// The trade; empty is the world.
    pub trade: String,
    /// The step, or several.
    pub step: String,
    /// What happened.
    pub what: String,
    /// How the books moved: `tea at berlin, reserved +4`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
}

/// What a world came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transcript {
    /// The world.
    pub world: String,
    /// About it.
    pub about: String,
    /// What happened.
    pub lines: Vec<Line>,
    /// Each trade with its outcome.
    pub trades: Vec<(String, String)>,
    /// How the books moved altogether.
    pub moved: Vec<String>,
}

/// The answer's type and the currency of a trade, by its name.
type AnswerOf<'a> = Box<dyn Fn(&str) -> (Option<Schema>, Option<String>) + 'a>;

/// What rows are written with.
pub(crate) struct Pen<'a> {
    pub(crate) opens_at: Timestamp,
    pub(crate) contracts: &'a Contracts,
    pub(crate) answers: AnswerOf<'a>,
}

impl Pen<'_> {
    /// The lines of the rows.
    pub(crate) fn lines(&self, rows: &[Row]) -> Vec<Line> {
        let mut ids = ShortIds::default();
        let mut lines: Vec<Line> = Vec::new();
        let mut reading: Option<(Timestamp, Option<Arc<str>>)> = None;
        for row in rows {
            if let What::Call(call) = &row.what
                && call.only_reads
                && call.outcome == Outcome::Done
                && call.asked.is_empty()
            {
                let place = (row.at, row.trade.clone());
                match lines.last_mut().filter(|_| reading.as_ref() == Some(&place)) {
                    Some(line) => {
                        line.step.push_str(&format!(", {}", call.step));
                        line.what.push_str(&format!(", {}", call.operation));
                    }
                    None => lines.push(self.line(row, &call.step, format!("reads {}", call.operation))),
                }
                reading = Some(place);
                continue;
            }
            reading = None;
            let (step, what) = self.words(row);
            lines.push(self.line(row, &step, what));
        }
        let mut lines = counted(lines);
        for line in &mut lines {
            line.what = ids.shorten(&line.what);
            line.trade = ids.shorten(&line.trade);
            for moved in &mut line.moved {
                *moved = ids.shorten(moved);
            }
        }
        lines
    }

    fn line(&self, row: &Row, step: &str, what: String) -> Line {
        Line {
            after: words::since(self.opens_at, row.at),
            trade: row.trade.as_deref().unwrap_or_default().to_owned(),
            step: step.to_owned(),
            what,
            moved: row.moves.words(),
        }
    }

    /// The step, and what happened there.
    fn words(&self, row: &Row) -> (String, String) {
        let none = String::new;
        let (step, mut words) = match &row.what {
            What::Deed { words, outcome } if outcome.is_empty() => (none(), format!("*{words}*")),
            What::Deed { words, outcome } => (none(), format!("*{words}* → {outcome}")),
            What::Began { flow } => (none(), format!("begins `{flow}`")),
            What::Call(call) => (shown(call), call_words(call)),
            What::Asked { step, operation } => {
                (step.to_string(), format!("{operation}: asked, no answer yet"))
            }
            What::Starts { step, flow } => (step.to_string(), format!("starts `{flow}`")),
            What::Waits { step, event, due: Some(due) } => {
                (step.to_string(), format!("waits for {event}, until {}", words::since(self.opens_at, *due)))
            }
            What::Waits { step, event, due: None } => (step.to_string(), format!("waits for {event}")),
            What::Sleeps { step, due } => {
                (step.to_string(), format!("sleeps until {}", words::since(self.opens_at, *due)))
            }
            What::Came { step, event } => (step.to_string(), format!("{event} has come")),
            What::Due { step, event: Some(event) } => {
                (step.to_string(), format!("{event} has not come in time"))
            }
            What::Due { step, event: None } => (step.to_string(), "wakes".to_owned()),
            What::Cancelled => (none(), "is cancelled".to_owned()),
            What::TakenBack => (none(), "is no longer wanted by the trade that started it".to_owned()),
            What::Pivot => (none(), "**past the pivot**: from here on it only goes forward".to_owned()),
            What::Answered(answered) => (none(), self.answered(row, answered)),
            What::Attention { step, text } => (step.clone(), format!("**a person is told**: {text}")),
            What::Ended { outcome } => (none(), format!("**{outcome}**")),
            What::Crashed => (none(), "**the process crashes and starts again**".to_owned()),
            What::Told => (none(), none()),
        };
        if !row.tells.is_empty() {
            let separator = if words.is_empty() { "" } else { "; " };
            words.push_str(&format!("{separator}tells {}", row.tells.join(", ")));
        }
        (step, words)
    }

    fn answered(&self, row: &Row, answered: &Answered) -> String {
        let (schema, currency) = (self.answers)(row.trade.as_deref().unwrap_or_default());
        match answered {
            Answered::Ok(value) => {
                let value = words::value(value, schema.as_ref(), self.contracts, currency.as_deref());
                if value.is_empty() { "answers".to_owned() } else { format!("answers: {value}") }
            }
            Answered::Failed { code, .. } => format!("answers that it failed: {code}"),
        }
    }
}

/// The same thing, several times in a row, is one line.
fn counted(lines: Vec<Line>) -> Vec<Line> {
    let mut counted: Vec<(Line, u32)> = Vec::with_capacity(lines.len());
    for line in lines {
        match counted.last_mut() {
            Some((last, count)) if *last == line && line.trade.is_empty() && line.moved.is_empty() => {
                *count += 1
            }
            _ => counted.push((line, 1)),
        }
    }
    let line = |(line, count): (Line, u32)| match count {
        1 => line,
        count => Line { what: format!("{} (×{count})", line.what), ..line },
    };
    counted.into_iter().map(line).collect()
}

fn shown(call: &CallRow) -> String {
    match &call.way {
        Way::Forward if *call.step == *call.operation => String::new(),
        Way::Forward => call.step.to_string(),
        Way::Confirm(of) | Way::Back(of) => of.to_string(),
    }
}

fn call_words(call: &CallRow) -> String {
    let CallRow { operation, way, outcome, asked, .. } = call;
    let taken = match way {
        Way::Forward => "",
        Way::Confirm(_) => "confirmed: ",
        Way::Back(_) => "taken back: ",
    };
    let asked = if asked.is_empty() { String::new() } else { format!(" ({})", asked.join(", ")) };
    match outcome {
        Outcome::Done => format!("{taken}{operation}{asked}"),
        Outcome::Rejected { code, detail } if detail.is_empty() => {
            format!("{taken}{operation} → **rejected: {code}**{asked}")
        }
        Outcome::Rejected { code, detail } => {
            format!("{taken}{operation} → **rejected: {code}** ({detail}){asked}")
        }
        Outcome::Unavailable => format!("{taken}{operation} → **unavailable**"),
    }
}

/// What a script wishes of calls.
pub(crate) fn wish(operation: &str, answers: &Answers, times: u32) -> String {
    let how = match answers {
        Answers::Unavailable => "is not reached".to_owned(),
        Answers::Unanswered => "is done, and its answer is lost".to_owned(),
        Answers::Rejected(code) => format!("is rejected with {code}"),
        Answers::Says(answer) => format!("is answered {}", answer.to_json()),
    };
    match times {
        1 => format!("the next {operation} {how}"),
        times => format!("the next {times} {operation}: each {how}"),
    }
}

impl Transcript {
    pub(crate) fn of(
        world: (&str, &str),
        lines: Vec<Line>,
        trades: Vec<(String, String)>,
        moved: &Moves,
    ) -> Self {
        Self { world: world.0.to_owned(), about: world.1.to_owned(), lines, trades, moved: moved.words() }
    }

    /// A section in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n", self.world);
        if !self.about.is_empty() {
            text.push_str(&format!("{}\n\n", self.about.trim()));
        }
        text.push_str("| when | step | what happens | what moved |\n|---|---|---|---|\n");
        let names: BTreeSet<&str> =
            self.lines.iter().map(|line| line.trade.as_str()).filter(|name| !name.is_empty()).collect();
        let mut before: (&str, &str) = ("", "");
        for line in &self.lines {
            let when = if line.after == before.0 { "" } else { &line.after };
            let whose =
                names.len() > 1 && !line.trade.is_empty() && (line.trade != before.1 || !when.is_empty());
            let step = match (whose, line.step.is_empty()) {
                (true, true) => format!("**{}**", line.trade),
                (true, false) => format!("**{}** {}", line.trade, line.step),
                (false, _) => line.step.clone(),
            };
            let cells = [when, &step, &line.what, &line.moved.join("; ")].map(cell);
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
            before = (&line.after, &line.trade);
        }
        text.push_str("\nIn the end: ");
        let trades = self.trades.iter().map(|(name, outcome)| format!("{name} {outcome}"));
        let trades = trades.collect::<Vec<_>>().join("; ");
        let trades = if trades.is_empty() { "there was no trade".to_owned() } else { trades };
        let moved = if self.moved.is_empty() {
            "Nothing has moved.".to_owned()
        } else {
            format!("Moved: {}.", self.moved.join("; "))
        };
        text.push_str(&format!("{trades}. {moved}\n"));
        text
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
