//! CSV as shops write it: delimiter, header row, records with the lines of the file they stand
//! on, and cells that a spreadsheet would take for a formula.
//!
//! A file is normalised once, while it is stored ([`Normaliser`]): line ends become a single line
//! feed, the byte order mark goes, the last line gets its end. From then on a byte position is
//! enough to go on reading where an earlier step stopped, and lines can be counted.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, ReaderBuilder};

use crate::types::text::unprotected;

/// The longest record in bytes. Longer ones are what a missing closing quote makes.
const MAX_RECORD: u64 = 1024 * 1024;
/// The longest header row in bytes.
const MAX_HEADER: usize = 64 * 1024;
/// The most columns of a file.
const MAX_COLUMNS: usize = 1_000;

/// Makes any file's line ends single line feeds, piece by piece.
#[derive(Debug, Default)]
pub struct Normaliser {
    begun: bool,
    after_return: bool,
    last: Option<u8>,
}

impl Normaliser {
    /// The next piece of the file as it is to be kept. Only the very first piece is looked at for
    /// a byte order mark: give at least three bytes of the file with it, if it has as many.
    pub fn take(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut piece = piece;
        if !self.begun && !piece.is_empty() {
            self.begun = true;
            piece = piece.strip_prefix(b"\xef\xbb\xbf").unwrap_or(piece);
        }
        let mut kept = Vec::with_capacity(piece.len());
        for &byte in piece {
            match byte {
                b'\r' => kept.push(b'\n'),
                b'\n' if self.after_return => {}
                other => kept.push(other),
            }
            self.after_return = byte == b'\r';
        }
        self.last = kept.last().copied().or(self.last);
        kept
    }

    /// What is still missing at the end of the file.
    pub fn end(&self) -> &'static [u8] {
        match self.last {
            None | Some(b'\n') => b"",
            Some(_) => b"\n",
        }
    }
}

/// How a file is laid out: its delimiter and the names in its header row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `,`, `;` or a tab.
    pub delimiter: u8,
    /// The names as they stand in the file, trimmed.
    pub columns: Vec<String>,
}

/// A place in a normalised file: the byte and the line, from 1, where the next record begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub byte: u64,
    /// Its line.
    pub line: u64,
}

/// A record, or what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line of the file on which it begins, from 1.
    pub line: u64,
    /// Its cells, as many as the header has, with what protects formulas taken off.
    pub cells: Result<Vec<String>, String>,
}

/// Some records of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The records in their order.
    pub records: Vec<Record>,
    /// Where reading goes on.
    pub next: Place,
    /// Whether the file ends there.
    pub end: bool,
}

/// Reads the header row of a normalised file. Gives the layout and the place of the first record,
/// or what is wrong, in words.
pub fn read_header(path: &Path) -> io::Result<Result<(Layout, Place), String>> {
    let mut head = Vec::new();
    File::open(path)?
        .take(MAX_HEADER as u64)
        .read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Err("This file is empty.".to_owned()));
    }
    let delimiter = delimiter_of(&head);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(head.as_slice());
    let mut record = ByteRecord::new();
    if !matches!(reader.read_byte_record(&mut record), Ok(true)) {
        return Ok(Err("Line 1: there is no header row.".to_owned()));
    }
    let byte = reader.position().byte();
    let header = head.get(..byte as usize).unwrap_or(&head);
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || header.contains(&0) {
        let words = "This is no CSV in UTF-8: save it as \u{201c}CSV UTF-8\u{201d} and try again.";
        return Ok(Err(words.to_owned()));
    }
    if byte >= MAX_HEADER as u64 {
        let words = "Line 1: the header row is too long. Is a closing quote missing?";
        return Ok(Err(words.to_owned()));
    }
    if record.len() > MAX_COLUMNS {
        let words = format!("Line 1: there are more than {MAX_COLUMNS} columns.");
        return Ok(Err(words));
    }
    let mut columns = Vec::with_capacity(record.len());
    for cell in &record {
        match std::str::from_utf8(cell) {
            Ok(name) => columns.push(name.trim().to_owned()),
            Err(_) => return Ok(Err("Line 1: this is not UTF-8.".to_owned())),
        }
    }
    let line = 1 + lines_in(header);
    Ok(Ok((Layout { delimiter, columns }, Place { byte, line })))
}

