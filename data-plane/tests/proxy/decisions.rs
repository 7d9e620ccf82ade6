//! Each record tells why the call went where it went; a dry run tells it before (B12).

use penstock_core::dialect::Dialect;
use penstock_core::failure::Class;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::provider::Provider;
use penstock_core::route::Verdict;
use penstock_core::session::SessionSource;
use penstock_core::setting::{ModelFallback, Setting};
use penstock_core::usage::decision::{Affinity, AttemptEnd, Decision};
use penstock_data_plane::proxy::{Plan, Question, plan};
use penstock_fake_provider::{Behaviour, FakeProvider};

use super::client::messages;
use super::gateway::{CLAUDE, Gateway, Setup, anthropic, key_id, openai, provider_id, user_id};

async fn fake(behaviour: Behaviour) -> FakeProvider {
    FakeProvider::builder()
        .default_behaviour(behaviour)
        .start()
        .await
        .unwrap()
}

fn named(fake: &FakeProvider, name: &str, priority: u32) -> Provider {
    Provider {
        name: name.to_owned(),
        priority,
        ..anthropic(fake)
    }
}

async fn decision(gateway: &Gateway, records: usize) -> Decision {
    let ledger = gateway.records(records).await;
    *ledger.records[records - 1].decision.clone().unwrap()
}

fn verdicts(decision: &Decision) -> Vec<Verdict> {
    decision
        .candidates
        .iter()
        .map(|candidate| candidate.verdict)
        .collect()
}

async fn dry_run(gateway: &Gateway, model: &str, session: Option<&str>) -> Plan {
    let question = Question {
        user: user_id(),
        key: Some(key_id(0)),
        dialect: Dialect::Anthropic,
        model: model.to_owned(),
        session: session.map(str::to_owned),
    };
    plan(&gateway.app, &question).await.unwrap()
}

/// Of the n-th model: verdict and share of each provider.
fn planned(plan: &Plan, n: usize) -> Vec<(Verdict, u32)> {
    let providers = plan.models[n].providers.iter();
    providers
        .map(|provider| (provider.verdict, provider.share))
        .collect()
}

#[tokio::test]
async fn b05_a_call_that_moved_on_tells_each_attempt_and_who_could_not_serve_it() {
    let (bad, good) = (
        fake(Behaviour::status(529)).await,
        fake(Behaviour::default()).await,
    );
    let off = Provider {
        enabled: false,
        ..named(&good, "off", 2)
    };
    let providers = [named(&bad, "bad", 0), named(&good, "good", 1), off];
    let gateway = Setup::of(providers).start().await;
    let asking = gateway.client().messages(&messages("hi", false));
    let answer = asking.header("x-claude-code-session-id", "s1").send().await;
    assert_eq!(answer.status, 200);
    let told = decision(&gateway, 1).await;
    assert_eq!(told.session_source, Some(SessionSource::ClaudeCodeHeader));
    assert_eq!(told.affinity, Some(Affinity::New));
    assert_eq!(
        verdicts(&told),
        [Verdict::Candidate, Verdict::Candidate, Verdict::Disabled]
    );
    let ends: Vec<_> = told
        .attempts
        .iter()
        .map(|attempt| (attempt.provider_id, attempt.end, attempt.class))
        .collect();
    let overloaded = (provider_id(0), AttemptEnd::Answered(529), Some(Class::Overloaded));
    let answered = (provider_id(1), AttemptEnd::Answered(200), None);
    assert_eq!(ends, [overloaded, overloaded, answered]);
    assert!(
        told.attempts
            .iter()
            .all(|attempt| attempt.upstream_request_id.is_some())
    );
    assert!(told.attempts[0].rule.is_some() && told.attempts[2].rule.is_none());
    let phases = told.phases;
    let ends = [
        phases.body_us,
        phases.admitted_us,
        phases.routed_us,
        phases.first_byte_us,
        Some(phases.total_us),
    ];
    assert!(ends.iter().all(Option::is_some) && ends.is_sorted(), "{phases:?}");

    // The same session again: it is bound now, and the first provider rests.
    let asking = gateway.client().messages(&messages("hi", false));
    asking.header("x-claude-code-session-id", "s1").send().await;
    let told = decision(&gateway, 2).await;
    assert_eq!(told.affinity, Some(Affinity::Hit));
    assert!(matches!(verdicts(&told)[0], Verdict::CoolingDown(_)), "{told:?}");
    gateway.stop().await;
}

