//! Where operators' tests are asked for: a short queue to the task that makes them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use penstock_core::id::ProviderId;
use tokio::sync::{mpsc, oneshot};

use super::Report;

/// Tests that wait. Few operators test at once.
const QUEUE: usize = 16;

/// An operator's test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub provider: ProviderId,
    /// As clients name it.
    pub model: Option<String>,
    /// Nothing is asked that costs something.
    pub free: bool,
    pub timeout: Duration,
}

/// A test that waits to be made.
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) answer: oneshot::Sender<Result<Report, NotTested>>,
}

/// Why nothing was tested. The text is for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTested {
    #[error("this data plane does not know that provider yet; try again in a moment")]
    Unknown,
    #[error("this data plane tests too many providers already; try again in a moment")]
    Busy,
}

/// See the module.
#[derive(Debug)]
pub struct Desk {
    questions: mpsc::Sender<Asked>,
    receiver: Mutex<Option<mpsc::Receiver<Asked>>>,
}

impl Default for Desk {
    fn default() -> Self {
        let (questions, receiver) = mpsc::channel(QUEUE);
        let receiver = Mutex::new(Some(receiver));
        Self { questions, receiver }
    }
}

impl Desk {
    /// Tests a provider. Takes as long as the question allows.
    pub async fn test(&self, question: Question) -> Result<Report, NotTested> {
        let (answer, answered) = oneshot::channel();
        let asked = Asked { question, answer };
        self.questions.try_send(asked).map_err(|_| NotTested::Busy)?;
        answered.await.unwrap_or(Err(NotTested::Busy))
    }

    /// For the task that makes the tests; once.
    pub(super) fn take(&self) -> Option<mpsc::Receiver<Asked>> {
        self.receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
