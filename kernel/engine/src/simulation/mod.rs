//! The engine's scheduling and its flows in simulated worlds: a virtual clock, interleavings and faults by a seed, model operations
//! on tables in memory. Each world is one seed; what holds in it holds whatever database, peers and processes do. A seed that
//! fails is lived again by the command that it prints.

mod dice;
mod shell;
mod tables;
mod world;

use mortise_flow::Ended;

use self::shell::Shell;
use self::tables::{Held, Tables};
use self::world::{Catalogue, Payment};

/// Worlds of one test; there are four.
const WORLDS: u64 = 2_500;

/// Lives the world of a seed.
///
/// # Errors
/// What may not be.
fn live(catalogue: &Catalogue, seed: u64) -> Result<(usize, usize, usize), String> {
    let mut shell = Shell::new(catalogue, seed);
    let stock = shell.tables.stock;
    shell.run()?;
    laws(&shell.tables, stock)?;
    for (payment, book) in &shell.provider.book {
        let trade = payment.split('/').next().unwrap_or_default();
        balanced(&shell.tables, trade, *book).map_err(|problem| format!("{payment}: {problem}"))?;
    }
    Ok((shell.tables.trades.len(), shell.crashes, shell.faults))
}

/// What holds of the database when nothing can happen any more.
fn laws(tables: &Tables, stock: i64) -> Result<(), String> {
    if let Some(broken) = tables.broken.first() {
        return Err(broken.clone());
    }
    if let Some((id, row)) = tables.trades.iter().find(|(_, row)| row.ended.is_none()) {
        let at = tables.load(id).map(|trade| trade.state.position()).unwrap_or_default();
        return Err(format!("{id} of `{}` has not ended: {at}", row.program.name()));
    }
    let gone =
        |name: &str| tables.trades.iter().any(|(id, row)| *id.id == *name && failed(row.ended.as_ref()));
    for (table, kept) in [
        (&tables.reservations, Held::Claimed),
        (&tables.claims, Held::Claimed),
        (&tables.lists, Held::Reserved),
    ] {
        for (name, held) in table {
            let wanted = if gone(name.split('/').next().unwrap_or_default()) { Held::Released } else { kept };
            if *held != wanted {
                return Err(format!("{name} is {held:?}, and its trade says {wanted:?}"));
            }
        }
    }
    let sold = tables.reservations.values().filter(|held| **held == Held::Claimed).count();
    if tables.stock + i64::try_from(sold).unwrap_or(i64::MAX) != stock {
        return Err(format!("of {stock} units {sold} are sold and {} are there", tables.stock));
    }
    Ok(())
}

const fn failed(ended: Option<&Ended>) -> bool {
    matches!(ended, Some(Ended::Failed(_)))
}

/// A trade that has failed keeps no money, any other has its own, once.
fn balanced(tables: &Tables, trade: &str, book: Payment) -> Result<(), String> {
    let row = tables.trades.iter().find(|(id, _)| *id.id == *trade).map(|(_, row)| row);
    let wants = row.is_some_and(|row| !failed(row.ended.as_ref()));
    let right = match (wants, book.captured) {
        (true, captured) => captured && book.given_back == 0,
        (false, true) => book.given_back == 1,
        // An attempt that reached the provider after its trade had given up and voided is voided there already.
        (false, false) => book.voided && book.given_back == 0,
    };
    if right {
        Ok(())
    } else {
        Err(format!(
            "the trade {}, and the book says {book:?}",
            if wants { "went through" } else { "failed" }
        ))
    }
}

fn worlds(part: u64) {
    let catalogue = Catalogue::new();
    if let Ok(seed) = std::env::var("MORTISE_SEED") {
        let seed = seed.parse().expect("MORTISE_SEED is a number");
        live(&catalogue, seed).unwrap_or_else(|problem| panic!("world {seed}: {problem}"));
        return;
    }
    let (mut trades, mut crashes, mut faults) = (0, 0, 0);
    for seed in part * WORLDS..(part + 1) * WORLDS {
        let lived = live(&catalogue, seed).unwrap_or_else(|problem| {
            panic!(
                "world {seed}: {problem}\nlive it again: MORTISE_SEED={seed} cargo nextest run -p mortise-engine simulation::worlds_0"
            )
        });
        trades += lived.0;
        crashes += lived.1;
        faults += lived.2;
    }
    println!("{WORLDS} worlds, {trades} trades, {crashes} crashes, {faults} faults");
}

#[test]
fn worlds_0() {
    worlds(0);
}

#[test]
fn worlds_1() {
    worlds(1);
}

#[test]
fn worlds_2() {
    worlds(2);
}

#[test]
fn worlds_3() {
    worlds(3);
}
