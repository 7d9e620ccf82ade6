//! Commands that fail: the exit code, and what is said.

use super::operator::{Operator, TOKEN, run};

#[tokio::test]
async fn wrong_usage_is_2_and_an_error_is_1() {
    let operator = Operator::start().await;
    operator.fails("no-such-command", 2).await;
    operator.fails("provider create --name x --kind nobody", 2).await;
    operator.fails("provider create --name x", 2).await;
    let unknown = operator.fails("provider get nobody", 1).await;
    assert_eq!(unknown, "error: provider \"nobody\" does not exist\n");
}

#[tokio::test]
async fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let operator = Operator::start().await;
    let line = "provider create --name x --kind anthropic --api-key sk-ant-api03-abc";
    let refused = operator.fails(line, 2).await;
    assert!(
        refused.contains("Pass -") && !refused.contains("sk-ant"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_invalid_field_is_named_by_its_path() {
    let operator = Operator::start().await;
    let line = "provider create --name x --kind anthropic --base-url ftp://h";
    let refused = operator.fails(line, 1).await;
    assert!(refused.starts_with("error: spec.base_urls[0]: "), "{refused}");
}

#[tokio::test]
async fn g01_an_edit_of_a_stale_version_says_who_was_faster() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice").await;
    operator.ok("user update alice --tag a").await;
    let refused = operator
        .fails("user update alice --tag b --expected-version 1", 1)
        .await;
    assert!(
        refused.contains("\"alice\"") && refused.contains("changed by admin"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_wrong_token_says_which_setting_to_look_at() {
    let operator = Operator::start().await;
    let env = [
        ("PENSTOCK_SERVER", operator.server.as_str()),
        ("PENSTOCK_TOKEN", "wrong"),
    ];
    let ended = run("status", "", &operator.home, &env).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("PENSTOCK_TOKEN"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_context_file_is_used_without_flags_and_its_token_stays_with_its_server() {
    let operator = Operator::start().await;
    let folder = operator.home.path().join(".config").join("penstock");
    std::fs::create_dir_all(&folder).unwrap();
    let context = serde_json::json!({"server": operator.server, "token": TOKEN});
    std::fs::write(folder.join("context.json"), context.to_string()).unwrap();
    let ended = run("status", "", &operator.home, &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("chmod 600"),
        "others can read it: {}",
        ended.stderr
    );
    let elsewhere = run(
        "--server https://penstock.example:9090 status",
        "",
        &operator.home,
        &[],
    )
    .await;
    assert_eq!(elsewhere.code, Some(1));
    assert!(
        elsewhere
            .stderr
            .contains("no token for https://penstock.example:9090"),
        "{}",
        elsewhere.stderr
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for_and_then_explained() {
    let home = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = format!("http://{free}");
    let env = [("PENSTOCK_SERVER", server.as_str()), ("PENSTOCK_TOKEN", "t")];
    let ended = run("status", "", &home, &env).await;
    assert_eq!(ended.code, Some(1));
    for part in [server.as_str(), "from PENSTOCK_SERVER", "penstock up"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}
