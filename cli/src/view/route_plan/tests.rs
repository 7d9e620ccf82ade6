use penstock_core::route::Verdict as Core;
use penstock_core::time::UnixMs;
use penstock_proto::convert::verdict_to_wire;

use super::*;

fn answer() -> wire::PlanRouteResponse {
    let provider = |id: &str, verdict, share_millionths| sync::ProviderPlan {
        provider_id: id.to_owned(),
        verdict: Some(verdict_to_wire(verdict)),
        share_millionths,
        ..sync::ProviderPlan::default()
    };
    let model = |model: &str, providers| sync::ModelPlan {
        model: model.to_owned(),
        providers,
    };
    let named = |id: &str, name: &str| wire::PlannedProvider {
        id: id.to_owned(),
        name: name.to_owned(),
        ..wire::PlannedProvider::default()
    };
    let open = Core::BreakerOpen(Some(UnixMs(1_700_000_000_000)));
    wire::PlanRouteResponse {
        user_name: "alice".to_owned(),
        key_name: "alice/laptop".to_owned(),
        plan: Some(sync::RoutePlan {
            revision: 7,
            models: vec![
                model(
                    "asked",
                    vec![provider("1", open, 0), provider("2", Core::OtherGroup, 0)],
                ),
                model(
                    "other",
                    vec![
                        provider("1", Core::Candidate, 250_000),
                        provider("2", Core::Candidate, 750_000),
                    ],
                ),
            ],
            ..sync::RoutePlan::default()
        }),
        providers: vec![named("1", "main"), named("2", "spare")],
        node_id: "node-1".to_owned(),
    }
}

#[test]
fn b12_every_verdict_stands_there_and_who_would_serve_it() {
    let plan = RoutePlan::read(answer(), Dialect::Anthropic).unwrap();
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["goes_to"][0]["provider"], "spare");
    assert_eq!(json["goes_to"][0]["model"], "other");
    let first = &json["models"][0]["providers"][0];
    assert_eq!(
        (&first["name"], &first["verdict"]),
        (&"main".into(), &"breaker_open".into())
    );
    assert_eq!(first["until"], "2023-11-14T22:13:20Z");
    let table = plan.table();
    for part in [
        "key alice/laptop: goes to spare (75.0 %), main (25.0 %)",
        "has an open circuit breaker until 2023-11-14T22:13:20Z",
        "is in none of the caller's groups",
        "then, when nobody is left, model other:",
        "nothing was sent",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn b12_a_refusal_says_so_and_goes_to_nobody() {
    let mut answer = answer();
    if let Some(plan) = &mut answer.plan {
        (plan.code, plan.message) = ("KEY".to_owned(), "Key is disabled".to_owned());
    }
    let plan = RoutePlan::read(answer, Dialect::Anthropic).unwrap();
    assert!(plan.goes_to.is_empty());
    assert!(plan.table().contains("refused with KEY: Key is disabled"));
}
