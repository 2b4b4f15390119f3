//! The whole order as one PL/pgSQL function, made from the rows that a real order left: it looks both prices up, locks both items in
//! their order, sells nothing that is not there, and writes the same rows into the same tables, as long and as random as ours.
//! What it leaves out is everything else: promotions, taxes, limits, a flow that could go otherwise.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::shop::{CURRENCY, LINE, LOCATION, TENANT};

/// A table of the platform and its columns in order, without those that the database fills in itself.
#[derive(Debug, Deserialize)]
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<Column>,
}

#[derive(Debug, Deserialize)]
struct Column {
    name: String,
    is_bytes: bool,
}

/// A query for all tables, as JSON.
pub(super) const TABLES: &str = "
    SELECT jsonb_agg(t) FROM (
        SELECT table_name AS name, jsonb_agg(jsonb_build_object('name', column_name, 'is_bytes', data_type = 'bytea')
            ORDER BY ordinal_position) AS columns
        FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'NO'
        GROUP BY table_name ORDER BY table_name) t";

/// A query for the rows of a table that name one of these, as JSON.
pub(super) fn rows_query(table: &Table, names: &BTreeSet<String>) -> String {
    let like: Vec<String> = names.iter().map(|name| literal(&format!("%{name}%"))).collect();
    format!(
        "SELECT coalesce(jsonb_agg(t), '[]') FROM {} t WHERE t::text LIKE ANY (ARRAY[{}])",
        table.name,
        like.join(", ")
    )
}

/// A real order.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) order_id: String,
    pub(super) customer: String,
    pub(super) skus: [String; 2],
    /// When it was placed, in milliseconds.
    pub(super) placed_at: i64,
    /// By table.
    pub(super) rows: Vec<(Table, Vec<Map<String, Value>>)>,
}

impl Sample {
    /// The names that its rows have: ids of 32 hexadecimal digits, with or without hyphens.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        let texts =
            self.rows.iter().flat_map(|(_, rows)| rows).flat_map(Map::values).filter_map(Value::as_str);
        texts.filter(|text| !text.starts_with("\\x")).flat_map(ids_in).map(str::to_owned).collect()
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// The function, and the sequence of its orders' numbers.
    pub(super) fn function(&self) -> String {
        let ids: BTreeSet<String> = self.ids().into_iter().map(|id| id.replace('-', "")).collect();
        let mut declared = String::new();
        let mut tokens = vec![
            (self.order_id.clone(), "v_order".to_owned()),
            (self.customer.clone(), "v_customer".to_owned()),
            (self.skus[0].clone(), "v_first".to_owned()),
            (self.skus[1].clone(), "v_second".to_owned()),
        ];
        for (number, id) in ids.iter().enumerate() {
            // Ours begin with the time, so that those of a moment stand side by side.
            let _ = writeln!(
                declared,
                "    v_id{number} text := lpad(to_hex(p_number), 12, '0') || substr(md5(p_number || '-{number}'), 13);
    v_uuid{number} text := regexp_replace(v_id{number}, '(.{{8}})(.{{4}})(.{{4}})(.{{4}})', '\\1-\\2-\\3-\\4-');"
            );
            tokens.push((id.clone(), format!("v_id{number}")));
            tokens.push((with_hyphens(id), format!("v_uuid{number}")));
        }
        let mut inserts = String::new();
        for (table, rows) in &self.rows {
            for row in rows {
                let names: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
                let values: Vec<String> = table
                    .columns
                    .iter()
                    .map(|column| self.value(column, row.get(&column.name), &tokens))
                    .collect();
                let _ = writeln!(
                    inserts,
                    "    INSERT INTO {} ({}) VALUES ({});",
                    table.name,
                    names.join(", "),
                    values.join(", ")
                );
            }
        }
        format!(
            "CREATE SEQUENCE bench_number CACHE 100;
CREATE FUNCTION bench_order(p_number bigint, p_first bigint, p_second bigint) RETURNS bigint LANGUAGE plpgsql AS $order$
DECLARE
    v_now bigint := extract(epoch FROM clock_timestamp()) * 1000;
    v_order text := 'b' || lpad(p_number::text, 10, '0');
    v_customer text := 'c' || (hashint8(p_number)::bigint + 2147483648) % 1000000;
    v_first text := 'sku-' || lpad(p_first::text, 6, '0');
    v_second text := 'sku-' || lpad(p_second::text, 6, '0');
    v_units bigint := CASE p_first WHEN p_second THEN 2 ELSE 1 END;
    v_price bigint;
    v_found bigint;
{declared}BEGIN
    SELECT sum(amount) INTO v_price FROM pricing_entry
        WHERE tenant = '{TENANT}' AND line IN ('', '{LINE}') AND location IN ('', '{LOCATION}') AND sku IN (v_first, v_second)
            AND currency = '{CURRENCY}' AND valid_from <= v_now AND valid_until > v_now;
    IF v_price IS NULL THEN RAISE EXCEPTION 'no price'; END IF;
    PERFORM 1 FROM inventory_stock WHERE tenant = '{TENANT}' AND sku IN (v_first, v_second) AND location = '{LOCATION}'
        ORDER BY sku FOR UPDATE;
    UPDATE inventory_stock SET claimed = claimed + v_units
        WHERE tenant = '{TENANT}' AND sku IN (v_first, v_second) AND location = '{LOCATION}'
            AND on_hand - reserved - claimed >= v_units;
    GET DIAGNOSTICS v_found = ROW_COUNT;
    IF v_found * v_units <> 2 THEN RAISE EXCEPTION 'sold out'; END IF;
{inserts}    RETURN v_price;
END $order$;
"
        )
    }

