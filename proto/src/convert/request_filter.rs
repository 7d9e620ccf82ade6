//! Request filters.

use penstock_core::invalid::Invalid;
use penstock_core::request_filter::{Action, BodyPath, Find, NotAPath, Part, RequestFilter};

use super::required;
use crate::config::v1 as wire;

/// Writes a filter, without its name.
pub fn request_filter_to_wire(filter: &RequestFilter) -> wire::RequestFilter {
    use wire::request_filter::{Action as WireAction, Part as WirePart};
    let part = match &filter.part {
        Part::Header(name) => WirePart::Header(name.clone()),
        Part::Body(path) => WirePart::Body(path.to_string()),
    };
    let action = match &filter.action {
        Action::Remove => WireAction::Remove(wire::Removal {}),
        Action::Set(value) => WireAction::Set(value.clone()),
        Action::Replace { find, with } => WireAction::Replace(wire::TextReplacement {
            find: Some(find_to_wire(find)),
            with: with.clone(),
        }),
    };
    wire::RequestFilter {
        enabled: filter.enabled,
        priority: filter.priority,
        provider: filter.provider.clone(),
        part: Some(part),
        action: Some(action),
    }
}

/// Reads the filter of that name.
pub fn request_filter_from_wire(name: &str, filter: wire::RequestFilter) -> Result<RequestFilter, Invalid> {
    use wire::request_filter::{Action as WireAction, Part as WirePart};
    let bad = |error: NotAPath| Invalid::new("body", error.to_string());
    Ok(RequestFilter {
        name: name.to_owned(),
        enabled: filter.enabled,
        priority: filter.priority,
        provider: filter.provider,
        part: match required("part", filter.part)? {
            WirePart::Header(name) => Part::Header(name),
            WirePart::Body(path) => Part::Body(path.parse::<BodyPath>().map_err(bad)?),
        },
        action: match required("action", filter.action)? {
            WireAction::Remove(wire::Removal {}) => Action::Remove,
            WireAction::Set(value) => Action::Set(value),
            WireAction::Replace(replace) => Action::Replace {
                find: find_from_wire(required("replace.find", replace.find)?),
                with: replace.with,
            },
        },
    })
}

fn find_to_wire(find: &Find) -> wire::text_replacement::Find {
    use wire::text_replacement::Find as Wire;
    match find {
        Find::Text(text) => Wire::Text(text.clone()),
        Find::Regex(text) => Wire::Regex(text.clone()),
    }
}

fn find_from_wire(find: wire::text_replacement::Find) -> Find {
    use wire::text_replacement::Find as Wire;
    match find {
        Wire::Text(text) => Find::Text(text),
        Wire::Regex(text) => Find::Regex(text),
    }
}
