//! What a deploy and a rollback make of what is there, and when a canary ends. A line of a case is a command, each answered
//! by the bindings of the revision that it makes, or by its refusal.

use std::str::FromStr as _;

use mortise_bindings::{Binding, Canary, Guard, Rollout};
use mortise_deployments::{Change, ChangeError, Customers, Deploy, Revision, Rollback, Seen, judge};
use mortise_points::OnFailure;
use mortise_types::{BusinessLine, Channel, TenantId, Timestamp};

/// `promo@1.0.0 shop/grocery/* 10`
pub(crate) fn binding(text: &str, rollout: Rollout) -> Binding {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (extension, version) = words[0].split_once('@').unwrap();
    let place: Vec<&str> = words[1].split('/').collect();
    let part = |index: usize| Some(place[index]).filter(|part| *part != "*");
    Binding {
        point: "unit-price".into(),
        tenant: TenantId::new(place[0]).unwrap(),
        line: part(1).map(|line| BusinessLine::new(line).unwrap()),
        channel: part(2).map(|channel| Channel::new(channel).unwrap()),
        extension: extension.into(),
        version: version.into(),
        priority: words[2].parse().unwrap(),
        on_failure: OnFailure::Skip,
        config: serde_json::json!({}),
        rollout,
        since: 0,
    }
}

fn changed(history: &[Revision], command: &str) -> Result<Change, ChangeError> {
    let (verb, rest) = command.split_once(' ').unwrap();
    let reason = "as told".to_owned();
    let rollout = match verb {
        "deploy" => Rollout::Live,
        "shadow" => Rollout::Shadow,
        "canary" => Rollout::Canary(Canary::of(5)),
        verb => {
            let (extension, to) =
                rest.split_once(' ').map_or((rest, None), |(name, to)| (name, to.parse().ok()));
            let extension = Some(extension).filter(|name| *name != "everything").map(str::to_owned);
            let hard = verb == "rollback-hard";
            return mortise_deployments::roll_back(history, Rollback { extension, to, hard, reason });
        }
    };
    let bindings = vec![binding(rest, rollout)];
    mortise_deployments::deploy(history.first(), Deploy { bindings, reason })
}

fn told(revision: &Revision) -> String {
    let Change { kind, restores, withdrawn, bindings, .. } = &revision.change;
    let mut text = format!("{} {}", revision.number, kind.word());
    if let Some(restores) = restores {
        text.push_str(&format!(" to {restores}"));
    }
    if !withdrawn.is_empty() {
        let ids: Vec<&str> = withdrawn.iter().map(String::as_str).collect();
        text.push_str(&format!(", running trades leave {}", ids.join(", ")));
    }
    for binding in bindings {
        text.push_str(&format!("\n    {binding}, since {}", binding.since));
    }
    text
}

#[test]
fn changes_by_the_book() {
    mortise_testkit::table::run("tests/cases/changes", |commands| {
        let mut history: Vec<Revision> = Vec::new();
        let mut said = Vec::new();
        for command in commands.lines() {
            match changed(&history, command) {
                Ok(change) => {
                    let number = history.len() as i64 + 1;
                    let at = Timestamp::from_millis(number);
                    let made_by = "ada".to_owned();
                    history.insert(0, Revision { number, made_at: at, effective_from: at, made_by, change });
                    said.push(told(&history[0]));
                }
                Err(refused) => said.push(format!("refused: {refused}")),
            }
        }
        said.join("\n")
    });
}

/// The number before a word.
fn figure(text: &str, word: &str) -> Option<i64> {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    words.windows(2).find(|pair| pair[1] == word).map(|pair| i64::from_str(pair[0]).unwrap())
}

#[test]
fn canaries_are_judged_by_the_book() {
    mortise_testkit::table::run("tests/cases/judge", |case| {
        let guard = case.lines().next().unwrap();
        let bound = |word: &str| u32::try_from(figure(guard, word).unwrap()).unwrap();
        let guard = Guard {
            calls_min: bound("calls"),
            failures_max_bp: bound("bp"),
            latency_max_us: bound("us"),
            difference_max_minor: figure(guard, "minor"),
        };
        let seen = |line: &str| {
            let number = |word: &str| figure(line, word).unwrap_or_default();
            let money = line.rsplit_once("us, ").map_or(vec![], |(_, money)| money.split(' ').collect());
            let amount = |index: usize| money.get(index).map_or(0, |text| text.parse().unwrap());
            Seen {
                currency: money.first().map_or_else(String::new, |code| (*code).to_owned()),
                calls: number("calls"),
                orders: number("orders"),
                failures: number("failures"),
                took_us: number("us"),
                difference_minor: amount(1),
                off_minor: amount(3),
            }
        };
        let all: Vec<Seen> = case.lines().skip(1).map(seen).collect();
        judge(&guard, &all).unwrap_or_else(|| "it goes on".to_owned())
    });
}

#[test]
fn a_canarys_customers_are_always_the_same_and_as_many_as_it_says() {
    let customers = Customers::Percent(10);
    let of = |rollout: i64| -> Vec<u32> {
        (0..10_000).filter(|number| customers.include(rollout, &format!("customer-{number}"))).collect()
    };
    assert_eq!(of(7), of(7));
    assert!((900..1_100).contains(&of(7).len()), "{}", of(7).len());
    let both = of(7).into_iter().filter(|customer| of_contains(&of(8), *customer)).count();
    assert!((50..150).contains(&both), "another rollout has other customers: {both} in both");
    assert!(!Customers::None.include(7, "customer-1"));
    let wider = Customers::Percent(20);
    assert!(of(7).iter().all(|number| wider.include(7, &format!("customer-{number}"))));
}

fn of_contains(all: &[u32], one: u32) -> bool {
    all.binary_search(&one).is_ok()
}
