//! Sessions of clients that name none (B4).

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_dialect::inspect::inspect;
use penstock_dialect::session::{PART, digest};
use proptest::prelude::*;
use serde_json::{Value, json};

fn of(dialect: Dialect, body: &str) -> Option<String> {
    let body = Bytes::from(body.to_owned());
    let inspected = inspect(dialect, None, &body).unwrap();
    digest(dialect, &body, &inspected).map(|session| format!("{} {}", session.source.as_str(), session.id))
}

/// A body of Anthropic's with this system text and these messages, in JSON.
fn anthropic(system: &str, messages: &str) -> Option<String> {
    let body = format!(r#"{{"model":"claude","max_tokens":9,"system":{system},"messages":[{messages}]}}"#);
    of(Dialect::Anthropic, &body)
}

fn chat(messages: &str) -> Option<String> {
    of(
        Dialect::OpenaiChat,
        &format!(r#"{{"model":"gpt","messages":[{messages}]}}"#),
    )
}

fn message(role: &str, content: &str) -> String {
    format!(r#"{{"role":"{role}","content":{content}}}"#)
}

#[test]
fn b04_the_digest_says_what_it_is_and_is_stable() {
    let body = r#"{"model":"claude","system":"Be brief.","messages":[{"role":"user","content":"hi"}]}"#;
    insta::assert_snapshot!(of(Dialect::Anthropic, body).unwrap(), @"digest 14fb0a883ef0b49a7742e8a9cae2a61f06c7a207bf521f6075a6874ae446d186");
    assert_eq!(
        of(Dialect::Anthropic, body),
        of(Dialect::Anthropic, body),
        "the same conversation"
    );
}

#[test]
fn b04_a_later_turn_has_the_digest_of_the_first() {
    let turns = r#"{"role":"user","content":"hi"},{"role":"assistant","content":"yes?"},{"role":"user","content":"go"}"#;
    let first = message("user", r#""hi""#);
    let system = r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#;
    assert!(anthropic(system, &first).is_some());
    assert_eq!(anthropic(system, &first), anthropic(system, turns));
    let leading = r#"{"role":"system","content":"a"},{"role":"developer","content":"b"}"#;
    assert!(chat(&format!("{leading},{first}")).is_some());
    assert_eq!(
        chat(&format!("{leading},{first}")),
        chat(&format!(
            r#"{leading},{turns},{{"role":"system","content":"late"}}"#
        ))
    );
    let whatever = r#"{"stream":true,"messages":[{"content":"hi","role":"user"}],"tools":[],"model":"gpt"}"#;
    assert_eq!(
        of(Dialect::OpenaiChat, whatever),
        chat(&first),
        "order is nothing"
    );
}

#[test]
fn b04_cache_marks_that_move_change_nothing() {
    let block = |more: &str| format!(r#"[ {{"type":"text","text":"hi"{more}}} ]"#);
    let marked = block(r#","cache_control":{"type":"ephemeral"}"#);
    let plain = anthropic(r#""s""#, &message("user", r#""hi""#));
    for content in [block(""), marked] {
        assert_eq!(
            anthropic(r#""s""#, &message("user", &content)),
            plain,
            "{content}"
        );
    }
    let system = r#"[{"cache_control":{"type":"ephemeral"},"type":"text","text":"s"}]"#;
    assert_eq!(anthropic(system, &message("user", r#""hi""#)), plain);
}

#[test]
fn b04_another_start_is_another_session() {
    let user = |text: &str| message("user", text);
    let system = |text: &str| message("system", text);
    let image = |data: &str| user(&format!(r#"[{{"type":"image","source":{{"data":"{data}"}}}}]"#));
    let body = |model: &str| format!(r#"{{"model":"{model}","messages":[{}]}}"#, user(r#""hi""#));
    let digests = [
        anthropic(r#""s""#, &user(r#""hi""#)),
        anthropic(r#""s""#, &user(r#""ho""#)),
        anthropic(r#""t""#, &user(r#""hi""#)),
        anthropic("null", &user(r#""hi""#)),
        anthropic(r#""s""#, &image("a")),
        anthropic(r#""s""#, &image("b")),
        of(Dialect::Anthropic, &body("claude")),
        chat(&user(r#""hi""#)),
        chat(&user(r#""ho""#)),
        chat(&format!("{},{}", system(r#""s""#), user(r#""hi""#))),
        chat(&format!("{},{}", system(r#""t""#), user(r#""hi""#))),
        chat(&format!("{},{}", system(r#""s""#), user(r#""ho""#))),
        of(Dialect::OpenaiChat, &body("gpt-mini")),
    ];
    for (index, digest) in digests.iter().enumerate() {
        assert!(digest.is_some(), "{index}");
        assert!(!digests[..index].contains(digest), "{index}");
    }
}

#[test]
fn b04_without_a_user_message_there_is_none() {
    for messages in [
        "",
        "7",
        "{}",
        r#"{"role":"assistant","content":"hi"}"#,
        r#"{"role":7,"content":"hi"}"#,
    ] {
        assert_eq!(anthropic(r#""s""#, messages), None, "{messages}");
        assert_eq!(chat(messages), None, "{messages}");
    }
    assert_eq!(chat(&message("system", r#""s""#)), None);
    for body in [r#"{"model":"m"}"#, r#"{"model":"m","messages":"hi"}"#] {
        assert_eq!(of(Dialect::Anthropic, body), None, "{body}");
    }
}

#[test]
fn b04_names_may_be_written_with_escapes_and_text_is_taken_as_written() {
    let escaped =
        r#"{"m\u006fdel":"g\u0070t","mess\u0061ges":[{"r\u006fle":"us\u0065r","c\u006fntent":"hi"}]}"#;
    assert_eq!(
        of(Dialect::OpenaiChat, escaped),
        chat(&message("user", r#""hi""#))
    );
    let quoted = |end: &str| {
        chat(&message(
            "user",
            &format!(r#""say \"so\"\\ \u00e9 \ud800 {end}""#),
        ))
    };
    assert!(quoted("").is_some());
    assert_ne!(quoted("a"), quoted("b"));
    assert_ne!(
        chat(&message("user", r#""h\u0069""#)),
        chat(&message("user", r#""hi""#))
    );
}

#[test]
fn b04_of_long_parts_the_beginning_counts_and_the_length_of_the_system_text() {
    let long = |end: &str| format!(r#""{}{end}""#, "a".repeat(PART));
    let user = |end: &str| anthropic(r#""s""#, &message("user", &long(end)));
    assert_eq!(user("b"), user("c, and what an agent added"));
    let system = |end: &str| anthropic(&long(end), &message("user", r#""hi""#));
    assert_eq!(system("b"), system("c"));
    assert_ne!(system("b"), system("bb"));
}

/// Any JSON, with the names that matter more often than chance has them.
fn json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "user",
        "system",
        "text",
        "type",
        "content",
        "cache_control",
        "role",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let member = (word.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            prop::collection::vec(member, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn b04_whatever_the_messages_are_nothing_panics(system in json(), messages in prop::collection::vec(json(), 0..6)) {
        let body = json!({"model": "m", "system": system, "messages": messages}).to_string();
        for dialect in [Dialect::Anthropic, Dialect::OpenaiChat] {
            let has_user = messages.iter().any(|message| message["role"] == "user");
            prop_assert_eq!(of(dialect, &body).is_some(), has_user);
        }
    }

    /// The first message of a conversation of any texts decides, and all its turns have one digest.
    #[test]
    fn b04_all_turns_of_a_conversation_have_one_digest(system in ".{0,20}", texts in prop::collection::vec(".{0,20}", 1..6)) {
        let turn = |upto: usize| {
            let role = |n: usize| if n.is_multiple_of(2) { "user" } else { "assistant" };
            let said = texts[..upto].iter().enumerate();
            let messages = said.map(|(n, text)| json!({"role": role(n), "content": text}));
            let body = json!({"model": "m", "system": system, "messages": Vec::from_iter(messages)});
            of(Dialect::Anthropic, &body.to_string())
        };
        let first = turn(1);
        prop_assert!(first.is_some());
        for upto in 2..=texts.len() {
            prop_assert_eq!(&turn(upto), &first);
        }
    }
}
