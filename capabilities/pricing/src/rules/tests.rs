//! The rules of pricing against tables of text.
