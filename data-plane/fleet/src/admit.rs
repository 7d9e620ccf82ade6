//! Letting calls in.
//!
//! A call is in the books before the counters are asked: whatever becomes of it then, dropped, timed out or admitted
//! without anybody hearing of it, its settlement follows and gives back what it may have taken.

use std::sync::Arc;

use penstock_core::session::SessionId;
use tokio::time::{Instant, timeout_at};

use crate::account::{Account, SubjectName};
use crate::baseline::{self, Turn};
use crate::book::OpenCall;
use crate::counters::{Admit, Admitted, Adopt, Call, Counters, Seeded, Settle, Verdict};
use crate::fleet::{Backend, Fleet};
use crate::grant::{Denied, Grant, Wish};
use crate::subject::Subject;

/// A question to the counters is asked again at most so often, with a baseline or better windows.
const MOST_ASKED: usize = 4;

/// Why the counters did not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecided {
    Unreachable,
    /// What some subjects have spent is not known.
    Unknown,
}

/// A call that is in the books and not yet let in.
pub(crate) struct Pending {
    fleet: Arc<Fleet>,
    wish: Wish,
    /// Counters were asked and did not answer: they may have let it in.
    may_be_in: bool,
    done: bool,
}

impl Fleet {
    /// Takes a call's limits, or says why not.
    pub async fn admit(self: &Arc<Self>, wish: Wish) -> Result<Grant, Denied> {
        let deadline = Instant::now() + self.patience();
        let mut admit = self.admit_of(&wish);
        let mut pending = Pending::new(self, wish, &admit);
        let asked = match &self.backend {
            Backend::Alone(local) => self.ask(local, &pending.wish, &mut admit, deadline).await,
            Backend::Shared(shared) if shared.is_joined() => {
                let asked = self
                    .ask(&shared.counters, &pending.wish, &mut admit, deadline)
                    .await;
                pending.may_be_in = asked == Err(Undecided::Unreachable);
                asked
            }
            Backend::Shared(_) => Err(Undecided::Unreachable),
        };
        match asked {
            Ok(Verdict::Refused(exceeded)) => {
                pending.forget();
                Err(Denied::Exceeded(exceeded))
            }
            Ok(Verdict::Admitted(admitted)) => Ok(pending.granted(admit, &admitted, false)),
            Ok(Verdict::Unknown(_) | Verdict::Clock(_)) => {
                self.without(pending, admit, Undecided::Unknown, deadline).await
            }
            Err(undecided) => self.without(pending, admit, undecided, deadline).await,
        }
    }

    fn admit_of(&self, wish: &Wish) -> Admit {
        Admit {
            call: Call {
                account: wish.account,
                request: wish.request,
                subjects: self.subjects(&wish.claims, wish.epoch),
            },
            session: wish.session,
            enforce: wish.policy.enforce,
        }
    }

    async fn ask<C: Counters>(
        self: &Arc<Self>,
        counters: &C,
        wish: &Wish,
        admit: &mut Admit,
        deadline: Instant,
    ) -> Result<Verdict, Undecided> {
        let account = admit.call.account;
        let seeds = || self.books.on(account, |book| book.seeds);
        let mut seeded = seeds();
        let mut asked = counters.admit(admit).await;
        for _ in 0..MOST_ASKED {
            match asked {
                // Somebody else has asked the ledger while this call was on its way.
                Ok(Verdict::Unknown(_)) if seeds() != seeded => {}
                Ok(Verdict::Unknown(unknown)) => {
                    let of = |subject: &&Subject| unknown.contains(&subject.name);
                    let subjects = admit.call.subjects.iter().filter(of).cloned().collect();
                    // Nobody waits for what refuses nobody.
                    let until = if admit.enforce { deadline } else { Instant::now() };
                    if !self.learn(account, subjects, until).await {
                        return Err(Undecided::Unknown);
                    }
                }
                Ok(Verdict::Clock(now)) => self.windows.learn(now),
                Ok(verdict) => return Ok(verdict),
                Err(_) => return Err(Undecided::Unreachable),
            }
            // The ledger's answer may have come with better windows, too.
            admit.call.subjects = self.subjects(&wish.claims, wish.epoch);
            seeded = seeds();
            asked = match timeout_at(deadline, counters.admit(admit)).await {
                Ok(asked) => asked,
                Err(_) => return Err(Undecided::Unreachable),
            };
        }
        Err(Undecided::Unknown)
    }

