//! `apply`, `diff -f`, `export`: the configuration as files.

use std::path::PathBuf;

use serde_json::Value;

use super::operator::{Ended, Operator, TOKEN, run};

const PROVIDER: &str = "apiVersion: penstock/v1
kind: Provider
name: main
spec:
  kind: anthropic
  base_urls: [https://api.example]
";
const USER: &str = "apiVersion: penstock/v1\nkind: User\nname: alice\n";

/// The text of a manifest with one more line at its end.
fn with(text: &str, line: &str) -> String {
    format!("{text}{line}\n")
}

fn key(name: &str, secret: &str) -> String {
    format!("apiVersion: penstock/v1\nkind: Key\nname: {name}\nspec:\n  user: alice\n{secret}")
}

impl Operator {
    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command on a file with this text, in an environment with these variables.
    pub(super) async fn on(&self, command: &str, text: &str, env: &[(&str, &str)]) -> Ended {
        let path = self.file("manifest.yaml", text);
        self.command(&format!("{command} -f {}", path.display()), env)
            .await
    }

    pub(super) async fn command(&self, line: &str, env: &[(&str, &str)]) -> Ended {
        let mut all = vec![
            ("PENSTOCK_SERVER", self.server.as_str()),
            ("PENSTOCK_TOKEN", TOKEN),
        ];
        all.extend(env);
        run(line, "", &self.home, &all).await
    }

    pub(super) async fn applied(&self, text: &str, env: &[(&str, &str)]) -> Value {
        let ended = self.on("apply -o json", text, env).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        serde_json::from_str(&ended.stdout).unwrap()
    }

    pub(super) async fn head(&self) -> u64 {
        self.json("config history --limit 1").await["head"]
            .as_u64()
            .unwrap()
    }
}

#[tokio::test]
async fn g04_a_folder_is_one_revision_with_a_reason() {
    let operator = Operator::start().await;
    let folder = operator.home.path().join("conf");
    std::fs::create_dir_all(folder.join("team")).unwrap();
    std::fs::write(folder.join("provider.yaml"), PROVIDER).unwrap();
    std::fs::write(folder.join("team/alice.yml"), USER).unwrap();
    let head = operator.head().await;
    let done = operator
        .ok(&format!("apply -f {} --reason move", folder.display()))
        .await;
    assert!(
        done.contains("+ user \"alice\"") && done.contains("2 created"),
        "{done}"
    );
    let history = operator.json("config history --limit 1").await;
    assert_eq!(
        (&history["head"], &history["items"][0]["reason"]),
        (&(head + 1).into(), &"move".into())
    );
    std::fs::write(folder.join("again.yaml"), USER).unwrap();
    let twice = operator.fails(&format!("apply -f {}", folder.display()), 1).await;
    assert!(
        twice.contains("team/alice.yml:1") && twice.contains("again.yaml:1"),
        "{twice}"
    );
    let out = operator.home.path().join("out/");
    operator.ok(&format!("export -f {}/", out.display())).await;
    assert!(
        std::fs::read_to_string(out.join("users.yaml"))
            .unwrap()
            .contains("alice")
    );
    operator
        .ok(&format!("diff --exit-code -f {}", out.display()))
        .await;
}

#[tokio::test]
async fn g04_one_problem_is_enough_that_nothing_changes_and_all_are_told() {
    let operator = Operator::start().await;
    let head = operator.head().await;
    let text = [USER, &key("a", ""), &key("b", "  import_suffix: none\n")].join("---\n");
    let refused = operator.on("apply", &text, &[]).await;
    assert_eq!(refused.code, Some(1));
    for part in [
        "2 problems",
        "manifest.yaml:8: key \"alice/a\"",
        "generate: true",
        "alice/b",
        "for sha256 only",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    let shared = key("a", "  secret: ${env:KEY}\n");
    let text = [USER, &shared, &shared.replace("name: a", "name: b")].join("---\n");
    let shared = operator
        .on("apply --dry-run", &text, &[("KEY", "one-secret-for-two-keys")])
        .await;
    assert!(
        shared
            .stderr
            .contains("key \"alice/b\": spec.secret: belongs to another key already, alice/a"),
        "{shared:?}"
    );
    let orphan = operator.on("apply", &key("a", "  generate: true\n"), &[]).await;
    assert!(
        orphan
            .stderr
            .contains("manifest.yaml:5: key \"alice/a\": spec.user: there is no user \"alice\""),
        "{orphan:?}"
    );
    assert_eq!(operator.head().await, head);
}

#[tokio::test]
async fn g04_differences_end_with_0_or_as_asked_with_1() {
    let operator = Operator::start().await;
    operator.applied(PROVIDER, &[]).await;
    let changed = with(PROVIDER, "  priority: 7");
    let told = operator.on("diff", &changed, &[]).await;
    assert_eq!(told.code, Some(0));
    assert!(told.stdout.contains("priority: 0 -> 7"), "{told:?}");
    let asked = operator.on("diff --exit-code", &changed, &[]).await;
    assert_eq!((asked.code, asked.stderr.as_str()), (Some(1), ""));
    let dry = operator.on("apply --dry-run", &changed, &[]).await;
    assert!(
        dry.stdout.contains("dry run, nothing was changed: 1 updated"),
        "{dry:?}"
    );
    assert_eq!(operator.json("provider get main").await["priority"], 0);
}

#[tokio::test]
async fn g04_a_secret_left_out_stays_and_the_same_one_is_no_change() {
    let operator = Operator::start().await;
    let bare = operator.applied(PROVIDER, &[]).await;
    assert!(
        bare["warnings"][0]
            .as_str()
            .unwrap()
            .contains("has no credential"),
        "{bare}"
    );
    let secret = with(PROVIDER, "  credential: {api_key: \"${env:KEY}\"}");
    let one = [("KEY", "sk-ant-api03-first-0123456789")];
    assert_eq!(operator.applied(&secret, &one).await["updated"], 1);
    assert_eq!(operator.applied(&secret, &one).await["revision"], 0);
    assert_eq!(operator.applied(PROVIDER, &[]).await["revision"], 0);
    let hint = operator.json("provider get main").await["credential_hint"].clone();
    assert_eq!(hint, "sk-ant-a****6789");
    let other = operator
        .applied(&secret, &[("KEY", "sk-ant-api03-other-9876543210")])
        .await;
    assert_eq!(other["updated"], 1);
    let shown = other.to_string();
    assert!(
        shown.contains("credential_version") && !shown.contains("9876543210"),
        "{shown}"
    );
}

#[tokio::test]
async fn g04_a_keys_secret_is_set_once_and_replaced_only_when_asked() {
    let operator = Operator::start().await;
    let text = [USER, &key("laptop", "  secret: ${env:KEY}\n")].join("---\n");
    let one = [("KEY", "first-secret-of-the-laptop")];
    operator.applied(&text, &one).await;
    assert_eq!(operator.applied(&text, &one).await["revision"], 0);
    let other = [("KEY", "other-secret-of-the-laptop")];
    let refused = operator.on("apply", &text, &other).await;
    assert!(refused.stderr.contains("--replace-key-secrets"), "{refused:?}");
    let replaced = operator.on("apply --replace-key-secrets", &text, &other).await;
    assert_eq!(replaced.code, Some(0), "{replaced:?}");
    let found = operator
        .pipe("key find --secret - -o json", "other-secret-of-the-laptop")
        .await;
    assert!(found.stdout.contains("laptop"), "{found:?}");
    operator.ok("key rotate alice/laptop --overlap 1h").await;
    let former = operator.on("apply --replace-key-secrets", &text, &other).await;
    assert!(former.stderr.contains("does not come back"), "{former:?}");
}

#[tokio::test]
async fn g04_a_generated_secret_is_shown_once_and_works() {
    let operator = Operator::start().await;
    let text = [USER, &key("laptop", "  generate: true\n")].join("---\n");
    let dry = operator.on("apply --dry-run -o json", &text, &[]).await;
    assert!(dry.stdout.contains("\"generated\": []"), "{dry:?}");
    let made = operator.applied(&text, &[]).await;
    let secret = made["generated"][0]["secret"].as_str().unwrap();
    let found = operator.pipe("key find --secret - -o json", secret).await;
    assert!(found.stdout.contains("\"valid\""), "{found:?}");
    assert_eq!(
        operator.applied(&text, &[]).await["generated"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn g04_pruning_is_asked_for_listed_and_confirmed() {
    let operator = Operator::start().await;
    let bob = USER.replace("alice", "bob");
    operator.applied(&[PROVIDER, USER, &bob].join("---\n"), &[]).await;
    operator.ok("key create --user bob --name phone").await;
    assert_eq!(operator.applied(USER, &[]).await["deleted"], 0);
    let blocked = operator.on("apply --prune --yes", USER, &[]).await;
    assert!(
        blocked
            .stderr
            .contains("user \"bob\": cannot go while it has keys: bob/phone"),
        "{blocked:?}"
    );
    let listed = operator.on("apply --prune --kinds user,key", USER, &[]).await;
    assert_eq!(listed.code, Some(1));
    assert!(
        listed.stderr.contains("- key \"bob/phone\"") && listed.stderr.contains("--yes"),
        "{listed:?}"
    );
    let told = operator.on("diff --prune --kinds user,key", USER, &[]).await;
    assert_eq!(told.stdout, "- key \"bob/phone\"\n- user \"bob\"\n");
    let done = operator
        .on("apply --prune --kinds user,key --yes", USER, &[])
        .await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let users = operator.json("user list").await;
    assert_eq!(users["items"].as_array().unwrap().len(), 1);
    assert_eq!(operator.json("provider list").await["items"][0]["name"], "main");
}

#[tokio::test]
async fn g01_an_apply_on_another_revision_than_the_expected_is_refused() {
    let operator = Operator::start().await;
    let head = operator.head().await;
    operator.applied(USER, &[]).await;
    let late = operator
        .on(&format!("apply --expected-revision {head}"), PROVIDER, &[])
        .await;
    assert!(
        late.code == Some(1) && late.stderr.contains("config diff"),
        "{late:?}"
    );
    let on_time = operator
        .on(&format!("apply --expected-revision {}", head + 1), PROVIDER, &[])
        .await;
    assert_eq!(on_time.code, Some(0), "{on_time:?}");
}

#[tokio::test]
async fn g01_the_history_of_one_resource_and_what_it_was_then() {
    let operator = Operator::start().await;
    operator.applied(&[USER, PROVIDER].join("---\n"), &[]).await;
    let then = operator.head().await;
    operator.applied(&with(PROVIDER, "  priority: 7"), &[]).await;
    operator.ok("user update alice --tag x").await;
    let of_main = operator
        .json("config history --resource provider/main --actor admin")
        .await;
    assert_eq!(of_main["items"].as_array().unwrap().len(), 2);
    let nobody = operator.json("config history --actor nobody").await;
    assert_eq!(nobody["items"], serde_json::json!([]));
    let diff = operator
        .ok(&format!("config diff {then} --resource provider/main"))
        .await;
    assert!(
        diff.contains("priority: 0 -> 7") && !diff.contains("alice"),
        "{diff}"
    );
    let was = operator
        .json(&format!("config show {then} --resource provider/main"))
        .await;
    assert_eq!(was["after"]["priority"], 0);
    let table = operator.ok("config show -1 --resource provider/main").await;
    assert!(table.contains("    priority: 7"), "{table}");
    let none = operator
        .fails(&format!("config show {then} --resource provider/other"), 1)
        .await;
    assert!(none.contains("there was no provider/other"), "{none}");
}

#[tokio::test]
async fn g04_the_schema_is_printed_without_a_server() {
    let operator = Operator::start().await;
    let schema: Value = serde_json::from_str(&operator.ok("schema").await).unwrap();
    assert_eq!(schema["title"], "Penstock configuration");
}
