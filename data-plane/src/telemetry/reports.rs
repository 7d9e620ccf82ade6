//! Reports that are delivered as well as it goes: a bounded queue, dropped when it is full, counted.
//!
//! What is reported here repeats itself by nature (a key that was found by a suffixed hash is found so again at its
//! next use; a first use that no snapshot tells of is reported again, with the time of the first; a refused token is
//! refused again), so a loss costs nothing but time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use penstock_core::api_key::KeyHash;
use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::time::UnixMs;
use tokio::sync::mpsc;

const QUEUE: usize = 256;
/// First uses that are remembered until a snapshot tells of them; of more the time is that of a later call.
const REMEMBERED: usize = 4096;
/// A first use is said again when no snapshot tells of it for so long.
const SAID_AGAIN_MS: i64 = 3_000;

/// A key that was imported by a suffixed hash was used: this is the plain hash to keep from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUpgrade {
    pub key_id: KeyId,
    /// The version of the key resource that was in force.
    pub key_version: u64,
    pub hash: KeyHash,
}

/// Whose first use it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    User(UserId),
    Key(KeyId),
}

/// A provider refused an access token that the control plane obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRefused {
    pub provider: ProviderId,
    pub token_version: u64,
}

/// What is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    KeyUpgrade(KeyUpgrade),
    /// The first call that this node let in.
    FirstUse {
        subject: Subject,
        at: UnixMs,
    },
    TokenRefused(TokenRefused),
}

/// Where the request path leaves its reports. Copies share one queue.
#[derive(Clone, Debug)]
pub struct Reports {
    queue: mpsc::Sender<Report>,
    dropped: Arc<AtomicU64>,
    first_uses: Arc<Mutex<HashMap<Subject, FirstUse>>>,
}

#[derive(Clone, Copy, Debug)]
struct FirstUse {
    at: UnixMs,
    said: UnixMs,
    /// Of the activation that it is a use of.
    granted_at: Option<UnixMs>,
}

/// The other end, for the uplink.
pub(crate) type ReportQueue = mpsc::Receiver<Report>;

impl Reports {
    pub(crate) fn new() -> (Self, ReportQueue) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let reports = Self {
            queue,
            dropped: Arc::default(),
            first_uses: Arc::default(),
        };
        (reports, receiver)
    }

    /// Never waits.
    pub fn key_upgrade(&self, upgrade: KeyUpgrade) {
        self.put(Report::KeyUpgrade(upgrade));
    }

    /// Never waits.
    pub fn token_refused(&self, refused: TokenRefused) {
        self.put(Report::TokenRefused(refused));
    }

    /// A use at this time, of somebody whose first use no snapshot tells of. A use before the activation was taken away and
    /// granted anew is forgotten. Never waits.
    pub fn first_use(&self, subject: Subject, granted_at: Option<UnixMs>, now: UnixMs) {
        if let Some(at) = self.first(subject, granted_at, now) {
            self.put(Report::FirstUse { subject, at });
        }
    }

    /// The time to report; None: it was just reported.
    fn first(&self, subject: Subject, granted_at: Option<UnixMs>, now: UnixMs) -> Option<UnixMs> {
        let long_ago = |said: UnixMs| now.0.saturating_sub(said.0) >= SAID_AGAIN_MS;
        let mut known = self.first_uses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = known.get_mut(&subject)
            && first.granted_at == granted_at
        {
            if !long_ago(first.said) {
                return None;
            }
            first.said = now;
            return Some(first.at);
        }
        if known.len() >= REMEMBERED {
            // Most are stamped by now, and asked about no more.
            known.retain(|_, first| !long_ago(first.said));
        }
        if known.len() < REMEMBERED || known.contains_key(&subject) {
            let first = FirstUse {
                at: now,
                said: now,
                granted_at,
            };
            known.insert(subject, first);
        }
        Some(now)
    }

    fn put(&self, report: Report) {
        if self.queue.try_send(report).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many did not fit.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a03_upgrades_beyond_the_bound_are_dropped_and_counted() {
        let (reports, mut queue) = Reports::new();
        let upgrade = KeyUpgrade {
            key_id: KeyId::from_parts(1, &[1; 10]),
            key_version: 1,
            hash: KeyHash::of("psk_imported_long_ago"),
        };
        for _ in 0..QUEUE + 3 {
            reports.key_upgrade(upgrade);
        }
        assert_eq!(reports.dropped(), 3);
        assert_eq!(queue.try_recv(), Ok(Report::KeyUpgrade(upgrade)));
    }

    #[test]
    fn a04_a_first_use_is_said_again_with_its_own_time_until_it_is_known() {
        let (reports, mut queue) = Reports::new();
        let subject = Subject::Key(KeyId::from_parts(1, &[1; 10]));
        for now in [1_000, 1_001, 3_999, 4_000, 4_001] {
            reports.first_use(subject, None, UnixMs(now));
        }
        let first = Report::FirstUse {
            subject,
            at: UnixMs(1_000),
        };
        assert_eq!((queue.try_recv(), queue.try_recv()), (Ok(first), Ok(first)));
        assert!(queue.try_recv().is_err());
    }

    #[test]
    fn a04_an_activation_that_was_granted_anew_has_a_first_use_of_its_own() {
        let (reports, _queue) = Reports::new();
        let subject = Subject::Key(KeyId::from_parts(1, &[1; 10]));
        reports.first(subject, None, UnixMs(1_000));
        let again = Some(UnixMs(5_000));
        assert_eq!(reports.first(subject, again, UnixMs(9_000)), Some(UnixMs(9_000)));
        assert_eq!(reports.first(subject, again, UnixMs(9_001)), None);
        assert_eq!(reports.first(subject, again, UnixMs(12_000)), Some(UnixMs(9_000)));
    }

    #[test]
    fn a04_more_first_uses_than_are_remembered_are_still_reported() {
        let (reports, _queue) = Reports::new();
        let subject = |n: u64| Subject::Key(KeyId::from_parts(n, &[1; 10]));
        for n in 0..=REMEMBERED as u64 {
            assert_eq!(reports.first(subject(n), None, UnixMs(1)), Some(UnixMs(1)));
        }
        assert_eq!(reports.first_uses.lock().unwrap().len(), REMEMBERED);
        reports.first(subject(9_999_999), None, UnixMs(1 + SAID_AGAIN_MS));
        assert_eq!(reports.first_uses.lock().unwrap().len(), 1);
    }
}
