//! A mapping of a file as a message of the protocol.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, MessageDescriptor, ReflectMessage, Value};

use super::form::{self, Field, Form};
use super::problem::{Place, Problem, hint};
use super::reference::{self, References};
use super::tree::{Content, Entry, Node};
use super::{base, scalar};

/// Reads one resource's spec, and remembers where each field stood.
pub(super) struct Reader<'a> {
    pub references: References<'a>,
    pub place: Place,
    pub resource: String,
    pub problems: Vec<Problem>,
    /// Secrets that stand in the file.
    pub warnings: Vec<Problem>,
    /// By the protocol's path: as the file calls it, and its line.
    pub places: BTreeMap<String, (String, usize)>,
}

/// Where a value stands: for the protocol, and in the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    pub proto: String,
    pub file: String,
}

impl Path {
    fn field(&self, field: &Field) -> Self {
        Self {
            proto: join(&self.proto, &field.proto_path()),
            file: join(&self.file, &field.word),
        }
    }

    fn entry(&self, key: &str) -> Self {
        Self {
            proto: join(&self.proto, key),
            file: join(&self.file, key),
        }
    }

    fn item(&self, i: usize) -> Self {
        Self {
            proto: format!("{}[{i}]", self.proto),
            file: format!("{}[{i}]", self.file),
        }
    }
}

fn join(above: &str, name: &str) -> String {
    match above.is_empty() {
        true => name.to_owned(),
        false => format!("{above}.{name}"),
    }
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, line: usize, field: &str, text: impl Into<String>) {
        self.problems.push(Problem {
            place: Place {
                line,
                ..self.place.clone()
            },
            resource: self.resource.clone(),
            field: field.to_owned(),
            text: text.into(),
        });
    }

    /// Fills a message, which holds its defaults, from a mapping.
    pub(super) fn fill(&mut self, message: &mut DynamicMessage, node: &Node, path: &Path) {
        let Content::Map(entries) = &node.content else {
            if !node.is_null() {
                self.problem(
                    node.line,
                    &path.file,
                    format!("must be a mapping, but is {}", node.what()),
                );
            }
            return;
        };
        let fields = form::fields(&message.descriptor());
        let mut chosen: BTreeMap<String, String> = BTreeMap::new();
        for Entry { key, line, value } in entries {
            let Some(field) = fields.iter().find(|field| field.word == *key) else {
                let words: Vec<&str> = fields.iter().map(|field| field.word.as_str()).collect();
                let name = join(&path.file, key);
                self.problem(*line, &name, format!("is not known here{}", hint(key, &words)));
                continue;
            };
            if value.is_null() {
                continue;
            }
            let path = path.field(field);
            self.places.insert(path.proto.clone(), (path.file.clone(), *line));
            if let Some(choice) = field.choice()
                && let Some(other) = chosen.insert(choice, key.clone())
            {
                self.problem(
                    *line,
                    &path.file,
                    format!("stands beside {other}: leave one of the two out"),
                );
                continue;
            }
            if let Some(value) = self.value(field, value, &path) {
                set(message, &field.path, value);
            }
        }
    }

    fn value(&mut self, field: &Field, node: &Node, path: &Path) -> Option<Value> {
        let own = field.own()?;
        if !field.is_list {
            return self.single(&field.form, own, node, path);
        }
        let Content::List(items) = &node.content else {
            let problem = format!("must be a list ([…]), but is {}", node.what());
            self.problem(node.line, &path.file, problem);
            return None;
        };
        let mut values = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let path = path.item(i);
            self.places
                .insert(path.proto.clone(), (path.file.clone(), item.line));
            values.extend(self.single(&field.form, own, item, &path));
        }
        Some(Value::List(values))
    }

    fn single(&mut self, form: &Form, own: &FieldDescriptor, node: &Node, path: &Path) -> Option<Value> {
        match (form, &node.content) {
            (Form::Message(of), _) => {
                let mut inner = base::of_message(of);
                self.fill(&mut inner, node, path);
                Some(Value::Message(inner))
            }
            (Form::Map(of), Content::Map(entries)) => self.map(of, own, entries, path),
            (Form::Mark, Content::Map(entries)) if entries.is_empty() => {
                self.text(form, own, "true", node, path)
            }
            (_, Content::Scalar { text, .. }) => self.text(form, own, text, node, path),
            (_, Content::List(_) | Content::Map(_)) => {
                let problem = format!("must be a single value, but is {}", node.what());
                self.problem(node.line, &path.file, problem);
                None
            }
        }
    }

    fn map(&mut self, of: &Form, own: &FieldDescriptor, entries: &[Entry], path: &Path) -> Option<Value> {
        let value_field = own.kind().as_message()?.map_entry_value_field();
        let mut map = HashMap::with_capacity(entries.len());
        for Entry { key, line, value } in entries {
            let path = path.entry(key);
            self.places.insert(path.proto.clone(), (path.file.clone(), *line));
            if let Some(value) = self.single(of, &value_field, value, &path) {
                map.insert(MapKey::String(key.clone()), value);
            }
        }
        Some(Value::Map(map))
    }

    fn text(
        &mut self,
        form: &Form,
        own: &FieldDescriptor,
        text: &str,
        node: &Node,
        path: &Path,
    ) -> Option<Value> {
        let resolved = if matches!(form, Form::Text | Form::Secret) {
            reference::resolve(text, self.references)
        } else if reference::is_any(text) {
            Err("takes no reference: write the value itself".to_owned())
        } else {
            Ok((text.to_owned(), false))
        };
        let read = resolved.and_then(|(text, from_elsewhere)| {
            if *form != Form::Secret {
                return scalar::read(form, own, &text);
            }
            if !from_elsewhere {
                self.warn(node.line, &path.file);
            }
            Ok(Value::String(text.trim().to_owned()))
        });
        read.map_err(|problem| self.problem(node.line, &path.file, problem))
            .ok()
    }

    fn warn(&mut self, line: usize, field: &str) {
        self.warnings.push(Problem {
            place: Place {
                line,
                ..self.place.clone()
            },
            resource: self.resource.clone(),
            field: field.to_owned(),
            text: "is a secret that stands in the file: write ${env:NAME} or ${file:PATH}".to_owned(),
        });
    }
}

/// Sets a field, making the messages on the way to it.
fn set(message: &mut DynamicMessage, path: &[FieldDescriptor], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        message.set_field(first, value);
        return;
    }
    if !message.has_field(first)
        && let Some(of) = message_of(first)
    {
        message.set_field(first, Value::Message(base::of_message(&of)));
    }
    if let Value::Message(inner) = message.get_field_mut(first) {
        set(inner, rest, value);
    }
}

fn message_of(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    field.kind().as_message().cloned()
}
