//! The ledger as operators ask it.

use penstock_control_plane::store::Delivered;
use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::route::Verdict;
use penstock_core::time::UnixMs;
use penstock_core::usage::decision::{Candidate, Decision};
use penstock_core::usage::{Outcome, TokenUsage, UsageRecord};
use uuid::Uuid;

use super::*;

struct Calls {
    user: UserId,
    key: KeyId,
    provider: ProviderId,
    at: UnixMs,
}

impl Calls {
    /// A user, a key and a provider that exist.
    async fn of(operator: &Operator) -> Self {
        let user = operator.create_user("alice").await.id.parse().unwrap();
        let key = operator
            .create_key("alice", "laptop")
            .await
            .key
            .unwrap()
            .id
            .parse()
            .unwrap();
        let provider = operator.create_provider("main", None).await.id.parse().unwrap();
        let at = penstock_control_plane::clock::now();
        Self {
            user,
            key,
            provider,
            at,
        }
    }

    fn record(&self, n: u8, outcome: Outcome) -> UsageRecord {
        let answered = outcome.answered();
        UsageRecord {
            admitted_at: None,
            id: RequestId::from_parts(u64::try_from(self.at.0).unwrap(), &[n; 10]),
            started_at: self.at,
            user_id: self.user,
            key_id: self.key,
            provider_id: answered.then_some(self.provider),
            dialect: "anthropic".into(),
            model: "claude-opus-4-8".into(),
            model_served: "claude-opus-4-8".into(),
            stream: false,
            status: if answered { 200 } else { 403 },
            outcome,
            code: None,
            tokens: TokenUsage {
                input: if answered { 100 } else { 0 },
                output: if answered { 50 } else { 0 },
                ..TokenUsage::default()
            },
            estimated: false,
            cost: NanoUsd(if answered { 6_500_000 } else { 0 }),
            price: None,
            cost_multiplier: Millionths::ONE,
            duration_ms: 10,
            first_byte_ms: None,
            attempts: 1,
            session: None,
            revision: 1,
            node_id: "n".into(),
            upstream_request_id: None,
            unpriced: None,
            decision: None,
        }
    }
}

async fn summarize(
    operator: &Operator,
    filter: wire::UsageFilter,
    by: wire::UsageGrouping,
) -> Result<wire::SummarizeUsageResponse, Status> {
    let request = wire::SummarizeUsageRequest {
        filter: Some(filter),
        group_by: by.into(),
        ..wire::SummarizeUsageRequest::default()
    };
    Ok(operator
        .usage_service()
        .summarize_usage(request)
        .await?
        .into_inner())
}

fn since_yesterday(calls: &Calls) -> wire::UsageFilter {
    wire::UsageFilter {
        from_ms: calls.at.0 - 86_400_000,
        ..wire::UsageFilter::default()
    }
}

#[tokio::test]
async fn e06_answered_calls_are_requests_and_the_others_are_counted_apart() {
    let operator = Operator::start().await;
    let calls = Calls::of(&operator).await;
    let records = [
        calls.record(1, Outcome::Succeeded),
        calls.record(2, Outcome::ClientAbort),
        calls.record(3, Outcome::Rejected),
    ];
    operator
        .store()
        .await
        .ingest_usage(&records, delivered())
        .await
        .unwrap();
    let summary = summarize(
        &operator,
        since_yesterday(&calls),
        wire::UsageGrouping::Unspecified,
    )
    .await
    .unwrap();
    let totals = summary.totals.unwrap();
    assert_eq!(
        (totals.requests, totals.rejected, totals.input_tokens),
        (2, 1, 200)
    );
    assert_eq!(totals.cost_nanousd, 13_000_000);
    assert!(summary.groups.is_empty());
    assert_eq!(summary.from_ms % 3_600_000, 0, "spans are whole hours");
}

#[tokio::test]
async fn e06_groups_and_filters_go_by_name() {
    let operator = Operator::start().await;
    let calls = Calls::of(&operator).await;
    let records = [
        calls.record(1, Outcome::Succeeded),
        calls.record(2, Outcome::Rejected),
    ];
    operator
        .store()
        .await
        .ingest_usage(&records, delivered())
        .await
        .unwrap();
    let by_key = summarize(&operator, since_yesterday(&calls), wire::UsageGrouping::Key)
        .await
        .unwrap();
    assert_eq!(by_key.groups[0].id, calls.key.to_string());
    for (user, key, provider) in [("alice", "", ""), ("", "alice/laptop", ""), ("", "", "main")] {
        let filter = wire::UsageFilter {
            user: user.into(),
            key: key.into(),
            provider: provider.into(),
            ..since_yesterday(&calls)
        };
        let found = summarize(&operator, filter, wire::UsageGrouping::Unspecified)
            .await
            .unwrap();
        assert_eq!(found.totals.unwrap().requests, 1, "{user} {key} {provider}");
    }
    let unknown = wire::UsageFilter {
        user: "nobody".into(),
        ..since_yesterday(&calls)
    };
    let status = summarize(&operator, unknown, wire::UsageGrouping::Unspecified)
        .await
        .unwrap_err();
    assert_eq!(status.message(), "user \"nobody\" does not exist");
}

