//! Latencies and their percentiles, by nearest rank: a percentile is always a value that was measured.

use std::time::Duration;

/// Measured durations in ascending order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    pub(crate) fn new(mut values: Vec<Duration>) -> Self {
        values.sort_unstable();
        Self(values)
    }

    /// The value that so many thousandths do not exceed; None of an empty sample.
    pub(crate) fn at(&self, per_mille: usize) -> Option<Duration> {
        let rank = (self.0.len() * per_mille.min(1000)).div_ceil(1000).max(1);
        self.0.get(rank - 1).copied()
    }

    pub(crate) fn median(&self) -> Option<Duration> {
        self.at(500)
    }

    pub(crate) fn p99(&self) -> Option<Duration> {
        self.at(990)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: impl Iterator<Item = u64>) -> Sample {
        Sample::new(values.map(Duration::from_micros).collect())
    }

    #[test]
    fn percentiles_are_values_of_the_sample() {
        let sample = sample((1..=1000).rev());
        assert_eq!(sample.median(), Some(Duration::from_micros(500)));
        assert_eq!(sample.p99(), Some(Duration::from_micros(990)));
        assert_eq!(sample.at(1000), Some(Duration::from_micros(1000)));
    }

    #[test]
    fn one_value_is_every_percentile() {
        let sample = sample([7].into_iter());
        assert_eq!((sample.at(0), sample.p99()), (sample.median(), sample.median()));
    }

    #[test]
    fn an_empty_sample_has_none() {
        assert_eq!(Sample::default().median(), None);
    }
}
