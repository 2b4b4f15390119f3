//! The evaluator beside another implementation of CEL on random expressions, and what that one does not have by hand.

use mortise_contract::value::json;
use mortise_contract::{Schema, Value};
use mortise_types::Timestamp;
use proptest::prelude::*;

use super::function::parse_duration;
use super::{Env, EvalError, Frame, Item};

const INPUT: &str = r#"{"i":7,"j":-3,"zero":0,"most":9223372036854775807,"yes":true,"no":false,"s":"milk","t":"größe","empty":"",
    "ints":[3,1,2],"none":[],"words":["a","milk","b"],"r":{"x":1,"y":"milk","n":null},
    "rs":[{"k":"a","v":1},{"k":"b","v":2},{"k":"c"}]}"#;

const SCHEMA: &str = r#"{"type":"object","properties":{
    "at":{"type":"string","format":"date-time"},"ats":{"type":"array","items":{"type":"string","format":"date-time"}},
    "of":{"type":"object","properties":{"at":{"type":"string","format":"date-time"}}},"text":{"type":"string"}}}"#;

fn ours(source: &str, input: &str) -> Result<Value, EvalError> {
    let schema: Schema = serde_json::from_str(SCHEMA).unwrap();
    let node =
        crate::compile::over_input(source, &schema).unwrap_or_else(|error| panic!("{source}: {error}"));
    let frame = Frame::root(vec![json(input).unwrap()]);
    let now: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    node.evaluate(&Env { frame: &frame, now, started_at: now }).map(Item::into_value)
}

fn said(source: &str) -> String {
    ours(source, INPUT).map_or_else(|error| format!("error: {error}"), |value| value.to_json())
}

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(bool) => cel::Value::Bool(*bool),
        Value::Int(int) => cel::Value::Int(*int),
        Value::Float(float) => cel::Value::Float(*float),
        Value::Text(text) => cel::Value::from(text.as_str()),
        Value::List(items) => cel::Value::from(items.iter().map(to_cel).collect::<Vec<_>>()),
        Value::Record(record) => {
            let fields = record.iter().map(|(name, value)| (name.as_str().to_owned(), to_cel(value)));
            cel::Value::from(fields.collect::<std::collections::HashMap<_, _>>())
        }
    }
}

fn theirs(source: &str) -> Result<cel::Value, String> {
    let program = cel::Program::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut context = cel::Context::default();
    context.add_function("min", cel::functions::min).unwrap();
    context.add_function("max", cel::functions::max).unwrap();
    context.add_variable_from_value("input", to_cel(&json(INPUT).unwrap()));
    program.execute(&context).map_err(|error| error.to_string())
}

/// Whole numbers, mostly sound.
fn int() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        (-9_i64..10).prop_map(|int| int.to_string()),
        Just("input.i".to_owned()),
        Just("input.j".to_owned()),
        Just("input.zero".to_owned()),
        Just("input.most".to_owned()),
        Just("input.r.x".to_owned()),
        Just("input.missing".to_owned()),
        Just("size(input.t)".to_owned()),
        Just("input.words.size()".to_owned()),
        (-1_i64..4).prop_map(|at| format!("input.ints[{at}]")),
        (0_i64..4).prop_map(|at| format!("input.rs[{at}].v")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("min({a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("max([{a}, {b}])")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("(({a}) < ({b}) ? {c} : {a})")),
            (inner.clone(), inner)
                .prop_map(|(a, b)| format!("size(input.ints.filter(e, e > {a}).map(e, e < 3, e + {b}))")),
        ]
    })
    .boxed()
}

fn text() -> BoxedStrategy<String> {
    let leaf = prop::sample::select(vec![
        "'a'",
        "'milk'",
        "''",
        "input.s",
        "input.t",
        "input.empty",
        "input.r.y",
        "input.words[1]",
        "input.missing",
    ]);
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            (boolean_leaf(), inner.clone(), inner).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
        ]
    })
    .boxed()
}

fn boolean_leaf() -> BoxedStrategy<String> {
    let fixed = prop::sample::select(vec![
        "true",
        "false",
        "input.yes",
        "input.no",
        "has(input.r.x)",
        "has(input.r.z)",
        "has(input.r.n)",
        "has(input.missing.x)",
        "input.missing",
        "input.r.n == null",
        "'k' in input.r",
        "'x' in input.r",
    ]);
    prop_oneof![
        fixed.prop_map(str::to_owned),
        (int_leaf(), prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]), int_leaf())
            .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
    ]
    .boxed()
}

