//! Windows of HTTP debug.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{Row, View, fields};

/// The traffic of a key or a provider is written out until then.
#[derive(Debug, Serialize)]
pub(crate) struct DebugWindow {
    /// One of the two.
    pub key: Option<String>,
    pub provider: Option<String>,
    pub until: String,
    pub bodies: bool,
}

impl From<wire::HttpDebugWindow> for DebugWindow {
    fn from(window: wire::HttpDebugWindow) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            key: some(window.key),
            provider: some(window.provider),
            until: UnixMs(window.until_ms).to_string(),
            bodies: window.bodies,
        }
    }
}

impl DebugWindow {
    fn subject(&self) -> String {
        match (&self.key, &self.provider) {
            (Some(key), _) => format!("key {key}"),
            (None, Some(provider)) => format!("provider {provider}"),
            (None, None) => String::new(),
        }
    }
}

impl View for DebugWindow {
    fn table(&self) -> String {
        fields(&[
            ("of", self.subject()),
            ("until", self.until.clone()),
            ("bodies", self.bodies.to_string()),
        ])
    }
}

impl Row for DebugWindow {
    const COLUMNS: &'static [&'static str] = &["OF", "UNTIL", "BODIES"];

    fn cells(&self) -> Vec<String> {
        vec![self.subject(), self.until.clone(), self.bodies.to_string()]
    }
}
