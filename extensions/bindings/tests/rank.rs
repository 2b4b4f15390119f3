//! Who is asked first: a table of bindings and scopes, and the errors at load.
//! Each line of a case is a binding `extension place priority`, each question `place -> who, in order`.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use mortise_bindings::{Binding, BindingError, Bindings, Canary, Rollout};
use mortise_points::OnFailure;
use mortise_types::{BusinessLine, Channel, Scope, TenantId};

/// `promo  shop/grocery/*  10`
fn binding(text: &str) -> Binding {
    let words: Vec<&str> = text.split_whitespace().collect();
    let place: Vec<&str> = words[1].split('/').collect();
    let part = |index: usize| Some(place[index]).filter(|part| *part != "*");
    Binding {
        point: "unit-price".into(),
        tenant: TenantId::new(place[0]).unwrap(),
        line: part(1).map(|line| BusinessLine::new(line).unwrap()),
        channel: part(2).map(|channel| Channel::new(channel).unwrap()),
        extension: words[0].into(),
        version: "1.0.0".into(),
        priority: words[2].parse().unwrap(),
        on_failure: OnFailure::Skip,
        config: serde_json::json!({ "from": words[1] }),
        rollout: Rollout::Live,
        since: 0,
    }
}

fn bindings(lines: &[&str]) -> Result<Bindings, BindingError> {
    Bindings::new(lines.iter().map(|line| binding(line)).collect())
}

fn asked(bindings: &Bindings, scope: &str) -> String {
    let parts: Vec<&str> = scope.split('/').collect();
    let scope = Scope::new(parts[0], parts[1], parts[2]).unwrap();
    let names: Vec<&str> =
        bindings.resolve("unit-price", &scope).iter().map(|binding| &*binding.extension).collect();
    names.join(" ")
}

#[test]
fn the_narrowest_place_first_then_priority() {
    let all = bindings(&[
        "tenant-late  shop/*/*         20",
        "tenant-early shop/*/*         10",
        "channel      shop/*/web       99",
        "line         shop/grocery/*   99",
        "both         shop/grocery/web 99",
        "other-line   shop/fashion/*   1",
        "other-tenant mall/*/*         1",
    ])
    .unwrap();
    for (scope, who) in [
        ("shop/grocery/web", "both line channel tenant-early tenant-late"),
        ("shop/grocery/pos", "line tenant-early tenant-late"),
        ("shop/fashion/web", "other-line channel tenant-early tenant-late"),
        ("shop/garden/web", "channel tenant-early tenant-late"),
        ("shop/garden/pos", "tenant-early tenant-late"),
        ("mall/grocery/web", "other-tenant"),
        ("none/grocery/web", ""),
    ] {
        assert_eq!(asked(&all, scope), who, "{scope}");
    }
    let scope = Scope::new("shop", "grocery", "web").unwrap();
    assert!(all.resolve("discount", &scope).is_empty());
}

#[test]
fn an_extension_is_asked_once_as_its_narrowest_binding_says() {
    let all = bindings(&["promo shop/*/* 1", "first shop/*/* 2", "promo shop/grocery/* 9"]).unwrap();
    assert_eq!(asked(&all, "shop/grocery/web"), "promo first");
    let scope = Scope::new("shop", "grocery", "web").unwrap();
    assert_eq!(all.resolve("unit-price", &scope)[0].config["from"], "shop/grocery/*");
    assert_eq!(asked(&all, "shop/fashion/web"), "promo first");
}

#[test]
fn an_arbitrary_order_is_refused_and_names_both() {
    let error = bindings(&["a shop/grocery/* 10", "b shop/fashion/* 10", "c shop/grocery/* 10"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "equal rank: a@1.0.0 at unit-price for shop/grocery/*, priority 10, and c@1.0.0 at unit-price for \
         shop/grocery/*, priority 10; give one of them another priority"
    );
    let error = bindings(&["a shop/*/web 1", "a shop/*/web 2"]).unwrap_err();
    assert!(matches!(error, BindingError::BoundTwice { .. }), "{error}");
    // A line and a channel overlap, but the line is the narrower place.
    assert!(bindings(&["a shop/*/web 1", "b shop/grocery/* 1"]).is_ok());
}

#[test]
fn a_file_is_read_and_its_faults_are_named() {
    let text = r#"
        [[binding]]
        point = "unit-price"
        tenant = "demo"
        line = "grocery"
        extension = "loyal-price"
        version = "1.0.0"
        priority = 10
        on_failure = "skip"
        config = { customer_group = "member", rate_bp = 500 }
    "#;
    let all = Bindings::from_toml(text).unwrap();
    assert_eq!(all.all().len(), 1);
    assert_eq!(all.all()[0].config, serde_json::json!({ "customer_group": "member", "rate_bp": 500 }));
    assert_eq!(all.all()[0].on_failure, OnFailure::Skip);
    assert_eq!(Bindings::from_toml("").unwrap().all().len(), 0);

    let misspelt = Bindings::from_toml(&text.replace("on_failure", "on_falure")).unwrap_err().to_string();
    assert!(misspelt.contains("on_falure"), "{misspelt}");
    let bad_scope =
        Bindings::from_toml(&text.replace("\"grocery\"", "\"Grocery Store\"")).unwrap_err().to_string();
    assert!(bad_scope.contains("scope/BusinessLine"), "{bad_scope}");
}

#[test]
fn a_trial_stands_beside_the_version_that_is_live_and_counts_in_its_place_only_when_asked() {
    let trial = |text: &str, rollout: Rollout| Binding { version: "2.0.0".into(), rollout, ..binding(text) };
    let who = |bindings: &Bindings| {
        let scope = Scope::new("shop", "grocery", "web").unwrap();
        let asked = bindings.resolve("unit-price", &scope);
        asked.iter().map(|binding| binding.id().to_string()).collect::<Vec<_>>().join(" ")
    };
    let live = [binding("promo shop/grocery/* 10"), binding("other shop/*/* 20")];
    let with = |trials: &[Binding]| Bindings::new([&live, trials].concat());
    let all = with(&[trial("promo shop/grocery/* 10", Rollout::Shadow)]).unwrap();
    assert_eq!(who(&all), "promo@1.0.0 other@1.0.0");
    assert_eq!(who(&all.with_trials().unwrap()), "promo@2.0.0 other@1.0.0");
    assert_eq!(all.all().len(), 3);

    let narrower = with(&[trial("other shop/grocery/web 5", Rollout::Shadow)]).unwrap();
    assert_eq!(who(&narrower.with_trials().unwrap()), "other@2.0.0 promo@1.0.0");
    let wider = with(&[trial("promo shop/*/* 1", Rollout::Shadow)]).unwrap();
    assert_eq!(who(&wider.with_trials().unwrap()), "promo@1.0.0 other@1.0.0", "the narrower place wins");

    let tie = with(&[trial("new shop/grocery/* 10", Rollout::Shadow)]).unwrap_err().to_string();
    assert!(tie.contains("equal rank") && tie.contains("new@2.0.0") && tie.contains(", shadow"), "{tie}");
    let two = with(&[
        trial("promo shop/grocery/* 10", Rollout::Shadow),
        trial("other shop/*/* 20", Rollout::Canary(Canary::of(5))),
    ]);
    assert!(matches!(two.unwrap_err(), BindingError::TwoTrials { .. }));
    let never = with(&[trial("promo shop/grocery/* 10", Rollout::Canary(Canary::of(0)))]);
    assert!(matches!(never.unwrap_err(), BindingError::Rollout { .. }));
}
