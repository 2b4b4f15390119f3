//! What was meant by a name that nothing has, for the help of an error. Which names there are is the caller's business.

/// The known name that a slip of the pen would turn into `name`.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(80).collect();
    let most = (wanted.len() / 3).clamp(1, 4);
    let scored = known.into_iter().filter_map(|candidate| {
        let letters: Vec<char> = candidate.chars().take(80).collect();
        if letters.len().abs_diff(wanted.len()) > most {
            return same_words(name, candidate).then_some((most, candidate));
        }
        let distance = distance(&wanted, &letters);
        let near = distance <= most && distance < wanted.len().max(letters.len());
        (near || same_words(name, candidate)).then_some((distance.min(most), candidate))
    });
    scored.min_by_key(|(distance, candidate)| (*distance, *candidate)).map(|(_, candidate)| candidate)
}

/// `payment.captured` for `captured` or `pay.captured`: the last part is what people remember.
fn same_words(name: &str, candidate: &str) -> bool {
    let last = |text: &'_ str| text.rfind(['.', '/']).map_or(0, |at| at + 1);
    name.len() >= 3 && candidate[last(candidate)..] == name[last(name)..] && last(candidate) > 0
}

/// Edit distance with swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_recognised_and_other_names_are_not() {
        let known = ["order_id", "customer_id", "payment.captured", "lines"];
        for (name, near) in [
            ("oder_id", Some("order_id")),
            ("lnies", Some("lines")),
            ("captured", Some("payment.captured")),
            ("pay.captured", Some("payment.captured")),
            ("payment.captrued", Some("payment.captured")),
            ("weather", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), near, "{name}");
        }
    }
}
