//! A data plane as far as the fleet is concerned, and the ledger behind it, in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use penstock_core::id::{Epoch, RequestId, SpoolId};
use penstock_core::limits::{Dimension, Limits};
use penstock_core::secret::Secret;
use penstock_core::setting::Degraded;
use penstock_core::time::UnixMs;
use penstock_fleet::account::{Account, SubjectName};
use penstock_fleet::baseline::{Answers, Asking, Question, Span, Spend};
use penstock_fleet::counters::RecordNumber;
use penstock_fleet::{Claim, Denied, Ended, Enforcement, Fleet, Grant, Node, Policy, Wish};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::world::{account, key, request};

const TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMs(i64::try_from(since.as_millis()).unwrap())
}

/// Waits for something that happens by itself.
pub(crate) async fn until(what: impl AsyncFn() -> bool) {
    while !what().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ledger {
    records: Mutex<Vec<(SubjectName, i64, i64)>>,
    /// By spool, how many records it has.
    marks: Mutex<BTreeMap<SpoolId, u64>>,
    /// How often it was asked.
    pub(crate) questions: AtomicU64,
    /// Questions that wait for their answer, and the most there were at once.
    asking: AtomicU64,
    pub(crate) most_asking: AtomicU64,
    /// It answers that it cannot.
    pub(crate) fails: AtomicBool,
    /// It answers when this is true.
    open: watch::Sender<bool>,
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            records: Mutex::default(),
            marks: Mutex::default(),
            questions: AtomicU64::new(0),
            asking: AtomicU64::new(0),
            most_asking: AtomicU64::new(0),
            fails: AtomicBool::new(false),
            open: watch::Sender::new(true),
        })
    }

    pub(crate) fn failing() -> Arc<Self> {
        let ledger = Self::new();
        ledger.fails.store(true, Ordering::Relaxed);
        ledger
    }

    pub(crate) fn hold(&self, held: bool) {
        self.open.send_replace(!held);
    }

    /// The user's spend.
    pub(crate) fn spent(&self, at: i64, amount: i64) {
        self.records.lock().unwrap().push((SubjectName::User, at, amount));
    }

    /// Has this spool's records up to this one.
    pub(crate) fn has(&self, record: RecordNumber) {
        self.marks.lock().unwrap().insert(record.spool, record.number);
    }

    fn answer(&self, questions: &[Question]) -> Answers {
        let records = self.records.lock().unwrap();
        let spend = |subject: SubjectName, span: &Span| {
            let of = records
                .iter()
                .filter(|(name, at, _)| *name == subject && *at >= span.from.0);
            let minutes = of.map(|(_, at, amount)| (UnixMs(at / 60_000 * 60_000), *amount));
            let minutes: Vec<_> = minutes.collect();
            Spend {
                sum: minutes.iter().map(|(_, amount)| amount).sum(),
                minutes: if span.by_minute { minutes } else { Vec::new() },
            }
        };
        let of = |question: &Question| {
            question
                .spans
                .iter()
                .map(|span| spend(question.subject, span))
                .collect()
        };
        let mark = |(spool, number): (&SpoolId, &u64)| RecordNumber {
            spool: *spool,
            number: *number,
        };
        Answers {
            spends: questions.iter().map(of).collect(),
            marks: self.marks.lock().unwrap().iter().map(mark).collect(),
        }
    }
}

/// One data plane's way to the ledger.
struct Way {
    ledger: Arc<Ledger>,
    spool: SpoolId,
}

impl Node for Way {
    fn ask_ledger(&self, questions: Vec<Question>) -> Asking {
        self.ledger.questions.fetch_add(1, Ordering::Relaxed);
        let asking = self.ledger.asking.fetch_add(1, Ordering::Relaxed) + 1;
        self.ledger.most_asking.fetch_max(asking, Ordering::Relaxed);
        let ledger = Arc::clone(&self.ledger);
        Box::pin(async move {
            ledger.open.subscribe().wait_for(|open| *open).await.unwrap();
            ledger.asking.fetch_sub(1, Ordering::Relaxed);
            match ledger.fails.load(Ordering::Relaxed) {
                true => Err("the control plane is away".to_owned()),
                false => Ok(ledger.answer(&questions)),
            }
        })
    }

    fn acknowledged(&self) -> u64 {
        self.ledger
            .marks
            .lock()
            .unwrap()
            .get(&self.spool)
            .copied()
            .unwrap_or(0)
    }

    fn degraded(&self) -> Degraded {
        Degraded::Local
    }

    fn random(&self) -> u32 {
        0
    }
}

/// See the module.
pub(crate) struct Plane {
    pub(crate) fleet: Arc<Fleet>,
    spool: SpoolId,
    records: AtomicU64,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
}

/// What calls of the tests are held to: a user with limits whose key has none.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) account: Account,
    pub(crate) limits: Limits,
    pub(crate) policy: Policy,
}

