//! Each of the inventory's invariants finds what it is there to find.

mod shop;

use mortise_store::Statement;
use mortise_testkit::Rig;
use shop::{allocations, reservation_of, rig, ship, stock};

async fn after(statement: &'static str) -> Vec<String> {
    let rig = busy_shop().await;
    assert_eq!(rig.findings().await, Vec::<String>::new(), "before: {statement}");
    let broken = Statement::both("test.break", statement);
    let rows = rig.behind_the_back(broken).await.expect("it runs");
    assert!(rows[0] > 0, "nothing was broken: {statement}");
    rig.findings().await
}

/// A hold that is held, one that is claimed, one that has shipped.
async fn busy_shop() -> Rig {
    let rig = rig(&[]).await;
    stock(&rig, &[("tea", "west", 9), ("cup", "east", 4)]).await;
    let hold = async |holder: &str, goods: &[(&str, &str, i64)]| {
        reservation_of(&rig.call("inventory.reserve", &allocations(holder, goods)).await)
    };
    hold("o-1", &[("tea", "west", 2), ("cup", "east", 1)]).await;
    let claimed = hold("o-2", &[("tea", "west", 3)]).await;
    rig.call("inventory.claim", &claimed).await;
    let shipped = hold("o-3", &[("tea", "west", 1)]).await;
    rig.call("inventory.claim", &shipped).await;
    rig.call("inventory.ship", &ship(&shipped, "o-3-1", "west", "tea", 1)).await;
    let released = hold("o-4", &[("cup", "east", 1)]).await;
    rig.call("inventory.release", &released).await;
    rig
}

#[tokio::test]
async fn reserved_and_claimed_that_no_hold_explains_are_found() {
    assert_eq!(
        after("UPDATE inventory_stock SET reserved = reserved + 1 WHERE sku = 'tea'").await,
        [
            "inventory stock identity: acme: tea at west: reserved is 3, holds have 2; claimed is 3, holds have 3"
        ]
    );
    assert_eq!(
        after("UPDATE inventory_stock SET claimed = 0 WHERE sku = 'tea'").await,
        [
            "inventory stock identity: acme: tea at west: reserved is 2, holds have 2; claimed is 0, holds have 3"
        ]
    );
}

#[tokio::test]
async fn a_hold_that_was_lost_or_settled_behind_the_books_is_found() {
    let found = after("DELETE FROM inventory_reservation WHERE holder = 'o-1'").await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("cup at east: reserved is 1, holds have 0"), "{found:?}");
    let found = after("UPDATE inventory_reservation SET state = 'released' WHERE holder = 'o-2'").await;
    assert_eq!(
        found,
        [
            "inventory stock identity: acme: tea at west: reserved is 2, holds have 2; claimed is 3, holds have 0"
        ]
    );
}

#[tokio::test]
async fn a_hold_on_a_row_that_is_gone_is_found() {
    let found = after("DELETE FROM inventory_stock WHERE sku = 'cup'").await;
    assert_eq!(
        found,
        [
            "inventory stock identity: acme: cup at east: reserved is 0, holds have 1; claimed is 0, holds have 0",
            "inventory stock movements: acme: cup at east: on hand is 0, its movements add up to 4"
        ]
    );
}

#[tokio::test]
async fn stock_that_came_from_nowhere_is_found() {
    assert_eq!(
        after("UPDATE inventory_stock SET on_hand = on_hand + 1 WHERE sku = 'tea'").await,
        ["inventory stock movements: acme: tea at west: on hand is 9, its movements add up to 8"]
    );
}

#[tokio::test]
async fn a_hold_whose_parcels_and_lines_contradict_its_state_is_found() {
    let found = after("UPDATE inventory_reservation SET parcels = '[\"p\"]' WHERE holder = 'o-4'").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("it is released, with 1 lines left and 1 parcels gone"), "{found:?}");
    let found =
        after("UPDATE inventory_reservation SET lines = '[[\"tea\",\"west\",1]]' WHERE holder = 'o-3'").await;
    assert!(found[0].ends_with("it is shipped, with 1 lines left and 1 parcels gone"), "{found:?}");
}

/// The table itself refuses figures below zero.
#[tokio::test]
async fn nothing_is_stored_below_zero() {
    let rig = busy_shop().await;
    for column in ["on_hand", "reserved", "claimed"] {
        let text: &'static str =
            Box::leak(format!("UPDATE inventory_stock SET {column} = -1").into_boxed_str());
        let broken = Statement::both("test.break", text);
        let refused = rig.behind_the_back(broken).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.to_lowercase().contains("check constraint"), "{column}: {refused}");
    }
}
