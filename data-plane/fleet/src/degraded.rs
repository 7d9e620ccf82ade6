//! What holds while Redis is set aside, or the money of a subject is not known.
//!
//! *local*: this node enforces its share in its own memory. Of a count that is the limit divided by the number of live
//! nodes, at least one; of money what was left when it was last seen, divided likewise. A subject whose money this node
//! has never seen is asked for at the ledger, within the one wait that a call has; failing that a soft budget begins
//! with its share of the whole, and a strict one refuses.
//! *open*: everything passes. *closed*: nothing that has a limit passes.
//!
//! Every call that is let in here is said to Redis by its id when it is back.

use std::sync::Arc;

use penstock_core::limits::Dimension;
use penstock_core::limits::window::Window;
use penstock_core::setting::Degraded;
use penstock_core::time::UnixMs;
use tokio::time::{Instant, timeout_at};

use crate::account::Account;
use crate::admit::{Pending, Undecided, named};
use crate::baseline::{self, Turn};
use crate::counters::{
    Admit, Admitted, Adopt, Call, Counters, Seed, SeedDimension, Seen, Spent, TopUp, Verdict,
};
use crate::fleet::{Backend, Fleet};
use crate::grant::{Denied, Grant};
use crate::local::Local;
use crate::subject::Subject;

impl Fleet {
    /// Decides without the fleet's counters.
    pub(crate) async fn without(
        self: &Arc<Self>,
        pending: Pending,
        admit: Admit,
        undecided: Undecided,
        deadline: Instant,
    ) -> Result<Grant, Denied> {
        let policy = pending.wish().policy;
        if !admit.enforce {
            return Ok(self.pass(pending, admit));
        }
        let shared = match &self.backend {
            // The process has its counters; only what was spent before it began is not known yet.
            Backend::Alone(_) if admit.call.subjects.iter().any(|subject| subject.strict) => {
                pending.forget();
                return Err(Denied::Unknown);
            }
            Backend::Alone(local) => return self.count_only(local, pending, admit).await,
            Backend::Shared(shared) => shared,
        };
        match policy.degraded {
            Degraded::Open => Ok(self.pass(pending, admit)),
            Degraded::Closed => {
                pending.forget();
                Err(Denied::Unavailable)
            }
            Degraded::Local => {
                let asked = undecided == Undecided::Unreachable;
                self.share(&shared.degraded, pending, admit, asked.then_some(deadline))
                    .await
            }
        }
    }

    /// By all limits but the soft budgets, of which nobody here knows what was spent. What the call takes of those is
    /// held as soon as it is known.
    async fn count_only(&self, local: &Local, pending: Pending, mut admit: Admit) -> Result<Grant, Denied> {
        for subject in &mut admit.call.subjects {
            for dimension in Dimension::MONEY {
                subject.caps[dimension as usize] = 0;
            }
            subject.specification.hash = 0;
        }
        match local.admit(&admit).await {
            Ok(Verdict::Admitted(admitted)) => Ok(pending.granted(admit, &admitted, false)),
            Ok(Verdict::Refused(exceeded)) => {
                pending.forget();
                Err(Denied::Exceeded(exceeded))
            }
            Ok(Verdict::Unknown(_) | Verdict::Clock(_)) | Err(_) => {
                pending.forget();
                Err(Denied::Unknown)
            }
        }
    }

    fn pass(&self, pending: Pending, admit: Admit) -> Grant {
        let admitted = Admitted {
            at: self.windows.now(),
            generation: 0,
            seen: Vec::new(),
        };
        pending.granted(admit, &admitted, true)
    }

