//! The rows as a table, for terminals and for Markdown.

use comfy_table::{Table, TableStyle, presets};

use super::row::Row;

const HEADER: [&str; 8] = [
    "",
    "work",
    "Penstock",
    "reference",
    "ratio",
    "first mark",
    "",
    "goal",
];

pub(crate) fn terminal(rows: &[Row]) -> String {
    draw(rows, presets::UTF8_FULL_CONDENSED)
}

pub(crate) fn markdown(rows: &[Row]) -> String {
    draw(rows, presets::ASCII_MARKDOWN)
}

/// Not folded to the terminal's width: a table that is searched and copied stays whole.
fn draw(rows: &[Row], style: TableStyle) -> String {
    let mut table = Table::new();
    table
        .load_style(style)
        .set_header(HEADER)
        .add_rows(rows.iter().map(Row::cells));
    table.trim_fmt()
}
