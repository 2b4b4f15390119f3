//! Rust source as far as the rules need it: what of a file is code, and what of it is tests. A scanner of literals and
//! comments, no parser.

/// The source with comments and the inside of literals blanked out; lines stay where they are.
pub(crate) fn only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_or_comment(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// The source up to its test module at the end, if it has one.
pub(crate) fn without_tests(source: &str) -> &str {
    source.find("#[cfg(test)]\nmod ").map_or(source, |at| &source[..at])
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_or_comment(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => at + until(rest, |rest| rest[0] == '\n'),
        ['/', '*', ..] => at + nested_comment(rest),
        ['"', ..] => at + quoted(rest, '"'),
        ['r', '#' | '"', ..] if !(at > 0 && is_word(chars[at - 1]) && chars[at - 1] != 'b') => at + raw(rest),
        // A lifetime has no closing quote after one character.
        ['\'', '\\', ..] => at + quoted(rest, '\''),
        ['\'', _, '\'', ..] => at + 3,
        _ => at,
    }
}

fn until(rest: &[char], end: impl Fn(&[char]) -> bool) -> usize {
    (0..rest.len()).find(|at| end(&rest[*at..])).unwrap_or(rest.len())
}

fn nested_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `r#"..."#`; a raw identifier (`r#type`) is none.
fn raw(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let inside = 2 + hashes;
    let closes = |rest: &[char]| {
        rest[0] == '"' && rest[1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    (inside + until(&rest[inside..], closes) + 1 + hashes).min(rest.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        for (source, left) in [
            ("a(); // b!\nc();", "a(); c();"),
            ("/* x /* y */ z */ a", "a"),
            ("f(\"b!\\\" b!\", 1)", "f( , 1)"),
            ("f(r#\"b! \" b!\"#)", "f( )"),
            ("br\"b!\"; r#type", "b ; r#type"),
            ("x('\"'); 'a: loop {}", "x( ); 'a: loop {}"),
            ("'\\''; b()", "; b()"),
            ("\"unclosed", ""),
            ("\"two\nlines\" b", "b"),
        ] {
            let code = only(source);
            assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), left, "of {source}");
            assert_eq!(code.chars().count(), source.chars().count(), "places of {source}");
            assert_eq!(code.lines().count(), source.lines().count(), "lines of {source}");
        }
    }

    #[test]
    fn a_test_module_at_the_end_is_left_out() {
        assert_eq!(without_tests("fn f() {}\n#[cfg(test)]\nmod tests {\n}\n"), "fn f() {}\n");
        assert_eq!(without_tests("#[cfg(test)]\nuse x;\nfn f() {}\n"), "#[cfg(test)]\nuse x;\nfn f() {}\n");
    }
}
