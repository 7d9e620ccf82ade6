//! The rules of limits once more, as plainly as they can be written: lists of what happened, searched from the start.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::id::RequestId;
use penstock_core::limits::{Dimension, Level};
use penstock_core::session::SessionId;
use penstock_fleet::account::SubjectName;
use penstock_fleet::counters::Admit;
use penstock_fleet::subject::Subject;

use crate::world::from;

/// Everything that happened in one account.
#[derive(Clone, Default)]
pub(crate) struct Model {
    last: i64,
    requests: BTreeMap<RequestId, Request>,
    /// What the sliding windows count: instant, subject, calls, tokens.
    rates: Vec<(i64, SubjectName, i64, RequestId)>,
    spends: BTreeMap<SubjectName, Vec<(i64, i64)>>,
    /// The end of each session's last call, where sessions count.
    ended: BTreeMap<(SubjectName, String), i64>,
}

#[derive(Clone)]
struct Request {
    at: i64,
    session: Option<SessionId>,
    open: bool,
    subjects: Vec<Subject>,
    tokens: BTreeMap<SubjectName, i64>,
}

/// The first limit that a call does not fit into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) level: Level,
    pub(crate) dimension: Dimension,
    pub(crate) used: u64,
}

impl Model {
    pub(crate) fn now(&mut self, now: i64) -> i64 {
        self.last = self.last.max(now);
        self.last
    }

    pub(crate) fn admit(&mut self, admit: &Admit, now: i64) -> Result<i64, Refused> {
        let now = self.now(now);
        for dimension in Dimension::ALL {
            for subject in &admit.call.subjects {
                let limit = i64::try_from(subject.cap(dimension)).unwrap();
                if limit > 0 && !self.fits(subject, dimension, admit.session, limit, now) {
                    return Err(Refused {
                        level: subject.name.level(),
                        dimension,
                        used: u64::try_from(self.used(subject, dimension, now)).unwrap(),
                    });
                }
            }
        }
        self.open(admit.call.request, &admit.call.subjects, admit.session, now);
        Ok(now)
    }

    fn open(&mut self, id: RequestId, subjects: &[Subject], session: Option<SessionId>, at: i64) {
        for subject in subjects {
            self.rates.push((at, subject.name, 1, id));
        }
        let request = Request {
            at,
            session,
            open: true,
            subjects: subjects.to_vec(),
            tokens: subjects
                .iter()
                .map(|s| (s.name, i64::try_from(s.tokens).unwrap()))
                .collect(),
        };
        self.requests.insert(id, request);
    }

    fn fits(
        &self,
        subject: &Subject,
        dimension: Dimension,
        session: Option<SessionId>,
        limit: i64,
        now: i64,
    ) -> bool {
        let used = self.used(subject, dimension, now);
        match dimension {
            Dimension::ConcurrentSessions => {
                let Some(session) = session else { return true };
                let sessions = self.sessions(subject, now);
                sessions.contains(&session.to_string()) || used < limit
            }
            Dimension::ConcurrentRequests => used < limit,
            Dimension::Rpm => used < limit,
            Dimension::Tpm => used + i64::try_from(subject.tokens).unwrap() <= limit,
            Dimension::UsdTotal
            | Dimension::Usd5h
            | Dimension::UsdDaily
            | Dimension::UsdWeekly
            | Dimension::UsdMonthly
                if subject.strict =>
            {
                used + i64::try_from(subject.money).unwrap() <= limit
            }
            Dimension::UsdTotal
            | Dimension::Usd5h
            | Dimension::UsdDaily
            | Dimension::UsdWeekly
            | Dimension::UsdMonthly => used < limit,
        }
    }

    /// Settled and reserved.
    pub(crate) fn used(&self, subject: &Subject, dimension: Dimension, now: i64) -> i64 {
        match dimension {
            Dimension::ConcurrentSessions => i64::try_from(self.sessions(subject, now).len()).unwrap(),
            Dimension::ConcurrentRequests => i64::try_from(self.open_of(subject.name).count()).unwrap(),
            Dimension::Rpm => self.recent(subject.name, now).map(|(_, _, calls, _)| calls).sum(),
            Dimension::Tpm => {
                let tokens = |id: &RequestId| self.requests.get(id).map_or(0, |r| r.tokens[&subject.name]);
                self.recent(subject.name, now)
                    .map(|(_, _, _, id)| tokens(id))
                    .sum()
            }
            Dimension::UsdTotal
            | Dimension::Usd5h
            | Dimension::UsdDaily
            | Dimension::UsdWeekly
            | Dimension::UsdMonthly => {
                self.settled(subject, dimension, now) + self.reserved(subject, dimension, now)
            }
        }
    }

    fn recent(
        &self,
        name: SubjectName,
        now: i64,
    ) -> impl Iterator<Item = &(i64, SubjectName, i64, RequestId)> {
        let counts = move |at: i64| at / 1000 > now / 1000 - 61;
        self.rates
            .iter()
            .filter(move |(at, of, _, _)| *of == name && counts(*at))
    }

