//! Reads a file of rows in chunks, each row with the line on which it begins. Three forms: CSV with a header, a JSON array, JSON
//! lines; which of them it is shows in its first letter.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mortise_contract::Value;
use serde::de::{DeserializeSeed, Deserializer as _, Error as _, SeqAccess, Visitor};
use tokio::sync::mpsc;

use super::columns::{Misfit, Row};
use crate::failure::Failure;

/// Rows that go in one call.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The rows, in order.
    pub(super) rows: Vec<Value>,
    /// The line on which each begins, from 1.
    pub(super) lines: Vec<u64>,
    /// How much of the file this is.
    pub(super) bytes: u64,
}

/// A file of rows.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) row: Row,
    /// Rows in a chunk at most.
    pub(super) chunk: usize,
}

/// Nobody takes chunks any more: the sender of a failed call says why.
struct Abandoned;

impl Source {
    /// Reads all of it into `chunks`.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub(super) fn read(&self, mut file: File, chunks: &mpsc::Sender<Chunk>) -> Result<(), Failure> {
        let mut filling = Filling { chunks, size: self.chunk, chunk: Chunk::default(), position: 0 };
        let form = first_letter(&mut file).map_err(|error| Failure::file(&self.path, &error))?;
        match form {
            None => return Err(Failure::unusable(format!("{} is empty", self.path.display()))),
            Some(b'[') => self.json_array(file, &mut filling)?,
            Some(b'{') => self.json_lines(file, &mut filling)?,
            Some(_) => self.csv(file, &mut filling)?,
        }
        let _ = filling.flush();
        Ok(())
    }

    fn csv(&self, file: File, filling: &mut Filling<'_>) -> Result<(), Failure> {
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 20).from_reader(file);
        let header = reader.headers().map_err(|error| self.broken(&error))?.clone();
        let columns = self.row.columns(&header).map_err(|misfit| at(&self.path, 1, &misfit))?;
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| self.broken(&error))? {
            let line = record.position().map_or(0, csv::Position::line);
            let row = columns.row(&record).map_err(|misfit| at(&self.path, line, &misfit))?;
            if filling.push(row, line, reader.position().byte()).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn broken(&self, error: &csv::Error) -> Failure {
        let line = error.position().map_or(1, csv::Position::line);
        let place = format!("{}:{line}", self.path.display());
        match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Failure::refused(format!("{place}: has {len} cells, the header has {expected_len}"))
                    .mend("write as many cells as columns; a cell that holds a comma or a line break stands in \"quotes\"")
            }
            csv::ErrorKind::Utf8 { .. } => Failure::refused(format!("{place}: is not UTF-8")).mend("save the file as UTF-8"),
            _ => Failure::refused(format!("{place}: {error}")),
        }
    }

    fn json_lines(&self, file: File, filling: &mut Filling<'_>) -> Result<(), Failure> {
        let (mut reader, mut text, mut line, mut read) =
            (BufReader::with_capacity(1 << 20, file), String::new(), 0, 0);
        loop {
            text.clear();
            line += 1;
            let length = reader.read_line(&mut text).map_err(|error| Failure::file(&self.path, &error))?;
            if length == 0 {
                return Ok(());
            }
            read += length as u64;
            if text.trim().is_empty() {
                continue;
            }
            let row = mortise_contract::json(&text)
                .map_err(|error| self.json_refused(line, error.column(), &error))?;
            if filling.push(row, line, read).is_err() {
                return Ok(());
            }
        }
    }

    fn json_array(&self, file: File, filling: &mut Filling<'_>) -> Result<(), Failure> {
        let place = Rc::new(Place::default());
        let reader = Placed { reader: BufReader::with_capacity(1 << 20, file), place: Rc::clone(&place) };
        let mut json = serde_json::Deserializer::from_reader(reader);
        let outcome = json.deserialize_seq(Rows { filling, place: &place }).and_then(|gone| match gone {
            Some(Abandoned) => Ok(()),
            None => json.end(),
        });
        outcome.map_err(|error| self.json_refused(error.line() as u64, error.column(), &error))
    }

    fn json_refused(&self, line: u64, column: usize, error: &serde_json::Error) -> Failure {
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or(&words);
        Failure::refused(format!("{}:{line}:{column}: {words}", self.path.display()))
            .mend("write a JSON array of rows, or one row a line")
    }
}

/// A cell or a header that cannot be used, with its place in the file.
fn at(path: &Path, line: u64, misfit: &Misfit) -> Failure {
    let Misfit { column, problem, mend } = misfit;
    Failure::refused(format!("{}:{line}, column {column}: {problem}", path.display())).mend(mend)
}

