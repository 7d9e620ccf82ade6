//! What of a token endpoint's answer is kept, logged and shown.
//!
//! An answer that said yes may hold a token, in a form that nobody foresaw: of it only the outline is kept. An answer that
//! said no is kept for its wording, with everything masked that stands beside a secret's name (members of JSON, pairs of
//! a form, pairs in text), every secret that was sent, and everything that looks like a credential.

use penstock_core::secret::Secret;
use penstock_dialect::mask::mask;
use serde_json::Value as Json;

/// Of a body that is kept.
const MAX_BODY: usize = 1_024;
const MAX_MEMBERS: usize = 20;
const MASKED: &str = "[masked]";
/// Names of what may be a secret, in small letters and without anything between them.
const SECRET_NAMES: [&str; 14] = [
    "token",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "assertion",
    "clientassertion",
    "subjecttoken",
    "actortoken",
    "secret",
    "clientsecret",
    "password",
    "code",
    "authorizationcode",
    "codeverifier",
];

/// Content type, size and the names of members.
pub(super) fn outline(content_type: &str, json: Option<&Json>, size: usize) -> String {
    let kind: String = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '+' | '.'))
        .take(64)
        .collect();
    let kind = if kind.is_empty() { "no content type" } else { &kind };
    let names = match json {
        Some(Json::Object(members)) => {
            let names = members.keys().take(MAX_MEMBERS);
            let names: Vec<_> = names.map(|name| plain_name(name)).collect();
            format!(", members: {}", names.join(", "))
        }
        Some(_) => ", JSON, but no object".to_owned(),
        None => ", no JSON".to_owned(),
    };
    format!("{kind}, {size} bytes{names}")
}

/// A name may be a secret itself.
fn plain_name(name: &str) -> &str {
    let plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
    match name.len() <= 32 && name.bytes().all(plain) {
        true => name,
        false => MASKED,
    }
}

/// A body without secrets. `known` is taken out wherever it stands.
pub(super) fn body(json: Option<Json>, body: &[u8], known: &[&Secret]) -> String {
    let text = match json {
        Some(mut json) => {
            hide(&mut json, 0);
            json.to_string().into_bytes()
        }
        None => pairs(&String::from_utf8_lossy(body)).into_bytes(),
    };
    // To be taken out wherever they stand.
    let known: Vec<&str> = known.iter().map(|secret| secret.expose()).collect();
    let masked = mask(&text, &known).into_owned();
    let text = String::from_utf8_lossy(&masked);
    text.chars().filter(|c| !c.is_control()).take(MAX_BODY).collect()
}

fn hide(json: &mut Json, depth: usize) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                match is_secret(name) {
                    true => *value = Json::from(MASKED),
                    false if depth < 8 => hide(value, depth + 1),
                    false => *value = Json::Null,
                }
            }
        }
        Json::Array(list) if depth < 8 => list.iter_mut().for_each(|value| hide(value, depth + 1)),
        Json::Array(_) => *json = Json::Null,
        Json::String(text) => *text = pairs(text),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    let plain = name.bytes().filter(u8::is_ascii_alphanumeric);
    let plain: String = plain.map(|b| char::from(b.to_ascii_lowercase())).collect();
    SECRET_NAMES.contains(&&*plain)
}

/// Masks the values of pairs: `name=value` of a form, `"name": "value"` of JSON that is cut short or inside a text.
fn pairs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let name_end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_end);
        out.push_str(name);
        rest = after;
        let sign = rest.trim_start_matches(['"', '\'', '\\', ' ']);
        // "status code: 502" is none.
        let is_pair = sign.starts_with('=') || (sign.starts_with(':') && !name.eq_ignore_ascii_case("code"));
        if is_pair && is_secret(name) {
            let value = sign.get(1..).unwrap_or_default();
            let value = value.trim_start_matches(['"', '\'', '\\', ' ']);
            out.push_str(rest.strip_suffix(value).unwrap_or_default());
            out.push_str(MASKED);
            let end = value.find(|c: char| {
                c.is_whitespace() || matches!(c, '&' | '"' | '\'' | '\\' | ',' | ';' | '<' | '}')
            });
            rest = value.get(end.unwrap_or(value.len())..).unwrap_or_default();
        } else if let Some(c) = rest.chars().next() {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        body(serde_json::from_str(text).ok(), text.as_bytes(), &[])
    }

    #[test]
    fn f01_names_are_known_in_every_spelling() {
        for name in [
            "access_token",
            "accessToken",
            "Refresh-Token",
            "CLIENT_SECRET",
            "id.token",
            "code",
        ] {
            let text = shown(&format!(r#"{{"a":[{{"{name}":"hidden"}}]}}"#));
            assert!(!text.contains("hidden"), "{text}");
        }
    }

    #[test]
    fn f01_pairs_are_masked_in_forms_and_in_text() {
        for text in [
            "error=x&access_token=hidden1&refresh_token=hidden2",
            "refreshToken: hidden1",
            r#"{"error":"server_error","access_token":"hidden1","cut"#,
            r#"{"error":{"message":"you sent grant_type=refresh_token&refresh_token=hidden1%2B&client_secret=hidden2"}}"#,
            r#"{"message":"body was {\"refresh_token\": \"hidden1\"}"}"#,
            "<p>code=hidden1</p>",
        ] {
            let text = shown(text);
            assert!(!text.contains("hidden"), "{text}");
        }
        let kept = "upstream error, status code: 502, token expired; see https://a.example/x?y=1 ü";
        assert_eq!(shown(kept), kept);
    }
}
