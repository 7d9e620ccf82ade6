//! What a caller who did not ask for usage sees of it: nothing (E2).

use penstock_dialect::edit::UsageChunkFilter;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::transcript::frames;

fn filtered(data: &str) -> Option<String> {
    let frames = frames(format!("data: {data}\r\n\r\n"));
    assert_eq!(frames.len(), 1);
    let left = UsageChunkFilter.apply(&frames[0])?;
    let text = String::from_utf8(left.to_vec()).unwrap();
    Some(text.trim_start_matches("data: ").trim_end().to_owned())
}

#[test]
fn e02_nulls_are_cut_wherever_they_stand() {
    let left: Vec<String> = [
        r#"{"id":"1","choices":[{"delta":{"content":"x"}}],"usage":null}"#,
        r#"{"id":"1", "usage": null , "choices":[{}]}"#,
        r#"{ "usage":null, "id":"1"}"#,
        r#"{ "usage" : null }"#,
    ]
    .iter()
    .map(|data| filtered(data).unwrap())
    .collect();
    insta::assert_snapshot!(left.join("\n"));
}

#[test]
fn e02_the_chunk_with_the_usage_alone_is_dropped() {
    assert_eq!(
        filtered(r#"{"id":"1","choices":[],"usage":{"prompt_tokens":1}}"#),
        None
    );
    assert_eq!(filtered(r#"{"usage":{"prompt_tokens":1},"choices":[ ]}"#), None);
}

#[test]
fn e02_everything_else_passes_unchanged() {
    for data in [
        "[DONE]",
        r#"{"id":"1","choices":[{"delta":{"content":"\"usage\":null"}}]}"#,
        r#"{"choices":[],"prompt_filter_results":[]}"#,
        r#"{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}"#,
        r#"{"usage":null"#,
        r#"{"error":{"message":"\"usage\""}}"#,
    ] {
        assert_eq!(filtered(data).as_deref(), Some(data));
    }
    let comment = frames(": \"usage\":null\n\n");
    assert_eq!(UsageChunkFilter.apply(&comment[0]), Some(comment[0].raw.clone()));
}

proptest! {
    #[test]
    fn e02_a_chunk_without_its_null_is_the_same_chunk(
        before in prop::collection::btree_map("[a-c]{1,3}", any::<Option<String>>(), 0..3),
        after in prop::collection::btree_map("[x-z]{1,3}", any::<Option<u8>>(), 0..3),
    ) {
        let mut wanted = Map::new();
        let mut parts = Vec::new();
        for (key, value) in before {
            parts.push(format!("{}:{}", json!(key), json!(value)));
            wanted.insert(key, json!(value));
        }
        parts.push(r#""usage" : null"#.to_owned());
        for (key, value) in after {
            parts.push(format!("{} : {}", json!(key), json!(value)));
            wanted.insert(key, json!(value));
        }
        let left = filtered(&format!("{{ {} }}", parts.join(" , "))).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&left).unwrap(), Value::Object(wanted));
    }
}
