//! The data planes that share their limits, as one of them sees it.
//!
//! *Shared.* Every call asks Redis, once. *Alone.* Without Redis this process is the fleet and counts by itself.
//! *Degraded.* Redis is set aside: the operator's policy holds ([`degraded`](crate::degraded)). When Redis is back,
//! what this node did meanwhile is said again by id, and only then calls are asked there again.
//!
//! Nobody waits longer than Redis's timeout, once: neither for Redis nor for the ledger's answer to an unknown
//! baseline. Whatever goes on after that goes on behind the callers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use penstock_core::id::Epoch;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::account::Account;
use crate::baseline::InFlight;
use crate::book::Books;
use crate::counters::Settle;
use crate::grant::{Claim, Policy};
use crate::local::{CacheFigures, FreeCalls, Local, LocalBindings, LocalTrials};
use crate::node::Node;
use crate::notes::Notes;
use crate::redis::{BadRedisUrl, Link, RedisCounters};
use crate::state::RedisState;
use crate::subject::Subject;
use crate::windows::Windows;

/// Settlements on their way to Redis; more wait in the books.
pub(crate) const QUEUE: usize = 16_384;
/// Without Redis the ledger is waited for as long as Redis would be.
const PATIENCE: Duration = Duration::from_millis(50);

/// See the module.
pub struct Fleet {
    pub(crate) windows: Arc<Windows>,
    pub(crate) books: Books,
    pub(crate) asking: InFlight,
    pub(crate) node: OnceLock<Arc<dyn Node>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) backend: Backend,
    pub(crate) free_calls: FreeCalls,
    pub(crate) bindings: LocalBindings,
    pub(crate) trials: LocalTrials,
    pub(crate) notes: Notes,
}

pub(crate) enum Backend {
    Alone(Local),
    Shared(Shared),
}

/// The fleet's Redis, and what holds without it.
pub(crate) struct Shared {
    pub(crate) link: Arc<Link>,
    pub(crate) counters: RedisCounters,
    pub(crate) degraded: Local,
    /// The connection up to which everything was said again.
    pub(crate) joined: AtomicU64,
    pub(crate) settlements: mpsc::Sender<Arc<Settle>>,
    pub(crate) settled: std::sync::Mutex<Option<mpsc::Receiver<Arc<Settle>>>>,
    /// Accounts to be said again at once.
    pub(crate) stale: mpsc::Sender<Account>,
    pub(crate) stales: std::sync::Mutex<Option<mpsc::Receiver<Account>>>,
}

/// How limits are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// By all data planes, through Redis.
    Shared,
    /// By this process, which is the fleet.
    Alone,
    /// Redis is away, and so says the operator's policy.
    Degraded(penstock_core::setting::Degraded),
    /// Nothing is refused for a limit; everything is counted.
    Off,
}

impl Enforcement {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Alone => "alone",
            Self::Degraded(mode) => mode.as_str(),
            Self::Off => "off",
        }
    }
}

impl Fleet {
    /// A fleet of one.
    pub fn alone(clock: impl Fn() -> UnixMs + Send + Sync + 'static) -> Self {
        let windows = Arc::new(Windows::new(Arc::new(clock)));
        let local = local(&windows);
        Self::new(windows, Backend::Alone(local))
    }

    /// A fleet that meets at this Redis. Does not connect yet. `process` names this process: a data plane that was
    /// started again is another one.
    pub fn at(
        url: &Secret,
        timeout: Duration,
        process: String,
        clock: impl Fn() -> UnixMs + Send + Sync + 'static,
    ) -> Result<Self, BadRedisUrl> {
        let windows = Arc::new(Windows::new(Arc::new(clock)));
        let link = Arc::new(Link::new(url, timeout)?);
        let (settlements, settled) = mpsc::channel(QUEUE);
        let (stale, stales) = mpsc::channel(1024);
        let shared = Shared {
            counters: RedisCounters::new(Arc::clone(&link), process),
            link,
            degraded: local(&windows),
            joined: AtomicU64::new(0),
            settlements,
            settled: std::sync::Mutex::new(Some(settled)),
            stale,
            stales: std::sync::Mutex::new(Some(stales)),
        };
        Ok(Self::new(windows, Backend::Shared(shared)))
    }

