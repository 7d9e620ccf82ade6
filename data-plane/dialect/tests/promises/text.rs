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
        texts_beside(r#"{"sign\u0061ture":"DATA"}"#),
        [""; 0],
        "nor do escapes in a name make data of text"
    );
}

/// Base64 that is long enough for data, and slashes as some write them.
fn data() -> String {
    r"iVBORw0KGgo+A\/".repeat(8)
}

/// The texts of a body in which `DATA` stands for data.
fn texts_beside(body: &str) -> Vec<String> {
    only(&body.replace("DATA", &data()))
}

#[test]
fn g12_data_is_no_text_where_vendors_put_it() {
    for (body, texts) in [
        (r#"{"type":"base64","data":"DATA=="}"#, &["base64"][..]),
        (r#"{"data":"DATA","mimeType":"image/png"}"#, &["image/png"]),
        (r#"{"data":"DATA","format":"wav"}"#, &["wav"]),
        (r#"{"signature":"DATA","encrypted_content":"DATA="}"#, &[]),
        (
            r#"{"image_url":{"url":"data:image/png;base64,DATA"}}"#,
            &["data:image/png;base64,"],
        ),
        (
            r#"{"file_data":"data:application\/pdf;name=a.pdf;base64,DATA"}"#,
            &["data:application/pdf;name=a.pdf;base64,"],
        ),
    ] {
        assert_eq!(texts_beside(body), texts, "{body}");
    }
}

#[test]
fn g12_text_is_text_under_any_name() {
    for body in [
        r#"{"data":"DATA"}"#,
        r#"{"data":"DATA","x":{},"type":"base64"}"#,
        r#"{"data":"DATA","mimeType":"text/plain"}"#,
        r#"{"text":"data:image/png;base64,DATA"}"#,
        r#"{"url":"data:a word;base64,DATA"}"#,
        r#"{"url":"data:image/png;base64,DATA and a word"}"#,
        r#"{"signature":"DATA\u0020word"}"#,
        r#"{"signature":"DATA\nword"}"#,
        r#"["DATA"]"#,
    ] {
        let found = texts_beside(body);
        assert!(
            found.iter().any(|text| text.contains("VBOR")),
            "{body}: {found:?}"
        );
    }
    let short =
        r#"{"type":"base64","data":"secret","signature":"secret","url":"data:image/png;base64,secret"}"#;
    assert_eq!(
        only(short).iter().filter(|text| text.contains("secret")).count(),
        3
    );
    assert_eq!(only(r#"{"url":"data:secret;base64,"}"#), ["data:secret;base64,"]);
    let words = "a-word-and-another_word-".repeat(8);
    assert_eq!(only(&format!(r#"{{"signature":"{words}"}}"#)), [words]);
}

#[test]
fn g12_what_is_no_unicode_hides_nothing() {
    assert_eq!(only(r#"{"a":"secret\ud800"}"#), ["secret\u{fffd}"]);
    let raw = [b"{\"a\":\"secret", &b"\xff"[..], b"\"}"].concat();
    assert_eq!(Texts::of(&raw).collect::<Vec<_>>(), ["secret\u{fffd}"]);
}

#[test]
fn g12_a_deep_or_broken_body_ends_the_walk() {
    let deep = format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(only(&deep), ["x"]);
    assert_eq!(only(r#"{"a":"b","c"#), ["b"]);
}