/// The delimiter that stands most often in the first line, outside of quotes.
fn delimiter_of(head: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted && counts.iter().any(|(_, count)| *count > 0) => break,
            _ if !quoted => {
                for (delimiter, count) in &mut counts {
                    *count += usize::from(byte == *delimiter);
                }
            }
            _ => {}
        }
    }
    // Of equals the first one counts.
    let best = counts.iter().rev().max_by_key(|(_, count)| *count);
    best.map_or(b',', |&(delimiter, _)| delimiter)
}

fn lines_in(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Reads up to `max` records from `place` on. The inner error says why nothing more of the file
/// can be read, with the line.
pub fn read_records(
    path: &Path,
    layout: &Layout,
    place: Place,
    max: usize,
) -> io::Result<Result<Piece, String>> {
    let read = Arc::new(AtomicU64::new(0));
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(place.byte))?;
    let metered = Metered {
        file: BufReader::new(file),
        read: read.clone(),
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(layout.delimiter)
        .from_reader(metered);
    let mut records = Vec::new();
    let mut record = ByteRecord::new();
    let mut next = place;
    while records.len() < max {
        read.store(0, Ordering::Relaxed);
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => {
                let piece = Piece {
                    records,
                    next,
                    end: true,
                };
                return Ok(Ok(piece));
            }
            Err(error) => {
                let line = next.line;
                return Ok(Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) if !is_too_long(&error) => return Err(error),
                    _ => format!(
                        "Line {line}: a row that begins here is longer than 1 MiB. Is a closing \
                         quote missing?"
                    ),
                }));
            }
        }
        let position = reader.position();
        next = Place {
            byte: place.byte + position.byte(),
            line: place.line + position.line() - 1,
        };
        // The record ends with the line before the next one, and the lines within its quotes
        // belong to it. Empty lines before it do not.
        let line = next.line - 1 - lines_in(record.as_slice());
        let cells = cells_of(&record, layout.columns.len());
        records.push(Record { line, cells });
    }
    Ok(Ok(Piece {
        records,
        next,
        end: false,
    }))
}

/// The cells of a record, as many as there are columns; a row that ends early has empty ones.
fn cells_of(record: &ByteRecord, columns: usize) -> Result<Vec<String>, String> {
    let given = record.len();
    let more = record.iter().skip(columns).any(|cell| !cell.is_empty());
    if more {
        return Err(format!(
            "This row has {given} cells, the header row has {columns}."
        ));
    }
    let mut cells = Vec::with_capacity(columns);
    for cell in record.iter().take(columns) {
        let text = std::str::from_utf8(cell).map_err(|_| {
            "This row is not UTF-8: save the file as \u{201c}CSV UTF-8\u{201d}.".to_owned()
        })?;
        if text.contains('\0') {
            return Err("This row has a NUL character in it.".to_owned());
        }
        cells.push(unprotected(text).to_owned());
    }
    cells.resize(columns, String::new());
    Ok(cells)
}

/// Counts what is read since the last record, and refuses to read on without end.
struct Metered {
    file: BufReader<File>,
    read: Arc<AtomicU64>,
}

/// What [`Metered`] says.
#[derive(Debug, thiserror::Error)]
#[error("a record is too long")]
struct TooLong;

fn is_too_long(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooLong>())
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.load(Ordering::Relaxed) > MAX_RECORD {
            return Err(io::Error::other(TooLong));
        }
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The columns of a file by name, whatever the case.
#[derive(Clone, Debug, Default)]
pub struct Columns(HashMap<String, usize>);

impl Columns {
    /// Of these names; of a name that stands twice, the first counts.
    pub fn new(names: &[String]) -> Self {
        let mut columns = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            columns.entry(name.to_lowercase()).or_insert(index);
        }
        Self(columns)
    }

    /// Whether there is such a column. Names are in lower case.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The trimmed cell of a column; none where the file has no such column.
    pub fn get<'r>(&self, row: &'r Row, name: &str) -> Option<&'r str> {
        self.raw(row, name).map(str::trim)
    }

    /// The cell of a column, as it stands there.
    pub fn raw<'r>(&self, row: &'r Row, name: &str) -> Option<&'r str> {
        let index = *self.0.get(name)?;
        Some(row.cells.get(index).map_or("", String::as_str))
    }

    /// The trimmed cell of a column; empty where the file has no such column.
    pub fn text<'r>(&self, row: &'r Row, name: &str) -> &'r str {
        self.get(row, name).unwrap_or_default()
    }
}

/// A row that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the file on which it begins.
    pub line: i64,
    /// Its cells.
    pub cells: Vec<String>,
}

