//! The orders of a file, line by line: JSON objects, or CSV under a row of headings. Both are read by what reads the
//! command `order.place`, so that the same members are accepted everywhere.
//!
//! No more than one line is in memory. A line of CSV is an order: no member may hold a line break anyway, and a quote
//! that is not closed spoils its line and not the rest of the file.

use std::io::{BufRead, ErrorKind, Read as _};

use csv_core::{ReadRecordResult, ReaderBuilder};
use skstore_domain::commands::{
    MAX_COMMAND_BYTES, OrderCommand, OrderCommandKind, Place, ServiceCommand as _,
};
use skstore_domain::ids::OrderId;

/// Most columns of a row. Columns that no order has are passed over; a table of more is no list of orders.
const MAX_COLUMNS: usize = 256;
/// What a place may be told with.
const MEMBERS: [&str; 6] = ["item_id", "productId", "qty", "customer", "order_id", "unit_price"];
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A line of the file that is not blank.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its number, from 1, as an editor counts.
    pub(crate) number: u64,
    /// The order with its id, or what is wrong and what it should be.
    pub(crate) place: Result<Place, String>,
}

/// Reads lines. After an `Err` of the iterator nothing more can be read.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: R,
    /// What ids are made of for lines that have none.
    batch: Option<String>,
    number: u64,
    format: Option<Format>,
}

#[derive(Debug)]
enum Format {
    Json,
    Csv { delimiter: u8, headings: Vec<String> },
}

impl<R: BufRead> Lines<R> {
    /// The lines of `from`. One without an `order_id` is given `<batch>-<line number>`; without a batch it is wrong.
    pub(crate) const fn new(from: R, batch: Option<String>) -> Self {
        Self { from, batch, number: 0, format: None }
    }

    /// The next line without its end; none at the end of the file. Of one that is too long only the beginning is kept.
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut bytes = Vec::new();
        let most = MAX_COMMAND_BYTES as u64 + 2;
        let read = self.from.by_ref().take(most).read_until(b'\n', &mut bytes);
        if read.map_err(|error| error.to_string())? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if bytes.last() != Some(&b'\n') {
            self.pass_over_the_rest()?;
        }
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        if self.number == 1 && bytes.starts_with(BOM) {
            bytes.drain(..BOM.len());
        }
        Ok(Some(bytes))
    }

    fn pass_over_the_rest(&mut self) -> Result<(), String> {
        loop {
            let buffer = match self.from.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.to_string()),
            };
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(buffer.len(), |at| at + 1);
            let is_over = end.is_some() || buffer.is_empty();
            self.from.consume(length);
            if is_over {
                return Ok(());
            }
        }
    }

    fn place(&self, format: &Format, bytes: &[u8]) -> Result<Place, String> {
        let json = match format {
            Format::Json => None,
            Format::Csv { delimiter, headings } => Some(object(headings, &cells(bytes, *delimiter)?)?),
        };
        let body = json.as_deref().unwrap_or(bytes);
        let read = OrderCommand::from_json(OrderCommandKind::Place, body);
        let OrderCommand::Place(mut place) = read.map_err(|invalid| invalid.problem.to_string())? else {
            return Err("it is no order".to_owned());
        };
        if place.order_id.is_none() {
            let batch = self.batch.as_ref().ok_or(
                "it has no 'order_id', and standard input has no name to make one of: give --batch NAME",
            )?;
            let id = OrderId::new(&format!("{batch}-{}", self.number)).map_err(|why| why.to_string())?;
            place.order_id = Some(id);
        }
        Ok(place)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let bytes = match self.bytes() {
                Ok(bytes) => bytes?,
                Err(error) => return Some(Err(error)),
            };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let Some(format) = &self.format else {
                match format_of(&bytes) {
                    Ok(format) => self.format = Some(format),
                    Err(error) => return Some(Err(format!("line {}: {error}", self.number))),
                }
                if let Some(format @ Format::Json) = &self.format {
                    return Some(Ok(Line { number: self.number, place: self.place(format, &bytes) }));
                }
                continue;
            };
            return Some(Ok(Line { number: self.number, place: self.place(format, &bytes) }));
        }
    }
}

/// What the first line says of the others.
fn format_of(first: &[u8]) -> Result<Format, String> {
    if first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff") {
        return Err("the file is UTF-16; save it as UTF-8 (in Excel: 'CSV UTF-8')".to_owned());
    }
    match first.trim_ascii_start().first() {
        Some(b'{') => return Ok(Format::Json),
        Some(b'[') => {
            return Err("the file is a JSON array; it must have one object a line (jq -c '.[]')".to_owned());
        }
        _ => {}
    }
    let delimiter = [b',', b';', b'\t'].into_iter().find(|byte| first.contains(byte)).unwrap_or(b',');
    let headings: Vec<String> = cells(first, delimiter)?.iter().map(|cell| cell.trim().to_owned()).collect();
    if !headings.iter().any(|heading| matches!(heading.as_str(), "item_id" | "productId")) {
        return Err(format!(
            "neither a JSON object like {{\"item_id\":\"10\"}} nor a row of headings with an item_id; headings may be {}",
            MEMBERS.join(", ")
        ));
    }
    Ok(Format::Csv { delimiter, headings })
}

