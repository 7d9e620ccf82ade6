//! One document of a file: what stands around a resource's spec.

use penstock_core::resource::Kind;
use penstock_proto::admin::v1::Manifest;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use super::form::{self, Form};
use super::message::{Path, Reader};
use super::problem::hint;
use super::tree::{Content, Entry, Node};
use super::{API_VERSION, base, descriptor, kind_word, scalar, settings};

const FIELDS: [&str; 4] = ["apiVersion", "kind", "name", "spec"];

/// Reads one resource. None: the reader's problems say why.
pub(super) fn read(reader: &mut Reader<'_>, document: &Node) -> Option<(Kind, Manifest)> {
    let Content::Map(entries) = &document.content else {
        let problem = format!(
            "a resource is a mapping with {}, this is {}",
            FIELDS.join(", "),
            document.what()
        );
        reader.problem(document.line, "", problem);
        return None;
    };
    for entry in entries
        .iter()
        .filter(|entry| !FIELDS.contains(&entry.key.as_str()))
    {
        let problem = format!("is not known here{}", hint(&entry.key, &FIELDS));
        reader.problem(entry.line, &entry.key, problem);
    }
    let entry = |key: &str| entries.iter().find(|entry| entry.key == key);
    let value = |key: &str| entry(key).map(|entry| &entry.value);
    let (version, kind) = (value("apiVersion"), value("kind"));
    let name = text(
        reader,
        document,
        "name",
        value("name"),
        "the name that the resource is known by",
    );
    let kind = text(reader, document, "kind", kind, "Provider, User, Key, …").and_then(|(text, line)| {
        let found = Kind::ALL.into_iter().find(|kind| kind_word(*kind) == text);
        if found.is_none() {
            let words = Kind::ALL.map(kind_word);
            reader.problem(
                line,
                "kind",
                format!("{text:?} is not a kind of resource{}", hint(&text, &words)),
            );
        }
        found
    });
    match text(reader, document, "apiVersion", version, API_VERSION) {
        Some((text, line)) if text != API_VERSION => {
            reader.problem(
                line,
                "apiVersion",
                format!("{text:?} is not known; write {API_VERSION}"),
            );
        }
        Some(_) | None => {}
    }
    let ((name, line), kind) = (name?, kind?);
    reader.places.insert("name".to_owned(), ("name".to_owned(), line));
    reader.resource = format!("{} {name:?}", kind.as_str().replace('_', " "));
    spec(reader, kind, (&name, line), entry("spec"), document.line)
}

/// A field that must be there.
fn text(
    reader: &mut Reader<'_>,
    document: &Node,
    field: &str,
    value: Option<&Node>,
    expected: &str,
) -> Option<(String, usize)> {
    match value.map(|node| (&node.content, node.line)) {
        Some((Content::Scalar { text, .. }, line)) if !text.is_empty() => Some((text.clone(), line)),
        Some((_, line)) => {
            reader.problem(line, field, format!("must be a text: {expected}"));
            None
        }
        None => {
            reader.problem(
                document.line,
                field,
                format!("is missing; write {field}: {expected}"),
            );
            None
        }
    }
}

fn spec(
    reader: &mut Reader<'_>,
    kind: Kind,
    (name, name_line): (&str, usize),
    entry: Option<&Entry>,
    line: usize,
) -> Option<(Kind, Manifest)> {
    let manifest = descriptor("penstock.admin.v1.Manifest")?;
    let field = manifest.get_field_by_name(kind.as_str())?;
    let Some(mut spec) = base::of_kind(kind, name) else {
        let known = settings();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        reader.problem(
            name_line,
            "name",
            format!("{name:?} is not a setting{}", hint(name, &known)),
        );
        return None;
    };
    let path = Path {
        proto: String::new(),
        file: "spec".to_owned(),
    };
    let spec_line = entry.map_or(line, |entry| entry.line);
    reader
        .places
        .insert(String::new(), ("spec".to_owned(), spec_line));
    match (entry.map(|entry| &entry.value), kind) {
        (Some(node), Kind::Setting) => setting(reader, &mut spec, name, node, &path)?,
        (Some(node), _) => reader.fill(&mut spec, node, &path),
        (None, _) => {}
    }
    let mut message = DynamicMessage::new(manifest);
    message.set_field_by_name("name", Value::String(name.to_owned()));
    message.set_field(&field, Value::Message(spec));
    message.transcode_to().ok().map(|manifest| (kind, manifest))
}

/// A setting's spec is its value: a mapping, or a single value where it is one.
fn setting(
    reader: &mut Reader<'_>,
    message: &mut DynamicMessage,
    name: &str,
    node: &Node,
    path: &Path,
) -> Option<()> {
    let field: FieldDescriptor = message.descriptor().get_field_by_name(name)?;
    let written = form::fields(&message.descriptor());
    let form = written
        .into_iter()
        .find(|written| written.own() == Some(&field))?
        .form;
    let path = Path {
        proto: name.to_owned(),
        ..path.clone()
    };
    reader
        .places
        .insert(name.to_owned(), (path.file.clone(), node.line));
    match (&form, &node.content) {
        (Form::Message(_), _) => {
            let mut inner = message.get_field(&field).as_message().cloned()?;
            reader.fill(&mut inner, node, &path);
            message.set_field(&field, Value::Message(inner));
        }
        (_, Content::Scalar { text, .. }) => match scalar::read(&form, &field, text) {
            Ok(value) => message.set_field(&field, value),
            Err(problem) => reader.problem(node.line, &path.file, problem),
        },
        (_, _) => reader.problem(
            node.line,
            &path.file,
            format!("must be a single value, but is {}", node.what()),
        ),
    }
    Some(())
}