    fn value(&self, column: &Column, value: Option<&Value>, tokens: &[(String, String)]) -> String {
        match value {
            None | Some(Value::Null) => "NULL".to_owned(),
            Some(Value::String(text)) if column.is_bytes => {
                let length = (text.len() - 2) / 2;
                let salt = &column.name;
                format!(
                    "substring(decode(md5(p_number || '{salt}') || md5('{salt}' || p_number), 'hex') FOR {length})"
                )
            }
            Some(Value::String(text)) => pieces(text, tokens),
            // A moment.
            Some(value) => match value.as_i64() {
                Some(int) if int > 1_000_000_000_000 => format!("v_now + {}", int - self.placed_at),
                _ => value.to_string(),
            },
        }
    }
}

/// A text in which tokens stand, put together at run time.
fn pieces(text: &str, tokens: &[(String, String)]) -> String {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((at, token, variable)) = tokens
        .iter()
        .filter_map(|(token, variable)| rest.find(token.as_str()).map(|at| (at, token, variable)))
        .min_by_key(|(at, token, _)| (*at, usize::MAX - token.len()))
    {
        if at > 0 {
            parts.push(literal(&rest[..at]));
        }
        parts.push(variable.clone());
        rest = &rest[at + token.len()..];
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(literal(rest));
    }
    parts.join(" || ")
}

fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Ids within a text.
fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || ('a'..='f').contains(&c) || c == '-'));
    words.map(|word| word.trim_matches('-')).filter(|word| {
        let digits = word.bytes().filter(|byte| *byte != b'-').count();
        digits == 32 && (word.len() == 32 || *word == with_hyphens(&word.replace('-', "")))
    })
}

fn with_hyphens(id: &str) -> String {
    format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_where_they_stand() {
        let text = "pay-01a229f6dafb73a1a3eff723ac0b5725 of 01a229f6-dafb-73a1-a3ef-f724194f935f, \
                    df4727a3f063c947d3680d841ff51ca502c71b8778671e32fcd7765a5a5d5a93 o0000000050-1";
        let found: Vec<&str> = ids_in(text).collect();
        assert_eq!(found, ["01a229f6dafb73a1a3eff723ac0b5725", "01a229f6-dafb-73a1-a3ef-f724194f935f"]);
    }

    #[test]
    fn a_text_is_put_together_around_what_is_the_orders_own() {
        let tokens = [("o7".to_owned(), "v_order".to_owned()), ("o71".to_owned(), "v_longer".to_owned())];
        assert_eq!(pieces("it's o7, o71\\", &tokens), "'it''s ' || v_order || ', ' || v_longer || E'\\\\'");
        assert_eq!(pieces("", &tokens), "''");
        assert_eq!(pieces("o7", &tokens), "v_order");
    }
}
