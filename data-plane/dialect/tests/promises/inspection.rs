//! What a body asks, what is refused, and the one edit (C5, E2, security 8).

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_dialect::edit::include_usage;
use penstock_dialect::inspect::{InspectError, Inspected, UsageChunk, inspect};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn read(text: &str) -> Result<Inspected, InspectError> {
    inspect(
        Dialect::OpenaiChat,
        None,
        &Bytes::copy_from_slice(text.as_bytes()),
    )
}

fn with_usage(text: &str) -> Option<String> {
    let body = Bytes::copy_from_slice(text.as_bytes());
    let inspected = inspect(Dialect::OpenaiChat, None, &body).unwrap();
    let edited = include_usage(&body, &inspected)?;
    assert_eq!(edited.len(), edited.clone().into_bytes().len());
    Some(String::from_utf8(edited.into_bytes().to_vec()).unwrap())
}

#[test]
fn the_fields_acted_on_are_read() {
    let asked = read(
        r#"{"model":"claude-\u006fpus","max_tokens":64000,"max_completion_tokens":7,"stream":true,
            "metadata":{"user_id":"u","x":[{}]},"prompt_cache_key":"k","stream_options":{"include_usage":true},
            "messages":[{"role":"system","content":[1,[2]]},{"role":"user"}],"tools":[{"name":"a,b"}],"new":{"model":1}}"#,
    )
    .unwrap();
    insta::assert_debug_snapshot!(asked);
}

#[test]
fn what_is_not_there_has_a_plain_meaning() {
    let asked = read(
        r#" { "model" : "m" , "messages" : [ ] , "tools" : null , "max_tokens" : -1 , "stream" : null } "#,
    )
    .unwrap();
    assert_eq!(
        (asked.messages, asked.tools, asked.max_output, asked.stream),
        (0, 0, None, false)
    );
    assert_eq!(asked.model_at, Some(13..16));
}

