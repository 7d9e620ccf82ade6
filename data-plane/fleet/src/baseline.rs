//! Asking the ledger what subjects have spent, when their counters do not know.
//!
//! One question is in flight for an account at a time. It goes on when those who wait for it have given up, so that
//! the next ones find the answer. What was learnt goes into the counters as a seed.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use penstock_core::limits::Dimension;
use penstock_core::limits::window::Window;
use penstock_core::time::UnixMs;
use tokio::sync::watch;

use crate::account::{Account, SubjectName};
use crate::counters::{RecordNumber, Seed, SeedDimension, Spent};
use crate::node::Node;
use crate::subject::Subject;

/// For one question; whoever waits for it has his own patience.
const PATIENCE: Duration = Duration::from_secs(5);
/// Questions in flight at once.
const MOST: usize = 256;

/// What one subject has spent in each span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub account: Account,
    pub subject: SubjectName,
    pub spans: Vec<Span>,
}

/// From an instant until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// 0: since the subject exists.
    pub from: UnixMs,
    pub by_minute: bool,
}

/// What was spent in one span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    /// Nano-USD.
    pub sum: i64,
    /// By the minute's first millisecond.
    pub minutes: Vec<(UnixMs, i64)>,
}

/// Answers in the order of the questions and their spans, all of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub spends: Vec<Vec<Spend>>,
    pub marks: Vec<RecordNumber>,
}

/// An answer that will come, or a reason why not.
pub type Asking = Pin<Box<dyn Future<Output = Result<Answers, String>> + Send>>;

/// Questions in flight, by account.
#[derive(Default)]
pub(crate) struct InFlight(Mutex<HashMap<Account, watch::Sender<bool>>>);

/// One's part in a question.
pub(crate) enum Turn {
    /// It is for you to ask, and to say the end.
    Ask(watch::Receiver<bool>),
    /// Somebody asks already.
    Wait(watch::Receiver<bool>),
    /// Too many questions are in flight.
    Crowded,
}

impl InFlight {
    pub(crate) fn turn(&self, account: Account) -> Turn {
        let mut map = self.map();
        if let Some(asked) = map.get(&account) {
            return Turn::Wait(asked.subscribe());
        }
        if map.len() >= MOST {
            return Turn::Crowded;
        }
        let done = watch::Sender::new(false);
        let waiter = done.subscribe();
        map.insert(account, done);
        Turn::Ask(waiter)
    }

    /// Says the end when it is dropped, also by a panic.
    pub(crate) fn ending(&self, account: Account) -> Ending<'_> {
        Ending(self, account)
    }

    /// The question has its answer, or will have none.
    fn end(&self, account: Account) {
        if let Some(done) = self.map().remove(&account) {
            done.send_replace(true);
        }
    }

    fn map(&self) -> MutexGuard<'_, HashMap<Account, watch::Sender<bool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`InFlight::ending`].
pub(crate) struct Ending<'a>(&'a InFlight, Account);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

/// Asks for the money of these subjects and makes seeds of the answer.
pub(crate) async fn ask(
    node: &dyn Node,
    account: Account,
    subjects: &[Subject],
) -> Result<(Vec<Seed>, Vec<RecordNumber>), String> {
    let questions = subjects
        .iter()
        .map(|subject| question(account, subject))
        .collect();
    let asking = tokio::time::timeout(PATIENCE, node.ask_ledger(questions));
    let answers = asking
        .await
        .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))??;
    if answers.spends.len() != subjects.len() {
        return Err("an answer is missing".to_owned());
    }
    let seeds = subjects
        .iter()
        .zip(answers.spends)
        .map(|(subject, spends)| seed(subject, spends));
    Ok((seeds.collect(), answers.marks))
}

fn limited(subject: &Subject) -> impl Iterator<Item = Dimension> {
    Dimension::MONEY
        .into_iter()
        .filter(|dimension| subject.cap(*dimension) > 0)
}

/// The first instant that counts, as far as a question is concerned: whole windows, or since the last reset.
fn span(subject: &Subject, dimension: Dimension) -> Span {
    let reset = subject.reset_at(dimension).map_or(0, |at| at.0);
    let (start, by_minute) = match subject.window(dimension) {
        Window::Total => (0, false),
        Window::Fixed(bounds) => (bounds.current.0, false),
        Window::Rolling(length) => (subject.asked_at.0 - length - 60_000, true),
    };
    Span {
        from: UnixMs(start.max(reset)),
        by_minute,
    }
}

fn question(account: Account, subject: &Subject) -> Question {
    Question {
        account,
        subject: subject.name,
        spans: limited(subject)
            .map(|dimension| span(subject, dimension))
            .collect(),
    }
}

fn seed(subject: &Subject, spends: Vec<Spend>) -> Seed {
    let dimensions = limited(subject).zip(spends).map(|(dimension, spend)| {
        let reset = subject.reset_at(dimension).unwrap_or_default();
        let (from, spent) = match subject.window(dimension) {
            Window::Total => (reset, Spent::Total(spend.sum)),
            Window::Rolling(_) => (reset, Spent::Rolling(spend.minutes)),
            Window::Fixed(bounds) => {
                let spent = Spent::Fixed {
                    start: bounds.current,
                    end: bounds.next,
                    sum: spend.sum,
                };
                (bounds.current.max(reset), spent)
            }
        };
        SeedDimension {
            dimension,
            from,
            spent,
        }
    });
    Seed {
        subject: subject.clone(),
        dimensions: dimensions.collect(),
    }
}