#[tokio::test]
async fn e06_the_ledger_outlives_what_it_counts() {
    let operator = Operator::start().await;
    let calls = Calls::of(&operator).await;
    operator
        .store()
        .await
        .ingest_usage(&[calls.record(1, Outcome::Succeeded)], delivered())
        .await
        .unwrap();
    let request = wire::DeleteUserRequest {
        user: "alice".into(),
        expected_version: 0,
        change: None,
    };
    operator.user_service().delete_user(request).await.unwrap();
    let filter = wire::UsageFilter {
        user: calls.user.to_string(),
        ..since_yesterday(&calls)
    };
    let found = summarize(&operator, filter, wire::UsageGrouping::User)
        .await
        .unwrap();
    assert_eq!(found.totals.unwrap().requests, 1);
    assert_eq!(found.groups[0].id, calls.user.to_string());
}

#[tokio::test]
async fn e06_single_records_come_newest_first_and_page_by_page() {
    let operator = Operator::start().await;
    let calls = Calls::of(&operator).await;
    let records: Vec<_> = (1..=3).map(|n| calls.record(n, Outcome::Succeeded)).collect();
    operator
        .store()
        .await
        .ingest_usage(&records, delivered())
        .await
        .unwrap();
    let list = async |before_id: String| {
        let request = wire::ListUsageRecordsRequest {
            filter: Some(since_yesterday(&calls)),
            limit: 2,
            before_id,
        };
        let answer = operator
            .usage_service()
            .list_usage_records(request)
            .await
            .unwrap();
        answer
            .into_inner()
            .records
            .into_iter()
            .map(|record| record.id)
            .collect::<Vec<_>>()
    };
    let first = list(String::new()).await;
    assert_eq!(first, [records[2].id.to_string(), records[1].id.to_string()]);
    assert_eq!(list(first[1].clone()).await, [records[0].id.to_string()]);
}

#[tokio::test]
async fn e06_a_span_that_ends_before_it_begins_is_refused() {
    let operator = Operator::start().await;
    let filter = wire::UsageFilter {
        from_ms: 10,
        to_ms: 5,
        ..wire::UsageFilter::default()
    };
    let status = summarize(&operator, filter, wire::UsageGrouping::Hour)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

fn delivered() -> Delivered {
    Delivered {
        spool: Uuid::from_u128(1),
        through: 1,
        at: UnixMs(1),
    }
}

#[tokio::test]
async fn g06_a_call_has_the_names_of_all_that_it_mentions_and_its_decision() {
    let operator = Operator::start().await;
    let calls = Calls::of(&operator).await;
    let gone = ProviderId::from_parts(9, &[9; 10]);
    let candidate = |provider_id| Candidate {
        provider_id,
        verdict: Verdict::Candidate,
        at_end: None,
    };
    let decision = Decision {
        candidates: vec![candidate(calls.provider), candidate(gone)],
        ..Decision::default()
    };
    let record = UsageRecord {
        decision: Some(Box::new(decision)),
        ..calls.record(1, Outcome::Succeeded)
    };
    operator
        .store()
        .await
        .ingest_usage(std::slice::from_ref(&record), delivered())
        .await
        .unwrap();
    let get = async |id: String| {
        operator
            .usage_service()
            .get_call(wire::GetCallRequest { id })
            .await
    };
    let call = get(record.id.to_string()).await.unwrap().into_inner();
    assert_eq!(
        (call.user_name.as_str(), call.key_name.as_str()),
        ("alice", "alice/laptop")
    );
    let named = |id: ProviderId| {
        let id = id.to_string();
        let found = call.providers.iter().find(|provider| provider.id == id);
        found.unwrap().name.clone()
    };
    assert_eq!(
        (named(calls.provider), named(gone)),
        ("main".to_owned(), gone.to_string())
    );
    let candidates = call.record.unwrap().decision.unwrap().candidates;
    assert_eq!(candidates.len(), 2);
    assert!(call.cost.unwrap().unknown.contains("nothing was charged"));

    let unknown = RequestId::from_parts(1, &[9; 10]).to_string();
    let missing = get(unknown).await.unwrap_err();
    assert_eq!(missing.code(), tonic::Code::NotFound);
    assert!(missing.message().contains("node list"), "{}", missing.message());
    let word = get("OVERLOADED".to_owned()).await.unwrap_err();
    assert_eq!(word.code(), tonic::Code::InvalidArgument);
}