#[test]
fn c05_broken_json_is_refused_with_its_place() {
    let told: Vec<String> = [
        "",
        "   ",
        "[]",
        "\"model\"",
        "nul",
        "{",
        "{}",
        "{\"model\":\"m\"",
        "{\"model\":\"m\"}}",
        "{\"model\":\"m\",}",
        "{\n  \"model\": \"m\",\n  \"messages\": [1 2]\n}",
        "{model:1}",
        "{\"a\" 1}",
        "{\"a\":01,\"model\":\"m\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":[1,]}",
        "{\"a\":[}]",
        "{\"a\":\"",
        "{\"a\":\"\\",
        "{\"model\":\"m\"} x",
        "\u{feff}{}",
    ]
    .iter()
    .map(|text| format!("{text:?}\n    {}", read(text).unwrap_err()))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_model_that_is_no_name_is_refused() {
    let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(257));
    let told: Vec<String> = [
        r#"{"model":""}"#,
        r#"{"model":null}"#,
        r#"{"model":7}"#,
        r#"{"model":["m"]}"#,
        r#"{"model":{}}"#,
        r#"{"model":"a\nb"}"#,
        r#"{"model":"\ud800"}"#,
        r#"{"model":"m","stream":"yes"}"#,
        r#"{"model":"m","stream":1}"#,
        &long,
    ]
    .iter()
    .map(|text| read(text).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_model_with_bytes_that_are_no_text_is_refused() {
    let body = Bytes::from_static(b"{\"model\":\"m\xff\"}");
    assert!(matches!(
        inspect(Dialect::Anthropic, None, &body),
        Err(InspectError::ModelInvalid { .. })
    ));
}

#[test]
fn keys_acted_on_may_not_stand_twice_also_not_in_disguise() {
    let told: Vec<String> = [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","mod\u0065l":"b"}"#,
        r#"{"\u006dodel":"a","model":"a"}"#,
        r#"{"model":"a","stream":true,"stream":false}"#,
        r#"{"model":"a","max_tokens":1,"max_tokens":2}"#,
        r#"{"model":"a","stream_options":{},"stream_options":null}"#,
        r#"{"model":"a","stream_options":{"include_usage":true,"include\u005fusage":false}}"#,
        r#"{"model":"a","metadata":{"user_id":"1","user_id":"2"}}"#,
        "{\"model\":\"a\",\n\"messages\":[],\n \"messages\":[]}",
    ]
    .iter()
    .map(|text| read(text).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn other_keys_may_stand_twice_and_look_alike() {
    assert!(read(r#"{"model":"a","x":1,"x":2,"Model":"b","models":"c","m":{"model":1,"model":2}}"#).is_ok());
    assert!(read(r#"{"model":"a","mod\ud800el":"b"}"#).is_ok());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| {
        format!(
            r#"{{"model":"m","x":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert!(read(&nested(126)).is_ok());
    assert!(serde_json::from_str::<Value>(&nested(126)).is_ok());
    assert!(serde_json::from_str::<Value>(&nested(127)).is_err());
    let refused = read(&nested(127)).unwrap_err();
    assert!(
        refused.to_string().contains("nested deeper than 127 levels"),
        "{refused}"
    );
    assert!(read(&format!(r#"{{"model":"m","x":{}"#, "{\"a\":[".repeat(1_000_000))).is_err());
}

#[test]
fn e02_the_option_is_added_and_every_other_byte_stays() {
    let cases = [
        r#"{"model":"m","stream":true}"#,
        "{\n  \"model\" : \"m\", \"stream\": true }\n",
        r#"{"model":"m","stream":true,"stream_options":null}"#,
        r#"{"model":"m","stream":true,"stream_options": { } }"#,
        r#"{"model":"m","stream":true,"stream_options":{"include_obfuscation":false}}"#,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":false,"x":1}}"#,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":null}}"#,
    ];
    let edited: Vec<String> = cases.iter().map(|text| with_usage(text).unwrap()).collect();
    insta::assert_snapshot!(edited.join("\n"));
}

#[test]
fn e02_malformed_options_keep_no_usage_back() {
    for options in [
        r#""no""#,
        "[]",
        "false",
        "7",
        r#"{"include_usage":"no"}"#,
        r#"{"include_usage":[0]}"#,
    ] {
        let text = format!(r#"{{"model":"m","stream":true,"stream_options":{options}}}"#);
        let asked = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
        assert_eq!(with_usage(&text).as_deref(), Some(asked), "{text}");
    }
}

#[test]
fn e02_nothing_is_added_where_it_is_not_ours() {
    for text in [
        r#"{"model":"m"}"#,
        r#"{"model":"m","stream":false}"#,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
    ] {
        assert_eq!(with_usage(text), None, "{text}");
    }
    let body = Bytes::from_static(br#"{"model":"m","stream":true}"#);
    let messages = inspect(Dialect::Anthropic, None, &body).unwrap();
    assert_eq!(messages.usage_chunk, UsageChunk::NotOffered);
    assert_eq!(include_usage(&body, &messages), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn request()(
        model in "[a-z\\\\\"é/ ]{1,20}",
        stream in any::<Option<bool>>(),
        max_tokens in any::<Option<u32>>(),
        options in prop_oneof![
            Just(None),
            Just(Some(Value::Null)),
            Just(Some(json!({}))),
            any::<bool>().prop_map(|on| Some(json!({"include_usage": on, "x": [1]}))),
            any_json().prop_map(|other| Some(json!({"other": other}))),
        ],
        messages in prop::collection::vec(any_json(), 0..5),
        rest in prop::collection::btree_map("[A-Z\\\\\"é]{1,8}", any_json(), 0..5),
    ) -> Value {
        let mut body: Map<String, Value> = rest.into_iter().collect();
        body.insert("model".to_owned(), model.into());
        body.insert("messages".to_owned(), messages.into());
        body.extend(stream.map(|stream| ("stream".to_owned(), stream.into())));
        body.extend(max_tokens.map(|max| ("max_tokens".to_owned(), max.into())));
        body.extend(options.map(|options| ("stream_options".to_owned(), options)));
        Value::Object(body)
    }
}

fn written(body: &Value, pretty: bool) -> Bytes {
    let text = if pretty {
        serde_json::to_vec_pretty(body)
    } else {
        serde_json::to_vec(body)
    };
    text.unwrap().into()
}

proptest! {
    #[test]
    fn inspection_reads_what_serde_json_reads(body in request(), pretty in any::<bool>()) {
        let bytes = written(&body, pretty);
        let asked = inspect(Dialect::OpenaiChat, None, &bytes).unwrap();
        prop_assert_eq!(Some(&*asked.model), body["model"].as_str());
        let raw = serde_json::from_slice::<String>(&bytes[asked.model_at.clone().unwrap()]).unwrap();
        prop_assert_eq!(raw, asked.model);
        prop_assert_eq!(asked.stream, body["stream"].as_bool().unwrap_or_default());
        prop_assert_eq!(asked.max_output, body["max_tokens"].as_u64());
        prop_assert_eq!(asked.messages, body["messages"].as_array().unwrap().len());
        let include = &body["stream_options"]["include_usage"];
        prop_assert_eq!(asked.usage_chunk == UsageChunk::Asked, include.as_bool() == Some(true));
    }

    #[test]
    fn e02_the_edited_body_differs_in_the_option_only(body in request(), pretty in any::<bool>()) {
        let bytes = written(&body, pretty);
        let asked = inspect(Dialect::OpenaiChat, None, &bytes).unwrap();
        let mut wanted = body.clone();
        if let Some(edited) = include_usage(&bytes, &asked) {
            if wanted["stream_options"].is_null() {
                wanted["stream_options"] = json!({});
            }
            wanted["stream_options"]["include_usage"] = true.into();
            let edited: Value = serde_json::from_slice(&edited.into_bytes()).unwrap();
            prop_assert_eq!(edited, wanted);
        }
    }

    #[test]
    fn grammar_is_that_of_serde_json(text in r#"[\[\]{}:,"\\ua0-9.eE+\-tfnrlsu \n]{0,24}"#) {
        let whole = format!(r#"{{"model":"m","x":{text}}}"#);
        // Numbers too large for a float and lone surrogates are the provider's business.
        let serde = serde_json::from_str::<serde::de::IgnoredAny>(&whole);
        prop_assert_eq!(read(&whole).is_ok(), serde.is_ok(), "{:?} {:?}", read(&whole), serde);
    }
}
