//! Commands that succeed.

use super::operator::Operator;

const CREATE: &str = "provider create --name main --kind anthropic --base-url http://127.0.0.1:9 --api-key -";

#[tokio::test]
async fn g06_a_provider_is_made_changed_switched_and_deleted() {
    let operator = Operator::start().await;
    let made = operator
        .pipe(&format!("{CREATE} -o json"), "  sk-ant-api03-secret-0123456789\n")
        .await;
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(!made.stdout.contains("secret"), "{}", made.stdout);
    let updated = operator
        .json("provider update main --priority 3 --group fast --group cheap --cost-multiplier 1.25")
        .await;
    assert_eq!(
        (&updated["priority"], &updated["cost_multiplier"]),
        (&3.into(), &"1.25".into())
    );
    assert_eq!(updated["groups"], serde_json::json!(["fast", "cheap"]));
    assert_eq!(updated["credential_hint"], "sk-ant-a****6789");
    operator.ok("provider disable main --reason broken").await;
    assert_eq!(operator.json("provider get main").await["enabled"], false);
    operator.ok("provider enable main").await;
    let emptied = operator.json("provider update main --group ''").await;
    assert_eq!(
        (&emptied["enabled"], &emptied["groups"]),
        (&true.into(), &serde_json::json!([]))
    );
    operator.ok("provider delete main").await;
    assert_eq!(
        operator.json("provider list").await["items"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn lists_are_objects_with_items_in_json_and_yaml() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice --tag team-a").await;
    let json = operator.json("user list").await;
    assert_eq!(json["items"][0]["name"], "alice");
    let yaml = operator.ok("user list -o yaml").await;
    let yaml: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(yaml, json);
    let table = operator.ok("user list").await;
    assert!(table.starts_with("NAME"), "{table}");
    assert!(table.contains("team-a"));
}

#[tokio::test]
async fn e06_usage_has_totals_and_items() {
    let operator = Operator::start().await;
    let usage = operator.json("usage --since 7d --by user").await;
    for field in [
        "requests",
        "rejected",
        "input_tokens",
        "output_tokens",
        "cost_nanousd",
    ] {
        assert_eq!(usage[field], 0, "{field}");
        assert_eq!(usage["totals"][field], 0, "{field}");
    }
    assert_eq!(
        (&usage["cost_usd"], &usage["items"]),
        (&"0".into(), &serde_json::json!([]))
    );
    assert_eq!(
        operator.json("usage records").await["items"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn g01_history_diff_and_rollback_tell_one_story() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice --reason hired").await;
    let history = operator.json("config history").await;
    assert_eq!(history["items"][0]["reason"], "hired");
    operator.ok("user update alice --tag left").await;
    let diff = operator.ok("config diff -1").await;
    assert!(diff.contains("access.tags: [] -> [\"left\"]"), "{diff}");
    let dry = operator.json("config rollback -1 --dry-run").await;
    assert_eq!((&dry["revision"], &dry["dry_run"]), (&0.into(), &true.into()));
    let done = operator.json("config rollback --to -1").await;
    assert_eq!(
        done["revision"].as_u64(),
        history["head"].as_u64().map(|head| head + 2)
    );
    let shown = operator.json("config show -1").await;
    assert_eq!(shown["changes"][0]["label"], "user \"alice\"");
}

#[tokio::test]
async fn settings_are_set_and_reset() {
    let operator = Operator::start().await;
    operator.ok("setting set unpriced reject").await;
    operator.ok("setting set explain_refusals true").await;
    assert_eq!(setting(&operator, "explain_refusals").await, true);
    assert_eq!(setting(&operator, "unpriced").await["action"], "reject");
    operator.ok("setting reset unpriced").await;
    let reset = setting(&operator, "unpriced").await;
    assert_eq!(reset["action"], "charge_default");
}

#[tokio::test]
async fn b14_routing_and_fallbacks_are_set_shown_and_reset() {
    let operator = Operator::start().await;
    operator
        .ok("setting set routing --max-providers 3 --sticky 5m")
        .await;
    operator.ok("setting set routing --return-to-better-tier").await;
    let routing = setting(&operator, "routing").await;
    assert_eq!(
        (&routing["max_providers"], &routing["sticky_ttl_ms"]),
        (&3.into(), &300_000.into())
    );
    assert_eq!(routing["return_to_better_tier"], true);
    operator
        .ok("setting set model_fallbacks claude-opus-*=claude-sonnet-5,claude-haiku-5 gpt-5=gpt-5-mini")
        .await;
    assert_eq!(
        setting(&operator, "model_fallbacks").await,
        serde_json::json!([
            "prefix:claude-opus-=claude-sonnet-5,claude-haiku-5",
            "gpt-5=gpt-5-mini"
        ])
    );
    operator.ok("setting reset model_fallbacks").await;
    assert_eq!(setting(&operator, "model_fallbacks").await, serde_json::json!([]));
}

#[tokio::test]
async fn b01_every_field_of_a_provider_is_set_and_shown() {
    let operator = Operator::start().await;
    operator.pipe(CREATE, "sk-0123456789").await;
    operator
        .pipe(
            "provider update main --proxy socks5h://me@127.0.0.1:1080 --proxy-password - --fallback-to-direct --keep-credential",
            "hunter2",
        )
        .await;
    operator
        .ok("provider update main --redirect claude-*=mine --active-hours 22:00-06:00 --breaker-failures 3 --probe 5m")
        .await;
    let shown = operator.json("provider get main").await;
    assert_eq!(shown["redirects"], serde_json::json!(["prefix:claude-=mine"]));
    assert_eq!(shown["active_hours"], "22:00-06:00 UTC");
    assert_eq!(
        (&shown["breaker"]["failures"], &shown["probe_interval_ms"]),
        (&3.into(), &300_000.into())
    );
    assert_eq!(shown["outbound"]["proxy"], "socks5h://me@127.0.0.1:1080");
    assert_eq!(shown["outbound"]["has_proxy_password"], true);
    assert!(!shown.to_string().contains("hunter2"));
    operator
        .ok("provider update main --proxy socks5h://me@127.0.0.2:1080 --keep-credential")
        .await;
    let moved = operator.json("provider get main").await;
    assert_eq!(moved["outbound"]["has_proxy_password"], false);
}

async fn setting(operator: &Operator, name: &str) -> serde_json::Value {
    let list = operator.json("setting list").await;
    let mut items = list["items"].as_array().unwrap().iter();
    items.find(|item| item["name"] == name).unwrap()["value"].clone()
}

#[tokio::test]
async fn e04_a_manual_price_is_resolved() {
    let operator = Operator::start().await;
    operator.pipe(CREATE, "sk-0123456789").await;
    operator
        .ok("price create --name main/m --rate input=3 --rate output=15 --platform anthropic")
        .await;
    let resolved = operator.json("price resolve m --provider main").await;
    assert_eq!(resolved["price"]["rates"][0]["pico_usd"], 3_000_000);
    assert!(
        resolved["rule"].as_str().unwrap().starts_with("provider"),
        "{resolved}"
    );
}

#[tokio::test]
async fn g06_status_and_nodes_answer_on_an_empty_installation() {
    let operator = Operator::start().await;
    let status = operator.json("status").await;
    assert_eq!(
        (&status["database"], &status["database_ok"]),
        (&"sqlite".into(), &true.into())
    );
    let nodes = operator.json("node list").await;
    assert_eq!(
        (&nodes["items"], &nodes["head"]),
        (&serde_json::json!([]), &status["head"])
    );
}

#[tokio::test]
async fn g15_migrations_are_listed_without_a_control_plane() {
    let operator = Operator::start().await;
    let url = format!("sqlite:{}", operator.home.path().join("other.db").display());
    let applied = operator.json(&format!("migrate up --database-url {url}")).await;
    assert_eq!(applied["items"][0]["state"], "applied");
    let again = operator
        .json(&format!("migrate status --database-url {url}"))
        .await;
    let states = again["items"]
        .as_array()
        .unwrap()
        .iter()
        .all(|item| item["state"] == "applied");
    assert!(states, "{again}");
}

#[tokio::test]
async fn completions_need_no_server() {
    let home = tempfile::tempdir().unwrap();
    let ended = super::operator::run("completions bash", "", &home, &[]).await;
    assert!(
        ended.code == Some(0) && ended.stdout.contains("_penstock"),
        "{}",
        ended.stderr
    );
}
