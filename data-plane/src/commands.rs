//! What the control plane can ask of a running node, apart from the wire: the seam between the config stream, which
//! carries the question, and the part of the node that knows the answer.
//!
//! An answer that does not come in time is given up by the stream, so nothing here need bound itself.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::limits::Dimension;
use penstock_core::snapshot::Snapshot;
use penstock_core::time::UnixMs;
use penstock_fleet::Claim;
use penstock_fleet::account::Account;
use penstock_fleet::counters::Usage;

use crate::app::App;
use crate::limits::{self, Takes};

/// Whose limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Key(KeyId),
    User(UserId),
    Provider(ProviderId),
}

/// What the counters say now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How limits are enforced here, as health says it.
    pub enforcement: String,
    /// One for each dimension that has a limit, in the order of [`Dimension::ALL`].
    pub states: Vec<LimitState>,
}

/// Amounts are in the dimension's unit, nano-USD for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    pub dimension: Dimension,
    /// Settled.
    pub used: i64,
    /// Held for calls in flight.
    pub reserved: i64,
    pub limit: i64,
    /// When a fixed window ends.
    pub reset_at: Option<UnixMs>,
}

/// Why counters were not read; the text is for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("this data plane does not know that key, user or provider yet; try again in a moment")]
    Unknown,
    #[error(
        "this data plane cannot read the counters now: Redis is away, or the ledger did not answer in time"
    )]
    Unreadable,
}

/// Tells how much of its limits a subject has used.
pub async fn read_limits(app: &App, subject: Subject) -> Result<Reading, ReadError> {
    let snapshot = app.live.load();
    let (account, claims) = claims_of(&snapshot, subject).ok_or(ReadError::Unknown)?;
    let usages = app.fleet.read(account, limits::epoch(&snapshot), &claims).await;
    let usages = usages.ok_or(ReadError::Unreadable)?;
    let signed = |amount| i64::try_from(amount).unwrap_or(i64::MAX);
    let state = |usage: &Usage| {
        let reading = limits::reading(&claims, usage);
        LimitState {
            dimension: reading.dimension,
            used: signed(reading.used),
            reserved: signed(reading.reserved),
            limit: signed(reading.limit),
            reset_at: reading.reset_at,
        }
    };
    let mut states: Vec<_> = usages.iter().map(state).collect();
    states.sort_by_key(|state| state.dimension);
    Ok(Reading {
        enforcement: app.enforcement().as_str().to_owned(),
        states,
    })
}

fn claims_of(snapshot: &Snapshot, subject: Subject) -> Option<(Account, Vec<Claim>)> {
    let nothing = Takes::default();
    Some(match subject {
        Subject::Key(id) => {
            let key = snapshot.key(id)?;
            (
                Account::User(key.key.user_id),
                vec![limits::key_claim(key, nothing)],
            )
        }
        Subject::User(id) => (
            Account::User(id),
            vec![limits::user_claim(snapshot.user(id)?, nothing)],
        ),
        Subject::Provider(id) => {
            let provider = snapshot.provider(id)?;
            (Account::Provider(id), limits::provider_claims(provider, nothing))
        }
    })
}