    /// Has the money of these subjects made from the ledger, and waits for it until the deadline. True: try again.
    pub(crate) async fn learn(
        self: &Arc<Self>,
        account: Account,
        subjects: Vec<Subject>,
        deadline: Instant,
    ) -> bool {
        let mut waiter = match self.asking.turn(account) {
            Turn::Crowded => return false,
            Turn::Wait(waiter) => waiter,
            Turn::Ask(waiter) => {
                let fleet = Arc::clone(self);
                self.tasks.spawn(async move {
                    let _ending = fleet.asking.ending(account);
                    fleet.seed_from_ledger(account, &subjects).await;
                });
                waiter
            }
        };
        let done = timeout_at(deadline, waiter.wait_for(|done| *done)).await;
        // Whether the answer was of use shows when the counters are asked again.
        done.is_ok()
    }

    async fn seed_from_ledger(self: &Arc<Self>, account: Account, subjects: &[Subject]) {
        let Some(node) = self.node.get() else { return };
        let (seeds, marks) = match baseline::ask(node.as_ref(), account, subjects).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%account, error, "the ledger did not say what was spent");
                return;
            }
        };
        let seeded = match &self.backend {
            Backend::Alone(local) => local.seed(account, &seeds, &marks).await,
            Backend::Shared(shared) => shared.counters.seed(account, &seeds, &marks).await,
        };
        if let Ok(seeded) = seeded {
            if let Seeded::Clock(now) = seeded {
                self.windows.learn(now);
            }
            self.books.on(account, |book| book.seeds += 1);
            self.say_again(account).await;
        }
    }
}

impl Pending {
    fn new(fleet: &Arc<Fleet>, wish: Wish, admit: &Admit) -> Self {
        let open = OpenCall {
            adopt: Arc::new(adopt_of(admit.call.clone(), admit.session, fleet.windows.now())),
            pending: true,
            unshared: false,
            in_share: false,
        };
        fleet
            .books
            .on(wish.account, |book| book.open.insert(wish.request, open));
        Self {
            fleet: Arc::clone(fleet),
            wish,
            may_be_in: false,
            done: false,
        }
    }

    pub(crate) fn wish(&self) -> &Wish {
        &self.wish
    }

    /// Nothing was taken here. What counters may have taken without a word is given back to them.
    pub(crate) fn forget(mut self) {
        if self.may_be_in {
            return;
        }
        self.done = true;
        let request = self.wish.request;
        self.fleet
            .books
            .on(self.wish.account, |book| book.open.remove(&request));
    }

    /// Let in by counters. `degraded`: by those that only this node has.
    pub(crate) fn granted(mut self, admit: Admit, admitted: &Admitted, degraded: bool) -> Grant {
        self.done = true;
        let adopt = Arc::new(adopt_of(admit.call, admit.session, admitted.at));
        let open = OpenCall {
            adopt: Arc::clone(&adopt),
            pending: false,
            unshared: degraded,
            in_share: degraded,
        };
        let now = self.fleet.windows.now();
        let stale = self.fleet.books.on(self.wish.account, |book| {
            book.open.insert(self.wish.request, open);
            if degraded {
                return false;
            }
            if !admitted.seen.is_empty() {
                book.remember(&admitted.seen, now);
            }
            let known = std::mem::replace(&mut book.generation, admitted.generation);
            known != 0 && known != admitted.generation
        });
        if stale == Some(true) {
            self.fleet.is_stale(self.wish.account);
        }
        Grant {
            adopt,
            policy: self.wish.policy,
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // The caller went away while the counters were asked, or was refused when they did not answer.
        let none = |subject: &Subject| Subject {
            tokens: 0,
            money: 0,
            ..subject.clone()
        };
        let subjects = self.fleet.subjects(&self.wish.claims, self.wish.epoch);
        self.fleet.note_settled(Settle {
            call: Call {
                account: self.wish.account,
                request: self.wish.request,
                subjects: subjects.iter().map(none).collect(),
            },
            admitted_at: self.fleet.windows.now(),
            record: None,
        });
    }
}

fn adopt_of(call: Call, session: Option<SessionId>, admitted_at: penstock_core::time::UnixMs) -> Adopt {
    Adopt {
        call,
        session,
        admitted_at,
    }
}

/// The subjects of these names.
pub(crate) fn named<'a>(
    subjects: &'a [Subject],
    names: &'a [SubjectName],
) -> impl Iterator<Item = &'a Subject> {
    subjects.iter().filter(|subject| names.contains(&subject.name))
}
