//! Two tenants with the same ids: nothing of one is seen, taken or changed by the other, in any operation.

mod shop;

use mortise_types::Scope;
use shop::{allocations, locations, reservation_of, rig, ship, stock};

#[tokio::test]
async fn nothing_crosses_between_tenants() {
    let mut rig = rig(&[]).await;
    stock(&rig, &[("tea", "west", 5)]).await;
    let adjusted = r#"{"rows":[{"sku":"tea","location":"west","delta":1,"reason":"received"}]}"#;
    rig.call("inventory.adjust", adjusted).await;
    let held = rig.call("inventory.reserve", &allocations("o-1", &[("tea", "west", 2)])).await;
    let reservation = reservation_of(&held);
    let claimed = rig.call("inventory.reserve", &allocations("o-2", &[("tea", "west", 1)])).await;
    let claimed = reservation_of(&claimed);
    rig.call("inventory.claim", &claimed).await;
    let level = r#"{"sku":"tea","location":"west","on_hand":6,"reserved":2,"claimed":1,"saleable":3}"#;
    let acme = format!(r#"ok {{"rows":[{level}]}}"#);
    assert_eq!(rig.call("inventory.get_stock", shop::LINES).await, acme);
    let all = rig.registry.contracts().operations.len();
    let ours = rig.scope.clone();

    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    let unknown = r#"rejected unknown_location {"location":"west"}"#;
    let already = r#"ok {"applied":"already","state":"unknown"}"#;
    let nothing = r#"ok {"rows":[]}"#;
    let import = r#"{"rows":[{"sku":"tea","location":"west","on_hand":9}]}"#;
    let walk = [
        ("allocate", r#"{"lines":[{"sku":"tea","quantity":1}]}"#.to_owned(), "rejected out_of_stock"),
        ("reserve", allocations("o-1", &[("tea", "west", 1)]), "rejected out_of_stock"),
        ("release", reservation.clone(), already),
        ("claim", reservation.clone(), already),
        ("unclaim", claimed.clone(), already),
        ("ship", ship(&claimed, "o-2-1", "west", "tea", 1), "rejected cannot_ship"),
        ("import_stock", import.to_owned(), unknown),
        ("adjust", adjusted.to_owned(), unknown),
        ("restock", shop::restock("r-1", &[("tea", "west", 1, "sellable")]), unknown),
        ("free_parcel", ship(&claimed, "o-2-1", "west", "tea", 1), already),
        ("get_stock", shop::LINES.to_owned(), nothing),
        ("list_movements", r#"{"sku":"tea","location":"west"}"#.to_owned(), r#"ok {"movements":[]}"#),
    ];
    for (operation, input, answer) in &walk {
        let reply = rig.call(&format!("inventory.{operation}"), input).await;
        assert!(reply.starts_with(answer), "{operation}: {reply}");
    }
    assert_eq!(walk.len() + 1, all, "every operation is walked, import_locations below");
    locations(&rig).await;
    stock(&rig, &[("tea", "west", 1)]).await;
    let theirs =
        reservation_of(&rig.call("inventory.reserve", &allocations("o-1", &[("tea", "west", 1)])).await);
    rig.call("inventory.claim", &theirs).await;
    rig.call("inventory.ship", &ship(&theirs, "o-1-1", "west", "tea", 1)).await;
    assert!(
        rig.call("inventory.get_stock", shop::LINES)
            .await
            .contains(r#""on_hand":0,"reserved":0,"claimed":0"#)
    );

    rig.scope = ours;
    assert_eq!(rig.call("inventory.get_stock", shop::LINES).await, acme);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// A batch may hold calls of several tenants, about items of the same name.
#[tokio::test]
async fn two_tenants_in_one_batch_do_not_share_stock() {
    let mut rig = rig(&[]).await;
    stock(&rig, &[("tea", "west", 1)]).await;
    let acme = rig.call_of(mortise_contract::json(&allocations("o-1", &[("tea", "west", 1)])).unwrap());
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    locations(&rig).await;
    stock(&rig, &[("tea", "west", 2)]).await;
    let other = rig.call_of(mortise_contract::json(&allocations("o-1", &[("tea", "west", 2)])).unwrap());
    let replies = rig.run("inventory.reserve", vec![acme, other]).await.unwrap();
    assert!(
        replies.iter().all(|reply| matches!(reply.outcome, mortise_capability::Outcome::Done(_))),
        "{replies:?}"
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}
