//! Request filters on what a provider is about to be sent (behaviour G12).
//!
//! Headers are those of the caller, before the dialect's rules choose among them and before Penstock and the provider's
//! configuration add their own. The body is as it would be sent, in one piece, after every other change. Without a filter
//! for the provider both are handed on untouched. A header that cannot be read after its replacement is left out.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::request_filter::{Action, Compiled, Part, RequestFilters};
use penstock_dialect::edit::{self, TooLong};

use crate::upstream::SendBody;

/// The caller's headers for the provider of this name.
pub(super) fn headers<'h>(
    filters: &RequestFilters,
    provider: &str,
    headers: &'h HeaderMap,
) -> Cow<'h, HeaderMap> {
    let mut headers = Cow::Borrowed(headers);
    for filter in filters.of(provider) {
        if let Part::Header(name) = &filter.filter.part {
            header(name, filter, &mut headers);
        }
    }
    headers
}

/// Whether a body for the provider of this name is changed.
pub(super) fn has_body(filters: &RequestFilters, provider: &str) -> bool {
    filters.of(provider).any(is_of_body)
}

/// The body for the provider of this name.
pub(super) fn body(filters: &RequestFilters, provider: &str, body: SendBody) -> Result<SendBody, TooLong> {
    let mut whole = body.into_bytes();
    for filter in filters.of(provider).filter(|filter| is_of_body(filter)) {
        if let Some(edited) = edit::filter(&whole, filter)? {
            whole = edited.into_bytes();
        }
    }
    Ok(whole.into())
}

fn is_of_body(filter: &Compiled) -> bool {
    matches!(filter.filter.part, Part::Body(_))
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
            let replaced: Vec<_> = present
                .iter()
                .filter_map(|value| replaced(value, filter))
                .collect();
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

/// None: it is no text, or would be none, so what is to be replaced in it may be there. Other bytes than ASCII's are read
/// as U+FFFD.
fn replaced(value: &HeaderValue, filter: &Compiled) -> Option<HeaderValue> {
    let text = String::from_utf8_lossy(value.as_bytes());
    let replaced = filter.replace(&text);
    match *replaced == *text {
        true => Some(value.clone()),
        false => HeaderValue::from_bytes(replaced.as_bytes()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use penstock_core::request_filter::{Find, RequestFilter};

    use super::*;

    fn replacing(value: &[u8]) -> Option<Vec<u8>> {
        let filters = RequestFilters::new([Arc::new(RequestFilter {
            name: "f".into(),
            enabled: true,
            priority: 0,
            provider: None,
            part: Part::Header("x-team".into()),
            action: Action::Replace {
                find: Find::Text("ACME".into()),
                with: "we".into(),
            },
        })]);
        let mut told = HeaderMap::new();
        told.insert("x-team", HeaderValue::from_bytes(value).unwrap());
        let left = headers(&filters, "any", &told);
        left.get("x-team").map(|value| value.as_bytes().to_vec())
    }

    #[test]
    fn g12_a_byte_that_is_no_ascii_hides_nothing_of_a_header() {
        assert_eq!(replacing(b"ACME").unwrap(), b"we");
        assert_eq!(replacing(b"ACME \xff").unwrap(), "we \u{fffd}".as_bytes());
        assert_eq!(replacing("ACME é".as_bytes()).unwrap(), "we é".as_bytes());
        assert_eq!(replacing(b"x \xff").unwrap(), b"x \xff", "as it came");
    }
}
