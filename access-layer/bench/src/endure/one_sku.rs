//! One item until it is sold out, by twice as many orders as there are units, and beyond, while the server is killed again and again:
//! what was answered is what is sold, to the unit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::house::House;
use super::{Counts, Yard};
use crate::failure::Failure;
use crate::ground::{database, orders};
use crate::load::{self, Loop, Numbers, Until};
use crate::order::Choice;
use crate::platform::Serving;
use crate::shop;

/// Between two looks at how far the callers are.
const LOOK: Duration = Duration::from_millis(1);

pub(super) async fn run(yard: &Yard) -> Result<Counts, Failure> {
    let (attempts, stock, kills) = yard.size.pick((1_000, 500, 3), (1_000_000, 500_000, 100));
    let (ground, mut dice) = (&yard.ground, yard.dice("one-sku"));
    let (data, hot) = (ground.fresh()?, ground.skus);
    shop::stock_of(&ground.platform, &data, hot, stock)?;
    let mut house = House::open(&ground.platform, &data, Serving::default())?;
    let numbers = Numbers::default();
    let wish = Loop {
        address: house.address,
        callers: ground.callers,
        choice: Choice::Single(hot),
        until: Until::Decided(attempts),
        numbers: Arc::clone(&numbers),
    };
    let moments = dice.moments(kills, attempts);
    let killing = async {
        for moment in moments {
            while numbers.load(Ordering::Relaxed) < moment {
                tokio::time::sleep(LOOK).await;
            }
            tokio::time::sleep(Duration::from_micros(dice.below(5_000))).await;
            house.kill()?;
        }
        Ok(())
    };
    let (load, ()) = tokio::try_join!(load::run(&wish), killing)?;
    house.close();
    ground.platform.verify(&data)?;
    let there = orders(&database(&data))?;
    let shelf = ground.platform.call(&data, "inventory.get_stock", &json!({ "skus": [shop::sku(hot)] }))?;
    let row = &shelf["output"]["rows"][0];
    let promised = row["claimed"].as_u64().unwrap_or(0) + row["reserved"].as_u64().unwrap_or(0);
    let (placed, sold_out) = (load.orders(), load.sold_out);
    let right = placed == stock && sold_out == attempts - stock && there == stock && promised == stock;
    if !right || row["on_hand"].as_u64() != Some(stock) {
        return Err(Failure::words(format!(
            "of {stock} units {placed} orders of one were acknowledged and {sold_out} refused; {there} orders are there, and the \
             shelf says {shelf}"
        )));
    }
    Ok(vec![
        ("attempts", attempts),
        ("SIGKILLs", kills),
        ("requests sent again", load.repeats),
        ("units on the shelf", stock),
        ("sold", promised),
        ("refused as sold out", sold_out),
    ])
}
