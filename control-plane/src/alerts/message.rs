//! The form of a message, by its receiver.
//!
//! | preset | body | signed by |
//! |---|---|---|
//! | generic | JSON of ours, see [`generic`] | header `x-penstock-signature: t=UNIX,v1=HEX`, HMAC-SHA-256 of `UNIX.BODY` |
//! | slack | `{"text"}` | nothing: the URL is the secret |
//! | feishu | `{"msg_type":"text"}` | `timestamp` and `sign` in the body |
//! | dingtalk | `{"msgtype":"text"}` | `timestamp` and `sign` in the query |
//! | wecom | `{"msgtype":"text"}` | nothing: the URL is the secret |

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use penstock_core::alert::{Event, Preset};
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::Notification;
use serde_json::{Value, json};
use sha2::Sha256;

const SIGNATURE: HeaderName = HeaderName::from_static("x-penstock-signature");
/// The same at each delivery of a notification.
const NOTIFICATION: HeaderName = HeaderName::from_static("x-penstock-notification");

/// What is posted.
pub(crate) struct Message {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// To be added to the URL's query.
    pub(crate) query: Vec<(&'static str, String)>,
}

/// The message of a notification, sent at `now`.
pub(crate) fn message(
    preset: Preset,
    notification: &Notification,
    secret: Option<&Secret>,
    now: UnixMs,
) -> Message {
    let mut message = Message {
        headers: headers(notification),
        body: body(preset, notification).to_string(),
        query: Vec::new(),
    };
    if let Some(secret) = secret {
        sign(&mut message, (preset, notification), secret, now);
    }
    message
}

fn headers(notification: &Notification) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("penstock/", env!("CARGO_PKG_VERSION"))),
    );
    if let Ok(id) = HeaderValue::try_from(notification.id.to_string()) {
        headers.insert(NOTIFICATION, id);
    }
    headers
}

fn body(preset: Preset, notification: &Notification) -> Value {
    let text = text(notification);
    match preset {
        Preset::Generic => generic(notification),
        Preset::Slack => json!({ "text": text }),
        Preset::Feishu => json!({ "msg_type": "text", "content": { "text": text } }),
        Preset::DingTalk | Preset::WeCom => json!({ "msgtype": "text", "text": { "content": text } }),
    }
}

/// For receivers of one's own. Members may be added.
fn generic(notification: &Notification) -> Value {
    json!({
        "id": notification.id,
        "rule": notification.rule,
        "scope": notification.rule.scope(),
        "subject": notification.subject,
        "event": notification.event,
        "title": notification.title,
        "detail": notification.detail,
        "at": notification.at.to_string(),
    })
}

fn text(notification: &Notification) -> String {
    let sign = match notification.event {
        Event::Fired => "Penstock",
        Event::Recovered => "Penstock, recovered",
    };
    let title = notification
        .title
        .strip_prefix("Recovered: ")
        .unwrap_or(&notification.title);
    format!("[{sign}] {title}\n{}", notification.detail)
}

fn sign(
    message: &mut Message,
    (preset, notification): (Preset, &Notification),
    secret: &Secret,
    now: UnixMs,
) {
    let seconds = now.0 / 1_000;
    match preset {
        Preset::Generic => {
            let signed = format!("{seconds}.{}", message.body);
            let code = hex::encode(code(secret.expose().as_bytes(), signed.as_bytes()));
            if let Ok(value) = HeaderValue::try_from(format!("t={seconds},v1={code}")) {
                message.headers.insert(SIGNATURE, value);
            }
        }
        Preset::Feishu => {
            // Their way: the text is the key, and nothing is signed with it.
            let key = format!("{seconds}\n{}", secret.expose());
            let code = STANDARD.encode(code(key.as_bytes(), b""));
            let mut signed = body(preset, notification);
            if let Some(members) = signed.as_object_mut() {
                members.insert("timestamp".to_owned(), json!(seconds.to_string()));
                members.insert("sign".to_owned(), json!(code));
            }
            message.body = signed.to_string();
        }
        Preset::DingTalk => {
            let signed = format!("{}\n{}", now.0, secret.expose());
            let code = STANDARD.encode(code(secret.expose().as_bytes(), signed.as_bytes()));
            message.query = vec![("timestamp", now.0.to_string()), ("sign", code)];
        }
        Preset::Slack | Preset::WeCom => {}
    }
}

