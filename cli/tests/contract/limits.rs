//! Limits: as flags, as they are shown, and the switch for all of them.

use serde_json::{Value, json};

use super::operator::Operator;

#[tokio::test]
async fn d01_limits_are_given_changed_and_taken_away_by_flags() {
    let operator = Operator::start().await;
    let line = "user create --name alice --rpm 10 --usd-5h 1.50 --usd-daily 5 --daily-reset 08:00 --zone Asia/Shanghai \
                --budget strict --session-idle 2m";
    let made = operator.json(line).await;
    let expected = json!({
        "rpm": 10, "usd_5h": "1.5", "usd_5h_nanousd": 1_500_000_000, "usd_daily": "5",
        "usd_daily_nanousd": 5_000_000_000_u64, "budget": "strict", "daily_reset": "08:00",
        "zone": "Asia/Shanghai", "session_idle_s": 120,
    });
    assert_eq!(made["limits"], expected);
    let line = "user update alice --rpm 0 --usd-5h 0 --usd-daily 6.25 --daily-reset rolling --zone UTC --budget soft \
                --session-idle default --concurrent-sessions 3";
    operator.ok(line).await;
    let changed = operator.json("user get alice").await;
    let expected = json!({
        "concurrent_sessions": 3, "usd_daily": "6.25", "usd_daily_nanousd": 6_250_000_000_u64,
        "daily_reset": "rolling",
    });
    assert_eq!(changed["limits"], expected);
    operator.ok("user update alice --tag x").await;
    let kept = operator.json("user get alice").await;
    assert_eq!(kept["limits"], expected);
    let yaml = operator.ok("user get alice -o yaml").await;
    let yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(yaml, kept);
    let table = operator.ok("user get alice").await;
    assert!(
        table.contains("concurrent_sessions 3, usd_daily 6.25 USD, a day is any 24 h"),
        "{table}"
    );
}

#[tokio::test]
async fn d01_keys_and_providers_have_limits_of_their_own() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice --rpm 10").await;
    let made = operator
        .json("key create --user alice --name laptop --tpm 20000 --usd-total 100")
        .await;
    let expected = json!({"tpm": 20000, "usd_total": "100", "usd_total_nanousd": 100_000_000_000_u64});
    assert_eq!(made["limits"], expected);
    let changed = operator
        .json("key update laptop --usd-total 0 --concurrent-requests 4")
        .await;
    assert_eq!(changed["limits"], json!({"tpm": 20000, "concurrent_requests": 4}));
    let keys = operator.ok("key list").await;
    assert!(keys.contains("concurrent_requests 4, tpm 20000"), "{keys}");
    let create = "provider create --name main --kind anthropic --usd-monthly 500 --rpm 60 --api-key -";
    operator.pipe(create, "sk-0123456789").await;
    operator.ok("provider update main --rpm 0").await;
    let provider = operator.json("provider get main").await;
    assert_eq!(provider["limits"]["usd_monthly"], "500");
    assert_eq!(provider["limits"]["rpm"], Value::Null);
    operator.ok("provider disable main").await;
    assert_eq!(
        operator.json("provider get main").await["limits"],
        provider["limits"]
    );
}

#[tokio::test]
async fn d01_a_zone_that_is_none_is_named_with_examples() {
    let operator = Operator::start().await;
    let refused = operator
        .fails("user create --name alice --usd-daily 5 --zone Asia/Shangai", 1)
        .await;
    assert_eq!(
        refused,
        "error: spec.limits.zone: \"Asia/Shangai\" is not an IANA time zone, such as Europe/Berlin or Asia/Shanghai\n"
    );
    let refused = operator
        .fails("user create --name alice --usd-daily 10000000", 1)
        .await;
    assert!(
        refused.contains("spec.limits.usd_daily: 10000000 USD is not between 0"),
        "{refused}"
    );
}

#[tokio::test]
async fn g01_the_history_and_a_rollback_know_limits() {
    let operator = Operator::start().await;
    operator.ok("user create --name alice --rpm 10").await;
    operator.ok("user update alice --rpm 20 --usd-5h 1").await;
    let diff = operator.ok("config diff -1").await;
    assert!(diff.contains("limits.rpm: 10 -> 20"), "{diff}");
    assert!(diff.contains("limits.usd_5h: null -> 1000000000"), "{diff}");
    operator.ok("config rollback --to -1").await;
    assert_eq!(
        operator.json("user get alice").await["limits"],
        json!({"rpm": 10})
    );
}

#[tokio::test]
async fn d08_limits_are_switched_off_for_a_while_and_status_warns() {
    let operator = Operator::start().await;
    assert!(!operator.ok("status").await.contains("WARNING"));
    let done = operator
        .ok("setting set limits --off --for 2h --degraded closed --reason incident")
        .await;
    assert!(done.starts_with("set limits: OFF until 2"), "{done}");
    let status = operator.json("status").await;
    assert_eq!(status["limits_off"], true);
    assert!(status["limits_off_until"].is_string());
    assert!(
        operator
            .ok("status")
            .await
            .starts_with("WARNING: limits are switched off until 2")
    );
    operator.ok("setting set limits --quota-status 402").await;
    let setting = limits_setting(&operator).await;
    assert_eq!(
        (&setting["enabled"], &setting["enforced"], &setting["degraded"]),
        (&false.into(), &false.into(), &"closed".into())
    );
    assert_eq!(
        (&setting["quota_status"], setting["off_until"].is_string()),
        (&402.into(), true)
    );
    operator.ok("setting set limits --enabled").await;
    assert_eq!(operator.json("status").await["limits_off"], false);
    assert_eq!(
        limits_setting(&operator).await,
        json!({"enabled": true, "off_until": null, "enforced": true, "degraded": "closed", "quota_status": 402})
    );
}

#[tokio::test]
async fn d08_an_end_without_switching_off_is_wrong_usage() {
    let operator = Operator::start().await;
    operator.fails("setting set limits", 2).await;
    let refused = operator.fails("setting set limits --for 2h", 2).await;
    assert!(refused.contains("give --off with them"), "{refused}");
    let refused = operator.fails("setting set limits --quota-status 418", 1).await;
    assert_eq!(
        refused,
        "error: setting.limits.quota_status: 418 is neither 429 nor 402\n"
    );
}

async fn limits_setting(operator: &Operator) -> Value {
    let list = operator.json("setting list").await;
    let mut items = list["items"].as_array().unwrap().iter();
    items.find(|item| item["name"] == "limits").unwrap()["value"].clone()
}
