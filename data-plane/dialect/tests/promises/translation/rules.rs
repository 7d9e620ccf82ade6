//! Rules that hold for all pairs.

use penstock_core::dialect::Dialect;
use penstock_dialect::translate::{Caller, Provider, Translation, between, dropped};

#[test]
fn b01_pairs_of_different_dialects_only() {
    assert!(between(Dialect::Anthropic, Dialect::OpenaiChat).is_some());
    assert!(between(Dialect::OpenaiChat, Dialect::Anthropic).is_some());
    assert!(between(Dialect::Anthropic, Dialect::Anthropic).is_none());
    assert!(between(Dialect::OpenaiChat, Dialect::OpenaiChat).is_none());
    assert!(Translation::of(Caller::Chat, Provider::Chat).is_none());
}

#[test]
fn b01_the_documentation_names_each_field_that_is_left_out() {
    let page = include_str!("../../../../../docs/translation.md");
    let lists = [
        dropped::ANTHROPIC_BODY,
        dropped::ANTHROPIC_BLOCK,
        dropped::ANTHROPIC_TOOL,
        dropped::ANTHROPIC_TOOLS,
        dropped::ANTHROPIC_WISHES,
        dropped::OPENAI_BODY,
        dropped::OPENAI_WISHES,
        dropped::CHAT_BODY,
        dropped::CHAT_MESSAGE,
        dropped::RESPONSES_BODY,
        dropped::RESPONSES_ITEM,
        dropped::RESPONSES_TOOL,
        dropped::RESPONSES_TOOLS,
        dropped::RESPONSES_INCLUDE,
    ];
    for entry in lists.into_iter().flatten() {
        let mut rows = page.lines().filter(|line| line.starts_with("| `"));
        let row =
            rows.find(|line| line.contains(&format!("`{}`", entry.field)) && line.contains(entry.reason));
        assert!(
            row.is_some(),
            "docs/translation.md does not say: | `{}` | … | {} |",
            entry.field,
            entry.reason
        );
    }
}