/// The cells of a row.
fn cells(row: &[u8], delimiter: u8) -> Result<Vec<String>, String> {
    if row.len() > MAX_COMMAND_BYTES {
        return Err(format!("it has more than {MAX_COMMAND_BYTES} bytes"));
    }
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let mut line = row.to_vec();
    line.push(b'\n');
    let mut text = vec![0; line.len() + 1];
    let mut ends = [0; MAX_COLUMNS];
    let (result, _, _, columns) = reader.read_record(&line, &mut text, &mut ends);
    match result {
        ReadRecordResult::Record => {}
        ReadRecordResult::OutputEndsFull => return Err(format!("it has more than {MAX_COLUMNS} columns")),
        ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::End => {
            return Err("a quote is not closed in its line".to_owned());
        }
    }
    let mut begin = 0;
    let cell = |end: &usize| {
        let cell = std::str::from_utf8(&text[begin..*end]);
        begin = *end;
        cell.map(str::to_owned).map_err(|_| "it is not UTF-8 (in Excel save it as 'CSV UTF-8')".to_owned())
    };
    ends[..columns].iter().map(cell).collect()
}

/// The members of a row, as the command has them. An empty cell counts as absent.
fn object(headings: &[String], cells: &[String]) -> Result<Vec<u8>, String> {
    if cells.len() > headings.len() {
        return Err(format!("it has {} cells under {} headings", cells.len(), headings.len()));
    }
    let named = headings
        .iter()
        .zip(cells)
        .filter(|(heading, cell)| MEMBERS.contains(&heading.as_str()) && !cell.trim().is_empty());
    let mut members = Vec::new();
    for (heading, cell) in named {
        members.push(format!("{}:{}", serde_json::json!(heading), serde_json::json!(cell.trim())));
    }
    Ok(format!("{{{}}}", members.join(",")).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Result<String, String>> {
        let lines = Lines::new(text, Some("b".to_owned()));
        let shown = |line: Result<Line, String>| {
            let Line { number, place } = line?;
            let place = place.map_err(|why| format!("{number}: {why}"))?;
            let id = place.order_id.unwrap();
            Ok(format!("{number}: {id} {} x {} for {:?}", place.qty, place.item_id, place.customer))
        };
        lines.map(shown).collect()
    }

    #[test]
    fn csv_and_json_say_the_same() {
        let tables: [&[u8]; 4] = [
            b"\xef\xbb\xbfitem_id,qty,customer,order_id\r\n10,5,kim,\r\n\r\n\"11\",,,a-1\r\n",
            b"item_id;qty;customer;order_id\n10;5;kim;\n\n11;;;a-1",
            b"item_id\tqty\tcustomer\torder_id\n10\t5\tkim\n\n11\t\t\ta-1",
            b"\n{\"item_id\":10,\"qty\":\"5\",\"customer\":\"kim\"}\n\n{\"productId\":\"11\",\"order_id\":\"a-1\"}\n",
        ];
        for table in tables {
            let expected = ["2: b-2 5 x 10 for Some(\"kim\")", "4: a-1 1 x 11 for None"];
            let expected: Vec<_> = expected.iter().map(|line| Ok((*line).to_owned())).collect();
            assert_eq!(read(table), expected, "{}", String::from_utf8_lossy(table));
        }
    }

    #[test]
    fn a_wrong_line_is_told_and_the_rest_is_read() {
        let long = format!("item_id\n{}\n10\n", "x".repeat(3 * MAX_COMMAND_BYTES));
        let table: [(&[u8], &str); 6] = [
            (b"item_id,qty\n10,0\n10\n", "'qty' must be a whole number from 1 to 1000, not \"0\""),
            (b"item_id,qty\n\"10,0\n10\n", "a quote is not closed"),
            (b"item_id\n10,5\n10\n", "it has 2 cells under 1 headings"),
            (b"item_id\n\xbb\xe7\n10\n", "it is not UTF-8"),
            (b"item_id,qty\n,5\n10\n", "it needs a 'item_id'"),
            (long.as_bytes(), "it has more than 65536 bytes"),
        ];
        for (text, expected) in table {
            let [Err(wrong), Ok(right)] = &read(text)[..] else { panic!("{expected}: {:?}", read(text)) };
            assert!(wrong.starts_with("2: ") && wrong.contains(expected), "{wrong}\n instead of: {expected}");
            assert_eq!(right, "3: b-3 1 x 10 for None");
        }
    }

    #[test]
    fn what_is_no_list_of_orders_is_refused_with_what_it_must_be() {
        let table: [(&[u8], &str); 4] = [
            (b"[{\"item_id\":1}]", "one object a line"),
            (b"\xff\xfei\0", "UTF-16"),
            (b"10,5,kim\n", "a row of headings with an item_id"),
            (b"item_id,\"x\n", "line 1: a quote is not closed"),
        ];
        for (text, expected) in table {
            let first = read(text).remove(0);
            assert!(first.clone().is_err_and(|why| why.contains(expected)), "{first:?}");
        }
    }
}
