//! Error rules, sensitive words, request filters.

use std::collections::BTreeMap;

use penstock_core::error_rule::{
    ErrorField, ErrorPattern, ErrorRegex, ErrorRule, ErrorText, Replace, ReplaceBody,
};
use penstock_core::failure::Class;
use penstock_core::request_filter::{Action, Find, Part, RequestFilter};
use penstock_core::word_rule::{Matching, WordRule};
use serde_json::Value;

use super::providers::Named;
use crate::import::draft::Draft;
use crate::import::names::{self, Given};
use crate::import::record::Record;
use crate::import::tables::plain;

/// Higher is tried first there, lower here.
const LAST: u64 = 1_000;
/// What of a rule cannot be read makes nobody's rights wider.
const DEFAULT: &str = "the default holds here";

pub(super) fn errors(draft: &mut Draft, records: &[Record]) {
    let mut defaults = 0_u64;
    for record in records {
        if record.flag("is_default", false) {
            defaults += 1;
            continue;
        }
        let Some(pattern) = record.text("pattern") else {
            continue;
        };
        let text = match record.text("match_type").as_deref() {
            Some("contains") => ErrorText::Contains(pattern),
            Some("exact") => exactly(&pattern),
            Some(_) | None => ErrorText::Regex(ErrorRegex::from(format!("(?i){pattern}"))),
        };
        let id = record.text("id").unwrap_or_default();
        let priority = LAST.saturating_sub(record.count("priority"));
        let rule = ErrorRule {
            name: names::nearest(&format!("claude-code-hub-{id}"), "claude-code-hub"),
            enabled: record.flag("is_enabled", true),
            priority: u32::try_from(priority).unwrap_or_default(),
            kind: None,
            provider: None,
            status: None,
            pattern: Some(ErrorPattern {
                field: ErrorField::Any,
                text,
            }),
            class: class(&record.text("category").unwrap_or_default()),
            replace: replace(record),
        };
        draft.error_rule(&record.source, &rule);
        draft.note_unreadable(record, DEFAULT);
        let nothing = ["id", "description", "created_at", "updated_at", "priority"];
        draft.note_left_over(record, &nothing);
    }
    if defaults > 0 {
        let note = format!(
            "{defaults} are the old gateway's own rules and are left out: Penstock knows these errors"
        );
        draft.note("error_rules", note);
    }
}

/// All of its rules say that a request is at fault and nobody else is asked.
fn class(category: &str) -> Class {
    match category {
        "prompt_limit" | "context_limit" => Class::TooLong,
        "content_filter" => Class::Filtered,
        _ => Class::Caller,
    }
}

fn replace(record: &Record) -> Option<Replace> {
    let status = record
        .text("override_status_code")
        .and_then(|text| text.parse().ok());
    let body = record.json("override_response").filter(Value::is_object);
    let body = body.map(|body| ReplaceBody::Json(body.to_string()));
    (status.is_some() || body.is_some()).then_some(Replace { status, body })
}

/// There the case of letters and blanks around do not count. Escapes what means something in a regular expression, and
/// nothing else: `\<` and `\>` would be ends of words.
fn exactly(text: &str) -> ErrorText {
    ErrorText::Regex(ErrorRegex::from(format!(
        r"(?i)^\s*{}\s*$",
        regex::escape(text.trim())
    )))
}

pub(super) fn words(draft: &mut Draft, records: &[Record]) {
    let mut rules: BTreeMap<(&str, bool), Vec<String>> = BTreeMap::new();
    for record in records {
        let matching = match record.text("match_type").as_deref() {
            Some("exact") => Matching::Exact,
            Some("regex") => Matching::Regex,
            Some(_) | None => Matching::Contains,
        };
        let enabled = record.flag("is_enabled", true);
        let texts = rules.entry((matching.as_str(), enabled)).or_default();
        texts.extend(record.text("word"));
        draft.note_unreadable(record, DEFAULT);
    }
    for ((matching, enabled), texts) in rules {
        let off = if enabled { "" } else { "-off" };
        let rule = WordRule {
            name: format!("claude-code-hub-{matching}{off}"),
            enabled,
            matching: Matching::ALL
                .into_iter()
                .find(|known| known.as_str() == matching)
                .unwrap_or(Matching::Contains),
            texts,
        };
        draft.word_rule("sensitive_words", &rule);
    }
}

