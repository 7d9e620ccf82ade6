//! Testing a provider, as the wire asks for it.

use std::time::Duration;

use penstock_proto::sync::v1 as wire;

use crate::app::App;
use crate::probe::{Check, Question, Report};

/// For the answer to find its way, beyond the test's own time.
const WAY: Duration = Duration::from_millis(500);
const LONGEST_MS: u32 = 120_000;

pub(super) fn patience(test: &wire::TestProvider) -> Duration {
    timeout(test) + WAY
}

fn timeout(test: &wire::TestProvider) -> Duration {
    Duration::from_millis(test.timeout_ms.min(LONGEST_MS).into())
}

pub(super) async fn test(app: &App, test: wire::TestProvider) -> Result<wire::ProviderTest, String> {
    let question = Question {
        provider: test
            .provider_id
            .parse()
            .map_err(|_| "test_provider.provider_id is not an id".to_owned())?,
        timeout: timeout(&test),
        free: test.free,
        model: (!test.model.is_empty()).then_some(test.model),
    };
    let report = app.probes.test(question).await;
    report.map(to_wire).map_err(|error| error.to_string())
}

fn to_wire(report: Report) -> wire::ProviderTest {
    wire::ProviderTest {
        reachable: Some(check(report.reachable)),
        credential: Some(check(report.credential)),
        model: Some(check(report.model)),
        asked_model: report.asked_model,
    }
}

fn check(check: Check) -> wire::Check {
    let (outcome, took, error, advice) = match check {
        Check::Passed(took) => (wire::CheckOutcome::Passed, took, String::new(), ""),
        Check::Failed { error, advice } => (wire::CheckOutcome::Failed, Duration::ZERO, error, advice),
        Check::Skipped(why) => (wire::CheckOutcome::Skipped, Duration::ZERO, why.to_owned(), ""),
    };
    wire::Check {
        outcome: outcome.into(),
        took_ms: crate::clock::whole_ms(took),
        error,
        advice: advice.to_owned(),
    }
}
