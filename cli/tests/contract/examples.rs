//! The files in `examples/` do what they say, as often as they are applied.

use std::path::{Path, PathBuf};

use super::operator::Operator;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    found.sort();
    assert!(found.len() >= 8, "{found:?}");
    found
}

/// A value for each variable that a text refers to.
fn variables(text: &str) -> Vec<(String, String)> {
    let names = text
        .split("${env:")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    names
        .map(|(name, _)| (name.to_owned(), format!("value-of-{name}-0123456789")))
        .collect()
}

/// The key file of a service account, which an example has beside it.
fn service_account() -> String {
    let pem = include_str!("../../../control-plane/src/credentials/service_account/test-key.pem");
    serde_json::json!({
        "type": "service_account",
        "client_email": "penstock@my-project.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": pem,
        "token_uri": "https://oauth2.googleapis.com/token",
    })
    .to_string()
}

/// What an export lacks to make the same on an empty installation: secrets.
fn completed(export: &str) -> String {
    let mut text = String::new();
    for line in export.lines() {
        text.push_str(line);
        text.push('\n');
        if line.starts_with("  user: ") {
            text.push_str("  generate: true\n");
        }
        if line.trim_start().starts_with("access_key_id: ") {
            text.push_str("      secret_access_key: ${env:AWS_SECRET_ACCESS_KEY}\n");
        }
    }
    text
}

#[tokio::test]
async fn g04_every_example_is_applied_twice_compared_exported_and_made_anew() {
    for example in examples() {
        let (operator, name) = (Operator::start().await, example.display());
        operator.file("service-account.json", &service_account());
        let text = std::fs::read_to_string(&example).unwrap();
        let variables = variables(&text);
        let env: Vec<_> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let first = operator.applied(&text, &env).await;
        assert!(first["revision"].as_u64().unwrap() > 0, "{name}: {first}");
        assert_eq!(first["warnings"], serde_json::json!([]), "{name}");
        let head = operator.head().await;
        let second = operator.applied(&text, &env).await;
        assert_eq!(
            (&second["revision"], &second["items"]),
            (&0.into(), &serde_json::json!([])),
            "{name}"
        );
        assert_eq!(operator.head().await, head, "{name}");
        let same = operator.on("diff --exit-code", &text, &env).await;
        assert_eq!(
            (same.code, same.stdout.as_str()),
            (Some(0), ""),
            "{name}: {same:?}"
        );

        let export = operator.ok("export").await;
        for (_, secret) in &variables {
            assert!(!export.contains(secret.as_str()), "{name}: {export}");
        }
        let own = operator.on("diff --prune --exit-code", &export, &[]).await;
        assert_eq!((own.code, own.stdout.as_str()), (Some(0), ""), "{name}: {own:?}");
        let empty = Operator::start().await;
        empty.applied(&completed(&export), &env).await;
        assert_eq!(empty.ok("export").await, export, "{name}");
    }
}
