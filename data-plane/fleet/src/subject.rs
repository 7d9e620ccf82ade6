//! One subject of a call on the counters: its limits in numbers, its windows around now, what the call takes.

use std::sync::Arc;

use penstock_core::id::Epoch;
use penstock_core::limits::window::{Bounds, Window};
use penstock_core::limits::{DailyReset, Dimension, Limits, Zone};
use penstock_core::time::UnixMs;

use crate::account::SubjectName;

/// Limits by dimension, in the order of [`Dimension::ALL`]; 0: none.
pub type Caps = [u64; Dimension::ALL.len()];

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub name: SubjectName,
    pub caps: Caps,
    /// A budget is never passed.
    pub strict: bool,
    /// How long a session counts after its last call.
    pub idle_ms: u64,
    pub specification: Specification,
    pub edges: Arc<Edges>,
    /// When the caller looked at the clock, as the counters have it.
    pub asked_at: UnixMs,
    /// What the call takes, or took: tokens, nano-USD.
    pub tokens: u64,
    pub money: u64,
    /// The last resets, by dimension.
    pub resets: [Option<UnixMs>; Dimension::ALL.len()],
}

/// Which counters of money a subject has. Those of another specification are not comparable and made anew from the
/// ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Specification {
    /// Of the configuration. Versions of different epochs are not compared.
    pub epoch: Epoch,
    /// Of the subject's resource.
    pub version: u64,
    /// Of what decides which spend counts: dimensions, zone, reset time, resets. 0: no budget.
    pub hash: u64,
}

/// A subject's fixed windows around now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edges {
    /// None: the day rolls.
    pub day: Option<Bounds>,
    pub week: Bounds,
    pub month: Bounds,
}

impl Subject {
    /// A subject that takes nothing yet.
    pub fn new(
        name: SubjectName,
        limits: &Limits,
        (epoch, version): (Epoch, u64),
        edges: Arc<Edges>,
        asked_at: UnixMs,
    ) -> Self {
        Self {
            name,
            caps: Dimension::ALL.map(|dimension| limits.get(dimension)),
            strict: limits.is_strict(),
            idle_ms: limits.session_idle_ms(),
            specification: Specification {
                epoch,
                version,
                hash: specification(limits),
            },
            edges,
            asked_at,
            tokens: 0,
            money: 0,
            resets: Dimension::ALL.map(|dimension| limits.reset_at(dimension)),
        }
    }

    pub fn cap(&self, dimension: Dimension) -> u64 {
        self.caps.get(dimension as usize).copied().unwrap_or(0)
    }

    /// Whether money is counted.
    pub fn has_budget(&self) -> bool {
        self.specification.hash != 0
    }

    /// The last reset of a dimension.
    pub fn reset_at(&self, dimension: Dimension) -> Option<UnixMs> {
        self.resets.get(dimension as usize).copied().flatten()
    }

    /// The window of a dimension of money around now.
    pub fn window(&self, dimension: Dimension) -> Window {
        match dimension {
            Dimension::Usd5h => Window::Rolling(penstock_core::limits::window::FIVE_HOURS_MS),
            Dimension::UsdDaily => match self.edges.day {
                Some(bounds) => Window::Fixed(bounds),
                None => Window::Rolling(penstock_core::limits::window::ROLLING_DAY_MS),
            },
            Dimension::UsdWeekly => Window::Fixed(self.edges.week),
            Dimension::UsdMonthly => Window::Fixed(self.edges.month),
            Dimension::UsdTotal
            | Dimension::ConcurrentSessions
            | Dimension::ConcurrentRequests
            | Dimension::Rpm
            | Dimension::Tpm => Window::Total,
        }
    }
}

impl Edges {
    pub fn around(zone: &Zone, daily_reset: DailyReset, now: UnixMs) -> Self {
        let limits = Limits {
            zone: zone.clone(),
            daily_reset,
            ..Limits::default()
        };
        let fixed = |dimension| match limits.window(dimension, now) {
            Window::Fixed(bounds) => Some(bounds),
            Window::Rolling(_) | Window::Total => None,
        };
        let whole = Bounds {
            previous: UnixMs(0),
            current: UnixMs(0),
            next: UnixMs(i64::MAX),
            after: UnixMs(i64::MAX),
        };
        Self {
            day: fixed(Dimension::UsdDaily),
            week: fixed(Dimension::UsdWeekly).unwrap_or(whole),
            month: fixed(Dimension::UsdMonthly).unwrap_or(whole),
        }
    }

    /// Whether these are still the windows around now.
    pub fn hold_at(&self, now: UnixMs) -> bool {
        let holds = |bounds: &Bounds| bounds.current <= now && now < bounds.next;
        self.day.as_ref().is_none_or(holds) && holds(&self.week) && holds(&self.month)
    }
}

/// FNV-1a over what decides which spend counts. The same on every node and in every release.
fn specification(limits: &Limits) -> u64 {
    if !limits.has_budget() {
        return 0;
    }
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for dimension in Dimension::MONEY {
        if limits.get(dimension) > 0 {
            eat(dimension.as_str().as_bytes());
            eat(&limits.reset_at(dimension).map_or(0, |at| at.0).to_be_bytes());
        }
    }
    eat(limits.zone.0.as_bytes());
    match limits.daily_reset {
        DailyReset::At(minute) => eat(&minute.to_be_bytes()),
        DailyReset::Rolling => eat(b"rolling"),
    }
    // Redis counts in doubles and 0 means no budget.
    (hash >> 12).max(1)
}