/// A list in one cell: parts are joined by `separator`, and a backslash stands before a separator
/// or backslash that belongs to a part.
pub fn join_list<T: AsRef<str>>(parts: impl IntoIterator<Item = T>, separator: char) -> String {
    let mut joined = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            joined.push(separator);
            joined.push(' ');
        }
        for character in part.as_ref().chars() {
            if character == separator || character == '\\' {
                joined.push('\\');
            }
            joined.push(character);
        }
    }
    joined
}

/// The trimmed parts of a list in one cell; empty ones are left out. Undoes [`join_list`].
pub fn split_list(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = character == '\\'
            && characters
                .peek()
                .is_some_and(|&next| next == separator || next == '\\');
        if escaped {
            if let (Some(part), Some(next)) = (parts.last_mut(), characters.next()) {
                part.push(next);
            }
        } else if character == separator {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    let trimmed = parts.iter().map(|part| part.trim().to_owned());
    trimmed.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut normaliser = Normaliser::default();
        for piece in bytes.chunks(3) {
            file.write_all(&normaliser.take(piece)).unwrap();
        }
        file.write_all(normaliser.end()).unwrap();
        file
    }

    /// All records, read `step` at a time.
    fn read(bytes: &[u8], step: usize) -> Result<Vec<Record>, String> {
        let file = file(bytes);
        let (layout, mut place) = read_header(file.path()).unwrap()?;
        let mut records = Vec::new();
        loop {
            let piece = read_records(file.path(), &layout, place, step).unwrap()?;
            records.extend(piece.records);
            place = piece.next;
            if piece.end {
                return Ok(records);
            }
        }
    }

    #[test]
    fn lines_are_those_of_the_file_however_it_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "\u{feff}a;b\n1;2\n\n\n\"x\ny\";\"p\n\nq\"\n3;4".replace('\n', end);
            for step in [1, 2, 9] {
                let records = read(text.as_bytes(), step).unwrap();
                let lines: Vec<u64> = records.iter().map(|record| record.line).collect();
                assert_eq!(lines, [2, 5, 9], "{end:?} {step}");
                assert_eq!(
                    records[1].cells,
                    Ok(vec!["x\ny".to_owned(), "p\n\nq".to_owned()])
                );
                assert_eq!(records[2].cells, Ok(vec!["3".to_owned(), "4".to_owned()]));
            }
        }
    }

    #[test]
    fn a_bad_row_is_told_and_the_next_one_read() {
        let records = read(b"a,b\n\xff,1\n1,2,3\nx\0,y\nshort\n5,6,\n", 2).unwrap();
        let bad: Vec<u64> = records
            .iter()
            .filter(|one| one.cells.is_err())
            .map(|one| one.line)
            .collect();
        assert_eq!(bad, [2, 3, 4]);
        assert_eq!(
            records[3].cells,
            Ok(vec!["short".to_owned(), String::new()])
        );
        assert!(records[4].cells.is_ok());
    }

    #[test]
    fn what_is_no_table_is_told() {
        for (bytes, words) in [
            (&b""[..], "This file is empty."),
            (b"\xef\xbb\xbf", "This file is empty."),
            (b"\xff\xfea\0b\0", "This is no CSV in UTF-8"),
            (b"\xe9t\xe9,b\n", "Line 1: this is not UTF-8."),
        ] {
            let problem = read(bytes, 9).unwrap_err();
            assert!(problem.starts_with(words), "{problem}");
        }
        let mut endless = b"a,b\n1,2\n\"x,".to_vec();
        endless.resize(3 * 1024 * 1024, b'y');
        let problem = read(&endless, 9).unwrap_err();
        assert!(
            problem.starts_with("Line 3: a row that begins here"),
            "{problem}"
        );
    }

    #[test]
    fn the_delimiter_is_found() {
        for (text, delimiter) in [
            ("a,b;c,d\n", b','),
            ("\"x,y,z\";b;c\n", b';'),
            ("a\tb\n", b'\t'),
            ("one\n", b','),
        ] {
            let file = file(text.as_bytes());
            let (layout, _) = read_header(file.path()).unwrap().unwrap();
            assert_eq!(layout.delimiter, delimiter, "{text}");
        }
    }

    #[test]
    fn lists_come_back_whatever_is_in_them() {
        for parts in [
            &["a", "b"][..],
            &["a > b", "c\\d"],
            &["\\>", "x\\\\>y"],
            &[],
        ] {
            assert_eq!(split_list(&join_list(parts, '>'), '>'), parts);
        }
        assert_eq!(split_list("a >b> ", '>'), ["a", "b"]);
    }
}
