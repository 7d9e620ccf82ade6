//! What a key's calls of a model usually use: the estimate that soft budgets and `tpm` reserve before a call.
//!
//! For each key and model, moving averages of prompt bytes, cost and tokens of the calls that were answered; each new
//! call has the weight of an eighth. The estimate is the average, scaled by how much longer or shorter this prompt is
//! than the usual one, at most [`MAX_SCALE`] times either way: output does not grow with the prompt, and a first call
//! with an image says little about the next without. Before anything is known it is the prompt at four bytes a token
//! and [`FIRST_OUTPUT`] tokens of output.
//!
//! An estimate may be wrong; what a call really used is settled afterwards. Pairs are bounded, those used longest ago
//! are forgotten.

use penstock_core::id::KeyId;
use penstock_core::money::NanoUsd;
use penstock_core::usage::TokenUsage;

use super::recent::Recent;
use crate::caches::CacheCounts;

const MAX_PAIRS: usize = 20_000;
/// A call's weight in the averages is one of so many.
const CALLS: i128 = 8;
const MAX_SCALE: u64 = 4;
const BYTES_PER_TOKEN: u64 = 4;
/// Of a call of which nothing is known, tokens.
const FIRST_OUTPUT: u64 = 500;

/// See the module.
#[derive(Debug)]
pub(super) struct Usual(Recent<(KeyId, Box<str>), Average>);

/// What a call will probably use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Estimate {
    pub(super) cost: NanoUsd,
    /// Input and output without cache reads, as `tpm` counts them.
    pub(super) tokens: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Average {
    /// 0: nothing was learnt yet.
    prompt_bytes: u64,
    cost: u64,
    tokens: u64,
}

impl Usual {
    pub(super) fn new(counts: CacheCounts) -> Self {
        Self(Recent::new(MAX_PAIRS, counts))
    }

    /// Of a call of this key for this model; `fallback` when nothing is known of them.
    pub(super) fn estimate(
        &self,
        key: KeyId,
        model: &str,
        prompt_bytes: u64,
        fallback: impl FnOnce() -> Estimate,
    ) -> Estimate {
        let known = self
            .0
            .peek(&(key, model.into()), |average| average.scaled(prompt_bytes));
        known.unwrap_or_else(fallback)
    }

    /// A call was answered and used this. What used nothing teaches nothing.
    pub(super) fn learn(&self, key: KeyId, model: &str, prompt_bytes: u64, used: Estimate) {
        if used == Estimate::default() {
            return;
        }
        self.0
            .change((key, model.into()), |average| average.learn(prompt_bytes, used));
    }
}

impl Estimate {
    /// Of a call of which nothing is known; `charge` is the tariff.
    pub(super) fn first(prompt_bytes: u64, charge: impl FnOnce(&TokenUsage) -> NanoUsd) -> Self {
        let used = TokenUsage {
            input: prompt_bytes.div_ceil(BYTES_PER_TOKEN),
            output: FIRST_OUTPUT,
            ..TokenUsage::default()
        };
        Self::of(&used, charge(&used))
    }

    /// Of a call whose use is known.
    pub(super) fn of(used: &TokenUsage, cost: NanoUsd) -> Self {
        let uncached = used.prompt().saturating_sub(used.cache_read);
        Self {
            cost,
            tokens: uncached.saturating_add(used.output),
        }
    }
}

impl Average {
    fn learn(&mut self, prompt_bytes: u64, used: Estimate) {
        let prompt_bytes = prompt_bytes.max(1);
        let cost = u64::try_from(used.cost.0).unwrap_or(0);
        if self.prompt_bytes == 0 {
            *self = Self {
                prompt_bytes,
                cost,
                tokens: used.tokens,
            };
            return;
        }
        self.prompt_bytes = moved(self.prompt_bytes, prompt_bytes).max(1);
        self.cost = moved(self.cost, cost);
        self.tokens = moved(self.tokens, used.tokens);
    }

