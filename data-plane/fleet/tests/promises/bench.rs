//! Counters of either kind under a clock that the test moves, with the ledger's spends at hand.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use penstock_core::id::{KeyId, RequestId};
use penstock_core::limits::{Dimension, Exceeded, Limits};
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;
use penstock_fleet::account::SubjectName;
use penstock_fleet::counters::{
    Admit, Admitted, Adopt, Call, Counters, Noted, RecordNumber, Renewed, Seeded, Settle, TopUp, Usage,
    Verdict,
};
use penstock_fleet::local::Local;
use penstock_fleet::redis::RedisCounters;
use penstock_fleet::subject::Subject;

use crate::server::{Linked, Redis};
use crate::world::{Clock, account, call, key, request, seed, subject};

/// 2026-01-15 12:00 UTC, a Thursday.
pub(crate) const NOON: i64 = 1_768_478_400_000;

pub(crate) enum Kind {
    Local(Local),
    Redis(RedisCounters),
}

/// Requests of different benches are different.
static FIRST: AtomicU64 = AtomicU64::new(0);

/// See the module.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) counters: Kind,
    requests: Cell<u64>,
    /// What the ledger has, of every subject: instant and nano-USD.
    pub(crate) spends: RefCell<Vec<(i64, i64)>>,
    pub(crate) marks: RefCell<Vec<RecordNumber>>,
}

/// On counters in the process, then on those in a Redis.
pub(crate) async fn on_both(start: i64, story: impl AsyncFn(Bench)) {
    let clock = Clock::at(start);
    let theirs = clock.clone();
    story(Bench::new(clock, Kind::Local(Local::new(move || theirs.now())))).await;
    let server = Redis::start().unwrap();
    let linked = Linked::to(&server).await.unwrap();
    let counters = linked.counters("one");
    story(Bench::new(Clock::at(start), Kind::Redis(counters))).await;
}

/// Two subjects of a call: a key and its user.
pub(crate) struct Limited {
    pub(crate) key: Limits,
    pub(crate) user: Limits,
    pub(crate) version: u64,
    pub(crate) tokens: u64,
    pub(crate) money: u64,
    pub(crate) session: Option<&'static str>,
}

/// A user with limits, and a key without; a call that takes nothing yet.
pub(crate) fn user(limits: Limits) -> Limited {
    Limited {
        key: Limits::default(),
        user: limits,
        version: 1,
        tokens: 0,
        money: 0,
        session: None,
    }
}

impl Limited {
    pub(crate) fn money(self, money: u64) -> Self {
        Self { money, ..self }
    }

    /// As a caller sees them whose clock says so.
    pub(crate) fn subjects(&self, now: i64) -> Vec<Subject> {
        let mut all = vec![
            subject(key(0), &self.key, self.version, now),
            subject(SubjectName::User, &self.user, self.version, now),
        ];
        for one in &mut all {
            (one.tokens, one.money) = (self.tokens, self.money);
        }
        all
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        let of = KeyId::from_parts(1, &[1; 10]);
        self.session.map(|name| SessionId::of(of, name))
    }
}

impl Bench {
    pub(crate) fn new(clock: Clock, counters: Kind) -> Self {
        let bench = Self {
            clock,
            counters,
            requests: Cell::new(FIRST.fetch_add(1_000_000, Ordering::Relaxed)),
            spends: RefCell::default(),
            marks: RefCell::default(),
        };
        bench.step(0);
        bench
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().0
    }

    pub(crate) fn step(&self, ms: i64) {
        self.clock.step(ms);
        if let Kind::Redis(counters) = &self.counters {
            counters.set_clock(self.clock.now());
        }
    }

    pub(crate) fn step_to(&self, at: i64) {
        self.step(at - self.now());
    }

    pub(crate) fn id(&self) -> RequestId {
        self.requests.set(self.requests.get() + 1);
        request(self.now(), self.requests.get())
    }

    /// Asks once.
    pub(crate) async fn ask(&self, call: Call, session: Option<SessionId>) -> Verdict {
        let admit = Admit {
            call,
            session,
            enforce: true,
        };
        match &self.counters {
            Kind::Local(local) => local.admit(&admit).await.unwrap(),
            Kind::Redis(redis) => redis.admit(&admit).await.unwrap(),
        }
    }

