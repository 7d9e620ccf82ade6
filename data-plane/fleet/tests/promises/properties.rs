//! Random stories, told to the model, to the counters in the process and to those in Redis: all must agree on every
//! word. Behaviours D1, D3, D4, D6; the numbered properties of the specification of limits.

use penstock_core::id::RequestId;
use penstock_core::limits::{Budget, DailyReset, Dimension, Limits, Zone};
use penstock_core::money::NanoUsd;
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;
use penstock_fleet::account::SubjectName;
use penstock_fleet::counters::{Admit, Adopt, Counters, Noted, Settle, TopUp, Usage, Verdict};
use penstock_fleet::local::Local;
use penstock_fleet::redis::RedisCounters;
use penstock_fleet::subject::Subject;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::model::{Model, Refused};
use crate::server::{Linked, Redis};
use crate::world::{Clock, account, call, key, mark, request, seed, subject};

#[derive(Clone, Debug)]
enum Op {
    Step(i64),
    Admit {
        key: usize,
        session: Option<u8>,
        tokens: u64,
        money: u64,
    },
    Settle {
        which: usize,
        tokens: u64,
        part: u64,
    },
    SettleAgain {
        which: usize,
    },
    TopUp {
        which: usize,
        money: u64,
    },
    Commit,
    Lose,
    Configure {
        which: usize,
    },
    Read {
        key: usize,
    },
}

#[derive(Clone, Debug)]
struct Story {
    start: i64,
    key_limits: Limits,
    /// The user's, one after the other.
    user_limits: Vec<Limits>,
    ops: Vec<Op>,
}

struct Record {
    id: RequestId,
    at: i64,
    key: usize,
    used: Vec<Subject>,
}

struct Teller<'a> {
    story: Story,
    clock: Clock,
    model: Model,
    local: Local,
    redis: &'a RedisCounters,
    server: &'a Redis,
    configured: usize,
    requests: u64,
    ledger: Vec<Record>,
    committed: usize,
    lost: bool,
    keys: std::collections::BTreeMap<RequestId, usize>,
    /// Subjects whose baseline was made since the last loss.
    seeded: std::collections::BTreeSet<SubjectName>,
}

