//! Dumps as tables: a folder with a file for each table, or one file with all of them.
//!
//! A folder holds `users.csv` (as `COPY users TO … WITH (FORMAT csv, HEADER)` writes it), `users.json` (an array) or
//! `users.jsonl` (an object a line). A file is `{"users": [...], "keys": [...], …}`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::record::Record;
use crate::failure::Failure;
use crate::input;

/// Records by the name of their table.
#[derive(Default)]
pub(crate) struct Tables(BTreeMap<String, Vec<Map<String, Value>>>);

impl Tables {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |source| Failure::File {
            action: "read",
            path: path.to_owned(),
            source,
        };
        if !path.is_dir() {
            return Self::of_json(&input::text(path)?, path);
        }
        let mut tables = Self::default();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            let name = file
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default()
                .to_owned();
            let extension = file.extension().and_then(|extension| extension.to_str());
            let rows = match extension {
                Some("csv") => csv_rows(&input::text(&file)?, &file)?,
                Some("json") => array(json(&input::text(&file)?, &file)?),
                Some("jsonl" | "ndjson") => json_lines(&input::text(&file)?, &file)?,
                Some(_) | None => continue,
            };
            tables.0.entry(name).or_default().extend(rows);
        }
        Ok(tables)
    }

    fn of_json(text: &str, path: &Path) -> Result<Self, Failure> {
        let Value::Object(members) = json(text, path)? else {
            return Err(malformed(path, "holds no tables by their names"));
        };
        let tables = members.into_iter().map(|(name, rows)| (name, array(rows)));
        Ok(Self(tables.collect()))
    }

    /// The records of a table, called after it and their ids.
    pub(crate) fn take(&mut self, name: &str) -> Vec<Record> {
        let rows = self.0.remove(name).unwrap_or_default();
        rows.into_iter()
            .map(|row| {
                let id = row.get("id").map(plain).unwrap_or_default();
                Record::new(format!("{name} {id}"), row)
            })
            .collect()
    }

    /// Those that nobody took, and how many rows they have.
    pub(crate) fn left(&self) -> impl Iterator<Item = (&str, usize)> {
        let left = self.0.iter().filter(|(_, rows)| !rows.is_empty());
        left.map(|(name, rows)| (name.as_str(), rows.len()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
}

/// A value as it is written in messages.
pub(crate) fn plain(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string())
}

pub(crate) fn json(text: &str, path: &Path) -> Result<Value, Failure> {
    // The parser's own words can quote a secret; its place tells enough.
    serde_json::from_str(text).map_err(|error| {
        malformed(
            path,
            &format!("is no JSON (line {}, column {})", error.line(), error.column()),
        )
    })
}

pub(crate) fn json_lines(text: &str, path: &Path) -> Result<Vec<Map<String, Value>>, Failure> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines = lines.map(|line| json(line, path));
    let values = lines.collect::<Result<Vec<Value>, Failure>>()?;
    Ok(array(Value::Array(values)))
}

fn array(value: Value) -> Vec<Map<String, Value>> {
    let Value::Array(items) = value else {
        return Vec::new();
    };
    let rows = items.into_iter().filter_map(|item| match item {
        Value::Object(row) => Some(row),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    });
    rows.collect()
}

fn csv_rows(text: &str, path: &Path) -> Result<Vec<Map<String, Value>>, Failure> {
    let bad = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        malformed(path, &format!("is no CSV with a header (line {line})"))
    };
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().map_err(bad)?.clone();
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(bad)?;
        let cells = header.iter().zip(row.iter());
        let cells = cells.map(|(name, cell)| (name.to_owned(), Value::String(cell.to_owned())));
        rows.push(cells.collect());
    }
    Ok(rows)
}

fn malformed(path: &Path, problem: &str) -> Failure {
    Failure::Input(format!("{} {problem}", path.display()))
}
