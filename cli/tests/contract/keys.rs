//! Keys: printed once, found again, taken over.

use super::operator::Operator;

#[tokio::test]
async fn a03_a_new_key_is_all_that_standard_output_shows() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice").await;
    let made = operator.pipe("key create --user alice --name laptop", "").await;
    assert!(
        made.stdout.starts_with("psk_") && made.stdout.lines().count() == 1,
        "{}",
        made.stdout
    );
    assert!(made.stderr.contains("alice/laptop"), "{}", made.stderr);
    let found = operator.pipe("key find --secret - -o json", &made.stdout).await;
    let found: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(
        (&found["name"], &found["state"]),
        (&"laptop".into(), &"valid".into())
    );
    assert!(!operator.ok("key list -o json").await.contains(made.stdout.trim()));
}

#[tokio::test]
async fn a03_a_rotated_key_is_found_by_both_secrets_during_the_overlap() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice").await;
    let old = operator.json("key create --user alice --name laptop").await["secret"].clone();
    let rotated = operator.json("key rotate laptop --overlap 24h").await;
    assert!(rotated["secret"].as_str().unwrap().starts_with("psk_"));
    assert_ne!(rotated["secret"], old);
    assert!(rotated["previous_valid_until"].is_string());
    let found = operator.pipe("key find --secret -", old.as_str().unwrap()).await;
    assert!(found.stdout.contains("valid") && found.stdout.contains("before the last rotation"));
}

#[tokio::test]
async fn a03_a_key_of_another_relay_is_taken_over() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice").await;
    let secret = "cr_0123456789abcdef0123";
    let imported = operator
        .pipe("key create --user alice --name old --secret - -o json", secret)
        .await;
    let imported: serde_json::Value = serde_json::from_str(&imported.stdout).unwrap();
    assert_eq!(
        (&imported["secret"], &imported["hint"]),
        (&serde_json::Value::Null, &"cr****".into())
    );
    operator
        .pipe("key import-suffix relay --secret -", "pepper")
        .await;
    let hash = "1".repeat(64);
    let line = format!("key create --user alice --name hashed --sha256 {hash} --import-suffix relay");
    assert_eq!(operator.json(&line).await["import_suffix"], "relay");
}

#[tokio::test]
async fn a_bare_name_that_several_users_have_lists_the_candidates() {
    let operator = Operator::start().await;
    for user in ["alice", "bob"] {
        operator.ok(&format!("user create --name {user}")).await;
        operator
            .ok(&format!("key create --user {user} --name laptop"))
            .await;
    }
    let refused = operator.fails("key disable laptop", 1).await;
    assert!(refused.contains("alice/laptop, bob/laptop"), "{refused}");
    operator.ok("key disable bob/laptop --reason lost").await;
    assert_eq!(operator.json("key get bob/laptop").await["enabled"], false);
    assert_eq!(operator.json("key get alice/laptop").await["enabled"], true);
}
