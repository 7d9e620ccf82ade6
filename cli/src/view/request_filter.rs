//! Request filters.

use penstock_core::request_filter::{Action, Find, Part};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::{Refusal, Row, View, fields, instant, or_dash, refused, yes_no};
use crate::failure::Failure;

/// A filter.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RequestFilter {
    pub name: String,
    pub enabled: bool,
    pub priority: u32,
    pub provider: Option<String>,
    pub header: Option<String>,
    pub body: Option<String>,
    pub remove: bool,
    pub set: Option<String>,
    pub replace: Option<String>,
    pub replace_regex: Option<String>,
    pub with: Option<String>,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub refused_by: Vec<Refusal>,
}

impl RequestFilter {
    pub(crate) fn read(filter: wire::RequestFilter) -> Result<Self, Failure> {
        let spec = convert::request_filter_from_wire(&filter.name, filter.spec.unwrap_or_default())?;
        let mut read = Self {
            name: filter.name,
            enabled: spec.enabled,
            priority: spec.priority,
            provider: spec.provider,
            version: filter.version,
            created_at: instant(filter.created_at_ms),
            updated_at: instant(filter.updated_at_ms),
            refused_by: filter.refused_by.into_iter().map(Refusal::from).collect(),
            ..Self::default()
        };
        match spec.part {
            Part::Header(name) => read.header = Some(name),
            Part::Body(path) => read.body = Some(path.to_string()),
        }
        match spec.action {
            Action::Remove => read.remove = true,
            Action::Set(value) => read.set = Some(value),
            Action::Replace { find, with } => {
                read.with = Some(with);
                match find {
                    Find::Text(text) => read.replace = Some(text),
                    Find::Regex(text) => read.replace_regex = Some(text),
                }
            }
        }
        Ok(read)
    }

    fn part(&self) -> String {
        match (&self.header, &self.body) {
            (Some(name), _) => format!("header {name}"),
            (None, path) => format!("body {}", path.as_deref().unwrap_or_default()),
        }
    }

    fn does(&self) -> String {
        let with = self.with.as_deref().unwrap_or_default();
        match (&self.set, &self.replace, &self.replace_regex) {
            (Some(value), _, _) => format!("set to {value}"),
            (None, Some(text), _) => format!("replace {text:?} by {with:?}"),
            (None, None, Some(regex)) => format!("replace /{regex}/ by {with:?}"),
            (None, None, None) => "remove".to_owned(),
        }
    }
}

impl View for RequestFilter {
    fn table(&self) -> String {
        let mut table = vec![
            ("name", self.name.clone()),
            ("enabled", yes_no(self.enabled)),
            ("priority", self.priority.to_string()),
            ("provider", or_dash(self.provider.as_deref())),
            ("part", self.part()),
            ("action", self.does()),
            ("version", self.version.to_string()),
        ];
        if !self.refused_by.is_empty() {
            table.push(("refused by", refused(&self.refused_by)));
        }
        fields(&table)
    }
}

impl Row for RequestFilter {
    const COLUMNS: &'static [&'static str] = &["NAME", "ENABLED", "PRIORITY", "PROVIDER", "PART", "ACTION"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            yes_no(self.enabled),
            self.priority.to_string(),
            or_dash(self.provider.as_deref()),
            self.part(),
            self.does(),
        ]
    }
}
