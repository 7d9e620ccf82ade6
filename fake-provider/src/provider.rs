//! The handle of a running fake.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::behaviour::Behaviour;
use crate::builder::Builder;
use crate::record::RecordedRequest;
use crate::respond::App;
use crate::server::Lifecycle;
use crate::tally::Counts;
use crate::usage::UsageTotals;

/// A running fake provider. Dropping it ends its connections at once, without waiting for them.
#[derive(Debug)]
pub struct FakeProvider {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) life: Lifecycle,
    pub(crate) grace: Duration,
}

impl FakeProvider {
    /// How to make one.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL as Anthropic's SDKs take it: without a version.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL as OpenAI's SDKs take it: with `/v1`.
    #[must_use]
    pub fn openai_base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base URL as Vertex AI's is: with a project and a location.
    #[must_use]
    pub fn vertex_base_url(&self) -> String {
        format!("http://{}/v1/projects/fake/locations/global", self.address)
    }

    /// The last requests, oldest first; as many as [`Builder::keep_requests`] says. A request is there once its
    /// body has arrived.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.app.journal.all()
    }

    /// Requests that arrived, of any path.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.counts().arrived
    }

    /// What the answers reported.
    #[must_use]
    pub fn usage_totals(&self) -> UsageTotals {
        self.counts().usage
    }

    /// All counts at this moment.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.app.tally.counts()
    }

    /// Waits until the counts are as wanted and returns them: `fake.until(|now| now.in_flight == 3).await`.
    /// Waits as long as it takes.
    pub async fn until(&self, wanted: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.app.tally.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        counts
            .wait_for(wanted)
            .await
            .map(|counts| *counts)
            .unwrap_or_default()
    }

    /// Changes the behaviour of model calls that the script does not cover.
    pub fn set_default(&self, behaviour: Behaviour) {
        self.app.controls.set_default(behaviour);
    }

    /// Adds to the script: one entry for each coming model call.
    pub fn script(&self, script: impl IntoIterator<Item = Behaviour>) {
        self.app.controls.append(script);
    }

    /// Stops accepting, lets running answers finish for the grace period, cuts the rest, waits for all tasks.
    pub async fn shutdown(self) {
        self.life.stop.cancel();
        self.life.tasks.close();
        if timeout(self.grace, self.life.tasks.wait()).await.is_err() {
            self.life.kill.cancel();
            self.life.tasks.wait().await;
        }
    }

    /// Cuts every connection, as a crash would, and waits for all tasks. The port is free afterwards.
    pub async fn kill(self) {
        self.life.kill.cancel();
        self.life.tasks.close();
        self.life.tasks.wait().await;
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.life.kill.cancel();
    }
}
