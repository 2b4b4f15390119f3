//! The rules of tax against tables of text.