    /// By this node's share. `deadline`: until when the ledger may be asked; None: it was.
    async fn share(
        self: &Arc<Self>,
        counters: &Local,
        pending: Pending,
        admit: Admit,
        deadline: Option<Instant>,
    ) -> Result<Grant, Denied> {
        let nodes = u64::from(pending.wish().policy.live_nodes.max(1));
        let mut scaled = admit.clone();
        for subject in &mut scaled.call.subjects {
            *subject = share_of(subject, nodes);
        }
        let mut verdict = counters.admit(&scaled).await;
        if let Ok(Verdict::Unknown(unknown)) = &verdict {
            let account = admit.call.account;
            let subjects: Vec<_> = named(&admit.call.subjects, unknown).cloned().collect();
            let unseen = self
                .share_what_was_seen(counters, account, &subjects, nodes)
                .await;
            if let Some(deadline) = deadline.filter(|_| !unseen.is_empty()) {
                self.learn_shares(account, unseen, nodes, deadline).await;
            }
            verdict = counters.admit(&scaled).await;
        }
        if let Ok(Verdict::Unknown(unknown)) = &verdict {
            for subject in named(&admit.call.subjects, unknown).filter(|subject| !subject.strict) {
                let seed = share_seed(subject, &[], nodes, self.windows.now());
                drop(counters.seed(admit.call.account, &[seed], &[]).await);
            }
            verdict = counters.admit(&scaled).await;
        }
        match verdict {
            Ok(Verdict::Admitted(admitted)) => Ok(pending.granted(admit, &admitted, true)),
            Ok(Verdict::Refused(exceeded)) => {
                pending.forget();
                Err(Denied::Exceeded(exceeded))
            }
            Ok(Verdict::Unknown(_) | Verdict::Clock(_)) | Err(_) => {
                pending.forget();
                Err(Denied::Unknown)
            }
        }
    }

    /// Holds more for a call in flight, of this node's share. A call that the shared counters let in joins the share
    /// when it first needs more; what it held then is in what was last seen.
    pub(crate) async fn top_up_share(&self, counters: &Local, grant: &Grant, more: &Call) -> TopUp {
        let nodes = u64::from(grant.policy.live_nodes.max(1));
        let scaled = |money: fn(&Subject) -> u64| Call {
            subjects: more
                .subjects
                .iter()
                .map(|subject| Subject {
                    money: money(subject),
                    ..share_of(subject, nodes)
                })
                .collect(),
            ..more.clone()
        };
        let wanted = scaled(|subject| subject.money);
        match counters.top_up(&wanted, true).await {
            Ok(TopUp::Lost) => {}
            Ok(held) => return held,
            Err(_) => return TopUp::Lost,
        }
        let budgets: Vec<_> = more
            .subjects
            .iter()
            .filter(|subject| subject.has_budget())
            .cloned()
            .collect();
        // Counters that know a subject keep what they have.
        let unseen = self
            .share_what_was_seen(counters, more.account, &budgets, nodes)
            .await;
        for subject in &unseen {
            let seed = share_seed(subject, &[], nodes, self.windows.now());
            drop(counters.seed(more.account, &[seed], &[]).await);
        }
        let adopt = Adopt {
            call: scaled(|_| 0),
            session: None,
            admitted_at: grant.admitted_at(),
        };
        drop(counters.adopt(&adopt).await);
        counters.top_up(&wanted, true).await.unwrap_or(TopUp::Lost)
    }

    /// Begins the shares of subjects with what this node last saw of them. Those that it never saw.
    async fn share_what_was_seen(
        &self,
        counters: &Local,
        account: Account,
        subjects: &[Subject],
        nodes: u64,
    ) -> Vec<Subject> {
        let mut unseen = Vec::new();
        for subject in subjects {
            let seen = self.books.on(account, |book| book.seen_of(subject.name));
            match seen.filter(|seen| !seen.is_empty()) {
                Some(seen) => {
                    let seed = share_seed(subject, &seen, nodes, self.windows.now());
                    drop(counters.seed(account, &[seed], &[]).await);
                }
                None => unseen.push(subject.clone()),
            }
        }
        unseen
    }

