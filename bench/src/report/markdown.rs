//! A section of a document that each run replaces.

use super::row::Row;
use super::table;

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";
/// For messages.
pub(crate) const MARKERS: &str = "<!-- bench:begin --> and <!-- bench:end -->";

/// The table and what is said under it.
pub(crate) fn section(rows: &[Row], foot: &[String], at: &str) -> String {
    let day: String = at.chars().take(10).collect();
    let foot: String = foot.iter().map(|line| format!("- {line}\n")).collect();
    format!(
        "Measured on {day} with `just bench`.\n\n{}\n\n{foot}",
        table::markdown(rows)
    )
}

/// The document with the section between the markers; None when it has no such place.
pub(crate) fn insert(document: Option<&str>, section: &str) -> Option<String> {
    let section = format!("{BEGIN}\n{section}{END}");
    let Some(document) = document else {
        return Some(section + "\n");
    };
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{section}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_markers_is_replaced() {
        let document = format!("# Title\n{BEGIN}\nold\n{END}\nafter\n");
        let new = insert(Some(&document), "new\n").unwrap();
        assert_eq!(new, format!("# Title\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(insert(Some(&new), "new\n").unwrap(), new);
    }

    #[test]
    fn a_document_without_the_place_is_not_touched() {
        assert_eq!(insert(Some("# Title"), "new"), None);
        assert_eq!(insert(Some(BEGIN), "new"), None);
    }

    #[test]
    fn a_missing_document_is_made_of_the_section() {
        assert_eq!(insert(None, "new\n").unwrap(), format!("{BEGIN}\nnew\n{END}\n"));
    }
}