#[tokio::test]
async fn when_nobody_is_left_the_record_tells_how_they_stood_then() {
    let bad = fake(Behaviour::status(429)).await;
    let providers = [named(&bad, "bad", 0), named(&bad, "worse", 1)];
    let gateway = Setup::of(providers).start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, 429);
    let told = decision(&gateway, 1).await;
    assert_eq!(verdicts(&told), [Verdict::Candidate, Verdict::Candidate]);
    let at_end = told.candidates[0].at_end;
    assert!(matches!(at_end, Some(Verdict::CoolingDown(_))), "{told:?}");
    assert_eq!(told.affinity, None);
    gateway.stop().await;
}

#[tokio::test]
async fn a_call_that_is_refused_before_a_choice_tells_its_time_and_no_more() {
    let good = fake(Behaviour::default()).await;
    let mut setup = Setup::of([named(&good, "good", 0)]);
    setup.user.blocked_models = vec![penstock_core::model::ModelPattern::Exact(CLAUDE.into())];
    let gateway = setup.start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, 403);
    let told = decision(&gateway, 1).await;
    assert!(told.candidates.is_empty() && told.attempts.is_empty());
    assert!(told.phases.body_us.is_some() && told.phases.routed_us.is_none());
    gateway.stop().await;
}

#[tokio::test]
async fn b12_a_dry_run_sends_and_counts_nothing_and_says_what_would_be() {
    let good = fake(Behaviour::default()).await;
    let limits = Limits {
        rpm: 1,
        ..Limits::default()
    };
    let full = Provider {
        limits: limits.shared(),
        ..named(&good, "full", 0)
    };
    let [light, heavy] = [("light", 1), ("heavy", 3)].map(|(name, weight)| Provider {
        weight,
        ..named(&good, name, 1)
    });
    let mut setup = Setup::of([full, light, heavy, openai(&good)]);
    let substitute = ModelFallback {
        model: penstock_core::model::ModelPattern::Exact("unknown".into()),
        substitutes: vec![CLAUDE.to_owned()],
    };
    setup.settings = vec![Setting::ModelFallbacks(vec![substitute])];
    let gateway = setup.start().await;
    let before = dry_run(&gateway, CLAUDE, None).await;
    assert_eq!(planned(&before, 0)[0], (Verdict::Candidate, 1_000_000));
    assert_eq!(before.refusal, None);

    let asking = gateway.client().messages(&messages("hi", false));
    asking.header("x-claude-code-session-id", "s1").send().await;
    assert_eq!(good.request_count(), 1);
    for _ in 0..3 {
        let after = dry_run(&gateway, CLAUDE, None).await;
        assert_eq!(
            planned(&after, 0),
            [
                (Verdict::Full(Dimension::Rpm), 0),
                (Verdict::OtherDialect, 0),
                (Verdict::Candidate, 750_000),
                (Verdict::Candidate, 250_000),
            ]
        );
    }
    let bound = dry_run(&gateway, CLAUDE, Some("s1")).await;
    assert_eq!(bound.bound, Some(provider_id(0)));
    let other = dry_run(&gateway, "unknown", None).await;
    assert_eq!(other.models.len(), 2);
    assert_eq!(other.models[1].model, CLAUDE);
    assert_eq!(good.request_count(), 1, "nothing was sent");
    assert_eq!(gateway.records(1).await.records.len(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn b12_a_dry_run_says_with_which_words_the_caller_would_be_refused() {
    let good = fake(Behaviour::default()).await;
    let off = Provider {
        enabled: false,
        ..named(&good, "off", 0)
    };
    let of_others = Provider {
        groups: vec!["others".to_owned()],
        ..named(&good, "of-others", 0)
    };
    for provider in [off, of_others] {
        let mut setup = Setup::of([provider]);
        setup.user.groups = vec!["mine".to_owned()];
        let gateway = setup.start().await;
        let answer = gateway.client().messages(&messages("hi", false)).send().await;
        let refusal = dry_run(&gateway, CLAUDE, None).await.refusal.unwrap();
        assert_eq!(answer.message().await, refusal.message);
        gateway.stop().await;
    }
}