    /// Has the shares of subjects begun with what the ledger says, and waits for it until the deadline. One question
    /// is in flight for an account.
    async fn learn_shares(
        self: &Arc<Self>,
        account: Account,
        subjects: Vec<Subject>,
        nodes: u64,
        deadline: Instant,
    ) {
        let mut waiter = match self.asking.turn(account) {
            Turn::Crowded => return,
            Turn::Wait(waiter) => waiter,
            Turn::Ask(waiter) => {
                let fleet = Arc::clone(self);
                self.tasks.spawn(async move {
                    let _ending = fleet.asking.ending(account);
                    fleet.share_by_ledger(account, &subjects, nodes).await;
                });
                waiter
            }
        };
        // Whether the answer was of use shows when the counters are asked again.
        drop(timeout_at(deadline, waiter.wait_for(|done| *done)).await);
    }

    async fn share_by_ledger(&self, account: Account, subjects: &[Subject], nodes: u64) {
        let (Some(node), Backend::Shared(shared)) = (self.node.get(), &self.backend) else {
            return;
        };
        let Ok((seeds, _)) = baseline::ask(node.as_ref(), account, subjects).await else {
            return;
        };
        if shared.is_joined() {
            // Shares of a time that is over.
            return;
        }
        let now = self.windows.now();
        let share =
            |(subject, seed): (&Subject, &Seed)| share_seed(subject, &seen_by_ledger(seed), nodes, now);
        let shares: Vec<_> = subjects.iter().zip(&seeds).map(share).collect();
        drop(shared.degraded.seed(account, &shares, &[]).await);
    }
}

fn seen_by_ledger(seed: &Seed) -> Vec<Seen> {
    let seen = |dimension: &SeedDimension| Seen {
        subject: seed.subject.name,
        dimension: dimension.dimension,
        settled: match &dimension.spent {
            Spent::Total(sum) | Spent::Fixed { sum, .. } => u64::try_from(*sum).unwrap_or(0),
            Spent::Rolling(minutes) => {
                let sum: i64 = minutes.iter().map(|(_, amount)| amount).sum();
                u64::try_from(sum).unwrap_or(0)
            }
        },
        reserved: 0,
    };
    seed.dimensions.iter().map(seen).collect()
}

/// A subject with this node's share of its limits.
fn share_of(subject: &Subject, nodes: u64) -> Subject {
    let mut share = subject.clone();
    for (cap, dimension) in share.caps.iter_mut().zip(Dimension::ALL) {
        if *cap > 0 {
            // A cap of 0 would be none.
            *cap = (*cap / nodes).max(1);
        }
        if dimension == Dimension::Tpm {
            share.tokens = share.tokens.min((*cap).max(1));
        }
    }
    share
}

/// Counters from which a share of what is left can still be spent.
fn share_seed(subject: &Subject, seen: &[Seen], nodes: u64, now: UnixMs) -> Seed {
    let share = share_of(subject, nodes);
    let limited = Dimension::MONEY
        .into_iter()
        .filter(|dimension| subject.cap(*dimension) > 0);
    let dimensions = limited.map(|dimension| {
        let used = seen.iter().find(|seen| seen.dimension == dimension);
        let used = used.map_or(0, |seen| {
            signed(seen.settled).saturating_add(signed(seen.reserved))
        });
        let left = (signed(subject.cap(dimension)) - used).div_euclid(signed(nodes));
        let spent = signed(share.cap(dimension)) - left;
        let (from, spent) = match subject.window(dimension) {
            Window::Total => (UnixMs(0), Spent::Total(spent)),
            Window::Rolling(_) => (UnixMs(0), Spent::Rolling(vec![(now, spent)])),
            Window::Fixed(bounds) => {
                let spent = Spent::Fixed {
                    start: bounds.current,
                    end: bounds.next,
                    sum: spent,
                };
                (bounds.current, spent)
            }
        };
        SeedDimension {
            dimension,
            from,
            spent,
        }
    });
    Seed {
        subject: share.clone(),
        dimensions: dimensions.collect(),
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