    fn scaled(&self, prompt_bytes: u64) -> Estimate {
        let usual = self.prompt_bytes.max(1);
        let length = prompt_bytes.clamp(usual.div_ceil(MAX_SCALE), usual.saturating_mul(MAX_SCALE));
        let scale = |amount: u64| {
            let scaled = u128::from(amount) * u128::from(length) / u128::from(usual);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        Estimate {
            cost: NanoUsd(i64::try_from(scale(self.cost)).unwrap_or(i64::MAX)),
            tokens: scale(self.tokens),
        }
    }
}

/// An average after one more value: always a step towards it, and never beyond.
fn moved(average: u64, value: u64) -> u64 {
    let difference = i128::from(value) - i128::from(average);
    let step = difference / CALLS + (difference % CALLS).signum();
    u64::try_from(i128::from(average) + step).unwrap_or(average)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> KeyId {
        KeyId::from_parts(1, &[n; 10])
    }

    fn estimate(cost: i64, tokens: u64) -> Estimate {
        Estimate {
            cost: NanoUsd(cost),
            tokens,
        }
    }

    fn known(usual: &Usual, key: KeyId, model: &str, prompt_bytes: u64) -> Option<Estimate> {
        let unknown = estimate(-1, 0);
        let found = usual.estimate(key, model, prompt_bytes, || unknown);
        (found != unknown).then_some(found)
    }

    #[test]
    fn d04_a_first_estimate_is_the_prompt_and_a_little_output() {
        let charge = |used: &TokenUsage| NanoUsd(i64::try_from(used.input + 10 * used.output).unwrap());
        assert_eq!(Estimate::first(4_001, charge), estimate(6_001, 1_501));
    }

    #[test]
    fn d04_what_is_usual_is_learnt_for_each_key_and_model() {
        let usual = Usual::new(CacheCounts::default());
        usual.learn(key(1), "a", 1_000, estimate(80, 40));
        assert_eq!(known(&usual, key(1), "a", 1_000), Some(estimate(80, 40)));
        assert_eq!(known(&usual, key(1), "b", 1_000), None);
        assert_eq!(known(&usual, key(2), "a", 1_000), None);
        usual.learn(key(1), "a", 1_000, estimate(160, 40));
        assert_eq!(known(&usual, key(1), "a", 1_000), Some(estimate(90, 40)));
    }

    #[test]
    fn d04_a_longer_prompt_is_estimated_higher_within_reason() {
        let usual = Usual::new(CacheCounts::default());
        usual.learn(key(1), "a", 1_000, estimate(80, 40));
        assert_eq!(known(&usual, key(1), "a", 2_000), Some(estimate(160, 80)));
        assert_eq!(known(&usual, key(1), "a", 1 << 40), Some(estimate(320, 160)));
        assert_eq!(known(&usual, key(1), "a", 0), Some(estimate(20, 10)));
    }

    #[test]
    fn d04_what_used_nothing_teaches_nothing() {
        let usual = Usual::new(CacheCounts::default());
        usual.learn(key(1), "a", 1_000, Estimate::default());
        assert_eq!(known(&usual, key(1), "a", 1_000), None);
    }

    #[test]
    fn d04_cache_reads_are_no_tokens_of_the_limit() {
        let used = TokenUsage {
            input: 1,
            cache_read: 1_000,
            cache_write: 2,
            output: 4,
            ..TokenUsage::default()
        };
        assert_eq!(Estimate::of(&used, NanoUsd(9)), estimate(9, 7));
    }

    proptest! {
        #[test]
        fn d04_an_average_comes_to_what_is_usual_and_never_beyond(from: u64, to: u64) {
            let mut average = from;
            for _ in 0..700 {
                let next = moved(average, to);
                prop_assert!(next.abs_diff(to) <= average.abs_diff(to));
                average = next;
            }
            prop_assert_eq!(average, to);
        }

        #[test]
        fn no_numbers_panic(calls in prop::collection::vec((any::<u64>(), any::<i64>(), any::<u64>()), 0..20), bytes: u64) {
            let usual = Usual::new(CacheCounts::default());
            for (prompt_bytes, cost, tokens) in calls {
                usual.learn(key(1), "a", prompt_bytes, estimate(cost, tokens));
                prop_assert!(usual.estimate(key(1), "a", bytes, Estimate::default).cost >= NanoUsd(0));
            }
        }
    }
}
