//! What an error means.

use penstock_core::explain::Explanation;
use serde::Serialize;

use super::View;

/// All that it may mean, best first.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    asked: String,
    items: Vec<Meaning>,
}

#[derive(Debug, Serialize)]
struct Meaning {
    title: String,
    /// `gateway`, `provider` or `operation`: who says it.
    source: &'static str,
    cause: String,
    action: String,
    fix: String,
}

impl Explained {
    pub(crate) fn new(asked: &str, found: Vec<Explanation>) -> Self {
        let items = found.into_iter().map(|found| Meaning {
            title: found.title,
            source: found.source.as_str(),
            cause: found.cause,
            action: found.action,
            fix: found.fix,
        });
        Self {
            asked: asked.to_owned(),
            items: items.collect(),
        }
    }
}

impl View for Explained {
    fn table(&self) -> String {
        let parts: Vec<_> = self.items.iter().map(Meaning::text).collect();
        parts.join("\n\n")
    }
}

impl Meaning {
    fn text(&self) -> String {
        let parts = [
            ("why:", &self.cause),
            ("Penstock:", &self.action),
            ("do:", &self.fix),
        ];
        let lines = parts.iter().filter(|(_, text)| !text.is_empty());
        let lines: Vec<_> = lines
            .map(|(label, text)| format!("  {label:<10}{text}"))
            .collect();
        format!("{}\n{}", self.title, lines.join("\n"))
    }
}
