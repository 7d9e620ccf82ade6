//! What scripts on an account are given, as `lua/account.lua` describes it.

use penstock_core::limits::window::Bounds;
use penstock_core::limits::{Dimension, Level};
use penstock_core::time::UnixMs;
use redis::Script;

use super::script::ScriptCall;
use crate::account::{Account, SubjectName};
use crate::counters::{LEASE_MS, RecordNumber, Seed, Spent};
use crate::subject::Subject;

/// Where a rolling day's edges would stand.
const NO_EDGES: Bounds = Bounds {
    previous: UnixMs(0),
    current: UnixMs(0),
    next: UnixMs(0),
    after: UnixMs(0),
};

/// A script call on an account.
pub(super) struct Invocation<'a>(ScriptCall<'a>, Account);

/// What all scripts on an account are told first.
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    /// None: Redis's own clock.
    pub(super) now: Option<UnixMs>,
    pub(super) process: &'a str,
    pub(super) enforce: bool,
}

impl<'a> Invocation<'a> {
    /// `request`: `-` where the call is about none.
    pub(super) fn new(
        script: &'a Script,
        account: Account,
        header: Header<'_>,
        request: &str,
        subjects: &[&Subject],
    ) -> Self {
        let key = |suffix| format!("penstock:1:{{{account}}}:{suffix}");
        let mut call = ScriptCall::new(script, &["m", "o", "l"].map(key));
        match header.now {
            Some(now) => call.arg(now.0),
            None => call.arg(""),
        };
        call.arg(LEASE_MS)
            .arg(header.process)
            .arg(request)
            .arg(u8::from(header.enforce))
            .arg(subjects.len());
        for subject in subjects {
            push_subject(&mut call, subject);
        }
        Self(call, account)
    }

    pub(super) fn arg(mut self, value: impl redis::ToRedisArgs) -> Self {
        self.0.arg(value);
        self
    }

    pub(super) fn seeds(mut self, seeds: &[Seed], marks: &[RecordNumber]) -> Self {
        for seed in seeds {
            self.0.arg(seed.dimensions.len());
            for dimension in &seed.dimensions {
                self.0.arg(letter(dimension.dimension)).arg(dimension.from.0);
                self.push_spent(&dimension.spent);
            }
        }
        let mut text = String::new();
        for mark in marks {
            text.push_str(&format!("{}:{};", mark.spool.0.simple(), mark.number));
        }
        self.arg(text)
    }

    fn push_spent(&mut self, spent: &Spent) {
        let call = &mut self.0;
        match spent {
            Spent::Total(sum) => call.arg("t").arg(0).arg(0).arg(*sum).arg(0),
            Spent::Fixed { start, end, sum } => call.arg("f").arg(start.0).arg(end.0).arg(*sum).arg(0),
            Spent::Rolling(minutes) => {
                call.arg("r").arg(0).arg(0).arg(0).arg(minutes.len());
                for (minute, amount) in minutes {
                    call.arg(minute.0).arg(*amount);
                }
                call
            }
        };
    }

    pub(super) fn account(&self) -> Account {
        self.1
    }

    pub(super) fn call(&self) -> &ScriptCall<'a> {
        &self.0
    }
}

fn push_subject(call: &mut ScriptCall<'_>, subject: &Subject) {
    let specification = subject.specification;
    call.arg(subject.name.to_string())
        .arg(specification.epoch.0.simple().to_string())
        .arg(specification.version)
        .arg(specification.hash)
        .arg(u8::from(subject.strict));
    // The order of `limit` in account.lua.
    for dimension in [
        Dimension::UsdTotal,
        Dimension::ConcurrentSessions,
        Dimension::ConcurrentRequests,
        Dimension::Rpm,
        Dimension::Tpm,
        Dimension::Usd5h,
        Dimension::UsdDaily,
        Dimension::UsdWeekly,
        Dimension::UsdMonthly,
    ] {
        call.arg(subject.cap(dimension));
    }
    call.arg(subject.idle_ms).arg(subject.tokens).arg(subject.money);
    for bounds in [
        subject.edges.day.unwrap_or(NO_EDGES),
        subject.edges.week,
        subject.edges.month,
    ] {
        call.arg(bounds.previous.0)
            .arg(bounds.current.0)
            .arg(bounds.next.0)
            .arg(bounds.after.0);
    }
}

/// How the scripts name a dimension.
pub(super) fn letter(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::UsdTotal => "a",
        Dimension::ConcurrentSessions => "S",
        Dimension::ConcurrentRequests => "C",
        Dimension::Rpm => "r",
        Dimension::Tpm => "t",
        Dimension::Usd5h => "h",
        Dimension::UsdDaily => "d",
        Dimension::UsdWeekly => "w",
        Dimension::UsdMonthly => "m",
    }
}

/// The dimension of a letter.
pub(super) fn dimension(text: &str) -> Option<Dimension> {
    Dimension::ALL
        .into_iter()
        .find(|dimension| letter(*dimension) == text)
}

/// The level and name of the subject that a script calls by its place.
pub(super) fn by_place(names: &[SubjectName], place: &str) -> Option<(Level, SubjectName)> {
    let name = *names.get(place.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some((name.level(), name))
}
