//! Ending calls: what they used is booked off the caller's path, and said until the counters have it.

use std::sync::Arc;

use futures::FutureExt;
use penstock_core::id::{Epoch, RequestId};
use penstock_core::setting::Degraded;
use penstock_core::time::UnixMs;

use crate::account::Account;
use crate::counters::{Call, Counters, Noted, RecordNumber, Settle, TopUp, Usage};
use crate::fleet::{Backend, Fleet};
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
        let (account, request) = (settle.call.account, settle.call.request);
        let unshared = self.is_unshared(account, request);
        self.books.settle(&settle);
        match &self.backend {
            Backend::Alone(local) => {
                if let Some(Ok(Noted::At(_))) = local.settle(&settle).now_or_never() {
                    self.books.delivered(&settle);
                }
            }
            Backend::Shared(shared) => {
                if !shared.is_joined() || unshared {
                    // Gives its slots back here, too.
                    drop(shared.degraded.settle(&settle).now_or_never());
                }
                // What does not fit waits in the books.
                drop(shared.settlements.try_send(settle));
            }
        }
    }

    /// Whether a call in flight was let in without the shared counters, and they do not have it yet.
    fn is_unshared(&self, account: Account, request: RequestId) -> bool {
        let unshared = self.books.on(account, |book| {
            book.open.get(&request).is_some_and(|open| open.unshared)
        });
        unshared == Some(true)
    }

    /// Holds more money for a call in flight, of its strict budgets. False: there is no room for it.
    pub async fn top_up(self: &Arc<Self>, grant: &Grant, more: u64) -> bool {
        let mut call = grant.adopt.call.clone();
        for subject in &mut call.subjects {
            subject.money = if subject.strict { more } else { 0 };
        }
        // What was let in without the shared counters is asked there as soon as they have it.
        let unshared = self.is_unshared(call.account, call.request);
        let held = match &self.backend {
            Backend::Alone(local) => local.top_up(&call, grant.policy.enforce).await,
            Backend::Shared(shared) if shared.is_joined() && !unshared => {
                shared.counters.top_up(&call, grant.policy.enforce).await
            }
            Backend::Shared(shared) => match grant.policy.degraded {
                _ if !grant.policy.enforce => Ok(TopUp::Lost),
                Degraded::Open => Ok(TopUp::Lost),
                Degraded::Closed => return false,
                Degraded::Local => Ok(self.top_up_share(&shared.degraded, grant, &call).await),
            },
        };
        match held {
            Ok(TopUp::Refused(_)) => false,
            // Where the counters lost it or are away, it is said again with all that it holds.
            Ok(TopUp::Held) => {
                self.hold_in_book(&call, false);
                true
            }
            Ok(TopUp::Lost) | Err(_) => {
                self.hold_in_book(&call, matches!(self.backend, Backend::Shared(_)));
                true
            }
        }
    }

    /// `unshared`: the shared counters do not know of it.
    fn hold_in_book(&self, more: &Call, unshared: bool) {
        self.books.on(more.account, |book| {
            if let Some(open) = book.open.get_mut(&more.request) {
                open.unshared |= unshared;
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
