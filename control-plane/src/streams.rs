//! The long-lived streams of nodes as a whole: how they end, and that shutdown waits for them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;

/// Tracks the tasks that serve streams.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Streams {
    /// Serves a stream in a task of its own. UNAVAILABLE once the replica stops.
    pub(crate) fn serve(&self, stream: impl Future<Output = ()> + Send + 'static) -> Result<(), Status> {
        if self.closing.is_cancelled() {
            return Err(Status::unavailable(
                "this replica is shutting down; connect to another",
            ));
        }
        self.tasks.spawn(stream);
        Ok(())
    }

    /// Cancelled when streams are to end.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Ends all streams and waits for their tasks. False when some were still at work at the deadline.
    pub(crate) async fn close(&self, deadline: Duration) -> bool {
        self.closing.cancel();
        self.tasks.close();
        tokio::time::timeout(deadline, self.tasks.wait()).await.is_ok()
    }
}

/// 80 to 120 % of a lifetime. `random` is uniform over all of its values.
pub(crate) fn jittered(lifetime: Duration, random: u32) -> Duration {
    let nanos = lifetime.as_nanos();
    let part = nanos.saturating_mul(2) / 5 * u128::from(random) / u128::from(u32::MAX);
    let jittered = (nanos.saturating_mul(4) / 5).saturating_add(part);
    Duration::from_nanos(u64::try_from(jittered).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_spread_around_the_one_that_was_asked_for() {
        let lifetime = Duration::from_secs(600);
        assert_eq!(jittered(lifetime, 0), Duration::from_secs(480));
        assert_eq!(jittered(lifetime, u32::MAX), Duration::from_secs(720));
    }

    #[tokio::test]
    async fn g16_closing_waits_for_streams_and_lets_no_new_one_in() {
        let streams = Streams::default();
        let closing = streams.closing().clone();
        let (done, mut seen) = tokio::sync::mpsc::channel(1);
        streams
            .serve(async move {
                closing.cancelled().await;
                done.send(()).await.unwrap();
            })
            .unwrap();
        assert!(streams.close(Duration::from_secs(10)).await);
        assert!(seen.try_recv().is_ok());
        assert_eq!(
            streams.serve(async {}).unwrap_err().code(),
            tonic::Code::Unavailable
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_does_not_end_is_not_waited_for_forever() {
        let streams = Streams::default();
        streams.serve(std::future::pending()).unwrap();
        assert!(!streams.close(Duration::from_secs(10)).await);
    }
}
