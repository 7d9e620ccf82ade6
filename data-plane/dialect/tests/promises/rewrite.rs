//! What a provider's configuration changes in a body, byte for byte, and that nothing else does.

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_core::provider::Override;
use penstock_dialect::edit::{Edits, adds_usage, rewrite};
use penstock_dialect::inspect::inspect;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn set(path: &str, value: &str) -> Override {
    Override {
        path: path.to_owned(),
        value: Some(value.to_owned()),
    }
}

fn remove(path: &str) -> Override {
    Override {
        path: path.to_owned(),
        value: None,
    }
}

/// The body after these edits; as it was when nothing changes.
fn edited(body: &str, edits: Edits<'_>) -> String {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let inspected = inspect(Dialect::OpenaiChat, None, &body).unwrap();
    let edited = rewrite(&body, &inspected, &edits);
    let whole = edited.map_or(body, |edited| {
        let len = edited.len();
        let whole = edited.into_bytes();
        assert_eq!(whole.len(), len);
        whole
    });
    String::from_utf8(whole.to_vec()).unwrap()
}

fn with_model(body: &str, model: &str) -> String {
    edited(
        body,
        Edits {
            model: Some(model),
            ..Edits::default()
        },
    )
}

fn with(body: &str, overrides: &[Override]) -> String {
    edited(
        body,
        Edits {
            overrides,
            ..Edits::default()
        },
    )
}

#[test]
fn b01_a_redirect_replaces_the_models_name_and_nothing_else() {
    for (body, after) in [
        (
            r#"{"model":"gpt-5","messages":[]}"#,
            r#"{"model":"mine","messages":[]}"#,
        ),
        (
            "{ \"messages\" : [ {\"model\": \"gpt-5\"} ],\n\t\"model\" :  \"gpt-5\" }",
            "{ \"messages\" : [ {\"model\": \"gpt-5\"} ],\n\t\"model\" :  \"mine\" }",
        ),
        (r#"{"mod\u0065l":"g\u0070t-5"}"#, r#"{"mod\u0065l":"mine"}"#),
        (
            r#"{"model":"a\"b","x":1.50e3,"y":"\u00e4"}"#,
            r#"{"model":"mine","x":1.50e3,"y":"\u00e4"}"#,
        ),
    ] {
        assert_eq!(with_model(body, "mine"), after);
    }
    assert_eq!(with_model(r#"{"model":"m"}"#, "a\"\\b"), r#"{"model":"a\"\\b"}"#);
}

#[test]
fn b01_the_same_name_changes_nothing_and_copies_nothing() {
    let body = Bytes::from_static(br#"{"mod\u0065l":"gpt-5"}"#);
    let inspected = inspect(Dialect::Anthropic, None, &body).unwrap();
    let edits = Edits {
        model: Some("gpt-5"),
        ..Edits::default()
    };
    assert_eq!(rewrite(&body, &inspected, &edits), None);
    assert_eq!(rewrite(&body, &inspected, &Edits::default()), None);
}

#[test]
fn b01_overrides_set_members_at_the_top() {
    let heat = [set("temperature", "0.5")];
    for (body, after) in [
        (
            r#"{"model":"m","temperature":1,"a":{"temperature":2}}"#,
            r#"{"model":"m","temperature":0.5,"a":{"temperature":2}}"#,
        ),
        (r#"{"model":"m"}"#, r#"{"temperature":0.5,"model":"m"}"#),
        (r#"{ "model":"m" }"#, r#"{"temperature":0.5, "model":"m" }"#),
        (
            r#"{"t\u0065mperature":1,"model":"m","temperature":2}"#,
            r#"{"t\u0065mperature":0.5,"model":"m","temperature":0.5}"#,
        ),
    ] {
        assert_eq!(with(body, &heat), after);
    }
    let both = [set("a", r#"{"b":[1]}"#), set("c", "null")];
    assert_eq!(
        with(r#"{"model":"m","c":3}"#, &both),
        r#"{"a":{"b":[1]},"model":"m","c":null}"#
    );
}

#[test]
fn b01_overrides_remove_members_with_their_comma() {
    for (body, after) in [
        (r#"{"user":1,"model":"m"}"#, r#"{"model":"m"}"#),
        (r#"{"model":"m","user":1}"#, r#"{"model":"m"}"#),
        (r#"{"a":1, "user" : 1 , "model":"m"}"#, r#"{"a":1, "model":"m"}"#),
        (r#"{"model":"m" , "user":1 }"#, r#"{"model":"m" }"#),
        (
            r#"{"user":1,"user":2,"model":"m","user":3,"user":4}"#,
            r#"{"model":"m"}"#,
        ),
        (r#"{"model":"m"}"#, r#"{"model":"m"}"#),
    ] {
        assert_eq!(with(body, &[remove("user")]), after, "{body}");
    }
}

#[test]
fn b01_all_edits_hold_at_once() {
    let overrides = [remove("user"), set("temperature", "0"), set("top_p", "1")];
    let edits = Edits {
        model: Some("mine"),
        overrides: &overrides,
        include_usage: true,
        ..Edits::default()
    };
    let body = r#"{"user":"u","model":"m","stream":true,"temperature":1,"messages":[]}"#;
    let after = r#"{"stream_options":{"include_usage":true},"top_p":1,"model":"mine","stream":true,"temperature":0,"messages":[]}"#;
    assert_eq!(edited(body, edits), after);
    let body = Bytes::from_static(body.as_bytes());
    assert!(adds_usage(&inspect(Dialect::OpenaiChat, None, &body).unwrap()));
    assert!(!adds_usage(&inspect(Dialect::Anthropic, None, &body).unwrap()));
}

fn body() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\ é]{0,6}".prop_map(Value::from),
    ];
    let value = prop_oneof![
        leaf.clone(),
        prop::collection::vec(leaf.clone(), 0..3).prop_map(Value::from),
        prop::collection::hash_map("[a-d]", leaf, 0..3).prop_map(|map| json!(map)),
    ];
    prop::collection::hash_map("[a-h]", value, 0..6).prop_map(|members| {
        let mut members: Map<String, Value> = members.into_iter().collect();
        members.insert("model".into(), "asked".into());
        members
    })
}

proptest! {
    #[test]
    fn b01_an_edited_body_says_what_an_edited_tree_would(
        mut tree in body(),
        pretty in any::<bool>(),
        edits in prop::collection::hash_map("[a-h]", prop::option::of(-9..9_i32), 0..5),
    ) {
        let text = match pretty {
            true => serde_json::to_string_pretty(&tree).unwrap(),
            false => serde_json::to_string(&tree).unwrap(),
        };
        let overrides: Vec<_> = edits
            .iter()
            .map(|(path, value)| Override { path: path.clone(), value: value.map(|n| n.to_string()) })
            .collect();
        let after = edited(&text, Edits { model: Some("served"), overrides: &overrides, include_usage: false, ..Edits::default() });
        tree.insert("model".into(), "served".into());
        for (path, value) in edits {
            match value {
                Some(value) => drop(tree.insert(path, value.into())),
                None => drop(tree.remove(&path)),
            }
        }
        prop_assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), Value::Object(tree));
    }
}
