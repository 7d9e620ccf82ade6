//! Tasks that hyper starts, tracked and ended with the node.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs hyper's tasks so that none outlives the node.
#[derive(Clone, Debug)]
pub struct Tracked {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Tracked {
    /// Tasks run in `tasks` until they end or `stop` is cancelled.
    pub fn new(tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { tasks, stop }
    }
}

impl<F> hyper::rt::Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        // A token of its own: polling a token takes its lock.
        let stop = self.stop.child_token();
        self.tasks.spawn(stop.run_until_cancelled_owned(future));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::rt::Executor;

    #[tokio::test]
    async fn tasks_end_when_the_node_does() {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        Tracked::new(tasks.clone(), stop.clone()).execute(std::future::pending::<()>());
        tasks.close();
        stop.cancel();
        tasks.wait().await;
        assert!(tasks.is_empty());
    }
}
