//! The histograms of OpenTelemetry's GenAI conventions: `gen_ai.client.token.usage` and
//! `gen_ai.client.operation.duration`, as sums since the process began.
//!
//! Buckets are those that the conventions advise. Models are written by callers, so the sets of attributes are bounded:
//! beyond [`MAX_SETS`] models are called `_OTHER`.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric,
};

use super::value::text;

const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const KINDS: [&str; 2] = ["input", "output"];
const MAX_SETS: usize = 1_000;
const OTHER: &str = "_OTHER";

/// What a call is told by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Labels {
    pub(crate) operation: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) request_model: String,
    pub(crate) response_model: Option<String>,
    /// Of a call that failed.
    pub(crate) error: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Since when they are summed up.
    began: u64,
    /// Of input and of output, as [`KINDS`] has them; without the error.
    tokens: HashMap<Labels, [Buckets; 2]>,
    seconds: HashMap<Labels, Buckets>,
}

#[derive(Clone, Debug, Default)]
struct Buckets {
    counts: [u64; 15],
    sum: f64,
    count: u64,
    /// Least and greatest.
    range: Option<(f64, f64)>,
}

impl Figures {
    /// `began`: Unix nanoseconds.
    pub(crate) fn new(began: u64) -> Self {
        Self {
            began,
            tokens: HashMap::new(),
            seconds: HashMap::new(),
        }
    }

    /// A call ended after so long. Tokens that it did not use are no observations.
    pub(crate) fn observe(&mut self, mut labels: Labels, seconds: f64, (input, output): (u64, u64)) {
        if self.seconds.len() >= MAX_SETS && !self.seconds.contains_key(&labels) {
            OTHER.clone_into(&mut labels.request_model);
            labels.response_model = None;
        }
        if input > 0 || output > 0 {
            let error = labels.error.take();
            if !self.tokens.contains_key(&labels) {
                self.tokens.insert(labels.clone(), Default::default());
            }
            let buckets = self.tokens.get_mut(&labels).into_iter().flatten();
            for (buckets, tokens) in buckets.zip([input, output]).filter(|(_, tokens)| *tokens > 0) {
                let tokens = f64::from(u32::try_from(tokens).unwrap_or(u32::MAX));
                buckets.observe(tokens, &TOKENS);
            }
            labels.error = error;
        }
        self.seconds.entry(labels).or_default().observe(seconds, &SECONDS);
    }

    /// As they are at this time. Empty: nothing was observed.
    pub(crate) fn metrics(&self, now: u64) -> Vec<Metric> {
        let at = (self.began, now);
        let tokens = self.tokens.iter().flat_map(|(labels, buckets)| {
            let seen = KINDS
                .into_iter()
                .zip(buckets)
                .filter(|(_, buckets)| buckets.count > 0);
            seen.map(|(kind, buckets)| {
                let mut attributes = labels.attributes();
                attributes.push(text("gen_ai.token.type", kind));
                buckets.point(attributes, at, &TOKENS)
            })
        });
        let seconds = self.seconds.iter();
        let seconds = seconds.map(|(labels, buckets)| buckets.point(labels.attributes(), at, &SECONDS));
        let metrics = [
            (
                "gen_ai.client.token.usage",
                "Number of input and output tokens used",
                "{token}",
                tokens.collect::<Vec<_>>(),
            ),
            (
                "gen_ai.client.operation.duration",
                "GenAI operation duration",
                "s",
                seconds.collect(),
            ),
        ];
        let filled = metrics.into_iter().filter(|(.., points)| !points.is_empty());
        filled
            .map(|(name, description, unit, data_points)| Metric {
                name: name.to_owned(),
                description: description.to_owned(),
                unit: unit.to_owned(),
                data: Some(Data::Histogram(Histogram {
                    data_points,
                    aggregation_temporality: AggregationTemporality::Cumulative.into(),
                })),
                ..Metric::default()
            })
            .collect()
    }
}

impl Labels {
    fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = vec![
            text("gen_ai.operation.name", self.operation),
            text("gen_ai.provider.name", self.provider),
            text("gen_ai.request.model", self.request_model.as_str()),
        ];
        let model = self.response_model.as_deref();
        attributes.extend(model.map(|model| text("gen_ai.response.model", model)));
        let error = self.error.as_deref();
        attributes.extend(error.map(|error| text("error.type", error)));
        attributes
    }
}

impl Buckets {
    fn observe(&mut self, value: f64, bounds: &[f64; 14]) {
        let bucket = bounds
            .iter()
            .position(|bound| value <= *bound)
            .unwrap_or(bounds.len());
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.count += 1;
        self.sum += value;
        let (least, greatest) = self.range.unwrap_or((value, value));
        self.range = Some((least.min(value), greatest.max(value)));
    }

    fn point(
        &self,
        attributes: Vec<KeyValue>,
        (began, now): (u64, u64),
        bounds: &[f64],
    ) -> HistogramDataPoint {
        let (least, greatest) = self.range.unzip();
        HistogramDataPoint {
            attributes,
            start_time_unix_nano: began,
            time_unix_nano: now,
            count: self.count,
            sum: Some(self.sum),
            bucket_counts: self.counts.to_vec(),
            explicit_bounds: bounds.to_vec(),
            min: least,
            max: greatest,
            ..HistogramDataPoint::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(model: &str) -> Labels {
        Labels {
            operation: "chat",
            provider: "anthropic",
            request_model: model.to_owned(),
            response_model: None,
            error: None,
        }
    }

    #[test]
    fn g07_a_call_is_one_duration_and_its_tokens() {
        let mut figures = Figures::new(1);
        assert!(figures.metrics(2).is_empty());
        figures.observe(labels("a"), 0.5, (10, 0));
        figures.observe(labels("a"), 100.0, (5, 7));
        let metrics = figures.metrics(2);
        assert_eq!(metrics.len(), 2);
        let Some(Data::Histogram(seconds)) = &metrics[1].data else {
            panic!("a histogram")
        };
        let point = &seconds.data_points[0];
        assert_eq!((point.count, point.sum, point.min), (2, Some(100.5), Some(0.5)));
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!((point.bucket_counts[6], point.bucket_counts[14]), (1, 1));
        let Some(Data::Histogram(tokens)) = &metrics[0].data else {
            panic!("a histogram")
        };
        let counts: u64 = tokens.data_points.iter().map(|point| point.count).sum();
        assert_eq!((tokens.data_points.len(), counts), (2, 3));
    }

    #[test]
    fn g07_models_that_callers_invent_make_no_more_than_so_many_series() {
        let mut figures = Figures::new(1);
        for n in 0..MAX_SETS * 3 {
            figures.observe(labels(&n.to_string()), 1.0, (1, 1));
        }
        assert!(figures.seconds.len() <= MAX_SETS + 1);
        assert!(figures.tokens.len() <= 2 * (MAX_SETS + 1));
    }
}
