//! Manifests as files: what differs from a new resource's defaults, in the protocol's order.

use penstock_core::resource::Kind;
use penstock_proto::admin::v1::Manifest;
use penstock_proto::convert;
use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, ReflectMessage, Value};

use super::form::{self, Field, Form};
use super::yaml::{self, Out};
use super::{API_VERSION, base, descriptor, kind_word, reference, scalar};
use crate::failure::Failure;

/// One document. Ends with a newline.
pub(crate) fn document(manifest: &Manifest) -> Result<String, Failure> {
    let unknown = || {
        Failure::Input(format!(
            "the server has a resource {:?} of a kind that this release does not know; use a penstock of the same release",
            manifest.name
        ))
    };
    let kind = convert::manifest_kind(manifest).ok_or_else(unknown)?;
    let spec = spec(kind, manifest).ok_or_else(unknown)?;
    let text = |text: &str| Out::Text(text.to_owned());
    let mut document = vec![
        ("apiVersion".to_owned(), text(API_VERSION)),
        ("kind".to_owned(), text(kind_word(kind))),
        ("name".to_owned(), text(&manifest.name)),
    ];
    if spec != Out::Map(Vec::new()) {
        document.push(("spec".to_owned(), spec));
    }
    Ok(yaml::document(&document))
}

fn spec(kind: Kind, manifest: &Manifest) -> Option<Out> {
    let mut whole = DynamicMessage::new(descriptor("penstock.admin.v1.Manifest")?);
    whole.transcode_from(manifest).ok()?;
    let value = whole.get_field_by_name(kind.as_str())?;
    let message = value.as_message()?;
    let base = base::of_kind(kind, &manifest.name)?;
    if kind != Kind::Setting {
        return Some(Out::Map(members(message, &base)));
    }
    let field = message.descriptor().get_field_by_name(&manifest.name)?;
    let written = form::fields(&message.descriptor());
    let form = written
        .into_iter()
        .find(|written| written.own() == Some(&field))?
        .form;
    let (value, default) = (message.get_field(&field), base.get_field(&field));
    match (value.as_message(), default.as_message()) {
        (Some(message), Some(default)) => Some(Out::Map(members(message, default))),
        _ => single(&form, &value),
    }
}

/// The fields that are not at their default.
fn members(message: &DynamicMessage, base: &DynamicMessage) -> Vec<(String, Out)> {
    let differs = |field: &Field| {
        let value = at(message, &field.path)?;
        let out = match at(base, &field.path) {
            Some(default) if default == value => return None,
            Some(_) | None => value_of(field, &value)?,
        };
        let is_empty_message = out == Out::Map(Vec::new()) && field.choice().is_none();
        (!is_empty_message).then(|| (field.word.clone(), out))
    };
    form::fields(&message.descriptor())
        .iter()
        .filter_map(differs)
        .collect()
}

/// The value at a path; None: it is not set, or one of the messages on the way is not.
fn at(message: &DynamicMessage, path: &[FieldDescriptor]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    if !message.has_field(first) {
        // A plain field is never absent: it is at the protocol's default.
        let is_plain = rest.is_empty() && !first.supports_presence();
        return is_plain.then(|| Value::default_value_for_field(first));
    }
    let value = message.get_field(first);
    match rest.is_empty() {
        true => Some(value.into_owned()),
        false => at(value.as_message()?, rest),
    }
}

fn value_of(field: &Field, value: &Value) -> Option<Out> {
    let Some(items) = value.as_list() else {
        return single(&field.form, value);
    };
    let items = items.iter().map(|item| single(&field.form, item));
    items.collect::<Option<_>>().map(Out::List)
}

fn single(form: &Form, value: &Value) -> Option<Out> {
    if let (Form::Message(of), Value::Message(message)) = (form, value) {
        return Some(Out::Map(members(message, &base::of_message(of))));
    }
    if let (Form::Map(of), Value::Map(entries)) = (form, value) {
        let read = |(key, value): (&MapKey, &Value)| Some((key.as_str()?.to_owned(), single(of, value)?));
        let mut written: Vec<_> = entries.iter().map(read).collect::<Option<_>>()?;
        written.sort_by(|(a, _), (b, _)| a.cmp(b));
        return Some(Out::Map(written));
    }
    let (text, is_text) = scalar::write(form, value)?;
    Some(match (is_text, form) {
        (true, Form::Text | Form::Secret) => Out::Text(reference::escape(&text)),
        (true, _) => Out::Text(text),
        (false, _) => Out::Bare(text),
    })
}
