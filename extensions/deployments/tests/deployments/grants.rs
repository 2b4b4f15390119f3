//! What a manifest asks and a policy grants.

use mortise_deployments::Grants;
use mortise_host::{Asks, Manifest};

const POLICY: &str = r#"
    [[grant]]
    extension = "grocery-*"
    points = ["discount"]
    sku_attributes = ["department"]
    fuel_per_line = 30_000
    memory = "8MiB"

    [[grant]]
    extension = "grocery-special"
    points = ["unit-price"]
    fuel_per_line = 60_000
"#;

fn manifest(name: &str, point: &str, attribute: &str) -> Manifest {
    let text = format!(
        "[extension]\nname = {name:?}\nversion = \"1.0.0\"\nsummary = \"s\"\n[points]\n{point} = \"1.0\"\n\
         [reads]\nsku_attributes = [{attribute:?}]\n[limits]\nfuel_per_line = 50_000\n"
    );
    Manifest::from_toml(&text).unwrap()
}

#[test]
fn what_is_asked_and_not_granted_is_named() {
    let grants = Grants::from_toml(POLICY).unwrap();
    let refused = |manifest: Manifest| grants.check(&manifest).unwrap_err().to_string();
    let nobody = refused(manifest("fashion", "discount", "department"));
    assert!(nobody.starts_with("no grant is for `fashion`"), "{nobody}");
    let point = refused(manifest("grocery-price", "unit-price", "department"));
    assert!(
        point.starts_with("`grocery-price` asks for the point `unit-price`, which is not granted"),
        "{point}"
    );
    let attribute = refused(manifest("grocery-price", "discount", "margin"));
    assert!(
        attribute.contains("the SKU attribute `margin`") && attribute.contains("sku_attributes"),
        "{attribute}"
    );
}

#[test]
fn limits_are_the_lesser_of_what_is_asked_and_granted() {
    let grants = Grants::from_toml(POLICY).unwrap();
    let plain = manifest("grocery-price", "discount", "department");
    let granted = grants.check(&plain).unwrap();
    let bounded = Asks { fuel_per_call: None, fuel_per_line: Some(30_000), memory_bytes: Some(8 << 20) };
    assert_eq!((granted, plain.asks.within(granted)), (bounded, bounded));
    let special = manifest("grocery-special", "unit-price", "department");
    assert_eq!(special.asks.within(grants.check(&special).unwrap()).fuel_per_line, Some(50_000));
    // Without a policy whatever is asked is granted.
    assert_eq!(Grants::default().check(&special).unwrap(), Asks::default());
}

#[test]
fn a_policy_that_cannot_be_read_says_where() {
    let misspelt = Grants::from_toml(&POLICY.replace("points", "pionts")).unwrap_err().to_string();
    assert!(misspelt.contains("pionts"), "{misspelt}");
    let memory = Grants::from_toml(&POLICY.replace("8MiB", "8 MB")).unwrap_err().to_string();
    assert!(memory.contains("8 MB"), "{memory}");
}
