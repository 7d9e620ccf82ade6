//! The closed loop: every connection sends its next request when it has the answer to the last.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::connection::{Connection, Timing};
use super::outcome::{Outcome, Tally};
use super::target::Target;
use super::window::{Span, Window, measure};
use crate::stand::Watched;

/// So much load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: u32,
    pub(crate) span: Span,
    /// The connections begin spread over this time, so that slow answers do not come in step.
    pub(crate) spread: Duration,
}

/// One connection's requests; connects again after a failure.
#[derive(Debug)]
pub(crate) struct Caller {
    target: Arc<Target>,
    index: usize,
    connection: Option<Connection>,
}

/// # Errors
/// More than one request in a thousand failed, or none was answered in the window.
pub(crate) async fn run(target: &Arc<Target>, load: Load, watched: Watched<'_>) -> Result<Outcome> {
    let window = Arc::new(Window::default());
    let mut connections = JoinSet::new();
    for index in 0..load.connections {
        let delay = load.spread * index / load.connections.max(1);
        let caller = Caller::new(target, index);
        connections.spawn(one(caller, Arc::clone(&window), delay));
    }
    measure(connections, window, load.span, watched).await
}

async fn one(mut caller: Caller, window: Arc<Window>, delay: Duration) -> Result<Tally> {
    sleep(delay).await;
    let mut tally = Tally::default();
    while !window.is_over() {
        match caller.call(Instant::now()).await {
            Ok(timing) => {
                tally.answered += 1;
                tally.timings.extend(window.is_open().then_some(timing));
            }
            Err(error) => caller.recover(&mut tally, &error).await,
        }
    }
    Ok(tally)
}

impl Caller {
    pub(crate) fn new(target: &Arc<Target>, index: u32) -> Self {
        let index = usize::try_from(index).unwrap_or(0);
        Self {
            target: Arc::clone(target),
            index,
            connection: None,
        }
    }

    pub(crate) async fn call(&mut self, due: Instant) -> Result<Timing> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.target.address).await?),
        };
        connection
            .call(self.target.request(self.index)?, self.target.expect, due)
            .await
    }

    /// Counts a failure, drops the connection, and does not try again at once.
    pub(crate) async fn recover(&mut self, tally: &mut Tally, error: &anyhow::Error) {
        tally.fail(error);
        self.connection = None;
        sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(test)]
mod tests {
    use penstock_fake_provider::{Behaviour, FakeProvider};

    use super::super::target::Expect;
    use super::*;
    use crate::body;

    async fn load(fake: &FakeProvider) -> Result<Outcome> {
        let address = fake.base_url().trim_start_matches("http://").parse()?;
        let target = Target::messages(address, &["key".to_owned()], &body::small(1024)?, Expect::Whole)?;
        let span = Span {
            warm_up: Duration::from_millis(20),
            measure: Duration::from_millis(80),
        };
        run(
            &Arc::new(target),
            Load {
                connections: 4,
                span,
                spread: Duration::ZERO,
            },
            Watched::default(),
        )
        .await
    }

    #[tokio::test]
    async fn every_request_is_answered_once_and_counted() {
        let fake = FakeProvider::builder().fixed_answers(400).start().await.unwrap();
        let outcome = load(&fake).await.unwrap();
        assert_eq!(fake.counts().completed, outcome.answered);
        assert!(u64::try_from(outcome.requests).unwrap() <= outcome.answered);
        assert_eq!(outcome.failed, 0);
        fake.shutdown().await;
    }

    #[tokio::test]
    async fn a_system_that_fails_ends_the_measurement_with_its_words() {
        let fake = FakeProvider::builder()
            .default_behaviour(Behaviour::status(500))
            .start()
            .await
            .unwrap();
        let error = load(&fake).await.unwrap_err();
        assert!(error.to_string().contains("status 500"), "{error}");
        fake.shutdown().await;
    }
}
