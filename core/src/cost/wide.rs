//! Whole numbers of 768 bits, wide enough for a cost before it is rounded.
//!
//! Tokens times price fill 128 bits, and each factor adds 32: with the 16 factors that a price may have and the
//! multiplier, 672 are needed. Beyond 768 bits (a price that was never validated) a number counts as endless.

const LIMBS: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wide {
    /// The lowest 64 bits first.
    limbs: [u64; LIMBS],
    endless: bool,
}

impl From<u64> for Wide {
    fn from(value: u64) -> Self {
        let mut limbs = [0; LIMBS];
        if let Some(lowest) = limbs.first_mut() {
            *lowest = value;
        }
        Self {
            limbs,
            endless: false,
        }
    }
}

impl Wide {
    pub(super) fn plus(mut self, other: Self) -> Self {
        let mut carry = false;
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            let (sum, first) = limb.overflowing_add(more);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first || second;
        }
        self.endless |= carry || other.endless;
        self
    }

    pub(super) fn times(mut self, by: u64) -> Self {
        if by == 0 {
            return Self::from(0);
        }
        let mut carry = 0;
        for limb in &mut self.limbs {
            (*limb, carry) = split(u128::from(*limb) * u128::from(by) + u128::from(carry));
        }
        self.endless |= carry > 0;
        self
    }

    /// Rounded down. Dividing by 0 gives an endless number.
    pub(super) fn over(mut self, by: u64) -> Self {
        let mut rest = 0;
        for limb in self.limbs.iter_mut().rev() {
            let value = (u128::from(rest) << 64) | u128::from(*limb);
            let (Some(quotient), Some(remainder)) = (
                value.checked_div(u128::from(by)),
                value.checked_rem(u128::from(by)),
            ) else {
                self.endless = true;
                return self;
            };
            *limb = split(quotient).0;
            rest = split(remainder).0;
        }
        self
    }

    /// Rounded up.
    pub(super) fn over_up(self, by: u64) -> Self {
        self.plus(Self::from(by.saturating_sub(1))).over(by)
    }

    pub(super) fn saturating_i64(self) -> i64 {
        let [lowest, higher @ ..] = self.limbs;
        if self.endless || higher.iter().any(|&limb| limb > 0) {
            return i64::MAX;
        }
        i64::try_from(lowest).unwrap_or(i64::MAX)
    }
}

/// The lower and the upper 64 bits.
fn split(value: u128) -> (u64, u64) {
    let narrow = |half: u128| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(u64::MAX);
    (narrow(value), narrow(value >> 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_too_wide_is_endless_and_never_wraps() {
        let mut number = Wide::from(u64::MAX);
        for _ in 0..LIMBS {
            number = number.times(u64::MAX);
        }
        assert_eq!(number.over(u64::MAX).saturating_i64(), i64::MAX);
        assert_eq!(number.plus(Wide::from(1)).saturating_i64(), i64::MAX);
        assert_eq!(number.times(0).saturating_i64(), 0);
        assert_eq!(Wide::from(1).over(0).saturating_i64(), i64::MAX);
    }

    #[test]
    fn a_carry_runs_through_all_limbs() {
        let ones = Wide {
            limbs: [u64::MAX; LIMBS],
            endless: false,
        };
        assert!(ones.plus(Wide::from(1)).endless);
        assert!(!ones.plus(Wide::from(0)).endless);
    }

    #[test]
    fn what_does_not_divide_is_rounded_up_when_asked() {
        let up = |value: u64, by| Wide::from(value).over_up(by).saturating_i64();
        assert_eq!((up(0, 5), up(1, 5), up(5, 5), up(6, 5)), (0, 1, 1, 2));
        assert_eq!(up(1, 0), i64::MAX);
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_128_bits_where_those_suffice(a: u32, b: u64, c: u32, d in 1_u64..) {
            let exact = (u128::from(a) * u128::from(b) + u128::from(b)) * u128::from(c) / u128::from(d);
            let wide = Wide::from(u64::from(a)).times(b).plus(Wide::from(b)).times(u64::from(c)).over(d);
            prop_assert_eq!(wide.saturating_i64(), i64::try_from(exact).unwrap_or(i64::MAX));
        }

        #[test]
        fn multiplying_and_dividing_comes_back(a in 0..i64::MAX.unsigned_abs(), by in prop::collection::vec(1_u64.., 0..11)) {
            let up = by.iter().fold(Wide::from(a), |n, &by| n.times(by));
            let back = by.iter().fold(up, |n, &by| n.over(by));
            prop_assert_eq!(back, Wide::from(a));
        }
    }
}
