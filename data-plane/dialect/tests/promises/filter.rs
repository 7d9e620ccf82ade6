//! What request filters change in a body (G12).

use std::sync::Arc;

use bytes::Bytes;
use penstock_core::request_filter::{Action, Find, Part, RequestFilter, RequestFilters};
use penstock_dialect::edit::filter;
use proptest::prelude::*;

fn filtered(path: &str, action: Action, body: &str) -> String {
    let made = RequestFilter {
        name: "f".into(),
        enabled: true,
        priority: 0,
        provider: None,
        part: Part::Body(path.parse().unwrap()),
        action,
    };
    assert_eq!(made.validate(), Ok(()));
    let filters = RequestFilters::new([Arc::new(made)]);
    let bytes = Bytes::from(body.to_owned());
    let edited = filter(&bytes, filters.of("any").next().unwrap()).unwrap();
    let after = edited.map_or(bytes, |edited| edited.into_bytes());
    String::from_utf8(after.to_vec()).unwrap()
}

fn remove(path: &str, body: &str) -> String {
    filtered(path, Action::Remove, body)
}

fn set(path: &str, value: &str, body: &str) -> String {
    filtered(path, Action::Set(value.into()), body)
}

fn replace(path: &str, find: &str, with: &str, body: &str) -> String {
    let action = Action::Replace {
        find: Find::Text(find.into()),
        with: with.into(),
    };
    filtered(path, action, body)
}

#[test]
fn g12_members_and_elements_are_removed_with_one_comma() {
    assert_eq!(remove("a", r#"{"a":1, "b":2}"#), r#"{"b":2}"#);
    assert_eq!(remove("b", r#"{"a":1, "b":2}"#), r#"{"a":1}"#);
    assert_eq!(remove("a", r#"{ "a":{"x":[1]} }"#), "{  }");
    assert_eq!(remove("a.1", r#"{"a":[1, 2, 3]}"#), r#"{"a":[1, 3]}"#);
    assert_eq!(remove("a.*", r#"{"a":[1, [2], {}]}"#), r#"{"a":[]}"#);
    assert_eq!(
        remove("t.*.c", r#"{"t":[{"c":1,"d":2},{"d":3},{"d":4,"c":{}}],"c":0}"#),
        r#"{"t":[{"d":2},{"d":3},{"d":4}],"c":0}"#
    );
    assert_eq!(remove("a.b.c", r#"{"a":[{"b":1}]}"#), r#"{"a":[{"b":1}]}"#);
    assert_eq!(
        remove("a", r#"{"\u0061":1,"a":2,"b":3}"#),
        r#"{"b":3}"#,
        "both of a doubled one"
    );
}

#[test]
fn g12_what_is_set_replaces_or_is_made() {
    assert_eq!(set("t", "0.5", r#"{"t":[1],"u":2}"#), r#"{"t":0.5,"u":2}"#);
    assert_eq!(set("t", "0.5", r#"{"u":2}"#), r#"{"t":0.5,"u":2}"#);
    assert_eq!(set("m.id", r#""x""#, r#"{"m":{}}"#), r#"{"m":{"id":"x"}}"#);
    assert_eq!(
        set("m.id", r#""x""#, r#"{"a":1}"#),
        r#"{"a":1}"#,
        "no object to put it in"
    );
    assert_eq!(
        set("l.*.k", "1", r#"{"l":[{},{"k":2}]}"#),
        r#"{"l":[{"k":1},{"k":1}]}"#
    );
    assert_eq!(set("l.5", "1", r#"{"l":[0]}"#), r#"{"l":[0]}"#);
}

#[test]
fn g12_text_is_replaced_with_its_escapes_decoded() {
    let signature = "ACMEu4".repeat(20);
    let body = r#"{"model":"ACME","a":"A\u0043ME \"x\"","b":["ACME",1,{"c":"ACME"}],"signature":"SIG"}"#;
    let body = &body.replace("SIG", &signature);
    assert_eq!(
        replace("**", "ACME", "\"we\"", body),
        r#"{"model":"ACME","a":"\"we\" \"x\"","b":["\"we\"",1,{"c":"\"we\""}],"signature":"SIG"}"#
            .replace("SIG", &signature),
        "neither the model nor data"
    );
    assert_eq!(replace("b.**", "ACME", "we", body).matches("we").count(), 2);
    assert_eq!(replace("b.0", "ACME", "we", body).matches("we").count(), 1);
    assert_eq!(replace("a", "nothing", "we", body), *body, "not a byte changes");
}

#[test]
fn g12_what_is_no_unicode_hides_nothing_from_a_filter() {
    let body = r#"{"a":"ACME\ud800","b":"x\ud800"}"#;
    assert_eq!(
        replace("**", "ACME", "we", body),
        "{\"a\":\"we\u{fffd}\",\"b\":\"x\\ud800\"}",
        "and what has nothing of it stays as it came"
    );
}

#[test]
fn g12_in_front_of_the_comma_of_a_url_is_text() {
    let image = "iVBORw0KGgo".repeat(8);
    let body = format!(r#"{{"image_url":{{"url":"data:image\/png;name=ACME;base64,{image}"}}}}"#);
    let expected = format!(r#"{{"image_url":{{"url":"data:image/png;name=we;base64,{image}"}}}}"#);
    assert_eq!(replace("**", "ACME", "we", &body), expected);
    assert_eq!(replace("**", "Rw0K", "x", &body), body);
}

#[test]
fn g12_many_small_pieces_cost_no_more_than_the_body() {
    let body = format!("{{\"a\":[{}]}}", vec!["\"x\""; 100_000].join(","));
    let after = replace("**", "x", "yz", &body);
    assert_eq!(after.matches("yz").count(), 100_000);
    let filters = RequestFilters::new([Arc::new(RequestFilter {
        name: "f".into(),
        enabled: true,
        priority: 0,
        provider: None,
        part: Part::Body("**".parse().unwrap()),
        action: Action::Replace {
            find: Find::Text("x".into()),
            with: "y".repeat(4096),
        },
    })]);
    let one = filters.of("any").next().unwrap();
    assert!(filter(&Bytes::from(body), one).is_err(), "400 MB are not sent");
}

proptest! {
    #[test]
    fn g12_a_filtered_body_is_still_json(
        keys in prop::collection::vec("[a-c]", 0..6),
        path in prop::sample::select(vec!["a", "b.*", "c.0", "a.b", "**", "b.**"]),
        which in 0..3_u8,
    ) {
        let members: Vec<String> = keys
            .iter()
            .enumerate()
            .map(|(i, key)| match i % 3 {
                0 => format!(r#" "{key}" : "text" "#),
                1 => format!(r#""{key}":[1,"text",{{"b":"text"}}]"#),
                _ => format!(r#""{key}":{{"b":"text", "a":[]}}"#),
            })
            .collect();
        let body = format!("{{{}}}", members.join(","));
        let after = match which {
            _ if path.ends_with("**") => replace(path, "text", "x\"y", &body),
            0 => remove(path, &body),
            1 => set(path, r#"{"n":1}"#, &body),
            _ => replace(path, "text", "x\"y", &body),
        };
        prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&after).is_ok(), "{} -> {}", body, after);
    }
}
