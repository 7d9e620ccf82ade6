//! Rules that hold for all pairs.

use penstock_core::dialect::Dialect;
use penstock_dialect::translate::{between, dropped};

#[test]
fn b01_exactly_the_pairs_that_routing_knows_are_translated() {
    for caller in Dialect::ALL {
        for provider in Dialect::ALL {
            let known = caller.translates_into().contains(&provider);
            assert_eq!(
                between(caller, provider).is_some(),
                known,
                "{caller} to {provider}"
            );
        }
    }
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
        dropped::BESIDE_THINKING,
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
