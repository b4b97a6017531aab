//! A file of many customers: its rows, one after the other, each with the number of the line on which it begins. JSON lines,
//! or CSV with a header; what is wrong with one row is said of that row and harms no other.

use std::io::Cursor;

use bytes::Bytes;
use csv::{ByteRecord, Reader, ReaderBuilder, Trim};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::problem::Problem;

/// What some editors put in front of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// What begins the name of a column for a key of the metadata.
const METADATA: &str = "metadata.";
/// Columns that every file has.
const REQUIRED: [&str; 4] = ["external_id", "first_name", "last_name", "phone"];
/// Columns that a file may have.
const OPTIONAL: [&str; 3] = ["timezone", "language", "email"];
/// Columns that make up one field.
const CONSENT: [&str; 3] = ["given", "at", "source"];

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A JSON object on each line.
    Lines,
    /// A header, and a row for each customer.
    Csv,
}

impl Format {
    /// The format of a media type, in lower case.
    pub(crate) fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines" => Some(Self::Lines),
            "text/csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// A field as the file calls it.
    pub(crate) fn field(self, field: &str) -> String {
        match (self, field.split_once('/')) {
            (Self::Csv, Some(("consent", part))) => format!("consent_{part}"),
            (Self::Csv, Some(("metadata", key))) => format!("{METADATA}{key}"),
            _ => field.to_owned(),
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// The customer as a request for one would describe them, or what is wrong with the row as a whole.
    pub(crate) body: Result<Value, String>,
}

/// The rows of a file.
pub(crate) enum Rows {
    /// Of JSON lines.
    Lines(Lines),
    /// Of CSV.
    Csv(Box<Csv>),
}

impl Rows {
    /// The rows of `file`.
    ///
    /// # Errors
    /// What is wrong with the header.
    pub(crate) fn new(format: Format, mut file: Bytes) -> Result<Self, Vec<Problem>> {
        if file.starts_with(BOM) {
            file = file.slice(BOM.len()..);
        }
        match format {
            Format::Lines => Ok(Self::Lines(Lines { file, at: 0, line: 0 })),
            Format::Csv => Csv::new(file).map(|csv| Self::Csv(Box::new(csv))),
        }
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        match self {
            Self::Lines(lines) => lines.next(),
            Self::Csv(csv) => csv.next(),
        }
    }
}

/// JSON lines that are being read.
pub(crate) struct Lines {
    file: Bytes,
    at: usize,
    line: u64,
}

impl Lines {
    fn next(&mut self) -> Option<Row> {
        loop {
            let rest = self.file.get(self.at..).filter(|rest| !rest.is_empty())?;
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let text = rest[..end].trim_ascii();
            self.at += end + 1;
            self.line += 1;
            if !text.is_empty() {
                return Some(Row { line: self.line, body: object(text) });
            }
        }
    }
}

fn object(text: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(text).map_err(|e| format!("is not UTF-8 (byte {})", e.valid_up_to()))?;
    let value: Value =
        serde_json::from_str(text).map_err(|e| format!("is no JSON (column {})", e.column()))?;
    if value.is_object() { Ok(value) } else { Err("must be a JSON object".to_owned()) }
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Field(&'static str),
    Consent(&'static str),
    Metadata(String),
    Unknown,
}

impl Column {
    fn of(name: &str) -> Self {
        let known = |names: &[&'static str], name: &str| names.iter().copied().find(|known| *known == name);
        if let Some(field) = known(&REQUIRED, name).or_else(|| known(&OPTIONAL, name)) {
            return Self::Field(field);
        }
        if let Some(part) = name.strip_prefix("consent_").and_then(|part| known(&CONSENT, part)) {
            return Self::Consent(part);
        }
        match name.strip_prefix(METADATA) {
            Some(key) if !key.is_empty() => Self::Metadata(key.to_owned()),
            _ => Self::Unknown,
        }
    }
}

/// CSV that is being read.
pub(crate) struct Csv {
    reader: Reader<Cursor<Bytes>>,
    columns: Vec<Column>,
    file: Bytes,
    /// Line ends before `counted` bytes.
    line_ends: u64,
    counted: usize,
}

impl Csv {
    fn new(file: Bytes) -> Result<Self, Vec<Problem>> {
        let unreadable = |problem: String| vec![Problem::new("", format!("header {problem}"))];
        let mut reader =
            ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(Cursor::new(file.clone()));
        let header = reader.byte_headers().map_err(|e| unreadable(format!("cannot be read: {e}")))?;
        let names: Result<Vec<&str>, _> = header.iter().map(std::str::from_utf8).collect();
        let names = names.map_err(|_| unreadable("is not UTF-8".to_owned()))?;
        let columns: Vec<Column> = names.iter().map(|name| Column::of(name)).collect();
        let missing = REQUIRED.iter().filter(|name| !names.contains(name));
        let mut problems: Vec<Problem> = missing
            .map(|name| {
                Problem::new(
                    *name,
                    "has no column: the first line names the columns, with commas between them",
                )
            })
            .collect();
        for (at, column) in columns.iter().enumerate() {
            if *column != Column::Unknown && columns.iter().take(at).any(|earlier| earlier == column) {
                problems.push(Problem::new(names.get(at).copied().unwrap_or_default(), "has two columns"));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { reader, columns, file, line_ends: 0, counted: 0 })
    }

    fn next(&mut self) -> Option<Row> {
        let begin = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => Some(Row { line: self.line_of(begin), body: self.customer(&record) }),
            Ok(false) => None,
            Err(e) => Some(Row { line: self.line_of(begin), body: Err(format!("cannot be read: {e}")) }),
        }
    }

    /// The line on which the row behind `begin` bytes begins; empty lines before it are no rows.
    fn line_of(&mut self, begin: usize) -> u64 {
        let rest = self.file.get(begin..).unwrap_or_default();
        let begin = begin + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let ends = |at: &usize| match self.file.get(*at) {
            Some(b'\n') => true,
            Some(b'\r') => self.file.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        self.line_ends += (self.counted..begin).filter(ends).map(|_| 1).sum::<u64>();
        self.counted = begin.max(self.counted);
        self.line_ends + 1
    }

    fn customer(&self, record: &ByteRecord) -> Result<Value, String> {
        if record.len() != self.columns.len() {
            return Err(format!("has {} cells; the header has {}", record.len(), self.columns.len()));
        }
        let (mut body, mut consent, mut metadata) = (Map::new(), Map::new(), Map::new());
        for (column, cell) in self.columns.iter().zip(record) {
            let cell = std::str::from_utf8(cell).map_err(|_| "is not UTF-8".to_owned())?;
            match column {
                _ if cell.is_empty() => {}
                Column::Field(name) => drop(body.insert((*name).to_owned(), json!(cell))),
                Column::Consent("given") => drop(consent.insert("given".to_owned(), truth(cell))),
                Column::Consent(part) => drop(consent.insert((*part).to_owned(), json!(cell))),
                Column::Metadata(key) => drop(metadata.insert(key.clone(), json!(cell))),
                Column::Unknown => {}
            }
        }
        for (name, parts) in [("consent", consent), ("metadata", metadata)] {
            if !parts.is_empty() {
                body.insert(name.to_owned(), Value::Object(parts));
            }
        }
        Ok(Value::Object(body))
    }
}

/// A cell that says yes or no; what says neither stays as it is and is refused later.
fn truth(cell: &str) -> Value {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => json!(true),
        "false" | "no" | "0" => json!(false),
        _ => json!(cell),
    }
}

/// The id of the customer on a line: the same whenever the same import is run, and later lines sort behind earlier ones.
pub(crate) fn customer_id(import: Uuid, line: u64) -> Uuid {
    let bytes = import.as_bytes();
    let millis = bytes.iter().take(6).fold(0_u64, |millis, byte| millis << 8 | u64::from(*byte));
    // Behind the time stand 12 bits, two that are fixed, and 62 bits: 24 for the line, the rest is the import's own.
    let [.., high, middle, low] = line.to_be_bytes();
    let mut tail = [high >> 4, high << 4 | middle >> 4, middle & 0x0f, low, 0, 0, 0, 0, 0, 0];
    for (place, own) in tail.iter_mut().skip(4).zip(bytes.iter().skip(10)) {
        *place = *own;
    }
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(format: Format, text: impl Into<Vec<u8>>) -> Vec<(u64, Result<Value, String>)> {
        let rows = Rows::new(format, Bytes::from(text.into())).unwrap();
        rows.map(|row| (row.line, row.body)).collect()
    }

    #[test]
    fn json_lines_are_counted_with_the_empty_ones() {
        let read = rows(Format::Lines, "\u{feff}{\"a\":1}\r\n\n  \n{\"a\":2}\n[1]\n{\"a\"\n{\"a\":3}");
        let lines: Vec<u64> = read.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 4, 5, 6, 7]);
        assert_eq!(read[0].1, Ok(json!({"a": 1})));
        assert_eq!(read[1].1, Ok(json!({"a": 2})));
        assert!(read[2].1.is_err() && read[3].1.is_err());
        assert_eq!(read[4].1, Ok(json!({"a": 3})));
        let broken = rows(Format::Lines, b"{\"a\":\"\xff\"}\n{\"a\":1}\n".to_vec());
        assert!(broken[0].1.as_ref().unwrap_err().contains("UTF-8"));
        assert!(broken[1].1.is_ok());
        assert!(rows(Format::Lines, "").is_empty());
    }

    const HEADER: &str =
        "external_id,first_name,last_name,phone,timezone,consent_given,consent_at,metadata.plan,other\n";

    #[test]
    fn csv_rows_begin_on_their_own_line_whatever_is_in_quotes() {
        let text = format!(
            "\u{feff}{HEADER}1,\"An\nna\",\"O\"\"Neil\", +1 ,,yes,,gold,x\r\n\r\n\r\n2,a,b,c,Europe/Berlin,0,2026,,\n3,a\n4,a,b,c,,,,,\n"
        );
        let read = rows(Format::Csv, text);
        let lines: Vec<u64> = read.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 6, 7, 8]);
        let first = json!({
            "external_id": "1", "first_name": "An\nna", "last_name": "O\"Neil", "phone": "+1",
            "consent": {"given": true}, "metadata": {"plan": "gold"}
        });
        assert_eq!(read[0].1, Ok(first));
        assert_eq!(read[1].1.as_ref().unwrap()["consent"], json!({"given": false, "at": "2026"}));
        assert!(read[2].1.as_ref().unwrap_err().contains("2 cells"));
        assert_eq!(
            read[3].1,
            Ok(json!({"external_id": "4", "first_name": "a", "last_name": "b", "phone": "c"}))
        );
    }

    #[test]
    fn a_cell_that_is_not_utf_8_is_said_of_its_row() {
        let mut text = HEADER.as_bytes().to_vec();
        text.extend(b"1,\xff,b,c,,,,,\n2,a,b,c,,,,,\n");
        let read = rows(Format::Csv, text);
        assert_eq!(read[0], (2, Err("is not UTF-8".to_owned())));
        assert!(read[1].1.is_ok());
    }

    #[test]
    fn a_header_names_what_it_has_to_and_nothing_twice() {
        let fields = |text: &'static str| -> Vec<String> {
            let problems = Rows::new(Format::Csv, Bytes::from_static(text.as_bytes())).err().unwrap();
            problems.into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(fields(""), REQUIRED);
        assert_eq!(fields("external_id;first_name;last_name;phone\n"), REQUIRED);
        assert_eq!(fields("phone,external_id,first_name\n"), ["last_name"]);
        assert_eq!(fields("external_id,first_name,last_name,phone,phone,x,x\n"), ["phone"]);
        assert_eq!(Format::Csv.field("consent/at"), "consent_at");
        assert_eq!(Format::Csv.field("metadata/a"), "metadata.a");
        assert_eq!(Format::Lines.field("consent/at"), "consent/at");
    }

    proptest! {
        #[test]
        fn every_line_has_an_id_of_its_own_that_sorts_behind_the_one_before(a in 1_u64..0xff_ffff, b in 1_u64..0xff_ffff) {
            let import = Uuid::now_v7();
            let (first, second) = (customer_id(import, a), customer_id(import, b));
            prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            prop_assert_eq!(first.get_version_num(), 7);
            prop_assert_eq!(&first.as_bytes()[..6], &import.as_bytes()[..6]);
            prop_assert_eq!(customer_id(import, a), first);
            prop_assert_ne!(customer_id(Uuid::now_v7(), a), first);
        }

        #[test]
        fn whatever_is_sent_is_read_to_its_end(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let ends = text.iter().filter(|byte| matches!(**byte, b'\n' | b'\r')).count() as u64;
            for (line, _) in rows(Format::Lines, text.clone()) {
                prop_assert!((1..=ends + 1).contains(&line));
            }
            let mut csv = HEADER.as_bytes().to_vec();
            csv.extend(text);
            let mut before = 1;
            for (line, _) in rows(Format::Csv, csv) {
                prop_assert!(line > before && line <= ends + 2, "{} {} {}", line, before, ends);
                before = line;
            }
        }
    }
}
