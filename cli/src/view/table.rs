//! Tables for people: columns without borders, so that they can be read, cut and grepped.
//!
//! Texts of others (reasons, labels) can hold control characters; a terminal would act on them, so they are shown as
//! `?`.

use comfy_table::{Cell, Table};

/// A row for each item below a header.
pub(crate) fn rows(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = bare();
    table.set_header(header.iter().map(Cell::new));
    for row in rows {
        table.add_row(row.iter().map(|cell| Cell::new(harmless(cell))));
    }
    finish(&mut table)
}

/// A line for each field: name and value.
pub(crate) fn fields(pairs: &[(&str, String)]) -> String {
    let mut table = bare();
    for (name, value) in pairs {
        table.add_row([Cell::new(format!("{name}:")), Cell::new(harmless(value))]);
    }
    finish(&mut table)
}

/// Of a column in a table whose rows are not all known yet.
const WIDTH: usize = 12;

/// The header of such a table, as wide as its first row.
pub(crate) fn header(names: &[&str], first: &[String]) -> String {
    let widths = first.iter().map(|cell| cell.chars().count().max(WIDTH));
    let names: Vec<_> = names
        .iter()
        .zip(widths)
        .map(|(name, width)| format!("{name:<width$}"))
        .collect();
    names.join("  ").trim_end().to_owned()
}

/// One row of it.
pub(crate) fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.map(|cell| format!("{:<WIDTH$}", harmless(&cell))).collect();
    cells.join("  ").trim_end().to_owned()
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table
}

fn finish(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' { '?' } else { c };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_have_no_borders() {
        let lines = [
            vec!["a".to_owned(), "1".to_owned()],
            vec!["long".to_owned(), "2".to_owned()],
        ];
        assert_eq!(
            rows(&["NAME", "N"], lines.into_iter()),
            "NAME  N\na     1\nlong  2"
        );
    }

    #[test]
    fn an_empty_list_is_its_header() {
        assert_eq!(rows(&["NAME", "N"], std::iter::empty()), "NAME  N");
    }

    #[test]
    fn fields_stand_below_each_other() {
        assert_eq!(
            fields(&[("id", "1".to_owned()), ("name", "a".to_owned())]),
            "id:    1\nname:  a"
        );
    }

    #[test]
    fn a_text_cannot_drive_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\nc"), "a?[31mb\nc");
    }
}