pub(crate) fn held(limits: Limits, degraded: Degraded, live_nodes: u32) -> Held {
    Held {
        account: account(),
        limits,
        policy: Policy {
            enforce: true,
            degraded,
            live_nodes,
        },
    }
}

impl Held {
    pub(crate) fn claims(&self, money: u64) -> Vec<Claim> {
        let claim = |name, limits: Limits| Claim {
            name,
            limits: Arc::new(limits),
            version: 1,
            tokens: 0,
            money,
        };
        match self.account {
            Account::User(_) => vec![
                claim(key(0), Limits::default()),
                claim(SubjectName::User, self.limits.clone()),
            ],
            Account::Provider(_) => vec![claim(SubjectName::Provider, self.limits.clone())],
        }
    }
}

fn epoch() -> Epoch {
    Epoch::from_parts(1, &[3; 10])
}

impl Plane {
    pub(crate) fn alone(ledger: &Arc<Ledger>) -> Self {
        Self::of(Fleet::alone(now), 0, ledger)
    }

    pub(crate) fn at(url: &str, name: u8, ledger: &Arc<Ledger>) -> Self {
        Self::patient(url, name, ledger, TIMEOUT)
    }

    pub(crate) fn patient(url: &str, name: u8, ledger: &Arc<Ledger>, timeout: Duration) -> Self {
        let fleet = Fleet::at(&Secret::new(url), timeout, format!("process-{name}"), now).unwrap();
        Self::of(fleet, name, ledger)
    }

    pub(crate) fn with_clock(
        url: &str,
        name: u8,
        ledger: &Arc<Ledger>,
        clock: impl Fn() -> UnixMs + Send + Sync + 'static,
    ) -> Self {
        let fleet = Fleet::at(&Secret::new(url), TIMEOUT, format!("process-{name}"), clock).unwrap();
        Self::of(fleet, name, ledger)
    }

    /// Not under way yet, where there is a Redis to connect to.
    fn of(fleet: Fleet, name: u8, ledger: &Arc<Ledger>) -> Self {
        let fleet = Arc::new(fleet);
        let spool = SpoolId::from_parts(1, &[name; 10]);
        fleet.join(Arc::new(Way {
            ledger: Arc::clone(ledger),
            spool,
        }));
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&fleet).run(shutdown.clone()));
        Self {
            fleet,
            spool,
            records: AtomicU64::new(0),
            shutdown,
            tasks,
        }
    }

    /// Shuts it down, as a process ends that was asked to.
    pub(crate) async fn end(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    pub(crate) async fn joined(&self) {
        let policy = held(Limits::default(), Degraded::Local, 1).policy;
        until(async || self.fleet.enforcement(policy) == Enforcement::Shared).await;
    }

    pub(crate) fn wish(&self, held: &Held, money: u64) -> Wish {
        static REQUESTS: AtomicU64 = AtomicU64::new(1);
        Wish {
            account: held.account,
            request: request(now().0, REQUESTS.fetch_add(1, Ordering::Relaxed)),
            epoch: epoch(),
            claims: held.claims(money),
            session: None,
            policy: held.policy,
        }
    }

    pub(crate) async fn admit(&self, held: &Held, money: u64) -> Result<(RequestId, Grant), Denied> {
        let wish = self.wish(held, money);
        let id = wish.request;
        Ok((id, self.fleet.admit(wish).await?))
    }

    /// How many of so many calls, one after the other, are let in.
    pub(crate) async fn admitted(&self, held: &Held, money: u64, calls: usize) -> usize {
        let mut admitted = 0;
        for _ in 0..calls {
            admitted += usize::from(self.admit(held, money).await.is_ok());
        }
        admitted
    }

    pub(crate) fn settle(&self, held: &Held, (id, grant): &(RequestId, Grant), money: u64) -> RecordNumber {
        let record = RecordNumber {
            spool: self.spool,
            number: self.records.fetch_add(1, Ordering::Relaxed) + 1,
        };
        self.fleet.settle(&Ended {
            account: held.account,
            request: *id,
            epoch: epoch(),
            claims: held.claims(money),
            admitted_at: grant.admitted_at(),
            record: Some(record),
        });
        record
    }

    /// What is used and reserved of the user's limit; None: not known.
    pub(crate) async fn used(&self, held: &Held, dimension: Dimension) -> Option<(u64, u64)> {
        let usages = self.fleet.read(held.account, epoch(), &held.claims(0)).await?;
        let usage = usages.iter().find(|usage| usage.dimension == dimension)?;
        Some((usage.used, usage.reserved))
    }

    /// Waits until so much is used and reserved.
    pub(crate) async fn comes_to(&self, held: &Held, dimension: Dimension, amounts: (u64, u64)) {
        let seen = Mutex::new(None);
        let waiting = until(async || {
            let used = self.used(held, dimension).await;
            *seen.lock().unwrap() = used;
            used == Some(amounts)
        });
        if tokio::time::timeout(Duration::from_secs(60), waiting)
            .await
            .is_err()
        {
            panic!("{:?} and never {amounts:?}", seen.lock().unwrap());
        }
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
