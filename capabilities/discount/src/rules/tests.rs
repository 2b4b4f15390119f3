//! The rules of discount against tables of text.
