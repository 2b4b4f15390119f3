//! Purchase limits by tables: whose basket is too full, and when periods begin.

use std::collections::BTreeMap;

use mortise_testkit::table;

use super::*;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no moment"))
}

fn period(word: &str) -> Period {
    serde_json::from_value(word.into()).unwrap_or_else(|_| panic!("`{word}` is no period"))
}

/// `PERIOD of MOMENT [at OFFSET minutes] [from MOMENT]` → when it began, and when the next one does.
fn window_case(input: &str) -> String {
    let words: Vec<&str> = input.split(' ').collect();
    let after = |word: &str| words.iter().position(|w| *w == word).map(|at| words[at + 1]);
    let offset = UtcOffset::minutes(after("at").map_or(0, |minutes| minutes.parse().unwrap()));
    let period = period(words[0]);
    let start = window_start(period, after("from").map(moment), moment(after("of").unwrap()), offset);
    let next = resets_at(period, start, offset).map_or_else(|| "never".to_owned(), |next| next.to_string());
    format!("{start}, then {next}")
}

#[test]
fn window_tables() {
    table::run("tests/cases/windows", window_case);
}

/// `rule ID: N a PERIOD of WHAT [in LINE] [from MOMENT] [until MOMENT]`, where WHAT is `everything`, `item SKU` or
/// `group NAME (SKU SKU)`; `used N of ID`; `ask N SKU`. All on 2026-01-15 in the line `grocery`.
fn check_case(input: &str) -> String {
    let now = moment("2026-01-15T12:00:00Z");
    let line = BusinessLine::new("grocery").unwrap();
    let (mut rules, mut used, mut lines) = (Vec::new(), BTreeMap::new(), Vec::new());
    for text in input.lines() {
        let words = text.split([' ', '(', ')']).map(|word| word.trim_end_matches(':'));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        match words[..] {
            ["rule", id, most, "a", word, "of", ref about @ ..] => rules.push(rule(id, most, word, about)),
            ["used", n, "of", id] => {
                used.insert(id.to_owned(), Quantity(n.parse().unwrap()));
            }
            ["ask", n, item] => lines.push(RequestedLine {
                sku: Sku::new(item).unwrap(),
                quantity: Quantity(n.parse().unwrap()),
                location: None,
                attributes: BTreeMap::new(),
            }),
            _ => panic!("`{text}` means nothing"),
        }
    }
    let about = |item: &Sku| -> Vec<Rule> {
        let of = rules.iter().filter(|(rule, members): &&(Rule, Vec<Sku>)| match &rule.target {
            Target::All => true,
            Target::Item(only) => only == item,
            Target::Group(_) => members.contains(item),
        });
        of.map(|(rule, _)| rule.clone()).collect()
    };
    let owned: Vec<(Sku, Vec<Rule>)> =
        lines.iter().map(|line| (line.sku.clone(), about(&line.sku))).collect();
    let by_item: HashMap<&Sku, &[Rule]> =
        owned.iter().map(|(item, rules)| (item, rules.as_slice())).collect();
    let counts = counts(&lines, &by_item, &line, now, UtcOffset::default()).unwrap();
    let bought: Vec<Quantity> =
        counts.iter().map(|count| used.get(&count.rule.rule).copied().unwrap_or_default()).collect();
    match check(&counts, &bought, UtcOffset::default()).unwrap() {
        Err(no) => {
            let reset = no.resets_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
            format!(
                "limit_exceeded: {}, {} wanted, {} used of {}, again {reset}",
                no.rule, no.wanted, no.used, no.most
            )
        }
        Ok(claims) if claims.is_empty() => "nothing to claim".to_owned(),
        Ok(claims) => {
            let claims =
                claims.iter().map(|c| format!("{}: {} since {}", c.rule, c.quantity, c.window_start));
            claims.collect::<Vec<_>>().join("\n")
        }
    }
}

fn rule(id: &str, most: &str, word: &str, about: &[&str]) -> (Rule, Vec<Sku>) {
    let after = |word: &str| about.iter().position(|w| *w == word).map(|at| about[at + 1]);
    let is_item = |word: &&&str| !["in", "from", "until"].contains(*word);
    let (target, members) = match about {
        ["everything", ..] => (Target::All, Vec::new()),
        ["item", item, ..] => (Target::Item(Sku::new(*item).unwrap()), Vec::new()),
        ["group", name, items @ ..] => {
            let members = items.iter().take_while(is_item).map(|item| Sku::new(*item).unwrap());
            (Target::Group((*name).to_owned()), members.collect())
        }
        _ => panic!("{about:?} is no target"),
    };
    let rule = Rule {
        rule: id.to_owned(),
        target,
        business_line: after("in").map(|line| BusinessLine::new(line).unwrap()),
        period: period(word),
        most: Quantity(most.parse().unwrap()),
        valid_from: after("from").map(moment),
        valid_until: after("until").map(moment),
    };
    (rule, members)
}

#[test]
fn check_tables() {
    table::run("tests/cases/check", check_case);
}

#[test]
fn a_rule_that_cannot_be_meant_is_unclear() {
    let row: RuleRow = serde_json::from_str(r#"{"rule":"r","period":"day","most":3}"#).unwrap();
    assert_eq!(target(&row), Ok(Target::All));
    let item = Some(Sku::new("tea").unwrap());
    let group = Some("hot drinks".to_owned());
    assert_eq!(
        target(&RuleRow { sku: item.clone(), ..row.clone() }),
        Ok(Target::Item(item.clone().unwrap()))
    );
    assert_eq!(
        target(&RuleRow { item_group: group.clone(), ..row.clone() }),
        Ok(Target::Group("hot drinks".into()))
    );
    for (unclear, problem) in [
        (
            RuleRow { sku: item, item_group: group, ..row.clone() },
            "it names an item and a group: name one of them",
        ),
        (RuleRow { rule: String::new(), ..row.clone() }, "a rule needs an id"),
        (RuleRow { item_group: Some(String::new()), ..row.clone() }, "the group has no name"),
        (
            RuleRow { valid_from: Some(Timestamp::EPOCH), valid_until: Some(Timestamp::EPOCH), ..row },
            "it ends before it begins",
        ),
    ] {
        assert_eq!(target(&unclear), Err(problem));
    }
}

#[test]
fn claims_of_one_rule_and_period_are_one() {
    let claim = |rule: &str, at: i64, quantity: i64| Claim {
        rule: rule.to_owned(),
        window_start: Timestamp::from_millis(at),
        quantity: Quantity(quantity),
    };
    let claims = [claim("b", 1, 2), claim("a", 1, 1), claim("b", 1, 3), claim("b", 2, 4)];
    assert_eq!(summed(&claims), Ok(vec![claim("a", 1, 1), claim("b", 1, 5), claim("b", 2, 4)]));
    assert_eq!(summed(&[claim("a", 1, i64::MAX), claim("a", 1, 1)]), Err(ArithmeticError::Overflow));
}
