//! What string newtypes share: a macro that makes one of cheap clones and checked construction. Which texts a newtype
//! takes is its own rule; this file has no rule of a field in it.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};

/// A text that a string newtype does not take. The message is fit for the person who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {type_name}: {problem}")]
pub struct InvalidText {
    /// The contract's name of the type, such as `order/OrderId`.
    pub type_name: &'static str,
    /// What is wrong with the text.
    pub problem: TextProblem,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextProblem {
    /// It has no characters.
    Empty,
    /// It has more characters than `max_chars`.
    TooLong {
        /// The most characters that are taken.
        max_chars: usize,
    },
    /// It has a character that is not taken.
    Character {
        /// The first such character.
        found: char,
        /// What is taken, in words.
        allowed: &'static str,
    },
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextProblem::Empty => f.write_str("it is empty"),
            TextProblem::TooLong { max_chars } => write!(f, "it is longer than {max_chars} characters"),
            TextProblem::Character { found, allowed } => write!(f, "{found:?} is not one of {allowed}"),
        }
    }
}

/// Reads a string of the input format by `FromStr`, without a copy of it.
pub(crate) fn deserialize_text<'de, D, T>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    struct Text<T>(&'static str, PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(expected, PhantomData))
}

/// Checks a text against a length and a set of characters.
pub(crate) fn check_text(
    text: &str,
    max_chars: usize,
    allowed: &'static str,
    takes: impl Fn(char) -> bool,
) -> Result<(), TextProblem> {
    if text.is_empty() {
        return Err(TextProblem::Empty);
    }
    // A character is at least a byte, so most texts need no count.
    if text.len() > max_chars && text.chars().count() > max_chars {
        return Err(TextProblem::TooLong { max_chars });
    }
    match text.chars().find(|&c| !takes(c)) {
        Some(found) => Err(TextProblem::Character { found, allowed }),
        None => Ok(()),
    }
}

/// Declares a string newtype: `Arc<str>` inside, so that a clone is a counter; no way in but through the check.
macro_rules! string_newtype {
    ($(#[$doc:meta])* $name:ident, $type_name:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name of this type in contracts.
            pub const TYPE_NAME: &'static str = $type_name;

            /// Checks the text and keeps it.
            pub fn new(text: impl AsRef<str> + Into<std::sync::Arc<str>>) -> Result<Self, $crate::InvalidText> {
                match $check(text.as_ref()) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(problem) => Err($crate::InvalidText { type_name: Self::TYPE_NAME, problem }),
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, shared: no copy is made.
            #[must_use]
            pub fn to_shared(&self) -> std::sync::Arc<str> {
                std::sync::Arc::clone(&self.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &*self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::InvalidText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::InvalidText;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::InvalidText;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::newtype::deserialize_text(deserializer, concat!("a string, the ", $type_name))
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                Self::TYPE_NAME.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}
pub(crate) use string_newtype;