    fn new(windows: Arc<Windows>, backend: Backend) -> Self {
        let (for_bindings, for_trials) = (Arc::clone(&windows), Arc::clone(&windows));
        Self {
            bindings: LocalBindings::new(move || for_bindings.now()),
            trials: LocalTrials::new(move || for_trials.now()),
            notes: Notes::new(),
            windows,
            books: Books::new(),
            asking: InFlight::default(),
            node: OnceLock::new(),
            tasks: TaskTracker::new(),
            backend,
            free_calls: FreeCalls::default(),
        }
    }

    /// Makes known what the fleet is a part of. Once; before that no ledger is asked.
    pub fn join(&self, node: Arc<dyn Node>) {
        // A second one would be a second data plane in one.
        drop(self.node.set(node));
    }

    /// By the clock of Redis; None: there is none, or it is away.
    pub fn redis_time(&self) -> Option<UnixMs> {
        match &self.backend {
            Backend::Alone(_) => None,
            Backend::Shared(shared) => shared.link.time(),
        }
    }

    pub fn state(&self) -> RedisState {
        match &self.backend {
            Backend::Alone(_) => RedisState::None,
            Backend::Shared(shared) => shared.link.state(),
        }
    }

    /// Resolves when the state differs from the one last seen here. None: there is no Redis.
    pub fn changes(&self) -> Option<watch::Receiver<RedisState>> {
        match &self.backend {
            Backend::Alone(_) => None,
            Backend::Shared(shared) => Some(shared.link.changes()),
        }
    }

    pub fn enforcement(&self, policy: Policy) -> Enforcement {
        if !policy.enforce {
            return Enforcement::Off;
        }
        match &self.backend {
            Backend::Alone(_) => Enforcement::Alone,
            Backend::Shared(shared) if shared.is_joined() => Enforcement::Shared,
            Backend::Shared(_) => Enforcement::Degraded(policy.degraded),
        }
    }

    /// The most that strict budgets can have been overspent by what this node let in without the shared counters,
    /// nano-USD.
    pub fn worst_case_overspend(&self) -> u64 {
        self.books.unshared_strict()
    }

    /// Settlements that were dropped because too many waited for Redis.
    pub fn forgotten_settlements(&self) -> u64 {
        self.books.forgotten()
    }

    /// How this node's memory of bound sessions does.
    pub fn sessions_in_memory(&self) -> CacheFigures {
        self.bindings.figures()
    }

    pub(crate) fn patience(&self) -> Duration {
        match &self.backend {
            Backend::Alone(_) => PATIENCE,
            Backend::Shared(shared) => shared.link.timeout(),
        }
    }

    pub(crate) fn subjects(&self, claims: &[Claim], epoch: Epoch) -> Vec<Subject> {
        let now = self.windows.now();
        let subject = |claim: &Claim| {
            let edges = self.windows.around(&claim.limits, now);
            let mut subject = Subject::new(claim.name, &claim.limits, (epoch, claim.version), edges, now);
            subject.tokens = claim.tokens;
            subject.money = claim.money;
            subject
        };
        claims.iter().map(subject).collect()
    }
}

impl Shared {
    /// Whether calls are asked at Redis.
    pub(crate) fn is_joined(&self) -> bool {
        self.link.connection_number() == Some(self.joined.load(Ordering::Acquire))
    }
}

/// Counters in the process, under the clock of the windows that callers give them.
fn local(windows: &Arc<Windows>) -> Local {
    let windows = Arc::clone(windows);
    Local::new(move || windows.now())
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
