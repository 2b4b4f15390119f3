//! The page of figures for a collector.

use std::sync::Arc;

use mortise_http::MetricsPage;

use crate::house::{House, body, header};

#[tokio::test]
async fn a_collector_on_this_machine_reads_what_was_done() {
    let house = House::with(|settings| {
        settings.more_figures.push(Arc::new(|page: &mut MetricsPage| {
            page.gauge("further_parts", "What other parts have to say.").sample(&[("part", "till")], 1);
        }));
    })
    .await;
    house.order("o1").await;
    let answer = house.send(house.request("GET /metrics", "", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(header(&answer, "content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let page = body(&answer);
    let value = |name: &str| -> Option<f64> {
        page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    };
    assert!(value("mortise_stretches_total").unwrap() >= 1.0, "{page}");
    assert!(value("mortise_commits_total").unwrap() >= 1.0, "{page}");
    assert_eq!(value("mortise_stale_total"), Some(0.0));
    assert!(page.contains("# TYPE mortise_trades_moving gauge\nmortise_trades_moving "), "{page}");
    assert!(page.ends_with("further_parts{part=\"till\"} 1\n"), "{page}");
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(
            name.starts_with(|c: char| c.is_ascii_lowercase()) && number.parse::<f64>().is_ok(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_page_of_another_site_reads_nothing() {
    let house = House::new().await;
    let request = house.request("GET /metrics", "", "").replace("host: localhost", "host: shop.example");
    assert!(house.ask(request).await.starts_with("401"));
}
