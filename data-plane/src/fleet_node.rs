//! This data plane as the fleet sees it: its way to the ledger, its records, its policy.
//!
//! What the last process left in the spool is said to the counters once a configuration is in force: its calls may be
//! held as in flight, or not be counted at all.

use std::sync::{Arc, Weak};
use std::time::Duration;

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::money::NanoUsd;
use penstock_core::setting::Degraded;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_fleet::Node;
use penstock_fleet::account::{Account, SubjectName};
use penstock_fleet::baseline::{Answers, Asking, Question, Span, Spend};
use penstock_fleet::counters::RecordNumber;
use penstock_proto::config::v1::LimitLevel;
use penstock_proto::telemetry::v1 as wire;
use penstock_proto::telemetry::v1::telemetry_service_client::TelemetryServiceClient;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::app::App;
use crate::clock;
use crate::limits;
use crate::link::Link;
use crate::telemetry::spool::Cursor;

/// Records of the last process that are said at once.
const BATCH: usize = 500;
/// Between two looks whether a configuration is in force.
const WAIT: Duration = Duration::from_millis(50);

struct FleetNode {
    /// The fleet is a part of it.
    app: Weak<App>,
    link: Arc<Link>,
    /// Kept between questions.
    channel: Arc<Mutex<Option<Channel>>>,
}

/// This node, to be joined to its fleet.
pub(crate) fn join(app: &Arc<App>, link: &Arc<Link>) -> Arc<dyn Node> {
    Arc::new(FleetNode {
        app: Arc::downgrade(app),
        link: Arc::clone(link),
        channel: Arc::default(),
    })
}

impl Node for FleetNode {
    fn ask_ledger(&self, questions: Vec<Question>) -> Asking {
        let (link, channel) = (Arc::clone(&self.link), Arc::clone(&self.channel));
        Box::pin(async move { ask(&link, &channel, questions).await })
    }

    fn acknowledged(&self) -> u64 {
        let first_waiting = self.app.upgrade().map_or(1, |app| app.spool.first_waiting());
        first_waiting.saturating_sub(1)
    }

    fn degraded(&self) -> Degraded {
        let app = self.app.upgrade();
        app.map(|app| app.live.load().limits().degraded)
            .unwrap_or_default()
    }

    fn random(&self) -> u32 {
        clock::random()
    }
}

async fn ask(
    link: &Link,
    kept: &Mutex<Option<Channel>>,
    questions: Vec<Question>,
) -> Result<Answers, String> {
    let connected = kept.lock().await.clone();
    let channel = match connected {
        Some(channel) => channel,
        None => {
            let channel = link.connect().await.map_err(|error| error.to_string())?;
            *kept.lock().await = Some(channel.clone());
            channel
        }
    };
    let request = wire::BaselineRequest {
        questions: questions.iter().map(question_to_wire).collect(),
    };
    let asked = TelemetryServiceClient::new(channel)
        .baseline(link.sign(request))
        .await;
    match asked {
        Ok(response) => Ok(answers_from_wire(response.into_inner())),
        Err(status) => {
            // Another replica may answer better.
            *kept.lock().await = None;
            Err(format!("{:?}: {}", status.code(), status.message()))
        }
    }
}

fn question_to_wire(question: &Question) -> wire::BaselineQuestion {
    let (level, id) = match (question.subject, question.account) {
        (SubjectName::Key(KeyId(id)), _) => (LimitLevel::Key, id),
        (_, Account::User(UserId(id))) => (LimitLevel::User, id),
        (_, Account::Provider(ProviderId(id))) => (LimitLevel::Provider, id),
    };
    let span = |span: &Span| wire::SpendSpan {
        from_ms: span.from.0,
        by_minute: span.by_minute,
    };
    wire::BaselineQuestion {
        level: level.into(),
        id: id.to_string(),
        spans: question.spans.iter().map(span).collect(),
    }
}

fn answers_from_wire(response: wire::BaselineResponse) -> Answers {
    let spend = |spend: wire::Spend| Spend {
        sum: spend.nanousd,
        minutes: spend
            .minutes
            .iter()
            .map(|minute| (UnixMs(minute.minute_ms), minute.nanousd))
            .collect(),
    };
    let mark = |mark: wire::SpoolMark| {
        let spool = mark.spool_id.parse().ok()?;
        let number = mark.through_sequence;
        Some(RecordNumber { spool, number })
    };
    Answers {
        spends: response
            .answers
            .into_iter()
            .map(|answer| answer.spends.into_iter().map(spend).collect())
            .collect(),
        marks: response.marks.into_iter().filter_map(mark).collect(),
    }
}

/// Says what the last process left, once.
pub(crate) async fn say_waiting(app: Arc<App>, stop: CancellationToken) {
    let last = app.spool.last_number();
    let saying = async {
        while !app.ready.is_set() {
            tokio::time::sleep(WAIT).await;
        }
        let mut cursor = Cursor::at(app.spool.first_waiting());
        loop {
            let spool = Arc::clone(&app.spool);
            let reading = tokio::task::spawn_blocking(move || {
                let batch = spool.read(&mut cursor, BATCH);
                (batch, cursor)
            });
            let Ok((Ok(Some(batch)), next)) = reading.await else {
                return;
            };
            cursor = next;
            if batch.first_number > last {
                return;
            }
            for (number, record) in batch.decoded().take_while(|(number, _)| *number <= last) {
                settle(&app, &record, number);
            }
        }
    };
    stop.run_until_cancelled(saying).await;
}

fn settle(app: &Arc<App>, record: &UsageRecord, number: u64) {
    let used = limits::Used {
        request: record.id,
        admitted_at: record.admitted_at.unwrap_or(record.started_at),
        tokens: limits::counted_tokens(&record.tokens),
        cost: NanoUsd(record.cost.0.max(0)),
        record: Some(RecordNumber {
            spool: app.spool.id(),
            number,
        }),
    };
    limits::settle_user(app, (record.user_id, record.key_id), None, &used);
    if let Some(provider) = record.provider_id {
        limits::settle_provider(app, provider, false, &used);
    }
}
