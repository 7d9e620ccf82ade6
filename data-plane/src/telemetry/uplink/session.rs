//! One telemetry stream.
//!
//! Every wait is one `select`: acknowledgements are read also while a batch waits for room, so that neither end can
//! block the other. A batch is read from disk only when there is room for it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use penstock_core::resource::ResourceRef;
use penstock_proto::convert::reference_to_wire;
use penstock_proto::stored::{self, StoredBatch};
use penstock_proto::telemetry::v1 as wire;
use penstock_proto::telemetry::v1::report_request::Message;
use penstock_proto::telemetry::v1::report_response::Message as Reply;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use super::super::reports::{Report, ReportQueue, Subject};
use super::super::spool::{Batch, Cursor, Spool};
use super::failed_calls::FailedCalls;
use super::{health, states};
use crate::app::App;
use crate::link::{Link, LinkError};

/// For the answer to the stream's opening, and for the settings.
const OPENING: Duration = Duration::from_secs(15);
/// Records that come together go together.
const LINGER: Duration = Duration::from_millis(50);
/// Within what the protocol allows, whatever the control plane says.
const MAX_BATCH: u32 = 10_000;
const MAX_WINDOW: u32 = 64;
/// A stream that ends sooner, with nothing acknowledged, was a failure.
const LASTING: Duration = Duration::from_secs(1);
/// For the control plane to read the last words.
const GOODBYE: Duration = Duration::from_secs(1);
/// A control plane that owes an acknowledgement for so long is given up; another replica may do better.
const PATIENCE: Duration = Duration::from_secs(45);
const SHORTEST_HEALTH: Duration = Duration::from_millis(100);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamEnd {
    /// Everything is delivered and the node is finishing.
    #[error("everything is delivered")]
    Done,
    #[error("the control plane ended the stream")]
    Finished,
    /// Damage took records from the spool; numbering may jump only on a new stream.
    #[error("numbers are missing in the spool")]
    Gap,
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the control plane did not answer within {} s", OPENING.as_secs())]
    Silent,
    #[error("the control plane answered {:?}: {}", .0.code(), .0.message())]
    Status(#[from] tonic::Status),
    #[error("the control plane acknowledged nothing for {} s", PATIENCE.as_secs())]
    Unacknowledged,
    #[error("the control plane broke the protocol: {0}")]
    Protocol(&'static str),
    #[error("the spool cannot be read: {0}")]
    Spool(#[from] io::Error),
    #[error("reading the spool failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// An open stream and what is under way on it.
pub(super) struct Session<'a> {
    app: &'a App,
    inbound: Streaming<wire::ReportResponse>,
    outbound: mpsc::Sender<stored::Report>,
    settings: wire::ReporterSettings,
    cursor: Cursor,
    /// Last numbers of batches that are not acknowledged; in order, at most `window`.
    under_way: Vec<u64>,
    /// While something is under way: since when the next acknowledgement is waited for.
    owed_since: Instant,
    last_sent: Option<u64>,
    /// Read, but after a gap.
    next: Option<Batch>,
    /// There may be records to read.
    more: bool,
    failed: FailedCalls,
    acknowledged: bool,
    opened: Instant,
}

/// What happened next on a stream.
enum Event {
    Reply(Option<Reply>),
    Room,
    Appended,
    Health,
    Report(Option<Report>),
    States,
    Failures,
    Flush,
    Overdue,
}

impl<'a> Session<'a> {
    pub(super) async fn open(app: &'a App, link: &Link) -> Result<Self, StreamEnd> {
        let channel = link.connect().await?;
        let (outbound, requests) = mpsc::channel(2);
        let hello = wire::ReporterHello {
            node_id: app.node_id.to_string(),
        };
        send(&outbound, Message::Hello(hello)).await;
        let opening = async {
            let request = link.sign(ReceiverStream::new(requests));
            let mut inbound = stored::report(channel, request).await?.into_inner();
            let first = inbound.message().await?.and_then(|response| response.message);
            Ok::<_, StreamEnd>((inbound, first))
        };
        let opened = tokio::time::timeout(OPENING, opening).await;
        let (inbound, first) = opened.map_err(|_| StreamEnd::Silent)??;
        let settings = match first {
            Some(Reply::Settings(settings)) => settings,
            Some(Reply::Usage(_) | Reply::Failures(_)) => {
                return Err(StreamEnd::Protocol("the settings did not come first"));
            }
            None => return Err(StreamEnd::Finished),
        };
        states::say_all(app);
        Ok(Self {
            app,
            inbound,
            outbound,
            settings,
            cursor: Cursor::at(app.spool.first_waiting()),
            under_way: Vec::new(),
            owed_since: Instant::now(),
            last_sent: None,
            next: None,
            more: true,
            failed: FailedCalls::default(),
            acknowledged: false,
            opened: Instant::now(),
        })
    }

    /// Whether the stream was of use: something was acknowledged, or it lasted.
    pub(super) fn served(&self) -> bool {
        self.acknowledged || self.opened.elapsed() >= LASTING
    }

    /// Delivers until the stream ends, or until all is delivered after `flush`.
    pub(super) async fn run(&mut self, reports: &mut ReportQueue, flush: &CancellationToken) -> StreamEnd {
        let every = Duration::from_millis(u64::from(self.settings.health_interval_ms)).max(SHORTEST_HEALTH);
        let mut health = tokio::time::interval(every);
        health.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if flush.is_cancelled() && self.app.spool.status().records == 0 && self.app.failures.is_empty() {
                self.say_goodbye().await;
                return StreamEnd::Done;
            }
            if self.next.is_some() && self.under_way.is_empty() {
                return StreamEnd::Gap;
            }
            let event = match self.event(&mut health, reports, flush).await {
                Ok(event) => event,
                Err(status) => return status.into(),
            };
            match self.handle(event, flush).await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// The last health, then the end from this side, then the other's.
    async fn say_goodbye(&mut self) {
        send(&self.outbound, Message::Health(health::report(self.app))).await;
        self.outbound = mpsc::channel(1).0;
        let ended = async { while let Ok(Some(_)) = self.inbound.message().await {} };
        // Whatever comes now changes nothing.
        drop(tokio::time::timeout(GOODBYE, ended).await);
    }

    async fn event(
        &mut self,
        health: &mut Interval,
        reports: &mut ReportQueue,
        flush: &CancellationToken,
    ) -> Result<Event, tonic::Status> {
        let window = usize::try_from(self.settings.window.clamp(1, MAX_WINDOW)).unwrap_or(1);
        let room = self.more && self.next.is_none() && self.under_way.len() < window;
        tokio::select! {
            reply = self.inbound.message() => Ok(Event::Reply(reply?.and_then(|response| response.message))),
            _ = health.tick() => Ok(Event::Health),
            report = reports.recv(), if !reports.is_closed() => Ok(Event::Report(report)),
            () = self.app.health.outbox().filled() => Ok(Event::States),
            () = self.failed.waiting(self.app), if self.failed.may_send() => Ok(Event::Failures),
            permit = self.outbound.reserve(), if room => {
                drop(permit);
                Ok(Event::Room)
            }
            () = self.app.spool.appended(), if !self.more => Ok(Event::Appended),
            () = flush.cancelled(), if !flush.is_cancelled() => Ok(Event::Flush),
            () = tokio::time::sleep_until(self.owed_since + PATIENCE), if !self.under_way.is_empty() => {
                Ok(Event::Overdue)
            }
        }
    }

    async fn handle(&mut self, event: Event, flush: &CancellationToken) -> Result<(), StreamEnd> {
        match event {
            Event::Reply(Some(Reply::Usage(ack))) => self.acknowledge(ack).await,
            Event::Reply(Some(Reply::Failures(ack))) => {
                self.failed.acknowledge(self.app, &ack);
                Ok(())
            }
            Event::Reply(Some(Reply::Settings(settings))) => {
                self.settings = settings;
                Ok(())
            }
            Event::Reply(None) => Err(StreamEnd::Finished),
            Event::Room => self.send_batch().await,
            Event::Appended => {
                // More may come in this moment; when finishing there is no time to wait for it.
                flush.run_until_cancelled(tokio::time::sleep(LINGER)).await;
                self.more = true;
                Ok(())
            }
            Event::Health => {
                send(&self.outbound, Message::Health(health::report(self.app))).await;
                Ok(())
            }
            Event::Report(Some(report)) => {
                send(&self.outbound, to_wire(&report)).await;
                Ok(())
            }
            Event::Report(None) => Ok(()),
            Event::States => {
                for report in states::reports(self.app) {
                    send(&self.outbound, report).await;
                }
                Ok(())
            }
            Event::Failures => {
                if let Some(batch) = self.failed.next(self.app) {
                    send(&self.outbound, Message::Failures(batch)).await;
                }
                Ok(())
            }
            Event::Flush => {
                self.more = true;
                Ok(())
            }
            Event::Overdue => Err(StreamEnd::Unacknowledged),
        }
    }

    async fn send_batch(&mut self) -> Result<(), StreamEnd> {
        let most = usize::try_from(self.settings.max_batch_records.clamp(1, MAX_BATCH)).unwrap_or(1);
        let spool = Arc::clone(&self.app.spool);
        let mut cursor = self.cursor;
        let (cursor, batch) = tokio::task::spawn_blocking(move || {
            let batch = spool.read(&mut cursor, most)?;
            Ok::<_, io::Error>((cursor, batch))
        })
        .await??;
        self.cursor = cursor;
        let Some(batch) = batch else {
            self.more = false;
            return Ok(());
        };
        let follows = self
            .last_sent
            .is_none_or(|last| last.saturating_add(1) == batch.first_number);
        if !follows {
            self.next = Some(batch);
            return Ok(());
        }
        if self.under_way.is_empty() {
            self.owed_since = Instant::now();
        }
        self.last_sent = Some(batch.last_number());
        self.under_way.push(batch.last_number());
        let usage = StoredBatch {
            spool_id: self.app.spool.id().to_string(),
            first_sequence: batch.first_number,
            records: batch.records,
        };
        drop(self.outbound.send(stored::Report::Usage(usage)).await);
        Ok(())
    }

    async fn acknowledge(&mut self, ack: wire::UsageAck) -> Result<(), StreamEnd> {
        if ack.spool_id != self.app.spool.id().to_string() {
            return Err(StreamEnd::Protocol("it acknowledged another spool"));
        }
        let through = ack.through_sequence;
        if self.last_sent.is_none_or(|last| through > last) {
            return Err(StreamEnd::Protocol("it acknowledged records that were not sent"));
        }
        self.under_way.retain(|last| *last > through);
        self.owed_since = Instant::now();
        self.acknowledged = true;
        let spool: Arc<Spool> = Arc::clone(&self.app.spool);
        tokio::task::spawn_blocking(move || spool.acknowledge(through)).await??;
        Ok(())
    }
}

/// The stream may have ended meanwhile; then reading it says so.
async fn send(outbound: &mpsc::Sender<stored::Report>, message: Message) {
    let message = Some(message);
    let report = stored::Report::Message(wire::ReportRequest { message });
    drop(outbound.send(report).await);
}

fn to_wire(report: &Report) -> Message {
    match report {
        Report::KeyUpgrade(upgrade) => Message::KeyUpgrade(wire::KeyUpgrade {
            key_id: upgrade.key_id.to_string(),
            key_version: upgrade.key_version,
            hash: upgrade.hash.0.to_vec(),
        }),
        Report::FirstUse { subject, at } => {
            let reference = match subject {
                Subject::User(id) => ResourceRef::User(*id),
                Subject::Key(id) => ResourceRef::Key(*id),
            };
            Message::FirstUse(wire::FirstUse {
                subject: Some(reference_to_wire(&reference)),
                at_ms: at.0,
            })
        }
        Report::TokenRefused(refused) => Message::TokenRefused(wire::TokenRefused {
            provider_id: refused.provider.to_string(),
            token_version: refused.token_version,
        }),
    }
}
