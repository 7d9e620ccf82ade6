//! A figure measured several times. The median counts: one disturbed round moves it little.

use serde::Serialize;

/// One figure, round by round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Series {
    pub(crate) median: f64,
    pub(crate) rounds: Vec<f64>,
}

impl Series {
    /// None without rounds.
    pub(crate) fn new(rounds: Vec<f64>) -> Option<Self> {
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            rounds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        let median = |rounds: &[f64]| Series::new(rounds.to_vec()).map(|series| series.median);
        assert_eq!(median(&[9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn rounds_keep_their_order() {
        assert_eq!(Series::new(vec![2.0, 1.0]).unwrap().rounds, [2.0, 1.0]);
    }
}
