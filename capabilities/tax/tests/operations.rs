//! The operations of tax on a real database: assessments with and without tables, classes, policies, two tenants, checks.

use std::sync::Arc;

use mortise_capability::{Policies, PolicyRow};
use mortise_store::Statement;
use mortise_tax::capability;
use mortise_testkit::Rig;
use mortise_types::Scope;

async fn rig(policy: &str) -> Rig {
    let policies = Policies::default();
    let row = |tenant: &str| PolicyRow {
        tenant: tenant.to_owned(),
        line: String::new(),
        channel: String::new(),
        name: "tax".to_owned(),
        document: policy.to_owned(),
    };
    policies.replace([row("acme"), row("bmart")]);
    Rig::new([capability(Arc::new(policies)).expect("the contract can be declared")]).await
}

fn line(number: usize, sku: &str, amount: i64) -> String {
    format!(
        r#"{{"line_id":"{number}","sku":"{sku}","quantity":1,"list_price":{{"amount":{amount},"per":1}},"list":{amount},"adjustments":[],"taxes":[],"payable":{amount}}}"#
    )
}

/// A jar at 10.00, bread at 2.00, delivery at 5.00, to a country and a region.
fn order(country: &str, region: &str) -> String {
    let region = if region.is_empty() { String::new() } else { format!(r#","region":"{region}""#) };
    format!(
        r#"{{"proof":{{"policy_version":"discount:1","lines":[{},{}],"fees":[{{"fee_id":"delivery-1","kind":"delivery","list":500,"adjustments":[],"taxes":[],"payable":500}}],"payable":1700,"tax":0}},"ship_to":{{"name":"Ann","street":["1 Way"],"city":"Town","postal_code":"1","country":"{country}"{region}}}}}"#,
        line(1, "jar", 1000),
        line(2, "bread", 200)
    )
}

const RATES: &str = r#"{"rows":[
    {"country":"DE","code":"vat","rate_bp":1900},
    {"country":"DE","tax_class":"food","code":"vat","rate_bp":700},
    {"country":"DE","tax_class":"books","code":"vat","rate_bp":0}]}"#;

