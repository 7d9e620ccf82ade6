use serde_json::json;

use super::*;

fn sanitised(what: &str, row: Value) -> Value {
    Sanitiser { key: [1; 32] }.row(what, row, false)
}

#[test]
fn g05_texts_are_replaced_unless_they_are_known_to_be_harmless() {
    let row = json!({
        "id": "0198c0de-0000-7000-8000-000000000001",
        "spec": {
            "name": "acme-main",
            "kind": "anthropic",
            "base_urls": ["https://relay.acme.example"],
            "groups": ["acme"],
            "models": [{"exact": "claude-opus-4-8"}],
            "extra_headers": [{"name": "x-acme", "value": "acme-token"}],
            "outbound": {"proxy": "http://acme@proxy.acme.example:1", "ca_pem": "acme"},
            "field_of_a_later_release": "acme",
            "weight": 3,
        },
        "secrets": {"credential": {"plain": "sk-acme"}},
    });
    let text = sanitised("provider", row).to_string();
    assert!(!text.contains("acme") && !text.contains("0198c0de"), "{text}");
    for kept in ["anthropic", "claude-opus-4-8", "\"weight\":3", "provider-"] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

#[test]
fn g05_the_same_text_is_the_same_replacement_and_another_one_elsewhere() {
    let row = |name: &str| json!({"spec": {"groups": [name]}});
    assert_eq!(sanitised("user", row("a")), sanitised("key", row("a")));
    assert_ne!(sanitised("user", row("a")), sanitised("user", row("b")));
    let other = Sanitiser { key: [2; 32] }.row("user", row("a"), false);
    assert_ne!(sanitised("user", row("a")), other);
}

#[test]
fn g05_a_failed_call_tells_what_kind_of_failure_it_was_and_nothing_else() {
    let table = penstock_store::TABLES
        .into_iter()
        .find(|table| table.name == "failed_calls");
    let row = json!({
        "id": "0198c0de-0000-7000-8000-000000000001",
        "is_final": true,
        "session": "acme-session",
        "status": 529,
        "error_type": "overloaded_error",
        "error_class": "PROVIDER_ERROR",
        "node_id": "acme-node",
        "record": {
            "error_type": "acme_type",
            "error_message": "acme is overloaded",
            "error_category": "SERVER",
            "model": "claude-opus-4-8",
            "client_ip": "192.0.2.1",
            "custom_headers": {"x-request-id": "acme"},
            "request_attempts_log": [{"provider": "acme-main", "status": 529, "end": "answered"}],
        },
    });
    let text = Sanitiser { key: [1; 32] }.archived(table.unwrap(), row.as_object().unwrap().clone());
    let text = Value::Object(text).to_string();
    for gone in ["acme", "0198c0de", "192.0.2.1"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    for kept in [
        "overloaded_error",
        "PROVIDER_ERROR",
        "SERVER",
        "claude-opus-4-8",
        "answered",
        "529",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

#[test]
fn g05_nothing_of_a_key_by_which_it_could_be_guessed_is_left() {
    let row = json!({"spec": {"name": "laptop", "hash": "00ff", "hint": "psk_abcd****wxyz", "previous": {"hash": "1"}}});
    let text = sanitised("key", row).to_string();
    for gone in ["00ff", "psk_", "hash", "laptop"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
}
