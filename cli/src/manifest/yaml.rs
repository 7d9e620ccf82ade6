//! Writes YAML in one fixed way, so that the same configuration is always the same text.
//!
//! The order is the caller's. Money and times stand without quotes and to the letter, which a general writer of numbers
//! would not do; which texts need quotes is left to the one that the other commands use.

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Out {
    /// To the letter.
    Bare(String),
    Text(String),
    List(Vec<Out>),
    Map(Vec<(String, Out)>),
}

/// One document, without a mark before it.
pub(super) fn document(map: &[(String, Out)]) -> String {
    let mut text = String::new();
    members(map, 0, false, &mut text);
    text
}

fn members(map: &[(String, Out)], indent: usize, begun: bool, out: &mut String) {
    for (i, (key, value)) in map.iter().enumerate() {
        if i > 0 || !begun {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&quoted(key));
        out.push(':');
        inside(value, indent, out);
    }
}

/// What stands behind a key.
fn inside(value: &Out, indent: usize, out: &mut String) {
    match value {
        Out::Map(map) if !map.is_empty() => {
            out.push('\n');
            members(map, indent + 2, false, out);
        }
        Out::List(items) if !items.is_empty() => {
            out.push('\n');
            for item in items {
                out.push_str(&" ".repeat(indent + 2));
                out.push_str("- ");
                match item {
                    Out::Map(map) if !map.is_empty() => members(map, indent + 4, true, out),
                    Out::Bare(_) | Out::Text(_) | Out::List(_) | Out::Map(_) => line(item, indent + 2, out),
                }
            }
        }
        Out::Bare(_) | Out::Text(_) | Out::List(_) | Out::Map(_) => {
            out.push(' ');
            line(value, indent, out);
        }
    }
}

fn line(value: &Out, indent: usize, out: &mut String) {
    match value {
        Out::Bare(text) => out.push_str(text),
        Out::Text(text) if is_block(text) => return block(text, indent + 2, out),
        Out::Text(text) => out.push_str(&quoted(text)),
        Out::List(_) => out.push_str("[]"),
        Out::Map(_) => out.push_str("{}"),
    }
    out.push('\n');
}

/// Several lines that a block keeps as they are.
fn is_block(text: &str) -> bool {
    let fits = |line: &str| !line.ends_with(' ') && !line.contains(|c: char| c.is_control());
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.split('\n').all(fits)
}

fn block(text: &str, indent: usize, out: &mut String) {
    out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
    for line in text.trim_end_matches('\n').split('\n') {
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(line);
        out.push('\n');
    }
}

fn quoted(text: &str) -> String {
    let written = serde_saphyr::to_string(&text).unwrap_or_default();
    let written = written.trim_end_matches('\n');
    match written.is_empty() || written.contains('\n') {
        // Every text of JSON is one of YAML.
        true => serde_json::Value::String(text.to_owned()).to_string(),
        false => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tree::{Content, documents};
    use super::*;

    fn read_back(text: &str) -> String {
        let written = document(&[("a".to_owned(), Out::List(vec![Out::Text(text.to_owned())]))]);
        let tree = documents(&written).unwrap();
        let Content::Map(entries) = &tree[0].content else {
            panic!("{written}");
        };
        let Content::List(items) = &entries[0].value.content else {
            panic!("{written}");
        };
        assert!(!items[0].is_null(), "{written}");
        match &items[0].content {
            Content::Scalar { text, .. } => text.clone(),
            Content::List(_) | Content::Map(_) => panic!("{written}"),
        }
    }

    #[test]
    fn g04_blocks_and_lists_look_as_people_write_them() {
        let map = |entries: &[(&str, Out)]| {
            let entries = entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()));
            entries.collect::<Vec<_>>()
        };
        let pair = Out::Map(map(&[
            ("x", Out::Bare("1.50".to_owned())),
            ("y", Out::Text("no".to_owned())),
        ]));
        let written = document(&map(&[
            ("name", Out::Text("main".to_owned())),
            ("pem", Out::Text("A\nB\n".to_owned())),
            ("pairs", Out::List(vec![pair.clone(), pair])),
            ("none", Out::Map(Vec::new())),
        ]));
        insta::assert_snapshot!(written);
    }

    proptest! {
        #[test]
        fn g04_every_text_reads_back_as_it_was(text in "\\PC{0,40}|[-: #\\[\\]{}&*!|>'\"%@`,a0.~\n\t]{0,12}") {
            prop_assert_eq!(read_back(&text), text);
        }
    }
}