    /// Asks, and makes from the ledger what is not known. What was let in, with its id.
    pub(crate) async fn admit(&self, limited: &Limited) -> Result<(RequestId, Admitted), Exceeded> {
        let id = self.id();
        for _ in 0..4 {
            let subjects = limited.subjects(self.now());
            match self.ask(call(id, subjects.clone()), limited.session()).await {
                Verdict::Admitted(admitted) => return Ok((id, admitted)),
                Verdict::Refused(exceeded) => return Err(exceeded),
                Verdict::Unknown(unknown) => {
                    let of = |s: &&Subject| unknown.contains(&s.name);
                    self.seed(subjects.iter().filter(of)).await;
                }
                Verdict::Clock(now) => panic!("it is {now}"),
            }
        }
        panic!("a seed changed nothing")
    }

    pub(crate) async fn seed(&self, subjects: impl Iterator<Item = &Subject>) -> Seeded {
        let spends = self.spends.borrow().clone();
        let marks = self.marks.borrow().clone();
        let seeds: Vec<_> = subjects.map(|s| seed(s, &spends, self.now())).collect();
        match &self.counters {
            Kind::Local(local) => local.seed(account(), &seeds, &marks).await.unwrap(),
            Kind::Redis(redis) => redis.seed(account(), &seeds, &marks).await.unwrap(),
        }
    }

    /// With what `limited` says was used.
    pub(crate) async fn settle(&self, id: RequestId, at: i64, limited: &Limited, number: u64) -> Noted {
        let settle = Settle {
            call: call(id, limited.subjects(self.now())),
            admitted_at: UnixMs(at),
            record: (number > 0).then(|| crate::world::mark(number)),
        };
        match &self.counters {
            Kind::Local(local) => local.settle(&settle).await.unwrap(),
            Kind::Redis(redis) => redis.settle(&settle).await.unwrap(),
        }
    }

    /// One call from its beginning to its end at once, at this cost.
    pub(crate) async fn spend(&self, limited: &Limited) {
        let (id, admitted) = self.admit(limited).await.unwrap();
        self.settle(id, admitted.at.0, limited, 0).await;
    }

    pub(crate) async fn adopt(&self, id: RequestId, at: i64, limited: &Limited) -> Noted {
        let adopt = Adopt {
            call: call(id, limited.subjects(self.now())),
            session: limited.session(),
            admitted_at: UnixMs(at),
        };
        match &self.counters {
            Kind::Local(local) => local.adopt(&adopt).await.unwrap(),
            Kind::Redis(redis) => redis.adopt(&adopt).await.unwrap(),
        }
    }

    pub(crate) async fn top_up(&self, id: RequestId, limited: &Limited) -> TopUp {
        let call = call(id, limited.subjects(self.now()));
        match &self.counters {
            Kind::Local(local) => local.top_up(&call, true).await.unwrap(),
            Kind::Redis(redis) => redis.top_up(&call, true).await.unwrap(),
        }
    }

    pub(crate) async fn renew(&self) -> Renewed {
        match &self.counters {
            Kind::Local(local) => local.renew(account()).await.unwrap(),
            Kind::Redis(redis) => redis.renew(account()).await.unwrap(),
        }
    }

    pub(crate) async fn read(&self, limited: &Limited) -> Option<Vec<Usage>> {
        let call = call(request(self.now(), 0), limited.subjects(self.now()));
        match &self.counters {
            Kind::Local(local) => local.read(&call).await.unwrap(),
            Kind::Redis(redis) => redis.read(&call).await.unwrap(),
        }
    }

    /// The user's: used and reserved.
    pub(crate) async fn used(&self, limited: &Limited, dimension: Dimension) -> (u64, u64) {
        self.used_by(SubjectName::User, limited, dimension).await
    }

    pub(crate) async fn used_by(
        &self,
        name: SubjectName,
        limited: &Limited,
        dimension: Dimension,
    ) -> (u64, u64) {
        let usages = self.read(limited).await.unwrap();
        let of = |usage: &&Usage| usage.subject == name && usage.dimension == dimension;
        let usage = usages.iter().find(of).unwrap();
        (usage.used, usage.reserved)
    }
}
