//! What trades cost that wait: how much a server holds with very many of them, and how soon another one is ready after it was
//! killed. Every trade is an order that waits for the warehouse.

use std::time::Duration;

use serde::Serialize;

use crate::args::{Format, Standing};
use crate::client::Connection;
use crate::failure::Failure;
use crate::ground::Ground;
use crate::load::{self, Numbers, Until};
use crate::machine::Machine;
use crate::platform::Server;
use crate::print;
use crate::proc::{Memory, mib};
use crate::shop;
use crate::stopwatch::Stopwatch;

/// A whole run.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    program: String,
    rows: Vec<Row>,
}

/// So many trades.
#[derive(Debug, Serialize)]
struct Row {
    trades: u32,
    /// Of the server that took them.
    taken: Memory,
    /// From the start of the next process to its being ready, in seconds.
    ready_s: f64,
    /// Of that one.
    resumed: Memory,
}

pub(crate) async fn run(wish: Standing) -> Result<(), Failure> {
    let ground = Ground::prepare(&wish.ground)?;
    let bindings = ground.bindings("bindings.toml", &shop::bindings())?;
    let mut rows = Vec::new();
    let counts = std::iter::once(0).chain(wish.trades.iter().copied());
    for trades in counts {
        let data = ground.fresh()?;
        let taken = {
            let server = ground.platform.serve(&data, Some(&bindings))?;
            let until = Until::Placed(u64::from(trades));
            load::run(&ground.all_skus(&server, until, &Numbers::default())).await?;
            server.memory_at_rest().await
        };
        let began = Stopwatch::start();
        let server = ground.platform.serve(&data, Some(&bindings))?;
        ready(&server).await?;
        let ready_s = began.passed().as_secs_f64();
        let resumed = server.memory_at_rest().await;
        print::progress(&format!("{trades} open trades: ready in {ready_s:.2} s"));
        rows.push(Row { trades, taken, ready_s, resumed });
    }
    let report = Report { machine: ground.machine.clone(), program: ground.platform.version()?, rows };
    print::result(&match wish.ground.format {
        Format::Text => text(&report),
        Format::Json => serde_json::to_string(&report)?,
    });
    Ok(())
}

/// Until the server says that it is ready.
async fn ready(server: &Server) -> Result<(), Failure> {
    let mut connection = Connection::open(server.address).await?;
    loop {
        let answer = connection.exchange(b"GET /health/ready HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?;
        if answer.status == 200 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn text(report: &Report) -> String {
    let Report { machine, program, rows } = report;
    let mut lines = vec![
        "What waiting trades cost".to_owned(),
        machine.to_string(),
        format!("{program}; each trade is an order of two lines that waits for the warehouse"),
        format!(
            "\n{:>12}{:>18}{:>22}{:>18}",
            "open trades", "MiB that took", "s until ready again", "MiB behind that"
        ),
    ];
    lines.extend(rows.iter().map(|Row { trades, taken, ready_s, resumed }| {
        format!("{trades:>12}{:>18.0}{ready_s:>22.2}{:>18.0}", mib(taken.resident), mib(resumed.resident))
    }));
    lines.join("\n")
}
