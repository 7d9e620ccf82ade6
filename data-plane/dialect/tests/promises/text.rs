//! The text of a request's body (G12).

use penstock_dialect::text::Texts;

fn texts(body: &str) -> Vec<(String, String)> {
    let mut texts = Texts::of(body.as_bytes());
    let mut found = Vec::new();
    while let Some(text) = texts.next() {
        let text = text.into_owned();
        found.push((texts.place(), text));
    }
    found
}

fn only(body: &str) -> Vec<String> {
    texts(body).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn g12_every_text_is_found_with_its_place() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},"b"]},[["c"]]],"x":{"y":"d"}}"#;
    let expected = [
        ("model", "m"),
        ("messages[0].role", "user"),
        ("messages[0].content[0].type", "text"),
        ("messages[0].content[0].text", "a"),
        ("messages[0].content[1]", "b"),
        ("messages[1][0][0]", "c"),
        ("x.y", "d"),
    ];
    let expected = expected.map(|(place, text)| (place.to_owned(), text.to_owned()));
    assert_eq!(texts(body), expected);
}

#[test]
fn g12_escapes_hide_nothing() {
    assert_eq!(
        only(r#"{"a":"s\u0065cr\u0065t \ud83d\ude00\n"}"#),
        ["secret 😀\n"]
    );
    assert_eq!(
        only(r#"{"da\u0074a":"QUJD"}"#),
        [""; 0],
        "nor do escapes in a name make data of text"
    );
}

#[test]
fn g12_data_is_no_text_but_text_is_under_any_name() {
    let image = r#"{"source":{"type":"base64","data":"iVBORw0KGgo+/A=="}}"#;
    assert_eq!(only(image), ["base64"]);
    let url =
        r#"{"image_url":{"url":"data:image/png;base64,iVBORw0KGgo="},"signature":"EuYBCkQ","data":"a word"}"#;
    assert_eq!(only(url), ["a word"]);
    let hidden = r#"{"url":"data:text/plain;base64,QUJD and a word","other":"QUJD"}"#;
    assert_eq!(only(hidden).len(), 2);
}

#[test]
fn g12_a_deep_or_broken_body_ends_the_walk() {
    let deep = format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(only(&deep), ["x"]);
    assert_eq!(only(r#"{"a":"b","c"#), ["b"]);
}