/// Names may be cut, and those of bound filters have two parts: so each is taken once.
pub(super) fn filters(draft: &mut Draft, records: &[Record], named: &Named) {
    let mut given = Given::default();
    for record in records {
        let (part, action) = match part_and_action(record) {
            Ok(found) => found,
            Err(why) => {
                draft.note(&record.source, format!("is left out: {why}"));
                continue;
            }
        };
        let id = record.text("id").unwrap_or_default();
        let theirs = record.text("name").unwrap_or_default();
        let whole = format!("{theirs}-{id}");
        let name = given.take(names::nearest(&whole, &format!("filter-{id}")), &id);
        if name != whole {
            draft.note(
                &record.source,
                format!("was called {theirs:?} and is called {name} here"),
            );
        }
        let filter = RequestFilter {
            name: name.clone(),
            enabled: record.flag("is_enabled", true),
            priority: u32::try_from(record.count("priority")).unwrap_or_default(),
            provider: None,
            part,
            action,
        };
        match bound(draft, record, named) {
            None => draft.request_filter(&record.source, &filter),
            Some(providers) => {
                for provider in providers {
                    let near = names::distinct(&format!("{name}-{provider}"), &name);
                    let bound = RequestFilter {
                        name: given.take(near, &id),
                        provider: Some(provider),
                        ..filter.clone()
                    };
                    draft.request_filter(&record.source, &bound);
                }
            }
        }
        draft.note_unreadable(record, DEFAULT);
        let nothing = ["id", "description", "created_at", "updated_at", "match_type"];
        draft.note_left_over(record, &nothing);
    }
}

/// None: it holds for all providers.
fn bound(draft: &mut Draft, record: &Record, named: &Named) -> Option<Vec<String>> {
    let mut providers = Vec::new();
    match record.text("binding_type").as_deref() {
        Some("providers") => {
            for id in record.list("provider_ids") {
                match named.by_id.get(&plain(&id)) {
                    Some(name) => providers.push(name.clone()),
                    None => draft.note(&record.source, "one of its providers is not taken over"),
                }
            }
        }
        Some("groups") => {
            for group in record.words("group_tags") {
                let group = super::keys::group(&group);
                providers.extend(named.by_group.get(&group).into_iter().flatten().cloned());
            }
            draft.note(
                &record.source,
                "its groups became the providers that are in them now",
            );
        }
        Some(_) | None => return None,
    }
    providers.sort_unstable();
    providers.dedup();
    Some(providers)
}

fn part_and_action(record: &Record) -> Result<(Part, Action), String> {
    let target = record.text("target").unwrap_or_default();
    let replacement = record.value("replacement").map(plain).unwrap_or_default();
    let scope = record.text("scope").unwrap_or_default();
    let action = record.text("action").unwrap_or_default();
    let body = |target: &str| {
        let path = target.replace('[', ".").replace(']', "");
        path.parse()
            .map(Part::Body)
            .map_err(|error| format!("its target {target:?} is no place in a body here: {error}"))
    };
    match (scope.as_str(), action.as_str()) {
        ("header", "remove") => Ok((Part::Header(target.to_ascii_lowercase()), Action::Remove)),
        ("header", "set") => Ok((
            Part::Header(target.to_ascii_lowercase()),
            Action::Set(replacement),
        )),
        ("body", "remove") => Ok((body(&target)?, Action::Remove)),
        ("body", "json_path" | "set") => {
            let json = record.json("replacement").unwrap_or_default();
            let json = match (json, replacement.is_empty()) {
                (Value::Null, false) => Value::String(replacement),
                (json, _) => json,
            };
            Ok((body(&target)?, Action::Set(json.to_string())))
        }
        ("body", "text_replace") => {
            let find = match record.text("match_type").as_deref() {
                Some("regex") => Find::Regex(target),
                Some(_) | None => Find::Text(target),
            };
            Ok((
                body("**")?,
                Action::Replace {
                    find,
                    with: replacement,
                },
            ))
        }
        (scope, action) => Err(format!("{action:?} on {scope:?} has no counterpart")),
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::failure::Answered;
    use penstock_core::provider::ProviderKind;
    use proptest::prelude::*;

    use super::*;

    /// Whether a rule of this pattern finds an error of this message.
    fn finds(text: ErrorText, message: &str) -> bool {
        let rule = ErrorRule {
            name: "exact".to_owned(),
            enabled: true,
            priority: 0,
            kind: None,
            provider: None,
            status: None,
            pattern: Some(ErrorPattern {
                field: ErrorField::Message,
                text,
            }),
            class: Class::Caller,
            replace: None,
        };
        rule.matches(&Answered {
            message: Some(message),
            ..Answered::of_status("main", ProviderKind::Anthropic, 400)
        })
    }

    #[test]
    fn a03_an_exact_error_with_angle_brackets_is_found() {
        let text = "model <gpt-9> is not > 1 of [a, b]: ask & see #3 ~ `x`!";
        assert!(finds(exactly(text), text));
        assert!(!finds(exactly(text), &format!("{text} and more")));
        assert!(!finds(exactly("a.c"), "abc"));
    }

    proptest! {
        #[test]
        fn a03_any_exact_error_is_found_by_its_own_text(text in any::<String>(), ascii in "[ -~\\n\\t]{0,80}") {
            prop_assert!(finds(exactly(&text), &text));
            prop_assert!(finds(exactly(&ascii), &ascii));
        }
    }
}
