//! Request filters on what a provider is about to be sent (behaviour G12).
//!
//! Headers are those of the caller, before the dialect's rules choose among them and before Penstock and the provider's
//! configuration add their own. The body is as it would be sent, in one piece, after every other change. Without a filter
//! for the provider both are handed on untouched.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::request_filter::{Action, Compiled, Part, RequestFilters};
use penstock_dialect::edit;

use crate::upstream::SendBody;

/// What goes to the provider of this name.
pub(super) fn apply<'h>(
    filters: &RequestFilters,
    provider: &str,
    headers: &'h HeaderMap,
    body: SendBody,
) -> (Cow<'h, HeaderMap>, SendBody) {
    if filters.is_empty() {
        return (Cow::Borrowed(headers), body);
    }
    let (mut headers, mut changed) = (Cow::Borrowed(headers), None::<Bytes>);
    let original = body.clone();
    for filter in filters.of(provider) {
        match &filter.filter.part {
            Part::Header(name) => header(name, filter, &mut headers),
            Part::Body(_) => {
                let before = changed.take().unwrap_or_else(|| original.clone().into_bytes());
                let edited = edit::filter(&before, filter);
                changed = Some(edited.map_or(before, edit::Edited::into_bytes));
            }
        }
    }
    (headers, changed.map_or(body, SendBody::from))
}

fn header(name: &str, filter: &Compiled, headers: &mut Cow<'_, HeaderMap>) {
    let Ok(name) = name.parse::<HeaderName>() else {
        return;
    };
    match &filter.filter.action {
        Action::Remove => {
            if headers.contains_key(&name) {
                headers.to_mut().remove(name);
            }
        }
        Action::Set(value) => {
            if let Ok(value) = value.parse() {
                headers.to_mut().insert(name, value);
            }
        }
        Action::Replace { .. } => {
            let present: Vec<_> = headers.get_all(&name).iter().cloned().collect();
            let replaced: Vec<HeaderValue> = present.iter().map(|value| replaced(value, filter)).collect();
            if replaced != present {
                let headers = headers.to_mut();
                headers.remove(&name);
                for value in replaced {
                    headers.append(&name, value);
                }
            }
        }
    }
}

/// A value that is no text, or would be none, stays.
fn replaced(value: &HeaderValue, filter: &Compiled) -> HeaderValue {
    let text = value.to_str().ok();
    let replaced = text.and_then(|text| HeaderValue::from_str(&filter.replace(text)).ok());
    replaced.unwrap_or_else(|| value.clone())
}