    fn settled(&self, subject: &Subject, dimension: Dimension, now: i64) -> i64 {
        let reset = subject.reset_at(dimension).map_or(0, |at| at.0);
        let slots = match (dimension, subject.edges.day) {
            (Dimension::Usd5h, _) => Some(301),
            (Dimension::UsdDaily, None) => Some(1441),
            _ => None,
        };
        let counts = |at: i64| match slots {
            Some(slots) => at / 60_000 > now / 60_000 - slots && at >= reset,
            None => at >= from(subject, dimension, now),
        };
        let spends = self.spends.get(&subject.name).into_iter().flatten();
        spends
            .filter(|(at, _)| counts(*at))
            .map(|(_, amount)| amount)
            .sum()
    }

    fn reserved(&self, subject: &Subject, dimension: Dimension, now: i64) -> i64 {
        let reset = subject.reset_at(dimension).map_or(0, |at| at.0);
        let rolls = dimension == Dimension::Usd5h
            || (dimension == Dimension::UsdDaily && subject.edges.day.is_none());
        let first = if rolls {
            reset
        } else {
            from(subject, dimension, now)
        };
        let open = self.open_of(subject.name).filter(|request| request.at >= first);
        open.flat_map(|request| request.subjects.iter().filter(|s| s.name == subject.name))
            .map(|held| i64::try_from(held.money).unwrap())
            .sum()
    }

    fn open_of(&self, name: SubjectName) -> impl Iterator<Item = &Request> {
        let of = move |request: &&Request| request.open && request.subjects.iter().any(|s| s.name == name);
        self.requests.values().filter(of)
    }

    fn sessions(&self, subject: &Subject, now: i64) -> BTreeSet<String> {
        let open = self.open_of(subject.name).filter_map(|request| request.session);
        let idle_ms = i64::try_from(subject.idle_ms).unwrap();
        let idle = self
            .ended
            .iter()
            .filter(|((name, _), end)| *name == subject.name && **end + idle_ms > now);
        open.map(|session| session.to_string())
            .chain(idle.map(|((_, session), _)| session.clone()))
            .collect()
    }

    pub(crate) fn settle(&mut self, id: RequestId, used: &[Subject], now: i64) {
        let now = self.now(now);
        let Some(request) = self.requests.get_mut(&id).filter(|request| request.open) else {
            return;
        };
        request.open = false;
        for subject in used {
            request
                .tokens
                .insert(subject.name, i64::try_from(subject.tokens).unwrap());
            let spends = self.spends.entry(subject.name).or_default();
            spends.push((request.at, i64::try_from(subject.money).unwrap()));
            if let Some(session) = request.session {
                self.ended.insert((subject.name, session.to_string()), now);
            }
        }
    }

    /// The counters were lost: what slides and who was idle is forgotten, what is in flight comes back.
    pub(crate) fn forget_rates(&mut self, replayed: &[RequestId]) {
        let open: BTreeSet<_> = self
            .requests
            .iter()
            .filter(|(_, r)| r.open)
            .map(|(id, _)| *id)
            .collect();
        self.rates.retain_mut(|(_, _, calls, id)| {
            if !open.contains(id) {
                // Only the tokens of a settlement that is said again come back.
                *calls = 0;
            }
            open.contains(id) || replayed.contains(id)
        });
        self.ended.clear();
    }

    pub(crate) fn open_ids(&self) -> Vec<(RequestId, i64)> {
        self.requests
            .iter()
            .filter(|(_, r)| r.open)
            .map(|(id, r)| (*id, r.at))
            .collect()
    }

    pub(crate) fn subjects_of(&self, id: RequestId) -> (Vec<Subject>, Option<SessionId>) {
        let request = &self.requests[&id];
        (request.subjects.clone(), request.session)
    }
}

impl Model {
    /// A top-up was granted.
    pub(crate) fn hold(&mut self, id: RequestId, money: u64) {
        for subject in &mut self.requests.get_mut(&id).unwrap().subjects {
            subject.money += money;
        }
    }

    /// Whether a top-up by the subjects' money breaks a strict budget.
    pub(crate) fn has_no_room(&mut self, subjects: &[Subject], at: i64, now: i64) -> bool {
        let now = self.now(now);
        let breaks = |subject: &Subject, dimension: &Dimension| {
            let limit = i64::try_from(subject.cap(*dimension)).unwrap();
            let wanted = i64::try_from(subject.money).unwrap();
            let rolls = matches!(
                subject.window(*dimension),
                penstock_core::limits::window::Window::Rolling(_)
            );
            let counts = rolls || at >= from(subject, *dimension, now);
            subject.strict && limit > 0 && counts && self.used(subject, *dimension, now) + wanted > limit
        };
        let any = |subject: &Subject| {
            Dimension::MONEY
                .iter()
                .any(|dimension| breaks(subject, dimension))
        };
        subjects.iter().any(any)
    }
}