fn int_leaf() -> BoxedStrategy<String> {
    prop::sample::select(vec!["1", "input.i", "input.j", "input.most + 1", "1 / input.zero", "input.ints[9]"])
        .prop_map(str::to_owned)
        .boxed()
}

fn boolean() -> BoxedStrategy<String> {
    let compare = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let leaf = prop_oneof![
        boolean_leaf(),
        (int(), compare.clone(), int()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (text(), compare, text()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (text(), prop::sample::select(vec!["contains", "startsWith", "endsWith"]), text())
            .prop_map(|(a, name, b)| format!("{a}.{name}({b})")),
        text().prop_map(|a| format!("{a} in input.words")),
        int().prop_map(|a| format!("{a} in [1, 2, input.i]")),
        int().prop_map(|a| format!("input.ints == [3, 1, {a}]")),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let list_macro = prop::sample::select(vec!["all", "exists", "exists_one"]);
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (list_macro.clone(), inner.clone(), int())
                .prop_map(|(name, a, b)| format!("input.ints.{name}(e, e > {b} || {a})")),
            (list_macro, inner.clone())
                .prop_map(|(name, a)| format!("input.rs.{name}(e, has(e.v) && e.v > 1 && {a})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!(
                "input.rs.exists(e, e.v == 2 && input.rs.all(f, f.k != e.k || {a}) && {b})"
            )),
        ]
    })
    .boxed()
}