impl Teller<'_> {
    fn now(&self) -> i64 {
        self.clock.now().0
    }

    fn user_limits(&self) -> &Limits {
        &self.story.user_limits[self.configured % self.story.user_limits.len()]
    }

    fn subjects(&mut self, key_number: usize) -> Vec<Subject> {
        let now = self.now();
        let now = self.model.now(now);
        let version = u64::try_from(self.configured).unwrap() + 1;
        vec![
            subject(key(key_number), &self.story.key_limits, 1, now),
            subject(SubjectName::User, self.user_limits(), version, now),
        ]
    }

    async fn tell(&mut self, op: Op) -> anyhow::Result<()> {
        self.redis.set_clock(self.clock.now());
        let now = self.now();
        if self.ledger[self.committed..]
            .iter()
            .any(|record| now - record.at > 72_000_000)
        {
            // What is older than a day is in the ledger.
            self.committed = self.ledger.len();
        }
        match op {
            Op::Step(ms) => {
                // What is older than a day is in the ledger.
                if ms > 3_600_000 {
                    self.committed = self.ledger.len();
                }
                if ms > 0 || !self.lost {
                    self.clock.step(ms);
                }
            }
            Op::Commit => self.committed = self.ledger.len(),
            Op::Configure { which } => self.configured += which,
            Op::Lose => {
                self.server.run(&["FLUSHALL"]).await?;
                self.local.clear();
                // What was lost knew the time, too.
                let now = self.now();
                self.clock.step(self.model.now(now) - now);
                self.lost = true;
                self.seeded.clear();
            }
            Op::Admit {
                key,
                session,
                tokens,
                money,
            } => self.admit(key, session, tokens, money).await?,
            Op::Settle { which, tokens, part } => self.settle(which, tokens, part).await?,
            Op::SettleAgain { which } => {
                if !self.ledger.is_empty() {
                    self.send(which % self.ledger.len(), true).await?;
                }
            }
            Op::TopUp { which, money } => self.top_up(which, money).await?,
            Op::Read { key } => self.read(key).await?,
        }
        Ok(())
    }

    async fn admit(
        &mut self,
        key: usize,
        session: Option<u8>,
        tokens: u64,
        money: u64,
    ) -> anyhow::Result<()> {
        self.requests += 1;
        let id = request(self.now(), self.requests);
        let mut subjects = self.subjects(key);
        for subject in &mut subjects {
            let cap = subject.cap(Dimension::Tpm);
            subject.tokens = if cap > 0 { tokens.min(cap) } else { tokens };
            subject.money = money;
        }
        let owner = penstock_core::id::KeyId::from_parts(1, &[1; 10]);
        let admit = Admit {
            call: call(id, subjects),
            session: session.map(|n| SessionId::of(owner, &n.to_string())),
            enforce: true,
        };
        let (mut local, mut shared) = self.both(&admit).await?;
        if let (Verdict::Unknown(here), Verdict::Unknown(there)) = (&local, &shared) {
            assert_eq!(here, there);
            self.seed(&admit.call.subjects, here).await?;
            (local, shared) = self.both(&admit).await?;
        }
        let now = self.now();
        let expected = self.model.admit(&admit, now);
        match (&local, &shared, expected) {
            (Verdict::Admitted(here), Verdict::Admitted(there), Ok(at)) => {
                assert_eq!((here.at, there.at), (UnixMs(at), UnixMs(at)));
                assert_eq!(here.seen, there.seen);
                self.keys.insert(id, key);
            }
            (Verdict::Refused(here), Verdict::Refused(there), Err(refused)) => {
                assert_eq!(here, there);
                let Refused {
                    level,
                    dimension,
                    used,
                } = refused;
                assert_eq!((here.level, here.dimension, here.used), (level, dimension, used));
            }
            other => panic!("they do not agree: {other:?}"),
        }
        Ok(())
    }

    async fn both(&self, admit: &Admit) -> anyhow::Result<(Verdict, Verdict)> {
        Ok((self.local.admit(admit).await?, self.redis.admit(admit).await?))
    }

    /// Makes the unknown subjects' money from the ledger, then says again what is in flight and not committed.
    async fn seed(&mut self, subjects: &[Subject], unknown: &[SubjectName]) -> anyhow::Result<()> {
        let now = self.now();
        let now = self.model.now(now);
        // Spools deliver within a day, and ids are known for no longer: what is older is in the ledger.
        let is_old = |record: &Record| now - record.at > 86_400_000;
        let old = self.ledger.iter().rposition(is_old).map_or(0, |place| place + 1);
        self.committed = self.committed.max(old);
        let of = |subject: &Subject| {
            let spends = self.ledger.iter().take(self.committed).filter_map(|record| {
                let used = record.used.iter().find(|used| used.name == subject.name)?;
                Some((record.at, i64::try_from(used.money).unwrap()))
            });
            seed(subject, &Vec::from_iter(spends), now)
        };
        let seeds: Vec<_> = subjects
            .iter()
            .filter(|s| unknown.contains(&s.name))
            .map(of)
            .collect();
        let marks = [mark(u64::try_from(self.committed).unwrap())];
        self.local.seed(account(), &seeds, &marks).await?;
        self.redis.seed(account(), &seeds, &marks).await?;
        self.seeded.extend(unknown);
        // Some that the ledger has are said again, too: their acknowledgement was lost.
        let again = self.committed.saturating_sub(2)..self.ledger.len();
        if std::mem::take(&mut self.lost) {
            let replayed: Vec<_> = self.ledger[self.committed..]
                .iter()
                .map(|record| record.id)
                .collect();
            self.model.forget_rates(&replayed);
        }
        for (id, at) in self.model.open_ids() {
            let (held, session) = self.model.subjects_of(id);
            let current = self.subjects(self.keys[&id]);
            let adopt = Adopt {
                call: call(id, with_amounts(current, &held)),
                session,
                admitted_at: UnixMs(at),
            };
            self.local.adopt(&adopt).await?;
            self.redis.adopt(&adopt).await?;
        }
        for place in again {
            self.send(place, true).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, which: usize, tokens: u64, part: u64) -> anyhow::Result<()> {
        let open = self.model.open_ids();
        if open.is_empty() {
            return Ok(());
        }
        let (id, at) = open[which % open.len()];
        let (mut used, _) = self.model.subjects_of(id);
        for subject in &mut used {
            subject.tokens = tokens;
            subject.money = subject.money * part / 100;
        }
        self.ledger.push(Record {
            id,
            at,
            key: self.keys[&id],
            used,
        });
        if self.now() - at > 86_400_000 {
            self.committed = self.ledger.len();
        }
        self.send(self.ledger.len() - 1, false).await?;
        let (now, record) = (self.now(), self.ledger.last().unwrap());
        self.model.settle(id, &record.used, now);
        Ok(())
    }

    async fn send(&mut self, place: usize, again: bool) -> anyhow::Result<()> {
        let of = self.ledger[place].key;
        if again && place < self.committed && !self.seeded.contains(&key(of)) {
            // Without a baseline nobody knows that the ledger has it; its tokens would slide in anew.
            return Ok(());
        }
        let current = self.subjects(of);
        let record = &self.ledger[place];
        let settle = Settle {
            call: call(record.id, with_amounts(current, &record.used)),
            admitted_at: UnixMs(record.at),
            record: Some(mark(u64::try_from(place).unwrap() + 1)),
        };
        let here = self.local.settle(&settle).await?;
        let there = self.redis.settle(&settle).await?;
        assert_eq!(here == Noted::Gone, there == Noted::Gone, "{here:?} {there:?}");
        Ok(())
    }

    async fn top_up(&mut self, which: usize, money: u64) -> anyhow::Result<()> {
        let open = self.model.open_ids();
        if open.is_empty() || self.lost {
            return Ok(());
        }
        let (id, at) = open[which % open.len()];
        let mut subjects = self.subjects(self.keys[&id]);
        for subject in &mut subjects {
            subject.money = money;
        }
        let call = call(id, subjects);
        let here = self.local.top_up(&call, true).await?;
        let there = self.redis.top_up(&call, true).await?;
        assert_eq!(here, there);
        let now = self.now();
        if here == TopUp::Held {
            self.model.hold(id, money);
        } else {
            assert!(
                self.model.has_no_room(&call.subjects, at, now),
                "{here:?} without a reason"
            );
        }
        Ok(())
    }

    async fn read(&mut self, key: usize) -> anyhow::Result<()> {
        let call = call(request(self.now(), 0), self.subjects(key));
        let here = self.local.read(&call).await?;
        let there = self.redis.read(&call).await?;
        assert_eq!(here, there);
        let now = self.now();
        let now = self.model.now(now);
        for Usage {
            subject,
            dimension,
            used,
            reserved,
            ..
        } in here.into_iter().flatten()
        {
            let asked = call.subjects.iter().find(|asked| asked.name == subject).unwrap();
            let expected = self.model.used(asked, dimension, now);
            assert_eq!(
                i64::try_from(used + reserved).unwrap(),
                expected,
                "{subject:?} {dimension:?}"
            );
        }
        Ok(())
    }
}

