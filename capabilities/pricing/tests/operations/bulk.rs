//! Many entries: an import of chunks stays a few statements, and a quote among them seeks, whatever stands beside.

use std::fmt::Write as _;

use mortise_types::Timestamp;

/// Weeks of entries beside the one that is asked for.
const WEEKS: i64 = 53;
const ITEMS: i64 = 1_000;

#[tokio::test]
async fn a_year_of_weekly_prices_goes_in_by_one_statement_a_chunk_and_each_week_finds_its_own() {
    let mut rig = super::support::rig().await;
    let first = "2017-01-02T05:00:00Z".parse::<Timestamp>().unwrap().as_millis();
    let week = |n: i64| Timestamp::from_millis(first + n * 604_800_000);
    let before = rig.store.cost();
    for chunk in 0..ITEMS / 100 {
        let mut rows = String::new();
        for item in chunk * 100..(chunk + 1) * 100 {
            for n in 0..WEEKS {
                let comma = if rows.is_empty() { "" } else { "," };
                let (amount, from, until) = (item * 100 + n, week(n), week(n + 1));
                write!(
                    rows,
                    r#"{comma}{{"price_list":"shelf","location":"367","sku":"s{item:05}","currency":"USD","amount":{amount},"per":1,"valid_from":"{from}","valid_until":"{until}"}}"#
                )
                .unwrap();
            }
        }
        let answer = rig.call("pricing.import_entries", &format!(r#"{{"rows":[{rows}]}}"#)).await;
        assert_eq!(answer, format!(r#"ok {{"rows":{}}}"#, 100 * WEEKS));
    }
    let statements = rig.store.cost().statements - before.statements;
    assert_eq!(statements, (ITEMS / 100) as u64, "one statement a chunk");
    for n in [0, 26, WEEKS - 1] {
        rig.now = week(n);
        let quote = r#"{"currency":"USD","lines":[{"sku":"s00042","quantity":1,"location":"367"}]}"#;
        let answer = rig.call("pricing.quote", quote).await;
        assert!(answer.contains(&format!(r#""payable":{}"#, 4200 + n)), "{answer}");
    }
}