fn any_expression() -> BoxedStrategy<String> {
    prop_oneof![
        int(),
        text(),
        boolean(),
        (int(), text())
            .prop_map(|(a, b)| format!("[{a}, 2].map(e, [e, {a}])  == [[{a}, {a}]] || {b} == 'milk'")),
        (int(), text()).prop_map(|(a, b)| format!("input.ints.map(e, {{'a': {a}, 'b': {b}, 'c': e}})")),
        int().prop_map(|a| format!("input.ints + [{a}]")),
        boolean().prop_map(|a| format!("input.rs.filter(e, {a} || e.k == 'a')")),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn expressions_mean_what_another_implementation_says(source in any_expression()) {
        match (ours(&source, INPUT), theirs(&source)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(to_cel(&ours), theirs, "{}", source),
            (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{source}: {ours:?}, but {theirs:?}"),
        }
    }

    #[test]
    fn no_duration_text_panics(text in "[-+]?[0-9.]{0,20}(d|h|m|s|ms|us|µs|ns|x)?[0-9.]{0,25}[a-zµ]{0,2}") {
        let _ = parse_duration(&text);
    }
}

#[test]
fn arithmetic_is_checked() {
    assert_eq!(said("input.most + 1"), "error: the result of `+` is beyond the range of its type");
    assert_eq!(said("-input.most - 2"), "error: the result of `-` is beyond the range of its type");
    assert_eq!(said("(-input.most - 1) / -1"), "error: the result of `/` is beyond the range of its type");
    assert_eq!(said("1 % input.zero"), "error: division by zero");
    assert_eq!(said("-7 / 2"), "-3");
    assert_eq!(said("-7 % 2"), "-1");
}

#[test]
fn errors_are_absorbed_by_what_decides() {
    assert_eq!(said("input.missing && false"), "false");
    assert_eq!(said("true || 1 / 0 == 1"), "true");
    assert_eq!(said("input.missing || false"), "error: there is no field `missing`");
    assert_eq!(said("[0, 1].exists(e, 1 / e == 1)"), "true");
    assert_eq!(said("[0, 1].all(e, 1 / e == 2)"), "false");
    assert_eq!(said("[0, 1].all(e, 1 / e == 1)"), "error: division by zero");
    assert_eq!(said("[0, 1].exists_one(e, 1 / e == 1)"), "error: division by zero");
}

#[test]
fn numbers_of_both_kinds_compare_and_do_not_add() {
    let floats = r#"{"f":3.5,"g":3.0,"big":1e300}"#;
    let said = |source: &str| ours(source, floats);
    assert_eq!(said("3 < input.f && 4 > input.f && input.g == 3 && 3 == input.g"), Ok(true.into()));
    assert_eq!(said("9223372036854775807 < input.big && -9223372036854775807 > -input.big"), Ok(true.into()));
    assert!(matches!(said("1 + input.f"), Err(EvalError::WrongType { .. })));
    assert_eq!(said("input.f + input.g"), Ok(Value::Float(6.5)));
}

#[test]
fn sums_and_extremes() {
    assert_eq!(said("sum(input.ints)"), "6");
    assert_eq!(said("input.rs.filter(r, has(r.v)).map(r, r.v * 2).sum()"), "6");
    assert_eq!(said("sum([])"), "0");
    assert_eq!(said("sum([input.most, 1])"), "error: the result of `sum` is beyond the range of its type");
    assert_eq!(said("sum(['a'])"), "error: sum does not work on text");
    assert_eq!(said("min(3, 1, 2)"), "1");
    assert_eq!(said("max(input.ints)"), "3");
    assert_eq!(said("max([])"), "error: `max` of an empty list");
    assert_eq!(said("min('b', 'a')"), "\"a\"");
    assert_eq!(said("min(1, 'a')"), "error: min does not work on text");
}

#[test]
fn text_is_counted_in_characters() {
    assert_eq!(said("size(input.t)"), "5");
    assert_eq!(said("input.t.endsWith('ße') && input.t.startsWith('gr') && input.t.contains('öß')"), "true");
}

#[test]
fn a_moment_is_one_only_where_its_schema_says_so() {
    let input = r#"{"at":"2026-01-01T10:00:00+01:00","ats":["2026-01-01T10:00:00+01:00","2026-01-01T08:30:00Z"],
        "of":{"at":"2026-01-01T09:00:00.000Z"},"text":"2026-01-01T10:00:00+01:00"}"#;
    let said = |source: &str| {
        ours(source, input).map_or_else(|error| format!("error: {error}"), |value| value.to_json())
    };
    assert_eq!(said("input.at == input.of.at"), "true");
    assert_eq!(said("input['at'] == input.of.at"), "true");
    assert_eq!(said("input.text == '2026-01-01T09:00:00.000Z'"), "false", "text is compared as text");
    assert_eq!(said("input.at"), "\"2026-01-01T10:00:00+01:00\"", "what is passed on stays as it is");
    assert_eq!(said("min(input.ats)"), "\"2026-01-01T08:30:00.000Z\"");
    assert_eq!(said("input.of.at in input.ats"), "true");
    assert_eq!(said("input.ats.exists(a, a < now + duration('45m'))"), "true");
    assert_eq!(said("input.ats.filter(a, a > now).map(a, a - now)"), r#"["1h","30m"]"#);
    assert_eq!(said("(input.at > now ? input.at : now) + duration('1d')"), "\"2026-01-02T09:00:00.000Z\"");
    assert_eq!(said("[input.at, now]"), r#"["2026-01-01T09:00:00.000Z","2026-01-01T08:00:00.000Z"]"#);
    assert_eq!(said("timestamp('soon') == now"), "error: \"soon\" is no moment in RFC 3339");
    assert_eq!(
        said("now + duration('9000000d')"),
        "error: the result of `+` is beyond the range of its type"
    );
}

#[test]
fn durations_are_the_languages_and_cels() {
    for (text, millis) in [
        ("30m", 1_800_000),
        ("30d", 2_592_000_000),
        ("500ms", 500),
        ("1h30m", 5_400_000),
        ("1.5s", 1_500),
        ("-1.5s", -1_500),
        ("+2m", 120_000),
        ("0", 0),
        ("1500us", 1),
        (".5m", 30_000),
    ] {
        assert_eq!(parse_duration(text), Some(millis), "{text}");
    }
    for text in ["", "-", "30", "m", "1x", "1h30", "1.2.3s", ".s", "30 m", "99999999999999999999d"] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
    assert_eq!(
        said("duration('90s') < duration('2m') && duration('1h') - duration('30m') == duration('30m')"),
        "true"
    );
    assert_eq!(said("-duration('30m')"), "\"-30m\"");
    assert_eq!(said("duration('soon')"), "error: \"soon\" is no length of time, such as 30m");
}

#[test]
fn lengths_of_time_survive_names_and_lists() {
    let input = r#"{"ats":["2026-01-01T10:00:00Z","2026-01-01T08:30:00Z"]}"#;
    let said = |source: &str| {
        ours(source, input).map_or_else(|error| format!("error: {error}"), |value| value.to_json())
    };
    assert_eq!(said("sum([duration('1h'), duration('90m')]) == duration('150m')"), "true");
    assert_eq!(said("input.ats.map(a, a - now).sum()"), "\"150m\"");
    assert_eq!(said("max(input.ats.map(a, a - now)) > duration('90m')"), "true");
    assert_eq!(said("min(duration('90m'), duration('2h')) == duration('90m')"), "true");
    assert_eq!(said("input.ats.map(a, a - now)[1] < duration('1h')"), "true");
    assert_eq!(said("now + input.ats.map(a, a - now)[1] == input.ats[1]"), "true");
    assert_eq!(said("duration('30m') in input.ats.map(a, a - now)"), "true");
    assert_eq!(said("sum([duration('1h')].filter(d, d > duration('2h')))"), "\"0s\"");
}