fn with_amounts(current: Vec<Subject>, amounts: &[Subject]) -> Vec<Subject> {
    let with = |mut subject: Subject| {
        let held = amounts.iter().find(|held| held.name == subject.name).unwrap();
        (subject.tokens, subject.money) = (held.tokens, held.money);
        subject
    };
    current.into_iter().map(with).collect()
}

fn limits(budget: Budget) -> impl Strategy<Value = Limits> {
    let usd = || prop::option::of(20_i64..400).prop_map(|n| NanoUsd(n.unwrap_or(0)));
    let zone = prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
    ]);
    let reset = prop_oneof![Just(DailyReset::Rolling), (0_u16..1440).prop_map(DailyReset::At)];
    let counts = (0_u64..6, 0_u64..200, 0_u64..3, 0_u64..4);
    (usd(), usd(), usd(), usd(), zone, reset, counts).prop_map(move |(h, d, w, m, zone, reset, counts)| {
        Limits {
            rpm: counts.0,
            tpm: counts.1,
            usd_5h: h,
            usd_daily: d,
            usd_weekly: w,
            usd_monthly: m,
            usd_total: NanoUsd(2000),
            concurrent_sessions: counts.2,
            concurrent_requests: counts.3,
            budget,
            daily_reset: reset,
            zone: Zone(zone.to_owned()),
            ..Limits::default()
        }
    })
}

