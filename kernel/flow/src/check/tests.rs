//! What the checker is for: an expression that it accepts has a value on every input, of the type that it says.

use mortise_contract::value::json;
use mortise_contract::{Contracts, Schema, Value};
use mortise_types::Timestamp;
use proptest::prelude::*;

use super::check;
use crate::eval::{Env, EvalError, Frame, Item};

const INPUT: &str = r#"{"type":"object","required":["i","t","l","yes"],"properties":{
    "i":{"type":"integer"},"o":{"type":"integer"},"t":{"type":"string"},"ot":{"type":"string"},"yes":{"type":"boolean"},
    "l":{"type":"array","maxItems":3,"items":{"type":"integer"}},
    "n":{"type":["integer","null"],"default":null},
    "r":{"type":"object","required":["x"],"properties":{"x":{"type":"integer"},"y":{"type":"integer"}}},
    "rs":{"type":"array","maxItems":3,"default":[],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"},"v":{"type":"integer"}}}},
    "m":{"type":"object","additionalProperties":{"type":"string"},"default":{}}}}"#;

/// Inputs with and without each of what may be absent.
const INPUTS: [&str; 8] = [
    r#"{"i":1,"t":"a","l":[],"yes":true}"#,
    r#"{"i":0,"t":"","l":[1],"yes":false,"o":2}"#,
    r#"{"i":5,"t":"b","l":[1,2],"yes":true,"r":{"x":1}}"#,
    r#"{"i":5,"t":"b","l":[3,1,2],"yes":false,"r":{"x":1,"y":2},"ot":"z","o":1}"#,
    r#"{"i":-1,"t":"k","l":[],"yes":true,"m":{"k":"v"},"n":4}"#,
    r#"{"i":7,"t":"a","l":[7],"yes":false,"rs":[{"k":"a"},{"k":"b","v":2}],"n":null}"#,
    r#"{"i":7,"t":"a","l":[7],"yes":true,"rs":[{"k":"a","v":1}],"r":{"x":0,"y":0},"m":{"k":"a","j":"b"},"o":0,"ot":"k","n":0}"#,
    r#"{"i":2,"t":"j","l":[2,2],"yes":true,"rs":[],"m":{"j":"x"},"ot":""}"#,
];

fn accepts(source: &str) -> bool {
    let quoted = source.replace('\'', "''");
    let text = format!(
        "flow: a\nversion: 1\ninternal: true\ninput: {INPUT}\nsteps:\n  - let: {{ a: '${{ {quoted} }}' }}\n  - when: ${{ [a] == [a] }}\n    fail: b\n"
    );
    let flow = crate::parse(&text).unwrap_or_else(|found| panic!("{source}: {found:?}"));
    check(&flow, &Contracts::default()).is_accepted()
}

/// The values of an expression on all inputs.
fn values(source: &str) -> Vec<Result<Value, EvalError>> {
    let schema: Schema = serde_json::from_str(INPUT).unwrap();
    let node =
        crate::compile::over_input(source, &schema).unwrap_or_else(|error| panic!("{source}: {error}"));
    let now: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    let value = |input: &&str| {
        let input = Contracts::default().validate(&schema, &json(input).unwrap()).unwrap();
        let frame = Frame::root(vec![input]);
        node.evaluate(&Env { frame: &frame, now, started_at: now }).map(Item::into_value)
    };
    INPUTS.iter().map(value).collect()
}

fn pick(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(words).prop_map(str::to_owned)
}

/// Conditions and whole numbers, half of them careless about what may be absent.
fn condition() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        pick(&[
            "input.yes",
            "has(input.o)",
            "has(input.r)",
            "has(input.r.y)",
            "has(input.ot)",
            "'k' in input.m",
            "has(input.m.k)"
        ]),
        pick(&[
            "size(input.l) > 0",
            "input.l.size() >= 2",
            "0 != size(input.l)",
            "size(input.l) == 0",
            "input.n != null",
            "null == input.n"
        ]),
        pick(&[
            "input.i > 1",
            "input.o > 1",
            "input.r.y > input.r.x",
            "input.l[0] == 1",
            "input.m.k == 'a'",
            "input.ot in ['z', 'k']"
        ]),
        pick(&[
            "input.rs.all(r, has(r.v))",
            "input.rs.exists(r, has(r.v) && r.v > 1)",
            "input.rs.exists(r, r.v > 1)"
        ]),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
        ]
    })
    .boxed()
}

fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        pick(&["1", "input.i", "size(input.t)", "size(input.l)"]),
        pick(&[
            "input.o",
            "input.r.x",
            "input.r.y",
            "input.n",
            "input.l[0]",
            "input.l[1]",
            "max(input.l)",
            "size(input.ot)"
        ]),
        pick(&[
            "sum(input.l)",
            "size(input.rs.map(r, has(r.v), r.v))",
            "sum(input.rs.map(r, has(r.v) ? r.v : 0))",
            "sum(input.rs.map(r, r.v))"
        ]),
        pick(&[
            "7 / input.i",
            "7 % input.i",
            "input.i != 0 ? 7 / input.i : 0",
            "0 < input.i ? 7 % input.i : 0",
            "input.i <= 0 ? 0 : input.i / 2 / input.i",
            "7 / size(input.t)",
            "input.i == 0 ? 7 / input.i : 1",
        ]),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) + ({b})")),
            (condition(), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| format!("({c}) ? ({a}) : ({b})")),
            (condition(), inner.clone(), inner).prop_map(|(c, a, b)| format!("({c}) ? ({a}) : ({b})")),
        ]
    })
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_has_a_value_on_every_input(source in prop_oneof![condition(), number()]) {
        if accepts(&source) {
            for value in values(&source) {
                prop_assert!(value.is_ok(), "{source}: {value:?}");
            }
        }
    }
}

#[test]
fn care_is_accepted_and_carelessness_is_not() {
    for (careful, careless) in [
        ("has(input.o) ? input.o : 0", "has(input.ot) ? input.o : 0"),
        ("has(input.r) && has(input.r.y) && input.r.y > 1", "has(input.r.y) && input.r.y > 1"),
        ("!has(input.o) || input.o > 1", "has(input.o) || input.o > 1"),
        ("size(input.l) > 1 ? input.l[1] : 0", "size(input.l) > 0 ? input.l[1] : 0"),
        ("size(input.l) < 1 ? 0 : input.l[0]", "size(input.l) <= 1 ? input.l[0] : 0"),
        ("input.n == null ? 0 : input.n + 1", "input.n != null ? 0 : input.n + 1"),
        (
            "(has(input.o) ? input.yes : false) ? input.o : 0",
            "(has(input.o) ? true : input.yes) ? input.o : 0",
        ),
        ("input.i != 0 ? 7 / input.i : 0", "input.i >= 0 ? 7 / input.i : 0"),
        ("0 >= input.i ? 0 : 7 % input.i", "0 >= input.i ? 7 % input.i : 0"),
        ("'k' in input.m ? input.m['k'] : ''", "'k' in input.m ? input.m['j'] : ''"),
        (
            "!(!has(input.o) || !has(input.ot)) ? input.o : 0",
            "!(!has(input.o) && !has(input.ot)) ? input.o : 0",
        ),
    ] {
        assert!(accepts(careful), "{careful}");
        assert!(values(careful).iter().all(Result::is_ok), "{careful}");
        assert!(!accepts(careless), "{careless}");
        assert!(values(careless).iter().any(Result::is_err), "{careless}");
    }
}
