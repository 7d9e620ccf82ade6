//! Chooses the rate that a class of tokens pays. The rules are those of [`super`].

use crate::price::{Rate, ServiceTier, TokenClass};

/// The rate that tokens of `class` pay in a call of `tier` with `prompt` tokens of prompt.
pub(super) fn of(rates: &[Rate], class: TokenClass, tier: ServiceTier, prompt: u64) -> Option<&Rate> {
    let mut below = u64::MAX;
    loop {
        let threshold = highest_exceeded(rates, tier, prompt, below)?;
        let found = order(class, tier)
            .into_iter()
            .flatten()
            .find_map(|(class, tier)| {
                let wanted =
                    |rate: &&Rate| (rate.class, rate.tier, rate.above_tokens) == (class, tier, threshold);
                rates.iter().find(wanted)
            });
        if found.is_some() {
            return found;
        }
        below = threshold;
    }
}

/// The highest threshold below `below` that the prompt exceeds and at which this tier or the standard one has a rate.
fn highest_exceeded(rates: &[Rate], tier: ServiceTier, prompt: u64, below: u64) -> Option<u64> {
    rates
        .iter()
        .filter(|rate| rate.tier == tier || rate.tier == ServiceTier::Standard)
        .map(|rate| rate.above_tokens)
        .filter(|&above| above < below && (above == 0 || prompt > above))
        .max()
}

/// Class and tier of the rates to ask for at one threshold, first choice first.
fn order(class: TokenClass, tier: ServiceTier) -> [Option<(TokenClass, ServiceTier)>; 6] {
    const STANDARD: ServiceTier = ServiceTier::Standard;
    let (second, third) = match class {
        TokenClass::Input | TokenClass::Output => (None, None),
        TokenClass::CacheRead | TokenClass::CacheWrite | TokenClass::AudioInput | TokenClass::ImageInput => {
            (Some(TokenClass::Input), None)
        }
        TokenClass::AudioOutput | TokenClass::ImageOutput => (Some(TokenClass::Output), None),
        TokenClass::CacheWrite1h | TokenClass::CacheWrite12h => {
            (Some(TokenClass::CacheWrite), Some(TokenClass::Input))
        }
        TokenClass::Reasoning => {
            let output = TokenClass::Output;
            let tier_first = [
                (class, tier),
                (output, tier),
                (class, STANDARD),
                (output, STANDARD),
            ]
            .map(Some);
            let [a, b, c, d] = tier_first;
            return [a, b, c, d, None, None];
        }
    };
    let at = |class: Option<TokenClass>, tier| class.map(|class| (class, tier));
    [
        Some((class, tier)),
        Some((class, STANDARD)),
        at(second, tier),
        at(second, STANDARD),
        at(third, tier),
        at(third, STANDARD),
    ]
}
