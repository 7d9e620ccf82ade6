//! Counters in Redis: one script call for each thing that is done.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use penstock_core::guard::GuardRules;
use penstock_core::time::UnixMs;
use uuid::fmt::Hyphenated;

use super::arguments::{Header, Invocation};
use super::failure::Failure;
use super::link::Link;
use super::reply::Reply;
use super::script::{ScriptCall, Scripts};
use crate::account::{Account, SubjectName};
use crate::counters::{
    Admit, Adopt, Call, Counters, Noted, RecordNumber, Renewed, Seed, Seeded, Settle, TopUp, Unreachable,
    Usage, Verdict,
};
use crate::subject::Subject;

/// For calls that nobody waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// Of more accounts than this it is not said.
const MOST_BROKEN: usize = 1_000;
const NO_REQUEST: &str = "-";

/// See the module.
pub struct RedisCounters {
    pub(super) link: Arc<Link>,
    pub(super) scripts: Arc<Scripts>,
    /// Names this process; a restarted data plane is another one.
    pub(super) process: String,
    /// Of tests; below 0: Redis's own clock.
    now: AtomicI64,
    /// Accounts whose counters a script failed on.
    broken: Mutex<HashSet<Account>>,
}

impl RedisCounters {
    pub fn new(link: Arc<Link>, process: String) -> Self {
        Self {
            scripts: Arc::clone(link.scripts()),
            link,
            process,
            now: AtomicI64::new(-1),
            broken: Mutex::default(),
        }
    }

    /// From now on it is this instant, for tests of what takes hours.
    pub fn set_clock(&self, now: UnixMs) {
        self.now.store(now.0, Ordering::Relaxed);
    }

    fn header(&self, enforce: bool) -> Header<'_> {
        let now = self.now.load(Ordering::Relaxed);
        Header {
            now: (now >= 0).then_some(UnixMs(now)),
            process: &self.process,
            enforce,
        }
    }

    pub(super) fn now(&self) -> String {
        match self.now.load(Ordering::Relaxed) {
            now if now >= 0 => now.to_string(),
            _ => String::new(),
        }
    }

    /// Counts one more of these in any 60 s. Milliseconds until one fits; 0: this one did.
    pub async fn count(&self, name: &str, limit: u64) -> Result<i64, Unreachable> {
        let mut call = ScriptCall::new(&self.scripts.count, &[format!("penstock:1:{{{name}}}:count")]);
        call.arg(self.now()).arg(limit);
        Ok(self.link.invoke(&call, self.link.timeout()).await?)
    }

    /// Notes a guessed key from an address. Milliseconds until it may try again; 0: it may.
    pub async fn guessed(&self, address: &str, rules: &GuardRules) -> Result<i64, Unreachable> {
        let key = format!("penstock:1:{{{address}}}:guard");
        let mut call = ScriptCall::new(&self.scripts.guard, &[key]);
        call.arg(self.now())
            .arg(rules.window_ms)
            .arg(rules.attempts)
            .arg(rules.block_ms)
            .arg(rules.window_ms / 10);
        Ok(self.link.invoke(&call, self.link.timeout()).await?)
    }

    fn on_call<'a>(&self, script: &'a redis::Script, call: &Call, enforce: bool) -> Invocation<'a> {
        let mut id = [0; Hyphenated::LENGTH];
        let id = call.request.0.hyphenated().encode_lower(&mut id);
        let subjects: Vec<_> = call.subjects.iter().collect();
        Invocation::new(script, call.account, self.header(enforce), id, &subjects)
    }

    async fn ask(
        &self,
        invocation: Invocation<'_>,
        names: Vec<SubjectName>,
        patience: Duration,
    ) -> Result<Reply, Unreachable> {
        let asked = self.link.invoke(invocation.call(), patience).await;
        if let Err(Failure::OfScript(error)) = &asked {
            self.say_broken(invocation.account(), error);
        }
        Ok(Reply { words: asked?, names })
    }

    /// Says of an account, once, that scripts fail on its counters.
    fn say_broken(&self, account: Account, error: &str) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.len() < MOST_BROKEN && broken.insert(account) {
            tracing::warn!(%account, error, "a script failed on counters in Redis; limits of the account are degraded");
        }
    }
}

fn names(call: &Call) -> Vec<SubjectName> {
    call.subjects.iter().map(|subject| subject.name).collect()
}

impl Counters for RedisCounters {
    async fn admit(&self, admit: &Admit) -> Result<Verdict, Unreachable> {
        let session = admit.session.map(|session| session.to_string());
        let invocation = self
            .on_call(&self.scripts.admit, &admit.call, admit.enforce)
            .arg(session.as_deref().unwrap_or(NO_REQUEST));
        let (names, patience) = (names(&admit.call), self.link.timeout());
        self.ask(invocation, names, patience).await?.verdict()
    }

    async fn settle(&self, settle: &Settle) -> Result<Noted, Unreachable> {
        let (spool, number) = match settle.record {
            Some(record) => (record.spool.0.simple().to_string(), record.number),
            None => (NO_REQUEST.to_owned(), 0),
        };
        let invocation = self
            .on_call(&self.scripts.settle, &settle.call, true)
            .arg(settle.admitted_at.0)
            .arg(spool)
            .arg(number);
        self.ask(invocation, names(&settle.call), PATIENCE).await?.noted()
    }

    async fn adopt(&self, adopt: &Adopt) -> Result<Noted, Unreachable> {
        let session = adopt.session.map(|session| session.to_string());
        let invocation = self
            .on_call(&self.scripts.adopt, &adopt.call, true)
            .arg(session.as_deref().unwrap_or(NO_REQUEST))
            .arg(adopt.admitted_at.0);
        self.ask(invocation, names(&adopt.call), PATIENCE).await?.noted()
    }

    async fn top_up(&self, call: &Call, enforce: bool) -> Result<TopUp, Unreachable> {
        let invocation = self.on_call(&self.scripts.top_up, call, enforce);
        let patience = self.link.timeout();
        self.ask(invocation, names(call), patience).await?.top_up()
    }

    async fn renew(&self, account: Account) -> Result<Renewed, Unreachable> {
        let header = self.header(true);
        let invocation = Invocation::new(&self.scripts.renew, account, header, NO_REQUEST, &[]);
        self.ask(invocation, Vec::new(), PATIENCE).await?.renewed()
    }

    async fn seed(
        &self,
        account: Account,
        seeds: &[Seed],
        marks: &[RecordNumber],
    ) -> Result<Seeded, Unreachable> {
        let subjects: Vec<&Subject> = seeds.iter().map(|seed| &seed.subject).collect();
        let header = self.header(true);
        let invocation =
            Invocation::new(&self.scripts.seed, account, header, NO_REQUEST, &subjects).seeds(seeds, marks);
        self.ask(invocation, Vec::new(), PATIENCE).await?.seeded()
    }

    async fn read(&self, call: &Call) -> Result<Option<Vec<Usage>>, Unreachable> {
        let invocation = self.on_call(&self.scripts.read, call, true);
        self.ask(invocation, names(call), PATIENCE).await?.usages()
    }
}

impl std::fmt::Debug for RedisCounters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisCounters").finish_non_exhaustive()
    }
}