/// Limits of the user, one after the other, that differ in money and windows only.
fn histories(budget: Budget) -> impl Strategy<Value = Vec<Limits>> {
    prop::collection::vec(limits(budget), 1..4).prop_map(|mut all| {
        let first = all[0].clone();
        for one in &mut all {
            one.rpm = first.rpm;
            one.tpm = first.tpm;
            one.concurrent_sessions = first.concurrent_sessions;
        }
        all
    })
}

fn op(most: u64) -> impl Strategy<Value = Op> {
    let step = prop_oneof![
        4 => 0_i64..3_000,
        3 => 0_i64..120_000,
        2 => 0_i64..7_200_000,
        1 => 0_i64..200_000_000,
        1 => -5_000_i64..0,
    ];
    prop_oneof![
        4 => step.prop_map(Op::Step),
        8 => (0_usize..2, prop::option::of(0_u8..4), 0_u64..80, 0_u64..40)
            .prop_map(|(key, session, tokens, money)| Op::Admit { key, session, tokens, money }),
        6 => (any::<usize>(), 0_u64..120, 0..=most)
            .prop_map(|(which, tokens, part)| Op::Settle { which, tokens, part }),
        2 => any::<usize>().prop_map(|which| Op::SettleAgain { which }),
        2 => (any::<usize>(), 0_u64..30).prop_map(|(which, money)| Op::TopUp { which, money }),
        2 => Just(Op::Commit),
        1 => Just(Op::Lose),
        1 => (0_usize..3).prop_map(|which| Op::Configure { which }),
        2 => (0_usize..2).prop_map(|key| Op::Read { key }),
    ]
}

fn story(budget: Budget, most: u64) -> impl Strategy<Value = Story> {
    // Days around changes of daylight saving in Berlin and on Lord Howe.
    let starts = prop::sample::select(vec![
        1_774_656_000_000_i64,
        1_792_800_000_000,
        1_790_985_600_000,
        1_800_000_000_123,
    ]);
    let ops = prop::collection::vec(op(most), 1..60);
    (starts, limits(budget), histories(budget), ops).prop_map(|(start, key_limits, user_limits, ops)| Story {
        start,
        key_limits,
        user_limits,
        ops,
    })
}

fn tell_all(budget: Budget, most: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(1)
        .build()
        .unwrap();
    let server = Redis::start().unwrap();
    let linked = runtime.block_on(Linked::to(&server)).unwrap();
    let redis = linked.counters("one");
    let config = Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let told = TestRunner::new(config).run(&story(budget, most), |story| {
        runtime.block_on(async {
            server.run(&["FLUSHALL"]).await.unwrap();
            let clock = Clock::at(story.start);
            let local_clock = clock.clone();
            let ops = story.ops.clone();
            let mut teller = Teller {
                story,
                clock,
                model: Model::default(),
                local: Local::new(move || local_clock.now()),
                redis: &redis,
                server: &server,
                configured: 0,
                requests: 0,
                ledger: Vec::new(),
                committed: 0,
                lost: true,
                keys: Default::default(),
                seeded: Default::default(),
            };
            for op in ops {
                teller.tell(op).await.unwrap();
            }
        });
        Ok(())
    });
    told.unwrap();
}

#[test]
fn d03_d04_soft_budgets_and_rates_agree_with_the_model_in_process_and_in_redis() {
    tell_all(Budget::Soft, 300);
}

#[test]
fn d03_d04_strict_budgets_agree_with_the_model_in_process_and_in_redis() {
    tell_all(Budget::Strict, 100);
}