fn code(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length is taken.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// Whether a receiver that answered with success says that it took the message; if not, its words.
pub(crate) fn refusal(preset: Preset, answer: &[u8]) -> Option<String> {
    let member = match preset {
        Preset::Generic | Preset::Slack => return None,
        Preset::Feishu => "code",
        Preset::DingTalk | Preset::WeCom => "errcode",
    };
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let code = answer.get(member)?.as_i64()?;
    let words = answer
        .get("msg")
        .or_else(|| answer.get("errmsg"))
        .and_then(Value::as_str);
    (code != 0).then(|| format!("it answered {member} {code}: {:.200}", words.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use penstock_core::alert::Rule;
    use uuid::Uuid;

    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_123);

    fn notification(event: Event) -> Notification {
        Notification {
            id: Uuid::from_u128(1),
            rule: Rule::BreakerOpen,
            subject: "provider:1".to_owned(),
            event,
            title: match event {
                Event::Fired => "Breaker of main is open".to_owned(),
                Event::Recovered => "Recovered: Breaker of main is open".to_owned(),
            },
            detail: "See \"it\".".to_owned(),
            at: NOW,
        }
    }

    #[test]
    fn g11_each_preset_has_its_receivers_form() {
        let body = |preset, event| {
            let message = message(preset, &notification(event), None, NOW);
            serde_json::from_str::<Value>(&message.body).unwrap()
        };
        let text = "[Penstock] Breaker of main is open\nSee \"it\".";
        assert_eq!(body(Preset::Slack, Event::Fired), json!({ "text": text }));
        assert_eq!(
            body(Preset::Feishu, Event::Fired),
            json!({ "msg_type": "text", "content": { "text": text } })
        );
        for preset in [Preset::DingTalk, Preset::WeCom] {
            let expected = json!({ "msgtype": "text", "text": { "content": text } });
            assert_eq!(body(preset, Event::Fired), expected);
        }
        let generic = body(Preset::Generic, Event::Recovered);
        assert_eq!(
            (&generic["event"], &generic["rule"]),
            (&json!("recovered"), &json!("breaker_open"))
        );
        assert_eq!(generic["scope"], json!("provider"));
        let recovered = body(Preset::Slack, Event::Recovered);
        assert_eq!(
            recovered["text"],
            "[Penstock, recovered] Breaker of main is open\nSee \"it\"."
        );
    }

    #[test]
    fn g11_a_generic_message_is_signed_over_time_and_body() {
        let secret = Secret::new("s3cret");
        let message = message(Preset::Generic, &notification(Event::Fired), Some(&secret), NOW);
        let header = message.headers.get(SIGNATURE).unwrap().to_str().unwrap();
        let (time, given) = header.split_once(",v1=").unwrap();
        assert_eq!(time, "t=1700000000");
        let expected = code(b"s3cret", format!("1700000000.{}", message.body).as_bytes());
        assert_eq!(given, hex::encode(expected));
    }

    #[test]
    fn g11_signatures_in_the_body_and_in_the_query_are_those_of_the_documented_examples() {
        let secret = Secret::new("SEC0");
        let feishu = message(Preset::Feishu, &notification(Event::Fired), Some(&secret), NOW);
        let body: Value = serde_json::from_str(&feishu.body).unwrap();
        assert_eq!(body["timestamp"], "1700000000");
        assert_eq!(body["sign"], STANDARD.encode(code(b"1700000000\nSEC0", b"")));
        let ding = message(Preset::DingTalk, &notification(Event::Fired), Some(&secret), NOW);
        let expected = STANDARD.encode(code(b"SEC0", b"1700000000123\nSEC0"));
        assert_eq!(
            ding.query,
            [("timestamp", "1700000000123".to_owned()), ("sign", expected)]
        );
    }

    #[test]
    fn g11_a_receiver_that_refuses_with_success_is_understood() {
        assert_eq!(refusal(Preset::Feishu, br#"{"code":0}"#), None);
        assert_eq!(
            refusal(
                Preset::WeCom,
                br#"{"errcode":93000,"errmsg":"invalid webhook url"}"#
            ),
            Some("it answered errcode 93000: invalid webhook url".to_owned())
        );
        assert_eq!(refusal(Preset::Slack, b"ok"), None);
    }
}
