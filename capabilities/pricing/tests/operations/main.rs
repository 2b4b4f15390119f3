//! The operations of pricing on a real database: quotes in batches, imports, groups, extensions, two tenants, checks.

mod bulk;
mod support;

use mortise_capability::StoreError;
use mortise_store::Statement;
use mortise_testkit::Rig;
use mortise_types::{Scope, Timestamp};
use support::{rig, rig_with};

const SHELF: &str = r#"{"rows":[
    {"price_list":"shelf","location":"367","sku":"jar","currency":"USD","amount":500,"per":3},
    {"price_list":"shelf","location":"367","sku":"loaf","currency":"USD","amount":199},
    {"price_list":"vip","sku":"loaf","currency":"USD","amount":189,"customer_group":"gold"}]}"#;

async fn shop() -> Rig {
    let rig = rig().await;
    assert_eq!(rig.call("pricing.import_entries", SHELF).await, r#"ok {"rows":3}"#);
    rig
}

#[tokio::test]
async fn a_quote_names_the_list_that_won() {
    let rig = shop().await;
    let input = r#"{"currency":"USD","lines":[{"sku":"jar","quantity":3,"location":"367"}]}"#;
    let version = support::version();
    assert_eq!(
        rig.call("pricing.quote", input).await,
        format!(
            r#"ok {{"lines":[{{"line_id":"1","sku":"jar","quantity":3,"location":"367","list_price":{{"amount":500,"per":3}},"list":500,"adjustments":[{{"kind":"price_list","source":"shelf","version":"{version}","amount":0,"reason":"500 per 3 of shelf: location 367"}}],"taxes":[],"payable":500}}],"customer_group":""}}"#
        )
    );
}

#[tokio::test]
async fn an_item_without_a_price_here_is_named() {
    let rig = shop().await;
    for (input, detail) in [
        (r#"{"currency":"USD","lines":[{"sku":"jar","quantity":3}]}"#, r#"{"sku":"jar","currency":"USD"}"#),
        (
            r#"{"currency":"EUR","lines":[{"sku":"loaf","quantity":1,"location":"367"}]}"#,
            r#"{"sku":"loaf","location":"367","currency":"EUR"}"#,
        ),
    ] {
        assert_eq!(rig.call("pricing.quote", input).await, format!("rejected price_missing {detail}"));
    }
}

#[tokio::test]
async fn the_group_is_the_one_named_else_the_customers_own_else_none() {
    let rig = shop().await;
    let members = r#"{"rows":[{"customer_id":"ann","customer_group":"gold"}]}"#;
    assert_eq!(rig.call("pricing.import_members", members).await, r#"ok {"rows":1}"#);
    let line = r#""currency":"USD","lines":[{"sku":"loaf","quantity":2,"location":"367"}]"#;
    let cases = [
        (r#""customer_id":"ann""#, 378, "gold"),
        (r#""customer_id":"bob""#, 398, ""),
        (r#""customer_group":"gold""#, 378, "gold"),
        (r#""customer_id":"ann","customer_group":"silver""#, 398, "silver"),
    ];
    for (who, payable, group) in cases {
        let answer = rig.call("pricing.quote", &format!("{{{line},{who}}}")).await;
        assert!(
            answer.contains(&format!(r#""payable":{payable}}}],"customer_group":"{group}""#)),
            "{who}: {answer}"
        );
    }
    rig.call("pricing.import_members", r#"{"rows":[{"customer_id":"ann"}]}"#).await;
    let answer = rig.call("pricing.quote", &format!(r#"{{{line},"customer_id":"ann"}}"#)).await;
    assert!(answer.contains(r#""payable":398"#), "{answer}");
}

#[tokio::test]
async fn a_period_is_half_open_and_ends_to_the_millisecond() {
    let mut rig = rig().await;
    let rows = r#"{"rows":[
        {"price_list":"w1","sku":"jar","currency":"USD","amount":100,"valid_from":"2017-01-02T05:00:00Z","valid_until":"2017-01-09T05:00:00Z"},
        {"price_list":"w2","sku":"jar","currency":"USD","amount":200,"valid_from":"2017-01-09T05:00:00Z","valid_until":"2017-01-16T05:00:00Z"}]}"#;
    assert_eq!(rig.call("pricing.import_entries", rows).await, r#"ok {"rows":2}"#);
    let quote = r#"{"currency":"USD","lines":[{"sku":"jar","quantity":1}]}"#;
    for (now, expected) in [
        ("2017-01-02T04:59:59.999Z", "rejected price_missing"),
        ("2017-01-02T05:00:00Z", "\"payable\":100"),
        ("2017-01-09T04:59:59.999Z", "\"payable\":100"),
        ("2017-01-09T05:00:00Z", "\"payable\":200"),
        ("2017-01-16T05:00:00Z", "rejected price_missing"),
    ] {
        rig.now = now.parse::<Timestamp>().unwrap();
        let answer = rig.call("pricing.quote", quote).await;
        assert!(answer.contains(expected), "{now}: {answer}");
    }
}

#[tokio::test]
async fn a_batch_looks_each_item_up_once_whatever_its_size() {
    let rig = shop().await;
    let input = r#"{"currency":"USD","customer_id":"ann","lines":[{"sku":"jar","quantity":3,"location":"367"},{"sku":"loaf","quantity":1,"location":"367"},{"sku":"jar","quantity":1,"location":"367"}]}"#;
    let before = rig.store.cost();
    let answers = rig.batch("pricing.quote", &[input; 64]).await;
    let after = rig.store.cost();
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.starts_with("ok")), "{}", answers[0]);
    assert_eq!(after.statements - before.statements, 2, "one for groups, one for entries");
    assert_eq!(after.executions - before.executions, 3, "one customer, two items");
}

#[tokio::test]
async fn importing_again_replaces_and_a_bad_row_stores_nothing() {
    let rig = shop().await;
    let quote = r#"{"currency":"USD","lines":[{"sku":"jar","quantity":3,"location":"367"}]}"#;
    let again = r#"{"rows":[{"price_list":"shelf","location":"367","sku":"jar","currency":"USD","amount":450,"per":3}]}"#;
    rig.call("pricing.import_entries", again).await;
    assert!(rig.call("pricing.quote", quote).await.contains(r#""payable":450"#));
    for (row, problem) in [
        (r#""price_list":" ""#, "price_list has to be 1 to 128 printable characters"),
        (r#""price_list":"x","line":"fashion""#, "line fashion is not the line of this call, grocery"),
        (r#""price_list":"x","channel":"WEB""#, "not a valid scope/Channel: 'W' is not one of a-z 0-9 - _ ."),
        (
            r#""price_list":"x","valid_from":"2020-01-01T00:00:00Z","valid_until":"2020-01-01T00:00:00Z""#,
            "valid_until 2020-01-01T00:00:00.000Z is not after valid_from 2020-01-01T00:00:00.000Z",
        ),
    ] {
        let good = r#"{"price_list":"shelf","location":"367","sku":"jar","currency":"USD","amount":1}"#;
        let rows = format!(r#"{{"rows":[{good},{{{row},"sku":"jar","currency":"USD","amount":1}}]}}"#);
        let refused = format!(r#"rejected row_refused {{"row":2,"problem":"{problem}"}}"#);
        // A call beside it in the batch is not touched.
        assert_eq!(
            rig.batch("pricing.import_entries", &[&rows, SHELF]).await,
            [refused, r#"ok {"rows":3}"#.into()]
        );
        assert!(rig.call("pricing.quote", quote).await.contains(r#""payable":500"#));
    }
    assert_eq!(rig.call("pricing.remove_entries", again).await, r#"ok {"rows":1}"#);
    assert_eq!(rig.call("pricing.remove_entries", again).await, r#"ok {"rows":0}"#);
    assert!(rig.call("pricing.quote", quote).await.starts_with("rejected price_missing"));
}

#[tokio::test]
async fn explain_ranks_what_a_quote_ranks() {
    let rig = shop().await;
    let more = r#"{"rows":[
        {"price_list":"app","sku":"loaf","currency":"USD","amount":150,"channel":"app"},
        {"price_list":"least","sku":"loaf","currency":"USD","amount":120,"role":"floor"}]}"#;
    rig.call("pricing.import_entries", more).await;
    let input = r#"{"sku":"loaf","currency":"USD","location":"367","customer_group":"gold"}"#;
    let version = support::version();
    assert_eq!(
        rig.call("pricing.explain", input).await,
        format!(
            r#"ok {{"entries":[{{"price_list":"vip","price":{{"amount":189,"per":1}},"holds":"customer group gold","priority":0,"verdict":"wins"}},{{"price_list":"shelf","price":{{"amount":199,"per":1}},"holds":"location 367","priority":0,"verdict":"base"}},{{"price_list":"least","price":{{"amount":120,"per":1}},"holds":"everywhere","priority":0,"verdict":"bound"}},{{"price_list":"app","price":{{"amount":150,"per":1}},"holds":"channel app","priority":0,"verdict":"does_not_apply"}}],"policy_version":"{version}"}}"#
        )
    );
}

#[tokio::test]
async fn an_extension_offers_within_the_floor_and_the_proof_says_so() {
    let rig = rig_with(support::Bound { price: Ok(150) }).await;
    rig.call("pricing.import_entries", SHELF).await;
    let quote = r#"{"currency":"USD","lines":[{"sku":"loaf","quantity":2,"location":"367","attributes":{"brand":"Mill"}}]}"#;
    let answer = rig.call("pricing.quote", quote).await;
    let extension = r#"{"kind":"extension","source":"happy-hour","version":"2.1.0","amount":-98,"reason":"150 for Mill"}"#;
    assert!(answer.contains(extension) && answer.contains(r#""payable":300"#), "{answer}");
    let floor =
        r#"{"rows":[{"price_list":"least","sku":"loaf","currency":"USD","amount":180,"role":"floor"}]}"#;
    rig.call("pricing.import_entries", floor).await;
    let answer = rig.call("pricing.quote", quote).await;
    let raised = r#""amount":-38,"reason":"150 for Mill (raised to the floor price)""#;
    assert!(answer.contains(raised) && answer.contains(r#""payable":360"#), "{answer}");
}

#[tokio::test]
async fn an_extension_that_fails_refuses_the_quote_where_its_binding_says_so() {
    let rig = rig_with(support::Bound { price: Err(()) }).await;
    rig.call("pricing.import_entries", SHELF).await;
    let quote = r#"{"currency":"USD","lines":[{"sku":"loaf","quantity":2,"location":"367"}]}"#;
    let refused = r#"rejected extension_refused {"point":"unit-price","extension":"happy-hour@2.1.0","kind":"trapped","detail":"unreachable"}"#;
    assert_eq!(rig.call("pricing.quote", quote).await, refused);
}

/// Every operation, with the same ids in two tenants and two business lines: nothing crosses.
#[tokio::test]
async fn two_tenants_share_nothing() {
    let mut rig = rig().await;
    let scopes = [("acme", "grocery", 100), ("acme", "fashion", 200), ("bmart", "grocery", 300)];
    for (tenant, line, amount) in scopes {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let entries = format!(
            r#"{{"rows":[{{"price_list":"shelf","sku":"jar","currency":"USD","amount":{amount}}},
                {{"price_list":"vip","sku":"jar","currency":"USD","amount":{},"customer_group":"{tenant}-{line}"}}]}}"#,
            amount - 1
        );
        assert_eq!(rig.call("pricing.import_entries", &entries).await, r#"ok {"rows":2}"#);
        let members = format!(r#"{{"rows":[{{"customer_id":"ann","customer_group":"{tenant}-{line}"}}]}}"#);
        assert_eq!(rig.call("pricing.import_members", &members).await, r#"ok {"rows":1}"#);
    }
    let quote = r#"{"currency":"USD","customer_id":"ann","lines":[{"sku":"jar","quantity":1}]}"#;
    for (tenant, line, amount) in scopes {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let answer = rig.call("pricing.quote", quote).await;
        let expected = format!(r#""payable":{}}}],"customer_group":"{tenant}-{line}""#, amount - 1);
        assert!(answer.contains(&expected), "{tenant}/{line}: {answer}");
        let explained = rig.call("pricing.explain", r#"{"sku":"jar","currency":"USD"}"#).await;
        assert_eq!(explained.matches("price_list").count(), 1, "{explained}");
        assert!(explained.contains(&format!(r#""amount":{amount}"#)), "{explained}");
    }
    // One batch with calls of both tenants.
    let mut calls = Vec::new();
    for (tenant, line, _) in scopes {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        calls.push(rig.call_of(mortise_contract::json(quote).unwrap()));
    }
    let replies = rig.run("pricing.quote", calls).await.unwrap();
    for (reply, (.., amount)) in replies.iter().zip(scopes) {
        let mortise_capability::Outcome::Done(output) = &reply.outcome else { panic!("{reply:?}") };
        assert!(output.to_json().contains(&format!(r#""payable":{}"#, amount - 1)));
    }
    rig.scope = Scope::new("acme", "grocery", "web").unwrap();
    let entry = r#"{"rows":[{"price_list":"shelf","sku":"jar","currency":"USD","amount":0}]}"#;
    assert_eq!(rig.call("pricing.remove_entries", entry).await, r#"ok {"rows":1}"#);
    for (tenant, line, amount) in &scopes[1..] {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        assert!(rig.call("pricing.quote", quote).await.contains(&format!(r#""payable":{}"#, amount - 1)));
    }
}

#[tokio::test]
async fn a_price_for_all_lines_holds_in_each_line_of_its_tenant_only() {
    let mut rig = rig().await;
    let rows = r#"{"rows":[{"price_list":"all","line":"*","sku":"jar","currency":"USD","amount":70}]}"#;
    rig.call("pricing.import_entries", rows).await;
    let quote = r#"{"currency":"USD","lines":[{"sku":"jar","quantity":1}]}"#;
    for (tenant, line, expected) in [
        ("acme", "grocery", r#""payable":70"#),
        ("acme", "fashion", r#""payable":70"#),
        ("bmart", "grocery", "rejected price_missing"),
    ] {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        assert!(rig.call("pricing.quote", quote).await.contains(expected), "{tenant}/{line}");
    }
}

const BREAK_PERIOD: Statement =
    Statement::both("break_period", "UPDATE pricing_entry SET valid_until = valid_from WHERE sku = 'jar'");

#[tokio::test]
async fn the_checks_find_broken_entries_and_crossed_bounds() {
    let rig = shop().await;
    assert_eq!(rig.findings().await, [""; 0]);
    let bounds = r#"{"rows":[
        {"price_list":"least","sku":"loaf","currency":"USD","amount":180,"role":"floor"},
        {"price_list":"most","sku":"loaf","currency":"USD","amount":170,"role":"ceiling"}]}"#;
    rig.call("pricing.import_entries", bounds).await;
    let crossed =
        "pricing price bounds: acme/grocery least  loaf: the floor 180 per 1 is above the ceiling 170 per 1";
    assert_eq!(rig.findings().await, [crossed]);
    let broken: Result<_, StoreError> = rig.behind_the_back(BREAK_PERIOD).await;
    assert_eq!(broken.unwrap(), [1]);
    let findings = rig.findings().await;
    assert!(
        findings.iter().any(|finding| finding.contains("price entries: acme/grocery shelf 367 jar")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn figures_beyond_64_bits_are_an_error_and_never_wrap() {
    let rig = rig().await;
    let rows =
        r#"{"rows":[{"price_list":"shelf","sku":"jar","currency":"USD","amount":9223372036854775807}]}"#;
    rig.call("pricing.import_entries", rows).await;
    let answer =
        rig.call("pricing.quote", r#"{"currency":"USD","lines":[{"sku":"jar","quantity":2}]}"#).await;
    assert!(answer.starts_with("error"), "{answer}");
}
