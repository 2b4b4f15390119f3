//! Cuts a CEL expression into tokens with byte ranges. Literals are decoded here; what tokens mean together is the
//! grammar's business.

use std::ops::Range;

use super::ExpressionError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Int(i64),
    /// The absolute value of the least 64-bit integer, which only a minus in front makes an integer.
    LeastInt,
    Float(f64),
    Text(String),
    True,
    False,
    Null,
    In,
    /// Any operator or bracket.
    Sign(&'static str),
    End,
}

impl Token {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Int(int) => format!("`{int}`"),
            Self::LeastInt => "`9223372036854775808`".to_owned(),
            Self::Float(float) => format!("`{float}`"),
            Self::Text(_) => "a text".to_owned(),
            Self::True => "`true`".to_owned(),
            Self::False => "`false`".to_owned(),
            Self::Null => "`null`".to_owned(),
            Self::In => "`in`".to_owned(),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end of the expression".to_owned(),
        }
    }
}

const SIGNS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "+", "-", "*", "/",
    "%", "!", "<", ">", "=",
];

/// Words that CEL keeps for itself and that name nothing.
pub(crate) const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

type Spanned = (Token, Range<usize>);

/// The tokens of `source`, the last of which is `End`.
pub(super) fn tokens(source: &str) -> Result<Vec<Spanned>, ExpressionError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut out = Vec::new();
    loop {
        let token = lexer.next()?;
        let end = token.0 == Token::End;
        out.push(token);
        if end {
            return Ok(out);
        }
    }
}

