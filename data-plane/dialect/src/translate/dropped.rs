//! What is left out of a request, and why: the whole list. Everything else is carried over or refused.
//!
//! A field may stand here only when the answer would be the same, or when it is a wish that every client must expect
//! not to be met. `docs/translation.md` has the same list for operators (a test compares them).

/// A field that is left out.
#[derive(Clone, Copy, Debug)]
pub struct Dropped {
    /// Its name in the object that it is in.
    pub field: &'static str,
    /// The values, as JSON, with which it is left out; none: whatever the value.
    pub only: &'static [&'static str],
    /// Why.
    pub reason: &'static str,
}

impl Dropped {
    const fn any(field: &'static str, reason: &'static str) -> Self {
        Self::only(field, &[], reason)
    }

    const fn only(field: &'static str, only: &'static [&'static str], reason: &'static str) -> Self {
        Self { field, only, reason }
    }

    pub(super) fn covers(&self, raw: &[u8]) -> bool {
        self.only.is_empty() || self.only.iter().any(|value| value.as_bytes() == raw)
    }
}

const CACHE: &str = "where a cache may cut; other providers cache by themselves";
const WHO: &str = "who is asking, for the vendor's own records";
const DEFAULT: &str = "the default, which is what happens";

/// Members of an Anthropic request.
pub const ANTHROPIC_BODY: &[Dropped] = &[
    Dropped::any("metadata", WHO),
    Dropped::any("cache_control", CACHE),
    Dropped::any("service_tier", "priority that was bought at the vendor"),
    Dropped::any(
        "context_management",
        "trims old content at the vendor; the provider sees all of it instead",
    ),
    Dropped::any(
        "safeguards",
        "checks that the vendor makes, which other providers do not have",
    ),
    Dropped::only("speed", &["\"standard\""], DEFAULT),
];

/// Members of Anthropic's content blocks and tools.
pub const ANTHROPIC_BLOCK: &[Dropped] = &[
    Dropped::any("cache_control", CACHE),
    Dropped::any("caller", "says that the model itself made the call"),
];

/// Members of Anthropic's tools.
pub const ANTHROPIC_TOOL: &[Dropped] = &[
    Dropped::any("cache_control", CACHE),
    Dropped::any(
        "defer_loading",
        "the tool is given at once instead of after a search",
    ),
    Dropped::any(
        "eager_input_streaming",
        "arguments are streamed as they come anyway",
    ),
    Dropped::only("allowed_callers", &["[\"direct\"]"], DEFAULT),
];

/// Members of an OpenAI request, chat or Responses.
pub const OPENAI_BODY: &[Dropped] = &[
    Dropped::any("metadata", WHO),
    Dropped::any("user", WHO),
    Dropped::any("safety_identifier", WHO),
    Dropped::any("client_metadata", WHO),
    Dropped::any(
        "store",
        "nothing is kept at the provider; asking for a kept answer later is refused",
    ),
    Dropped::any(
        "prompt_cache_key",
        "says that a cache is wanted: Anthropic is asked for one, other providers cache by themselves",
    ),
    Dropped::any("prompt_cache_retention", CACHE),
    Dropped::only("service_tier", &["\"auto\"", "\"default\""], DEFAULT),
    Dropped::only("top_logprobs", &["0"], DEFAULT),
];

/// Members of a chat request only.
pub const CHAT_BODY: &[Dropped] = &[
    Dropped::any("prediction", "makes the same answer come faster"),
    Dropped::only("n", &["1"], DEFAULT),
    Dropped::only("frequency_penalty", &["0", "0.0"], DEFAULT),
    Dropped::only("presence_penalty", &["0", "0.0"], DEFAULT),
    Dropped::only("logprobs", &["false"], DEFAULT),
    Dropped::only("modalities", &["[\"text\"]"], DEFAULT),
];

/// Members of a chat message.
pub const CHAT_MESSAGE: &[Dropped] = &[
    Dropped::any(
        "reasoning_content",
        "unsigned thinking, which Anthropic does not take back",
    ),
    Dropped::any(
        "reasoning",
        "unsigned thinking, which Anthropic does not take back",
    ),
    Dropped::any(
        "annotations",
        "tells where a text came from; the text is carried over",
    ),
    Dropped::any(
        "name",
        "which of several users or tools speaks; a result's tool is in its call",
    ),
];

/// Members of a Responses request only.
pub const RESPONSES_BODY: &[Dropped] = &[
    Dropped::any(
        "stream_options",
        "padding against eavesdroppers, which is the connection's business",
    ),
    Dropped::only("truncation", &["\"disabled\""], DEFAULT),
    Dropped::only("background", &["false"], DEFAULT),
];

/// Members of a Responses input item or of a part of its content.
pub const RESPONSES_ITEM: &[Dropped] = &[
    Dropped::any("id", "where the vendor keeps the item"),
    Dropped::any("status", "how far the item is; given items are whole"),
    Dropped::any("phase", "whether a text was a comment or the final answer"),
    Dropped::any(
        "annotations",
        "tells where a text came from; the text is carried over",
    ),
    Dropped::any("logprobs", "how likely each token was"),
];

/// Tools of a Responses request that are offers to the model and run at the vendor: the model answers without them. A
/// `tool_choice` that demands one is refused.
pub const RESPONSES_TOOLS: &[Dropped] = &[
    Dropped::any(
        "web_search",
        "an offer that runs at the vendor; Codex always makes it",
    ),
    Dropped::any("web_search_preview", "an offer that runs at the vendor"),
    Dropped::any("image_generation", "an offer that runs at the vendor"),
];

/// Members of a tool of a Responses request, or of a namespace of tools.
pub const RESPONSES_TOOL: &[Dropped] = &[
    Dropped::any(
        "defer_loading",
        "the tool is given at once instead of after a search",
    ),
    Dropped::any(
        "description",
        "of a namespace only: how to choose among namespaces; each tool keeps its own",
    ),
];

/// What OpenAI's callers can say and Anthropic and Gemini have no word for; it goes to chat providers.
pub const OPENAI_WISHES: &[Dropped] = &[
    Dropped::any(
        "verbosity",
        "a wish for shorter or longer answers; Codex always has one",
    ),
    Dropped::any(
        "detail",
        "how closely an image is looked at; Anthropic decides by its size",
    ),
];

/// What Anthropic refuses beside thinking, which comes first: an effort was asked for by name.
pub const BESIDE_THINKING: &[Dropped] = &[
    Dropped::any(
        "temperature",
        "with thinking only: Anthropic takes none beside it",
    ),
    Dropped::any(
        "top_p",
        "with thinking and below 0.95 only: Anthropic takes none beside it",
    ),
    Dropped::any(
        "reasoning_effort",
        "thinking, with a tool that must be called only: Anthropic does not force a tool and think",
    ),
];

/// What Anthropic's callers can say and others have no word for.
pub const ANTHROPIC_WISHES: &[Dropped] = &[
    Dropped::any(
        "x-anthropic-billing-header",
        "the first system text of Claude Code, which Anthropic itself takes out",
    ),
    Dropped::only(
        "thinking",
        &["{\"type\":\"disabled\"}"],
        "the same as saying nothing",
    ),
];

/// Tools of an Anthropic request that are offers to the model.
pub const ANTHROPIC_TOOLS: &[Dropped] = &[
    Dropped::any(
        "tool_search_tool_regex_20251119",
        "finds deferred tools; all tools are given at once",
    ),
    Dropped::any(
        "tool_search_tool_bm25_20251119",
        "finds deferred tools; all tools are given at once",
    ),
];

/// What a Responses request may ask to have included.
pub const RESPONSES_INCLUDE: &[Dropped] = &[
    Dropped::any("reasoning.encrypted_content", "always included"),
    Dropped::any("web_search_call.action.sources", "there are no web searches"),
];

/// Whether the list has this name.
pub(super) fn has(list: &[Dropped], name: &str) -> bool {
    list.iter().any(|entry| entry.field == name)
}
