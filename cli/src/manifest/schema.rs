//! The schema of files, for editors: which kinds there are, which fields, and what is written into them.
//!
//! Made from the protocol with the same rules that reading follows, so it cannot say anything else. Descriptions are the
//! protocol's comments.

use std::collections::BTreeMap;

use penstock_core::resource::Kind;
use prost_reflect::{FieldDescriptor, FileDescriptor, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::form::{self, Field, Form};
use super::{API_VERSION, kind_word, settings, spec_of};

const ID: &str = "https://raw.githubusercontent.com/penstock/penstock/main/docs/schema/penstock.schema.json";

/// Messages that are described once, by their name.
#[derive(Default)]
struct Definitions {
    done: BTreeMap<String, Value>,
}

/// The whole schema.
pub(crate) fn schema() -> Value {
    let mut definitions = Definitions::default();
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        let Some(of) = spec_of(kind) else {
            continue;
        };
        if kind == Kind::Setting {
            cases.extend(definitions.settings(&of));
            continue;
        }
        let spec = definitions.message(&of);
        cases.push(json!({
            "if": { "properties": { "kind": { "const": kind_word(kind) } } },
            "then": { "properties": { "spec": spec } },
        }));
    }
    let resource = json!({
        "type": "object",
        "description": "One resource of Penstock's configuration.",
        "required": ["apiVersion", "kind", "name"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": { "const": API_VERSION },
            "kind": { "enum": Kind::ALL.map(kind_word) },
            "name": { "type": "string", "description": "What the resource is known by; of a key, within its user." },
            "spec": {},
        },
        "allOf": cases,
    });
    definitions.done.insert("Resource".to_owned(), resource);
    let definitions: Map<String, Value> = definitions.done.into_iter().collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Penstock configuration",
        "anyOf": [
            { "$ref": "#/$defs/Resource" },
            { "type": "array", "items": { "$ref": "#/$defs/Resource" } },
            { "type": "null" },
        ],
        "$defs": definitions,
    })
}

impl Definitions {
    /// A setting's spec depends on its name.
    fn settings(&mut self, of: &MessageDescriptor) -> Vec<Value> {
        let is_setting = json!({ "properties": { "kind": { "const": kind_word(Kind::Setting) } } });
        let mut cases = vec![json!({
            "if": is_setting,
            "then": { "properties": { "name": { "enum": settings() } } },
        })];
        for field in form::fields(of) {
            let spec = self.field(&field);
            cases.push(json!({
                "if": { "properties": { "kind": { "const": kind_word(Kind::Setting) }, "name": { "const": field.word } } },
                "then": { "properties": { "spec": spec } },
            }));
        }
        cases
    }

    fn message(&mut self, of: &MessageDescriptor) -> Value {
        let name = of.name().to_owned();
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        if self.done.contains_key(&name) {
            return reference;
        }
        // Taken, for messages that hold themselves.
        self.done.insert(name.clone(), Value::Null);
        let mut properties = Map::new();
        for field in form::fields(of) {
            properties.insert(field.word.clone(), self.field(&field));
        }
        let mut written =
            json!({ "type": "object", "additionalProperties": false, "properties": properties });
        describe(&mut written, comment(&of.parent_file(), of.path()));
        self.done.insert(name, written);
        reference
    }

    fn field(&mut self, field: &Field) -> Value {
        let single = self.single(&field.form);
        let mut written = match field.is_list {
            true => json!({ "type": "array", "items": single }),
            false => single,
        };
        let comment = field
            .own()
            .and_then(|own: &FieldDescriptor| comment(&own.parent_file(), own.path()));
        describe(&mut written, comment);
        written
    }

    fn single(&mut self, form: &Form) -> Value {
        match form {
            Form::Bool => json!({ "type": "boolean" }),
            Form::Mark => json!({ "const": true }),
            Form::Number => json!({ "type": "integer", "minimum": 0 }),
            Form::Text => json!({ "type": "string" }),
            Form::Secret => json!({ "type": "string", "examples": ["${env:NAME}", "${file:PATH}"] }),
            Form::Word(of) => {
                let words: Vec<String> = form::words(of).into_iter().map(|(word, _)| word).collect();
                json!({ "enum": words })
            }
            Form::Duration | Form::Seconds => {
                json!({ "anyOf": [{ "type": "string", "examples": ["10s", "5m", "1h30m", "30d"] }, { "const": 0 }] })
            }
            Form::Instant => json!({ "type": "string", "examples": ["2026-12-31T00:00:00Z", "2026-12-31"] }),
            Form::Usd => amount("USD"),
            Form::UsdPerMillion => amount("USD for a million tokens"),
            Form::Factor => amount("A factor"),
            Form::TimeOfDay => json!({ "type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$" }),
            Form::Pattern => {
                json!({ "type": "string", "examples": ["claude-opus-4-8", "claude-*", "regex:gpt-.*"] })
            }
            Form::Client => {
                json!({ "type": "string", "examples": ["claude-code", "codex", "gemini-cli", "prefix:curl/"] })
            }
            Form::Hours => json!({ "type": "string", "examples": ["22:00-06:00 Asia/Shanghai"] }),
            Form::Message(of) => self.message(of),
            Form::Map(of) => json!({ "type": "object", "additionalProperties": self.single(of) }),
        }
    }
}

fn amount(of: &str) -> Value {
    json!({ "type": ["number", "string"], "title": of })
}

fn describe(written: &mut Value, comment: Option<String>) {
    if let (Value::Object(written), Some(comment)) = (written, comment) {
        written.insert("description".to_owned(), Value::String(comment));
    }
}

/// The protocol's comment on what stands at the path.
fn comment(file: &FileDescriptor, path: &[i32]) -> Option<String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let found = info.location.iter().find(|location| location.path == path)?;
    let lines = found.leading_comments.as_deref()?.split('\n').map(str::trim);
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}
