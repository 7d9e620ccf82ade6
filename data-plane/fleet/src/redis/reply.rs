//! What scripts answer. Anything else than their own form is a fault of Redis or of a script, never a refusal.

use penstock_core::limits::Exceeded;
use penstock_core::time::UnixMs;

use super::arguments::{by_place, dimension};
use crate::account::SubjectName;
use crate::counters::{Admitted, Noted, Renewed, Seeded, Seen, TopUp, Unreachable, Usage, Verdict};

/// The words of an answer.
pub(super) struct Reply {
    pub(super) words: Vec<String>,
    /// The subjects of the call, in their order.
    pub(super) names: Vec<SubjectName>,
}

impl Reply {
    fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", String::as_str)
    }

    fn number<T: std::str::FromStr>(&self, place: usize) -> Result<T, Unreachable> {
        self.word(place).parse().map_err(|_| self.unreadable())
    }

    fn unreadable(&self) -> Unreachable {
        Unreachable(format!(
            "a script answered {:?}, which is not of its form",
            self.words
        ))
    }

    pub(super) fn verdict(&self) -> Result<Verdict, Unreachable> {
        match self.word(0) {
            "ok" => Ok(Verdict::Admitted(Admitted {
                at: UnixMs(self.number(1)?),
                generation: self.number(2)?,
                seen: self.seen()?,
            })),
            "no" => Ok(Verdict::Refused(self.exceeded()?)),
            "unknown" => Ok(Verdict::Unknown(self.unknown())),
            "clock" => Ok(Verdict::Clock(UnixMs(self.number(1)?))),
            _ => Err(self.unreadable()),
        }
    }

    fn unknown(&self) -> Vec<SubjectName> {
        let places = self.words.iter().skip(2);
        places
            .filter_map(|place| Some(by_place(&self.names, place)?.1))
            .collect()
    }

    fn seen(&self) -> Result<Vec<Seen>, Unreachable> {
        let read = |text: &str| {
            let mut words = text.split(' ');
            Some(Seen {
                subject: by_place(&self.names, words.next()?)?.1,
                dimension: dimension(words.next()?)?,
                settled: amount(words.next()?)?,
                reserved: amount(words.next()?)?,
            })
        };
        let parts = self.word(3).split(';').filter(|part| !part.is_empty());
        parts
            .map(|part| read(part).ok_or_else(|| self.unreadable()))
            .collect()
    }

    /// no|now|subject|dimension|used|limit|reset|wait
    fn exceeded(&self) -> Result<Exceeded, Unreachable> {
        let (level, _) = by_place(&self.names, self.word(2)).ok_or_else(|| self.unreadable())?;
        let wait: i64 = self.number(7)?;
        Ok(Exceeded {
            level,
            dimension: dimension(self.word(3)).ok_or_else(|| self.unreadable())?,
            used: amount(self.word(4)).ok_or_else(|| self.unreadable())?,
            limit: self.number(5)?,
            reset_at: self.word(6).parse().ok().map(UnixMs),
            retry_after: crate::retry_after(wait),
        })
    }

    pub(super) fn noted(&self) -> Result<Noted, Unreachable> {
        match self.word(0) {
            "ok" => Ok(Noted::At(self.number(2)?)),
            "gone" => Ok(Noted::Gone),
            _ => Err(self.unreadable()),
        }
    }

    pub(super) fn seeded(&self) -> Result<Seeded, Unreachable> {
        match self.word(0) {
            "ok" => Ok(Seeded::Done),
            "clock" => Ok(Seeded::Clock(UnixMs(self.number(1)?))),
            _ => Err(self.unreadable()),
        }
    }

    pub(super) fn top_up(&self) -> Result<TopUp, Unreachable> {
        match self.word(0) {
            "ok" => Ok(TopUp::Held),
            "no" => Ok(TopUp::Refused(self.exceeded()?)),
            "lost" => Ok(TopUp::Lost),
            _ => Err(self.unreadable()),
        }
    }

    pub(super) fn renewed(&self) -> Result<Renewed, Unreachable> {
        match self.word(0) {
            "ok" => Ok(Renewed::At {
                generation: self.number(2)?,
                was_running: self.word(3) == "1",
            }),
            "gone" => Ok(Renewed::Gone),
            _ => Err(self.unreadable()),
        }
    }

    pub(super) fn usages(&self) -> Result<Option<Vec<Usage>>, Unreachable> {
        if self.word(0) == "unknown" {
            return Ok(None);
        }
        let read = |text: &str| {
            let mut words = text.split(' ');
            Some(Usage {
                subject: by_place(&self.names, words.next()?)?.1,
                dimension: dimension(words.next()?)?,
                used: amount(words.next()?)?,
                reserved: amount(words.next()?)?,
                reset_at: words.next()?.parse().ok().map(UnixMs),
            })
        };
        let parts = self.word(3).split(';').filter(|part| !part.is_empty());
        let mut usages: Vec<_> = parts
            .map(|part| read(part).ok_or_else(|| self.unreadable()))
            .collect::<Result<_, _>>()?;
        // As the other implementation has them.
        let place = |name: SubjectName| self.names.iter().position(|other| *other == name);
        usages.sort_by_key(|usage| (place(usage.subject), usage.dimension));
        Ok(Some(usages))
    }
}

/// Sums can be negative for a moment, when a correction is booked; they read as 0.
fn amount(text: &str) -> Option<u64> {
    Some(u64::try_from(text.parse::<i64>().ok()?).unwrap_or(0))
}
