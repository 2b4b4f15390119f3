//! Goods that come back and goods that never left, each once: by repetition, in one batch, with what stays refused.

mod shop;

use shop::{LINES, allocations, reservation_of, restock, rig, ship, stock};

const NOW: &str = r#"ok {"applied":"now"}"#;
const ALREADY: &str = r#"ok {"applied":"already"}"#;

#[tokio::test]
async fn what_came_back_is_taken_in_once_and_damaged_units_are_not_sold() {
    let rig = rig(&[]).await;
    stock(&rig, &[("tea", "west", 5)]).await;
    let back = restock("r-1", &[("tea", "west", 2, "sellable"), ("tea", "west", 1, "damaged")]);
    assert_eq!(rig.batch("inventory.restock", &[&back, &back]).await, [NOW, ALREADY]);
    assert_eq!(rig.call("inventory.restock", &back).await, ALREADY);
    assert!(
        rig.call("inventory.get_stock", LINES)
            .await
            .contains(r#""on_hand":7,"reserved":0,"claimed":0,"saleable":7"#)
    );
    let movements = rig.call("inventory.list_movements", r#"{"sku":"tea","location":"west"}"#).await;
    for told in [
        r#""delta":2,"reason":"returned","reference":"r-1""#,
        r#""delta":1,"reason":"returned""#,
        r#""delta":-1,"reason":"damaged""#,
    ] {
        assert!(movements.contains(told), "{told}: {movements}");
    }
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn goods_of_an_item_that_a_location_never_had_get_a_row() {
    let rig = rig(&[]).await;
    assert_eq!(rig.call("inventory.restock", &restock("r-1", &[("tea", "west", 2, "sellable")])).await, NOW);
    assert_eq!(rig.call("inventory.restock", &restock("r-2", &[("cup", "west", 1, "damaged")])).await, NOW);
    assert_eq!(rig.call("inventory.restock", &restock("r-3", &[])).await, NOW);
    assert!(rig.call("inventory.get_stock", LINES).await.contains(r#""on_hand":2"#));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_place_that_nobody_knows_takes_nothing_in_and_may_be_corrected() {
    let rig = rig(&[]).await;
    let nowhere = restock("r-1", &[("tea", "west", 2, "sellable"), ("tea", "moon", 1, "sellable")]);
    assert_eq!(
        rig.call("inventory.restock", &nowhere).await,
        r#"rejected unknown_location {"location":"moon"}"#
    );
    assert_eq!(rig.call("inventory.get_stock", LINES).await, r#"ok {"rows":[]}"#);
    assert_eq!(rig.call("inventory.restock", &restock("r-1", &[("tea", "west", 3, "sellable")])).await, NOW);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_parcel_that_does_not_leave_is_freed_once_and_cannot_leave_later() {
    let rig = rig(&[]).await;
    stock(&rig, &[("tea", "west", 5)]).await;
    let held = rig.call("inventory.reserve", &allocations("o-1", &[("tea", "west", 5)])).await;
    let reservation = reservation_of(&held);
    rig.call("inventory.claim", &reservation).await;
    let (first, second) =
        (ship(&reservation, "o-1-1", "west", "tea", 2), ship(&reservation, "o-1-2", "west", "tea", 3));
    assert_eq!(
        rig.batch("inventory.free_parcel", &[&first, &first]).await,
        [r#"ok {"applied":"now","state":"claimed"}"#, r#"ok {"applied":"already","state":"claimed"}"#]
    );
    assert!(
        rig.call("inventory.get_stock", LINES)
            .await
            .contains(r#""on_hand":5,"reserved":0,"claimed":3,"saleable":2"#)
    );
    assert_eq!(rig.call("inventory.ship", &first).await, r#"ok {"applied":"already","state":"claimed"}"#);
    assert_eq!(rig.call("inventory.ship", &second).await, r#"ok {"applied":"now","state":"shipped"}"#);
    assert_eq!(
        rig.call("inventory.free_parcel", &second).await,
        r#"ok {"applied":"already","state":"shipped"}"#
    );
    assert!(
        rig.call("inventory.get_stock", LINES)
            .await
            .contains(r#""on_hand":2,"reserved":0,"claimed":0,"saleable":2"#)
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn all_parcels_freed_leave_nothing_of_a_hold() {
    let rig = rig(&[]).await;
    stock(&rig, &[("tea", "west", 5)]).await;
    let held = rig.call("inventory.reserve", &allocations("o-1", &[("tea", "west", 5)])).await;
    let reservation = reservation_of(&held);
    rig.call("inventory.claim", &reservation).await;
    let all = ship(&reservation, "o-1-1", "west", "tea", 5);
    let shipped = r#"ok {"applied":"now","state":"shipped"}"#;
    assert_eq!(rig.call("inventory.free_parcel", &all).await, shipped, "nothing of it is left");
    assert_eq!(
        rig.call("inventory.unclaim", &reservation).await,
        r#"ok {"applied":"already","state":"shipped"}"#
    );
    assert!(rig.call("inventory.get_stock", LINES).await.contains(r#""claimed":0,"saleable":5"#));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn units_that_a_hold_does_not_have_are_nobodys_business() {
    let rig = rig(&[]).await;
    stock(&rig, &[("tea", "west", 5)]).await;
    let held = rig.call("inventory.reserve", &allocations("o-1", &[("tea", "west", 2)])).await;
    let reservation = reservation_of(&held);
    let early = rig.call("inventory.free_parcel", &ship(&reservation, "o-1-1", "west", "tea", 2)).await;
    assert!(early.contains("has not claimed the units of parcel o-1-1"), "{early}");
    rig.call("inventory.claim", &reservation).await;
    let reply = rig.call("inventory.free_parcel", &ship(&reservation, "o-1-1", "west", "tea", 3)).await;
    assert!(reply.contains("has not claimed the units of parcel o-1-1"), "{reply}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}