#[tokio::test]
async fn a_shop_without_tables_has_no_taxes() {
    let rig = rig("{}").await;
    let answer = rig.call("tax.assess", &order("DE", "")).await;
    assert!(
        answer.contains(r#""payable":1700,"tax":0}"#) && answer.ends_with(r#","payable":1700}"#),
        "{answer}"
    );
    assert!(answer.contains(r#""policy_version":"discount:1 tax:"#), "{answer}");
    let before = rig.store.cost();
    rig.batch("tax.assess", &[order("DE", "").as_str(); 32]).await;
    assert_eq!(rig.store.cost().executions - before.executions, 1, "one look-up of rates, none of classes");
}

#[tokio::test]
async fn where_no_tax_is_known_the_policy_may_refuse() {
    let rig = rig(r#"{"unknown":"refuse"}"#).await;
    let refused = |class: &str, place: &str| {
        format!(
            r#"rejected tax_unknown {{"country":"FR","region":"","tax_class":"{class}","place":"{place}"}}"#
        )
    };
    assert_eq!(rig.call("tax.assess", &order("FR", "")).await, refused("standard", "line 1"));
    rig.call("tax.import_rates", r#"{"rows":[{"country":"FR","code":"vat","rate_bp":0}]}"#).await;
    assert!(rig.call("tax.assess", &order("FR", "")).await.starts_with("ok"), "0% is known");
    rig.call("tax.import_items", r#"{"rows":[{"sku":"bread","tax_class":"food"}]}"#).await;
    assert_eq!(rig.call("tax.assess", &order("FR", "")).await, refused("food", "line 2"));
}

#[tokio::test]
async fn included_taxes_are_named_and_change_no_price() {
    let rig = rig(r#"{"delivery_class":"standard"}"#).await;
    assert_eq!(rig.call("tax.import_rates", RATES).await, r#"ok {"rows":3}"#);
    rig.call("tax.import_items", r#"{"rows":[{"sku":"bread","tax_class":"food"}]}"#).await;
    let answer = rig.call("tax.assess", &order("DE", "")).await;
    for tax in [
        r#"{"code":"vat","rate_bp":1900,"base":840,"tax":160,"treatment":"included"}"#,
        r#"{"code":"vat","rate_bp":700,"base":187,"tax":13,"treatment":"included"}"#,
        r#"{"code":"vat","rate_bp":1900,"base":420,"tax":80,"treatment":"included"}"#,
        r#""payable":1700,"tax":253}"#,
    ] {
        assert!(answer.contains(tax), "{tax} in {answer}");
    }
}

#[tokio::test]
async fn taxes_on_top_are_adjustments_and_assessing_again_adds_nothing() {
    let rig = rig(r#"{"treatment":"added"}"#).await;
    rig.call("tax.import_rates", RATES).await;
    let answer = rig.call("tax.assess", &order("DE", "")).await;
    let adjustment = r#"{"kind":"tax_added","source":"vat","version":"tax:"#;
    assert!(
        answer.contains(adjustment) && answer.contains(r#""amount":190,"reason":"vat 19%"}"#),
        "{answer}"
    );
    assert!(answer.ends_with(r#""payable":2023}"#), "{answer}");
    let output = mortise_contract::json(answer.strip_prefix("ok ").unwrap()).unwrap().to_json();
    let proof: serde_json::Value =
        serde_json::from_str::<serde_json::Value>(&output).unwrap()["proof"].take();
    let mut again: serde_json::Value = serde_json::from_str(&order("DE", "")).unwrap();
    again["proof"] = proof;
    assert_eq!(rig.call("tax.assess", &again.to_string()).await, answer);
}

#[tokio::test]
async fn a_region_is_the_addresss_own() {
    let rig = rig(r#"{"treatment":"added"}"#).await;
    let rates = r#"{"rows":[
        {"country":"CA","code":"gst","rate_bp":500},
        {"country":"CA","region":"QC","code":"qst","rate_bp":998}]}"#;
    rig.call("tax.import_rates", rates).await;
    for (region, payable) in [("", 1785), ("ON", 1785), ("QC", 1955)] {
        let answer = rig.call("tax.assess", &order("CA", region)).await;
        assert!(answer.ends_with(&format!(r#""payable":{payable}}}"#)), "{region}: {answer}");
    }
    let shown = rig.call("tax.rates", r#"{"country":"CA","region":"QC"}"#).await;
    let rates = r#"ok {"rates":[{"tax_class":"standard","code":"gst","rate_bp":500,"region":""},{"tax_class":"standard","code":"qst","rate_bp":998,"region":"QC"}],"#;
    assert!(shown.starts_with(rates), "{shown}");
}

#[tokio::test]
async fn a_proof_that_proves_nothing_is_a_fault_not_a_price() {
    let rig = rig("{}").await;
    let broken = order("DE", "").replacen(r#""payable":1000"#, r#""payable":999"#, 1);
    let answer = rig.call("tax.assess", &broken).await;
    assert!(answer.starts_with("error the price proof: line 1"), "{answer}");
}

#[tokio::test]
async fn a_bad_row_stores_nothing() {
    let rig = rig("{}").await;
    let rows = RATES.replace(r#""rate_bp":0"#, r#""rate_bp":-1"#);
    let refused = r#"rejected row_refused {"row":3,"problem":"rate_bp -1 is not within 0 to 100,000"}"#;
    assert_eq!(rig.call("tax.import_rates", &rows).await, refused);
    assert!(rig.call("tax.rates", r#"{"country":"DE"}"#).await.starts_with(r#"ok {"rates":[]"#));
    let items = r#"{"rows":[{"sku":"a","tax_class":""}]}"#;
    assert!(rig.call("tax.import_items", items).await.starts_with("rejected row_refused"));
}

/// Every operation, with the same ids in two tenants and two business lines: nothing crosses.
#[tokio::test]
async fn two_tenants_share_nothing() {
    let mut rig = rig(r#"{"treatment":"added"}"#).await;
    let scopes = [("acme", "grocery", 1000), ("acme", "fashion", 2000), ("bmart", "grocery", 3000)];
    let mut calls = Vec::new();
    for (tenant, line, bp) in scopes {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let rates = format!(
            r#"{{"rows":[{{"country":"DE","code":"vat","rate_bp":{bp}}},{{"country":"DE","tax_class":"{tenant}-{line}","code":"vat","rate_bp":0}}]}}"#
        );
        assert_eq!(rig.call("tax.import_rates", &rates).await, r#"ok {"rows":2}"#);
        let items = format!(r#"{{"rows":[{{"sku":"bread","tax_class":"{tenant}-{line}"}}]}}"#);
        assert_eq!(rig.call("tax.import_items", &items).await, r#"ok {"rows":1}"#);
        calls.push(rig.call_of(mortise_contract::json(&order("DE", "")).unwrap()));
    }
    let replies = rig.run("tax.assess", calls).await.unwrap();
    for (reply, (tenant, line, bp)) in replies.iter().zip(scopes) {
        let mortise_capability::Outcome::Done(output) = &reply.outcome else { panic!("{reply:?}") };
        let payable = format!(r#""payable":{}}}"#, 1700 + 1500 * bp / 10_000);
        assert!(output.to_json().ends_with(&payable), "{tenant}/{line}: {}", output.to_json());
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let shown = rig.call("tax.rates", r#"{"country":"DE"}"#).await;
        assert_eq!(shown.matches("tax_class").count(), 2, "{shown}");
    }
}

const EXTEND: Statement =
    Statement::both("extend", "UPDATE tax_rate SET valid_until = 9999999999999 WHERE rate_bp = 1600");

#[tokio::test]
async fn the_check_finds_two_rates_at_one_time() {
    let rig = rig("{}").await;
    let rates = r#"{"rows":[
        {"country":"DE","code":"vat","rate_bp":1600,"valid_until":"2021-01-01T00:00:00Z"},
        {"country":"DE","code":"vat","rate_bp":1900,"valid_from":"2021-01-01T00:00:00Z"}]}"#;
    rig.call("tax.import_rates", rates).await;
    assert_eq!(rig.findings().await, [""; 0]);
    rig.behind_the_back(EXTEND).await.unwrap();
    assert_eq!(
        rig.findings().await,
        ["tax tax rates: acme/grocery DE  standard vat: 16% and 19% hold at the same time"]
    );
}
