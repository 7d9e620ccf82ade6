use penstock_core::failure::Class;
use penstock_core::id::{KeyId, RequestId, UserId};
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::price::TokenClass;
use penstock_core::route::Verdict;
use penstock_core::session::SessionSource;
use penstock_core::time::UnixMs;
use penstock_core::usage::decision::{
    Affinity, Attempt as CoreAttempt, AttemptEnd, Candidate as CoreCandidate, Phases as CorePhases,
};
use penstock_core::usage::{Outcome, TokenUsage, UsageRecord as Core};
use penstock_proto::config::v1::Rate;
use penstock_proto::convert::enums::{service_tier_to_wire, token_class_to_wire};

use super::*;

fn provider(n: u8) -> ProviderId {
    ProviderId::from_parts(1, &[n; 10])
}

fn decision() -> Decision {
    let attempt = |n, end, class: Option<Class>| CoreAttempt {
        provider_id: provider(n),
        substitute: None,
        began_ms: 3,
        took_ms: 40,
        end,
        class,
        rule: class.map(|_| "29".into()),
        upstream_request_id: Some("req_1".into()),
    };
    let candidate = |n, verdict| CoreCandidate {
        provider_id: provider(n),
        verdict,
        at_end: None,
    };
    Decision {
        session_source: Some(SessionSource::Digest),
        affinity: Some(Affinity::Moved),
        candidates: vec![
            candidate(1, Verdict::Candidate),
            candidate(2, Verdict::Candidate),
            candidate(3, Verdict::BreakerOpen(Some(UnixMs(1_700_000_000_000)))),
        ],
        attempts: vec![
            attempt(1, AttemptEnd::Answered(529), Some(Class::Overloaded)),
            attempt(2, AttemptEnd::Answered(200), None),
        ],
        phases: CorePhases {
            body_us: Some(100),
            admitted_us: Some(250),
            routed_us: Some(300),
            first_byte_us: Some(80_000),
            total_us: 90_001,
            overhead_us: Some(400),
        },
    }
}

fn answer(decision: Option<Decision>) -> wire::GetCallResponse {
    let record = Core {
        admitted_at: None,
        id: RequestId::from_parts(1, &[1; 10]),
        started_at: UnixMs(1_700_000_000_000),
        user_id: UserId::from_parts(1, &[1; 10]),
        key_id: KeyId::from_parts(1, &[1; 10]),
        provider_id: Some(provider(2)),
        dialect: "anthropic".into(),
        model: "m".into(),
        model_served: "m2".into(),
        stream: true,
        status: 200,
        outcome: Outcome::Succeeded,
        code: None,
        tokens: TokenUsage {
            input: 1_000,
            ..TokenUsage::default()
        },
        estimated: false,
        cost: NanoUsd(3_750_000),
        price: Some(("m".into(), 3)),
        cost_multiplier: Millionths(1_250_000),
        duration_ms: 90,
        first_byte_ms: Some(80),
        attempts: 2,
        session: Some("abc".into()),
        revision: 7,
        node_id: "n".into(),
        upstream_request_id: None,
        unpriced: None,
        decision: decision.map(Box::new),
    };
    let line = wire::CostLine {
        token_class: token_class_to_wire(TokenClass::Input),
        tokens: 1_000,
        rate: Some(Rate {
            token_class: token_class_to_wire(TokenClass::Input),
            tier: service_tier_to_wire(penstock_core::price::ServiceTier::Standard),
            above_tokens: 0,
            pico_usd: 3_000_000,
        }),
        amount_picousd: 3_000_000_000,
    };
    let names = [(1, "main"), (2, "spare")].map(|(n, name)| wire::ProviderName {
        id: provider(n).to_string(),
        name: name.to_owned(),
    });
    wire::GetCallResponse {
        record: Some(convert::usage_record_to_wire(&record)),
        user_name: "alice".to_owned(),
        key_name: "alice/laptop".to_owned(),
        providers: names.to_vec(),
        cost: Some(wire::CallCost {
            lines: vec![line],
            adds_up: true,
            ..wire::CallCost::default()
        }),
    }
}

fn no_limits() -> LimitsNow {
    LimitsNow::Unknown {
        problem: "no data plane".to_owned(),
    }
}

#[test]
fn a_receipt_tells_who_was_asked_what_it_cost_and_where_the_time_went() {
    let receipt = Receipt::read(answer(Some(decision())), no_limits()).unwrap();
    let table = receipt.table();
    for part in [
        "alice/laptop",
        "m (asked for as m2)",
        "abc (by digest, moved)",
        "has an open circuit breaker until 2023-11-14T22:13:20Z",
        "529  O overloaded  29",
        "3 for a million",
        "x 1.25",
        "0.00375",
        "asking, until the answer began:                79.700 ms",
        "limits now: cannot be read: no data plane",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains("do not make the total"), "{table}");
}

#[test]
fn the_json_has_the_same_for_scripts() {
    let receipt = Receipt::read(answer(Some(decision())), no_limits()).unwrap();
    let json = serde_json::to_value(&receipt).unwrap();
    let first = &json["attempts"][0];
    assert_eq!(
        (&first["provider"], &first["status"], &first["class"]),
        (&"main".into(), &529.into(), &"O".into())
    );
    assert_eq!(json["candidates"][2]["verdict"], "breaker_open");
    assert_eq!(json["provider"], "spare");
    assert_eq!(json["cost"]["lines"][0]["amount_usd"], "0.003");
    assert_eq!(json["phases"]["total_us"], 90_001);
    assert_eq!(json["record"]["attempts"], 2);
    assert_eq!(json["limits_now"]["problem"], "no data plane");
}

#[test]
fn a_record_without_a_decision_is_still_a_receipt() {
    let receipt = Receipt::read(answer(None), no_limits()).unwrap();
    assert!(receipt.table().contains("left no decision record"));
    assert!(receipt.phases.is_none());
}
