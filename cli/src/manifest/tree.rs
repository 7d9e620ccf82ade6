//! YAML as a tree in which every node knows its line.
//!
//! Scalars keep the text that was written, so that money is never a float and `0123` stays what it is; what a text means,
//! the field says that it is written into. Anchors and aliases work; merge keys and tags do not, since no field needs them.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

/// Nodes of one file, with those that aliases repeat: more is a bomb, not a configuration.
const MAX_NODES: usize = 1_000_000;
const MAX_DEPTH: usize = 64;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// From 1.
    pub line: usize,
    pub content: Content,
    /// Of itself and everything below.
    nodes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Scalar {
        text: String,
        /// Without quotes.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One member of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: String,
    pub line: usize,
    pub value: Node,
}

/// Why a file is no YAML that is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub line: usize,
    pub text: String,
}

/// A collection whose end has not come.
struct Open {
    line: usize,
    anchor: usize,
    nodes: usize,
    content: Content,
    /// In a mapping: the key whose value comes next.
    key: Option<(String, usize)>,
}

#[derive(Default)]
struct Builder {
    done: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

/// All documents of a file.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, Fault> {
    let mut builder = Builder::default();
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| Fault {
            line: error.marker().line(),
            text: format!("is no YAML: {error}"),
        })?;
        let line = span.start.line();
        builder.take(event, line).map_err(|text| Fault { line, text })?;
    }
    Ok(builder.done)
}

impl Node {
    /// Null, as YAML writes it.
    pub(super) fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar { text, plain } => {
                *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Content::List(_) | Content::Map(_) => false,
        }
    }

    /// For messages.
    pub(super) fn what(&self) -> &'static str {
        match self.content {
            Content::Scalar { .. } => "a single value",
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
        }
    }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::Comment(..) => Ok(()),
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                self.add(node(line, Content::Scalar { text, plain }, 1), anchor)
            }
            Event::Alias(id) => {
                let known = self.anchors.get(&id).cloned();
                let node = known.ok_or("is an alias of what it stands in")?;
                self.add(Node { line, ..node }, 0)
            }
            Event::UnresolvedAlias(name) => Err(format!("*{name} has no anchor before it")),
            Event::SequenceStart(_, anchor, _) => self.open(line, anchor, Content::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => self.open(line, anchor, Content::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop().ok_or("ends what has not begun")?;
                self.add(node(open.line, open.content, open.nodes), open.anchor)
            }
            // Of a newer parser: nothing that a value is made of.
            _ => Ok(()),
        }
    }

    fn open(&mut self, line: usize, anchor: usize, content: Content) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("is nested more than {MAX_DEPTH} deep"));
        }
        self.open.push(Open {
            line,
            anchor,
            nodes: 1,
            content,
            key: None,
        });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(node.nodes);
        if self.nodes > MAX_NODES {
            return Err(format!("has more than {MAX_NODES} values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.done.push(node);
            return Ok(());
        };
        open.nodes = open.nodes.saturating_add(node.nodes);
        match (&mut open.content, open.key.take()) {
            (Content::List(items), _) => items.push(node),
            (Content::Map(entries), Some((key, line))) => {
                let value = node;
                entries.push(Entry { key, line, value });
            }
            (Content::Map(entries), None) => open.key = Some(key(node, entries)?),
            (Content::Scalar { .. }, _) => return Err("holds nothing".to_owned()),
        }
        Ok(())
    }
}

fn key(node: Node, entries: &[Entry]) -> Result<(String, usize), String> {
    let Content::Scalar { text, plain } = node.content else {
        return Err("is a key that is no single value".to_owned());
    };
    if plain && text == "<<" {
        return Err(
            "merge keys (<<) are not taken: write the fields out, or use an alias for a whole value"
                .to_owned(),
        );
    }
    if let Some(first) = entries.iter().find(|entry| entry.key == text) {
        return Err(format!(
            "{text} stands twice, first in line {}: leave one of the two out",
            first.line
        ));
    }
    Ok((text, node.line))
}

fn node(line: usize, content: Content, nodes: usize) -> Node {
    Node { line, content, nodes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let fault = documents(text).unwrap_err();
        format!("{}: {}", fault.line, fault.text)
    }

    fn scalar(node: &Node) -> &str {
        match &node.content {
            Content::Scalar { text, .. } => text,
            Content::List(_) | Content::Map(_) => panic!("{}", node.what()),
        }
    }

    #[test]
    fn g04_every_value_knows_its_line_and_keeps_its_text() {
        let text = "a: 0123\n---\n- x: 1.10\n  y: \"no\"\n";
        let documents = documents(text).unwrap();
        let Content::List(items) = &documents[1].content else {
            panic!("a list");
        };
        let Content::Map(entries) = &items[0].content else {
            panic!("a mapping");
        };
        assert_eq!((entries[0].line, scalar(&entries[0].value)), (3, "1.10"));
        assert_eq!((entries[1].line, scalar(&entries[1].value)), (4, "no"));
        assert!(!entries[1].value.is_null());
    }

    #[test]
    fn g04_what_cannot_be_meant_is_refused_with_its_line() {
        assert!(fault("a: 1\nb: 2\na: 3\n").starts_with("3: a stands twice, first in line 1"));
        assert!(fault("x: &x {a: 1}\ny:\n  <<: *x\n").starts_with("3: merge keys"));
        assert!(fault("a: [1\nb: 2\n").contains("is no YAML"));
    }

    #[test]
    fn g04_an_alias_repeats_a_value_but_not_without_end() {
        let tree = documents("a: &a [1, 2]\nb: *a\n").unwrap();
        let Content::Map(entries) = &tree[0].content else {
            panic!("a mapping");
        };
        assert_eq!(entries[1].value.what(), "a list");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let more = format!("*a{}, ", i - 1).repeat(10);
            bomb.push_str(&format!("a{i}: &a{i} [{more}]\n"));
        }
        assert!(fault(&bomb).contains("has more than"));
    }
}
