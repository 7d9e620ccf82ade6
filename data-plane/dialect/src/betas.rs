//! Anthropic's beta features at Bedrock and Vertex AI.
//!
//! api.anthropic.com gets the caller's list as it is. The clouds know other features, some under other names, and
//! refuse what they do not know, so the list is filtered for them: what stands in the table passes, perhaps renamed, and
//! everything else is left out. The table is what is known of both platforms, in the order of names.
//!
//! Where the field of a feature that is left out would make the provider refuse the request, it goes too; see
//! [`crate::provider_body`].

use http::{HeaderMap, HeaderName};
use penstock_core::provider::ProviderKind;

/// A comma list, which may repeat.
pub const ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// More than this are not read.
const MAX: usize = 64;

/// A feature by its name without the date, and who knows it.
struct Known {
    name: &'static str,
    bedrock: bool,
    vertex: bool,
}

const fn both(name: &'static str) -> Known {
    Known {
        name,
        bedrock: true,
        vertex: true,
    }
}

const fn vertex(name: &'static str) -> Known {
    Known {
        name,
        bedrock: false,
        vertex: true,
    }
}

const KNOWN: [Known; 27] = [
    vertex("afk-mode-2026-01-31"),
    vertex("claude-code-20250219"),
    both("compact-2026-01-12"),
    Known {
        name: "compact-2026-09-04",
        bedrock: true,
        vertex: false,
    },
    both("computer-use-2025-01-24"),
    both("computer-use-2025-11-24"),
    both("context-1m-2025-08-07"),
    both("context-management-2025-06-27"),
    both("dangerous-tool-use-2026-09-03"),
    both("effort-2025-11-24"),
    both("fine-grained-tool-streaming-2025-05-14"),
    vertex("inline-tools-2026-09-15"),
    vertex("interleaved-thinking-2025-05-14"),
    both("mid-conversation-output-config-2026-07-01"),
    vertex("mid-conversation-system-clear-at-2026-08-21"),
    both("mid-conversation-tool-changes-2026-07-01"),
    vertex("model-context-window-exceeded-2025-08-26"),
    vertex("output-128k-2025-02-19"),
    vertex("per-turn-control-2026-07-01"),
    vertex("structured-outputs-2025-11-13"),
    vertex("structured-outputs-2025-12-15"),
    both("thinking-binding-controls-2026-08-01"),
    both("thinking-display-updates-2026-08-18"),
    vertex("thinking-token-count-2026-05-13"),
    vertex("token-efficient-tools-2025-02-19"),
    both("tool-search-tool-2025-10-19"),
    vertex("web-search-2025-03-05"),
];

/// Features that the clouds have under another name.
const RENAMED: [(&str, &str); 1] = [("advanced-tool-use-2025-11-20", "tool-search-tool-2025-10-19")];

/// The features that the caller asks for, as sent, each once and in its order.
pub fn asked(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(ANTHROPIC_BETA).iter();
    let mut asked: Vec<&str> = Vec::new();
    let names = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty());
    for name in names.take(MAX) {
        if !asked.contains(&name) {
            asked.push(name);
        }
    }
    asked
}

/// What a provider of this kind is told of them: all of them, or at the clouds those they know, by their names.
pub fn for_kind<'a>(asked: &[&'a str], kind: ProviderKind) -> Vec<&'a str> {
    let mut told = Vec::with_capacity(asked.len());
    for name in asked.iter().filter_map(|name| name_at(name, kind)) {
        if !told.contains(&name) {
            told.push(name);
        }
    }
    told
}

/// What a feature is called at a provider of this kind; None: it does not know it.
pub(crate) fn name_at(name: &str, kind: ProviderKind) -> Option<&str> {
    let renamed = RENAMED.iter().find(|(from, _)| *from == name);
    let there = renamed.map_or(name, |(_, to)| to);
    let known = |at: fn(&Known) -> bool| KNOWN.iter().any(|known| known.name == there && at(known));
    match kind {
        ProviderKind::Bedrock => known(|known| known.bedrock).then_some(there),
        ProviderKind::Vertex => known(|known| known.vertex).then_some(there),
        ProviderKind::Anthropic
        | ProviderKind::Openai
        | ProviderKind::OpenaiCompatible
        | ProviderKind::Gemini
        | ProviderKind::AzureOpenai
        | ProviderKind::Droid => Some(name),
    }
}
