//! Users with a key each, both with limits, as a data plane would see them.

use std::sync::Arc;

use jiff::Timestamp;
use penstock_core::id::{Epoch, KeyId, RequestId, UserId};
use penstock_core::limits::window::Window;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_fleet::account::{Account, SubjectName};
use penstock_fleet::counters::{Call, Seed, SeedDimension, Spent};
use penstock_fleet::subject::{Edges, Subject};

/// Of a call: what it reserves, and what it used.
pub(super) const RESERVED: (u64, u64) = (600, 4_000_000);
pub(super) const USED: (u64, u64) = (400, 3_000_000);

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Accounts(Arc<[(Account, [Subject; 2])]>);

/// So large that none ever refuses; the dimensions of P1.
fn limits() -> Limits {
    Limits {
        rpm: 1_000_000_000,
        tpm: 1_000_000_000_000,
        usd_5h: NanoUsd(1_000_000_000_000_000),
        usd_daily: NanoUsd(2_000_000_000_000_000),
        usd_monthly: NanoUsd(3_000_000_000_000_000),
        concurrent_requests: 1_000_000_000,
        ..Limits::default()
    }
}

impl Accounts {
    pub(super) fn new(users: u8) -> Self {
        let (limits, now) = (limits(), now());
        let edges = Arc::new(Edges::around(&limits.zone, limits.daily_reset, now));
        let version = (Epoch::from_parts(1, &[3; 10]), 1);
        let subject = |name| Subject::new(name, &limits, version, Arc::clone(&edges), now);
        let account = |user| {
            let key = SubjectName::Key(KeyId::from_parts(2, &[user; 10]));
            let user = Account::User(UserId::from_parts(1, &[user; 10]));
            (user, [subject(key), subject(SubjectName::User)])
        };
        Self((1..=users).map(account).collect())
    }

    /// A call of one of the users; they take turns.
    pub(super) fn call(&self, number: u64, (tokens, money): (u64, u64)) -> Option<Call> {
        let turn = usize::try_from(number).ok()? % self.0.len();
        let (account, subjects) = self.0.get(turn)?;
        let mut subjects = subjects.to_vec();
        for subject in &mut subjects {
            (subject.tokens, subject.money) = (tokens, money);
        }
        Some(Call {
            account: *account,
            request: request(number),
            subjects,
        })
    }

    /// Baselines of a ledger in which nothing was spent.
    pub(super) fn seeds(&self) -> impl Iterator<Item = (Account, Vec<Seed>)> {
        self.0
            .iter()
            .map(|(account, subjects)| (*account, subjects.iter().map(seed).collect()))
    }
}

pub(super) fn now() -> UnixMs {
    UnixMs(Timestamp::now().as_millisecond())
}

/// Another one for each number, of now.
fn request(number: u64) -> RequestId {
    let mut random = [0; 10];
    if let Some(tail) = random.last_chunk_mut() {
        *tail = number.to_be_bytes();
    }
    RequestId::from_parts(u64::try_from(now().0).unwrap_or(0), &random)
}

fn seed(subject: &Subject) -> Seed {
    let limited = |dimension: &Dimension| subject.cap(*dimension) > 0;
    let dimension = |dimension| {
        let (from, spent) = match subject.window(dimension) {
            Window::Total => (UnixMs(0), Spent::Total(0)),
            Window::Rolling(_) => (UnixMs(0), Spent::Rolling(Vec::new())),
            Window::Fixed(bounds) => {
                let (start, end) = (bounds.current, bounds.next);
                (start, Spent::Fixed { start, end, sum: 0 })
            }
        };
        SeedDimension {
            dimension,
            from,
            spent,
        }
    };
    let dimensions = Dimension::MONEY.into_iter().filter(limited).map(dimension);
    Seed {
        subject: subject.clone(),
        dimensions: dimensions.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_take_turns_and_no_request_comes_twice() {
        let accounts = Accounts::new(3);
        let call = |number| accounts.call(number, RESERVED).unwrap();
        assert_eq!(call(1).account, call(4).account);
        assert_ne!(call(1).account, call(2).account);
        assert_ne!(call(1).request, call(4).request);
        assert_eq!(call(1).subjects.len(), 2);
    }

    #[test]
    fn each_limited_dimension_of_money_has_a_baseline() {
        let (_, seeds) = Accounts::new(1).seeds().next().unwrap();
        assert!(seeds.iter().all(|seed| seed.dimensions.len() == 3));
    }
}
