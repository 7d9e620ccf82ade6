//! Ending calls: what they used is booked off the caller's path, and said until the counters have it.

use std::sync::Arc;

use futures::FutureExt;
use penstock_core::id::{Epoch, RequestId};
use penstock_core::setting::Degraded;
use penstock_core::time::UnixMs;

use crate::account::Account;
use crate::counters::{Call, Counters, Noted, RecordNumber, Settle, TopUp, Usage};
use crate::fleet::{Backend, Fleet, Shared};
use crate::grant::{Claim, Grant};

/// A call that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub account: Account,
    pub request: RequestId,
    pub epoch: Epoch,
    /// As the configuration has the subjects now, with what the call used.
    pub claims: Vec<Claim>,
    pub admitted_at: UnixMs,
    /// Where its record is; None: it has none.
    pub record: Option<RecordNumber>,
}

/// Who has noted what a call in flight holds more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The fleet's, or the only node's.
    Counters,
    Share,
    Nobody,
}

impl Fleet {
    /// Books a call that has ended. Never waits; doing it again changes nothing.
    pub fn settle(self: &Arc<Self>, ended: &Ended) {
        self.note_settled(Settle {
            call: Call {
                account: ended.account,
                request: ended.request,
                subjects: self.subjects(&ended.claims, ended.epoch),
            },
            admitted_at: ended.admitted_at,
            record: ended.record,
        });
    }

    pub(crate) fn note_settled(&self, settle: Settle) {
        let settle = Arc::new(settle);
        let in_share = self.books.settle(&settle);
        match &self.backend {
            Backend::Alone(local) => {
                if let Some(Ok(Noted::At(_))) = local.settle(&settle).now_or_never() {
                    self.books.delivered(&settle);
                }
            }
            Backend::Shared(shared) => {
                if in_share || !shared.is_joined() {
                    // Gives its slots back here, too.
                    drop(shared.degraded.settle(&settle).now_or_never());
                }
                // What does not fit waits in the books.
                drop(shared.settlements.try_send(settle));
            }
        }
    }

    /// Holds more money for a call in flight, of its strict budgets. False: there is no room for it.
    pub async fn top_up(self: &Arc<Self>, grant: &Grant, more: u64) -> bool {
        let mut call = grant.adopt.call.clone();
        for subject in &mut call.subjects {
            subject.money = if subject.strict { more } else { 0 };
        }
        let held = match &self.backend {
            Backend::Alone(local) => match local.top_up(&call, grant.policy.enforce).await {
                Ok(TopUp::Refused(_)) => return false,
                Ok(TopUp::Held | TopUp::Lost) | Err(_) => By::Counters,
            },
            Backend::Shared(shared) => match self.top_up_shared(shared, grant, &call).await {
                Some(by) => by,
                None => return false,
            },
        };
        // Where the counters lost it or are away, it is said again with all that it holds.
        self.hold_in_book(&call, held);
        true
    }

    /// By the shared counters; where they do not answer, by this node's share. None: there is no room.
    async fn top_up_shared(&self, shared: &Shared, grant: &Grant, more: &Call) -> Option<By> {
        let open = self
            .books
            .on(more.account, |book| book.open.get(&more.request).cloned());
        // What was let in without the shared counters is asked there as soon as they have it.
        let open = open.flatten().filter(|open| shared.is_joined() && !open.unshared);
        if let Some(open) = open {
            let enforce = grant.policy.enforce;
            let mut held = shared.counters.top_up(more, enforce).await;
            if held == Ok(TopUp::Lost) && shared.counters.adopt(&open.adopt).await.is_ok() {
                held = shared.counters.top_up(more, enforce).await;
            }
            match held {
                Ok(TopUp::Held) => return Some(By::Counters),
                Ok(TopUp::Refused(_)) => return None,
                Ok(TopUp::Lost) | Err(_) => {}
            }
        }
        match grant.policy.degraded {
            _ if !grant.policy.enforce => Some(By::Nobody),
            Degraded::Open => Some(By::Nobody),
            Degraded::Closed => None,
            Degraded::Local => match self.top_up_share(&shared.degraded, grant, more).await {
                TopUp::Held => Some(By::Share),
                TopUp::Refused(_) => None,
                TopUp::Lost => Some(By::Nobody),
            },
        }
    }

    fn hold_in_book(&self, more: &Call, held: By) {
        self.books.on(more.account, |book| {
            if let Some(open) = book.open.get_mut(&more.request) {
                open.unshared |= held != By::Counters;
                open.in_share |= held == By::Share;
                let adopt = Arc::make_mut(&mut open.adopt);
                for (subject, more) in adopt.call.subjects.iter_mut().zip(&more.subjects) {
                    subject.money = subject.money.saturating_add(more.money);
                }
            }
        });
    }

    /// What is used of the claims' limits. None: it is not known now.
    pub async fn read(
        self: &Arc<Self>,
        account: Account,
        epoch: Epoch,
        claims: &[Claim],
    ) -> Option<Vec<Usage>> {
        let mut call = Call {
            account,
            request: RequestId::from_parts(0, &[0; 10]),
            subjects: self.subjects(claims, epoch),
        };
        for _ in 0..3 {
            let read = match &self.backend {
                Backend::Alone(local) => local.read(&call).await,
                Backend::Shared(shared) if shared.is_joined() => shared.counters.read(&call).await,
                Backend::Shared(shared) => shared.degraded.read(&call).await,
            };
            match read {
                Ok(Some(usages)) => return Some(usages),
                Ok(None) => {
                    let budgets = call.subjects.iter().filter(|subject| subject.has_budget());
                    let deadline = tokio::time::Instant::now() + crate::replay::TICK / 4;
                    if !self.learn(account, budgets.cloned().collect(), deadline).await {
                        return None;
                    }
                    call.subjects = self.subjects(claims, epoch);
                }
                Err(_) => return None,
            }
        }
        None
    }

    /// Sends one settlement to Redis.
    pub(crate) async fn deliver(self: &Arc<Self>, settle: &Arc<Settle>) {
        let Backend::Shared(shared) = &self.backend else {
            return;
        };
        if let Ok(Noted::At(generation)) = shared.counters.settle(settle).await {
            self.books.delivered(settle);
            self.heard(settle.call.account, generation);
        }
    }

    /// The counters of an account are of this generation.
    pub(crate) fn heard(&self, account: Account, generation: u64) {
        let stale = self.books.on(account, |book| {
            let known = std::mem::replace(&mut book.generation, generation);
            known != 0 && known != generation
        });
        if stale == Some(true) {
            self.is_stale(account);
        }
    }

    /// The counters of an account were made anew: what this node has of it is said again soon.
    pub(crate) fn is_stale(&self, account: Account) {
        if let Backend::Shared(shared) = &self.backend {
            // When the queue is full, the next tick notices.
            shared.stale.try_send(account).ok();
        }
    }
}
