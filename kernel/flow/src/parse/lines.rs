//! Turns byte offsets of a text into lines and columns. It knows nothing of what the text says.

use std::ops::Range;

use crate::ast::Place;

/// Characters are counted ahead every so many bytes, so that one long line costs no more than many short ones.
const STRIDE: usize = 256;

/// Where lines begin, and how many characters stand before every 256th byte.
#[derive(Debug)]
pub(crate) struct Lines<'t> {
    /// The whole text.
    pub(crate) text: &'t str,
    starts: Vec<usize>,
    chars: Vec<usize>,
}

fn is_char_start(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        let mut chars = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut count = 0;
        for (at, byte) in text.bytes().enumerate() {
            if at % STRIDE == 0 {
                chars.push(count);
            }
            count += usize::from(is_char_start(byte));
            if byte == b'\n' {
                starts.push(at + 1);
            }
        }
        if text.len().is_multiple_of(STRIDE) {
            chars.push(count);
        }
        Self { text, starts, chars }
    }

    fn chars_before(&self, offset: usize) -> usize {
        let block = offset / STRIDE;
        let from = block * STRIDE;
        let rest = &self.text.as_bytes()[from..offset];
        self.chars[block] + rest.iter().filter(|byte| is_char_start(**byte)).count()
    }

    /// The place of a range of bytes; what lies outside of the text is moved to its end.
    pub(crate) fn place(&self, range: Range<usize>) -> Place {
        let offset = range.start.min(self.text.len());
        let end = range.end.clamp(offset, self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Place {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(self.chars_before(offset) - self.chars_before(start) + 1)
                .unwrap_or(u32::MAX),
            offset,
            length: end - offset,
        }
    }

    /// The text of a line, counted from 1, without its line end.
    pub(crate) fn line(&self, line: u32) -> &'t str {
        let Some(index) = (line as usize).checked_sub(1).filter(|index| *index < self.starts.len()) else {
            return "";
        };
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text[self.starts[index]..end].trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_on_long_lines_too() {
        let text = format!("a: ü\n{}x: y", "é".repeat(1000));
        let lines = Lines::new(&text);
        let second = lines.place(text.len() - 1..text.len());
        assert_eq!((second.line, second.column, second.length), (2, 1004, 1));
        let end = lines.place(text.len()..text.len() + 9);
        assert_eq!((end.line, end.column, end.length), (2, 1005, 0));
        assert_eq!(lines.place(3..5).column, 4);
        assert_eq!((lines.line(1), lines.line(3)), ("a: ü", ""));
    }

    #[test]
    fn every_offset_of_any_length_has_a_place() {
        for length in [0, 1, 255, 256, 257, 512] {
            let text = "x".repeat(length);
            let lines = Lines::new(&text);
            assert_eq!(lines.place(length..length).column as usize, length + 1);
        }
    }
}