fn first_letter(file: &mut File) -> std::io::Result<Option<u8>> {
    let mut start = [0; 64];
    let length = file.read(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    let text = start[..length].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start[..length]);
    Ok(text.iter().copied().find(|letter| !letter.is_ascii_whitespace()))
}

/// The chunk that is being filled.
struct Filling<'a> {
    chunks: &'a mpsc::Sender<Chunk>,
    size: usize,
    chunk: Chunk,
    position: u64,
}

impl Filling<'_> {
    fn push(&mut self, row: Value, line: u64, position: u64) -> Result<(), Abandoned> {
        self.chunk.rows.push(row);
        self.chunk.lines.push(line);
        self.chunk.bytes += position.saturating_sub(self.position);
        self.position = position;
        if self.chunk.rows.len() >= self.size { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Abandoned> {
        let chunk = std::mem::take(&mut self.chunk);
        if chunk.rows.is_empty() {
            return Ok(());
        }
        self.chunks.blocking_send(chunk).map_err(|_| Abandoned)
    }
}

/// How far a reader has come.
#[derive(Debug, Default)]
struct Place {
    line_breaks: Cell<u64>,
    bytes: Cell<u64>,
}

/// A reader that counts, a byte at a time as the parser asks for them.
struct Placed<R> {
    reader: R,
    place: Rc<Place>,
}

impl<R: Read> Read for Placed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.reader.read(buffer)?;
        let breaks = buffer[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.place.line_breaks.set(self.place.line_breaks.get() + breaks);
        self.place.bytes.set(self.place.bytes.get() + length as u64);
        Ok(length)
    }
}

/// The elements of an array, one by one, so that a file need not fit into memory.
struct Rows<'a, 'b> {
    filling: &'a mut Filling<'b>,
    place: &'a Place,
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = Option<Abandoned>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while let Some((row, line)) = elements.next_element_seed(OneRow(self.place))? {
            if row.as_record().is_none() {
                return Err(A::Error::custom(format!("a row is a record, this is {}", row.kind())));
            }
            if self.filling.push(row, line, self.place.bytes.get()).is_err() {
                return Ok(Some(Abandoned));
            }
        }
        Ok(None)
    }
}

/// One element with the line on which it begins.
struct OneRow<'a>(&'a Place);

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = (Value, u64);

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let line = self.0.line_breaks.get() + 1;
        Ok((serde::Deserialize::deserialize(deserializer)?, line))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use mortise_contract::Contracts;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, u64)>, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let schema = r#"{"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}, "n": {"type": "integer"}}}"#;
        let row = Row::of(&serde_json::from_str(schema).unwrap(), &Contracts::default());
        let source = Source { path: "rows".into(), row, chunk: 2 };
        let (chunks, mut read) = mpsc::channel(100);
        source.read(file.reopen().unwrap(), &chunks).map_err(|failure| failure.sentence)?;
        drop(chunks);
        let mut all = Vec::new();
        while let Ok(chunk) = read.try_recv() {
            assert!(chunk.rows.len() <= 2);
            all.extend(chunk.rows.iter().map(Value::to_json).zip(chunk.lines));
        }
        Ok(all)
    }

    #[test]
    fn the_three_forms_read_alike() {
        let wanted: Vec<(String, u64)> =
            [(r#"{"sku":"a","n":1}"#, 2), (r#"{"sku":"b"}"#, 3), (r#"{"sku":"c","n":3}"#, 4)]
                .map(|(t, l)| (t.to_owned(), l))
                .into();
        assert_eq!(read("sku,n\na,1\nb,\nc,3\n").unwrap(), wanted);
        assert_eq!(
            read("[\n{\"sku\":\"a\",\"n\":1},\n{\"sku\":\"b\"},\n{\"sku\":\"c\",\"n\":3}\n]").unwrap(),
            wanted
        );
        let lines: Vec<u64> =
            read("{\"sku\":\"a\"}\n\n{\"sku\":\"b\"}\n").unwrap().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line() {
        for (text, place) in [
            ("sku,n\na,1\nb,x\n", "rows:3, column 2"),
            ("sku,n\na,1\nb\n", "rows:3"),
            ("sku,m\n", "rows:1, column 2"),
            ("{\"sku\":\"a\"}\n{\"sku\":}\n", "rows:2:8"),
            ("[{\"sku\":\"a\"},\n 7]", "rows:2:"),
            ("[{\"sku\":\"a\"}] x", "rows:1:"),
            ("", "rows is empty"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.starts_with(place), "{text:?}: {said}");
        }
    }
}