/// The byte offset of the `}` that closes an expression whose text begins at `from`.
pub(crate) fn closing(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += usize::from(bytes[at] == b'\\') + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn fail<T>(
        &self,
        range: Range<usize>,
        message: impl Into<String>,
        help: &str,
    ) -> Result<T, ExpressionError> {
        Err(ExpressionError { range, message: message.into(), help: help.to_owned() })
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            let comment =
                if trimmed.starts_with("//") { trimmed.find('\n').unwrap_or(trimmed.len()) } else { 0 };
            if trimmed.len() == rest.len() && comment == 0 {
                return;
            }
            self.at += rest.len() - trimmed.len() + comment;
        }
    }

    fn next(&mut self) -> Result<Spanned, ExpressionError> {
        self.skip_blanks();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok((Token::End, start..start)) };
        let token = if first.is_ascii_alphabetic() || first == '_' {
            self.word()?
        } else if first.is_ascii_digit()
            || (first == '.' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            self.number()?
        } else if first == '"' || first == '\'' {
            Token::Text(self.text(Escapes::Read)?)
        } else {
            let Some(sign) = SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) else {
                let help = "letters outside of ASCII stand in quotes";
                return self.fail(
                    start..start + first.len_utf8(),
                    format!("`{first}` has no meaning in an expression"),
                    help,
                );
            };
            self.at += sign.len();
            if *sign == "=" {
                return self.fail(start..self.at, "`=` has no meaning in an expression", "equality is `==`");
            }
            Token::Sign(sign)
        };
        Ok((token, start..self.at))
    }

    fn word(&mut self) -> Result<Token, ExpressionError> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = rest[..length].to_owned();
        let quoted = rest[length..].starts_with(['"', '\'']);
        self.at += length;
        if quoted && matches!(word.as_str(), "r" | "R") {
            return self.text(Escapes::Keep).map(Token::Text);
        }
        if quoted && matches!(word.to_ascii_lowercase().as_str(), "b" | "br" | "rb") {
            return self.fail(
                start..self.at + 1,
                "bytes have no place in a flow",
                "take the letter in front of the quotes away",
            );
        }
        Ok(match word.as_str() {
            "true" => Token::True,
            "false" => Token::False,
            "null" => Token::Null,
            "in" => Token::In,
            _ if RESERVED.contains(&word.as_str()) => {
                return self.fail(
                    start..self.at,
                    format!("`{word}` is a word that CEL keeps for itself"),
                    "use another name",
                );
            }
            _ => Token::Name(word),
        })
    }

    fn number(&mut self) -> Result<Token, ExpressionError> {
        let start = self.at;
        let bytes = self.source.as_bytes();
        let digits = |mut at: usize, hex: bool| {
            while bytes.get(at).is_some_and(|b| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() })
            {
                at += 1;
            }
            at
        };
        let hex = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        let mut float = false;
        if hex {
            self.at = digits(start + 2, true);
        } else {
            self.at = digits(start, false);
            if bytes.get(self.at) == Some(&b'.') && bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
                float = true;
                self.at = digits(self.at + 1, false);
            }
            if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
                let sign = usize::from(matches!(bytes.get(self.at + 1), Some(b'+' | b'-')));
                let end = digits(self.at + 1 + sign, false);
                if end > self.at + 1 + sign {
                    float = true;
                    self.at = end;
                }
            }
        }
        let text = &self.source[start..self.at];
        let range = start..self.at;
        if matches!(bytes.get(self.at), Some(b'u' | b'U')) {
            return self.fail(
                start..self.at + 1,
                "unsigned numbers have no place in a flow",
                "take the `u` away",
            );
        }
        if bytes.get(self.at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            return self.fail(
                start..self.at + 1,
                "a letter follows a number",
                "put an operator between them, or quotes around them",
            );
        }
        if float {
            return match text.parse::<f64>() {
                Ok(float) if float.is_finite() => Ok(Token::Float(float)),
                _ => self.fail(range, format!("{text} is too large a number"), "use a smaller one"),
            };
        }
        let parsed = if hex { u64::from_str_radix(&text[2..], 16) } else { text.parse::<u64>() };
        match parsed {
            Ok(int) if int == 1 << 63 => Ok(Token::LeastInt),
            Ok(int) if i64::try_from(int).is_ok() => Ok(Token::Int(int.cast_signed())),
            _ => self.fail(range, format!("{text} is no whole number of 64 bits"), "use a smaller one"),
        }
    }

    fn text(&mut self, escapes: Escapes) -> Result<String, ExpressionError> {
        let start = self.at;
        let quote = &self.source[start..=start];
        let triple = quote.repeat(3);
        let end = if self.rest().starts_with(&triple) { triple.as_str() } else { quote };
        self.at += end.len();
        let mut out = String::new();
        loop {
            if self.rest().starts_with(end) {
                self.at += end.len();
                return Ok(out);
            }
            let Some(c) = self.rest().chars().next() else {
                return self.fail(start..self.at, "a text does not end", "close the quotes");
            };
            if end.len() == 1 && (c == '\n' || c == '\r') {
                return self.fail(
                    start..self.at,
                    "a text does not end on its line",
                    "close the quotes, or write \\n",
                );
            }
            if c == '\\' && escapes == Escapes::Read {
                out.push(self.escape()?);
            } else {
                out.push(c);
                self.at += c.len_utf8();
            }
        }
    }

    fn escape(&mut self) -> Result<char, ExpressionError> {
        let start = self.at;
        let mut rest = self.source[start + 1..].chars();
        let kind = rest.next().unwrap_or(' ');
        let (skip, count, radix) = match kind {
            'x' | 'X' => (2, 2, 16),
            'u' => (2, 4, 16),
            'U' => (2, 8, 16),
            '0'..='3' => (1, 3, 8),
            _ => {
                const PLAIN: &str = "a\u{7}b\u{8}f\u{c}n\nr\rt\tv\u{b}\\\\??\"\"''``";
                let pairs: Vec<char> = PLAIN.chars().collect();
                let Some(pair) = pairs.chunks(2).find(|pair| pair[0] == kind) else {
                    let range = start..start + 1 + kind.len_utf8().min(self.source.len() - start - 1);
                    return self.fail(
                        range,
                        format!("`\\{kind}` is no escape"),
                        "a backslash is written twice",
                    );
                };
                self.at += 2;
                return Ok(pair[1]);
            }
        };
        let digits = self.source.get(start + skip..start + skip + count);
        let code = digits
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|d| u32::from_str_radix(d, radix).ok());
        let Some(c) = code.and_then(char::from_u32) else {
            return self.fail(
                start..start + 2,
                format!("`\\{kind}` lacks {count} digits of a character"),
                "write the character itself",
            );
        };
        self.at = start + skip + count;
        Ok(c)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Read,
    /// `r'...'`
    Keep,
}
