//! One figure, what it is compared with, and how it must be.

use serde::Serialize;

use super::series::Series;
use super::time;
use crate::mark::Mark;

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) mark: Mark,
    pub(crate) work: String,
    pub(crate) detail: Option<String>,
    unit: Unit,
    figure: Series,
    reference: Option<Reference>,
    /// Figure to reference; absent also where the reference is not above zero.
    ratio: Option<f64>,
    first_mark: Option<Bound>,
    pub(crate) verdict: Verdict,
    goal: Option<Bound>,
    goal_verdict: Verdict,
}

/// The same figure of another system.
#[derive(Clone, Debug, Serialize)]
struct Reference {
    name: &'static str,
    figure: Series,
}

/// What figures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Micros,
    Times,
    PerSecond,
    Bytes,
}

/// The most that a figure may be, or the least.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// So many times the reference.
    Ratio(f64),
    Micros(f64),
    Times(f64),
    Bytes(f64),
    /// At least so many times the reference.
    RatioFrom(f64),
}

/// How a figure stands to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Pass,
    Miss,
    /// A bound on a ratio, and nothing to compare with.
    NoReference,
    /// No bound.
    None,
}

impl Row {
    pub(crate) fn new(mark: Mark, work: String, figure: Series) -> Self {
        Self {
            mark,
            work,
            detail: None,
            unit: Unit::Micros,
            figure,
            reference: None,
            ratio: None,
            first_mark: None,
            verdict: Verdict::None,
            goal: None,
            goal_verdict: Verdict::None,
        }
    }

    /// Figures are factors and not microseconds.
    pub(crate) fn in_times(mut self) -> Self {
        self.unit = Unit::Times;
        self
    }

    /// Figures are so many in a second.
    pub(crate) fn per_second(mut self) -> Self {
        self.unit = Unit::PerSecond;
        self
    }

    /// Figures are bytes.
    pub(crate) fn in_bytes(mut self) -> Self {
        self.unit = Unit::Bytes;
        self
    }

    pub(crate) fn detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Compares with another system's figure, if there is one.
    pub(crate) fn beside(mut self, name: &'static str, figure: Option<Series>) -> Self {
        self.reference = figure.map(|figure| Reference { name, figure });
        let below = self.reference.as_ref().map(|reference| reference.figure.median);
        self.ratio = below
            .filter(|below| *below > 0.0)
            .map(|below| self.figure.median / below);
        self.judged()
    }

    /// What is required now.
    pub(crate) fn first_mark(mut self, bound: Bound) -> Self {
        self.first_mark = Some(bound);
        self.judged()
    }

    /// Where it must get to.
    pub(crate) fn goal(mut self, bound: Bound) -> Self {
        self.goal = Some(bound);
        self.judged()
    }

    fn judged(mut self) -> Self {
        self.verdict = self.judge(self.first_mark);
        self.goal_verdict = self.judge(self.goal);
        self
    }

    fn judge(&self, bound: Option<Bound>) -> Verdict {
        let (value, most) = match bound {
            None => return Verdict::None,
            Some(Bound::Ratio(most)) => match self.ratio {
                Some(ratio) => (ratio, most),
                None => return Verdict::NoReference,
            },
            Some(Bound::RatioFrom(least)) => match self.ratio {
                Some(ratio) => (-ratio, -least),
                None => return Verdict::NoReference,
            },
            Some(Bound::Micros(most) | Bound::Times(most) | Bound::Bytes(most)) => (self.figure.median, most),
        };
        if value <= most {
            Verdict::Pass
        } else {
            Verdict::Miss
        }
    }

    /// Mark, work, figure, reference, ratio, first mark, verdict, goal.
    pub(crate) fn cells(&self) -> [String; 8] {
        let work = match &self.detail {
            Some(detail) => format!("{} ({detail})", self.work),
            None => self.work.clone(),
        };
        let reference = self
            .reference
            .as_ref()
            .map(|it| format!("{} {}", it.name, self.unit.write(it.figure.median)));
        let goal = self.goal.map(|goal| match self.goal_verdict {
            Verdict::Pass => format!("{}, reached", goal.write()),
            Verdict::Miss | Verdict::NoReference | Verdict::None => format!("{}, not yet", goal.write()),
        });
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        [
            format!("{:?}", self.mark),
            work,
            self.unit.write(self.figure.median),
            or_dash(reference),
            or_dash(self.ratio.map(|ratio| format!("{ratio:.2}×"))),
            or_dash(self.first_mark.map(Bound::write)),
            self.verdict.word().to_owned(),
            or_dash(goal),
        ]
    }
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Micros => time(value),
            Self::Times => format!("{value:.2}×"),
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Bytes => kilobytes(value),
        }
    }
}

/// `3.4 KB`, `118 KB`.
fn kilobytes(bytes: f64) -> String {
    let kilobytes = bytes / 1024.0;
    if kilobytes < 10.0 {
        format!("{kilobytes:.1} KB")
    } else {
        format!("{kilobytes:.0} KB")
    }
}

impl Bound {
    fn write(self) -> String {
        match self {
            Self::Ratio(most) => format!("≤ {most:.1}× nginx"),
            Self::Micros(most) => format!("≤ {}", time(most)),
            Self::Times(most) => format!("≤ {most:.1}×"),
            Self::Bytes(most) => format!("≤ {}", kilobytes(most)),
            Self::RatioFrom(least) => format!("≥ {least:.1}×"),
        }
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Miss => "MISS",
            Self::NoReference => "no reference",
            Self::None => "–",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(figure: f64, reference: Option<f64>) -> Row {
        let series = |value| Series::new(vec![value]);
        Row::new(Mark::P2, "work".to_owned(), series(figure).unwrap())
            .beside("nginx", reference.and_then(series))
    }

    #[test]
    fn a_ratio_at_its_bound_passes_and_above_it_misses() {
        assert_eq!(
            row(60.0, Some(15.0)).first_mark(Bound::Ratio(4.0)).verdict,
            Verdict::Pass
        );
        assert_eq!(
            row(61.0, Some(15.0)).first_mark(Bound::Ratio(4.0)).verdict,
            Verdict::Miss
        );
    }

    #[test]
    fn without_nginx_no_ratio_is_shown_and_none_is_judged() {
        let row = row(60.0, None).first_mark(Bound::Ratio(4.0));
        assert_eq!((row.verdict, row.ratio), (Verdict::NoReference, None));
        assert_eq!(row.cells()[3..5], ["–", "–"]);
    }

    #[test]
    fn a_rate_below_its_part_of_the_reference_misses() {
        let judged = |figure| {
            let row = row(figure, Some(100.0))
                .per_second()
                .first_mark(Bound::RatioFrom(0.7));
            (row.verdict, row.cells()[2].clone())
        };
        assert_eq!(judged(70.0), (Verdict::Pass, "70/s".to_owned()));
        assert_eq!(judged(69.0), (Verdict::Miss, "69/s".to_owned()));
    }

    #[test]
    fn a_time_needs_no_reference() {
        assert_eq!(
            row(900.0, None).first_mark(Bound::Micros(1000.0)).verdict,
            Verdict::Pass
        );
    }

    #[test]
    fn a_reference_at_or_below_zero_gives_no_ratio() {
        assert_eq!(row(40.0, Some(-3.0)).ratio, None);
    }

    #[test]
    fn the_goal_does_not_change_the_verdict() {
        let row = row(30.0, Some(10.0))
            .first_mark(Bound::Ratio(4.0))
            .goal(Bound::Ratio(1.5));
        assert_eq!((row.verdict, row.goal_verdict), (Verdict::Pass, Verdict::Miss));
    }
}
