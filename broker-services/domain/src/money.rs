//! Whole won, with arithmetic that cannot wrap.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in whole Korean won. May be negative only as an intermediate difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Won(pub i64);

impl Won {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount of one top-up or price: with room for a thousand of them in an `i64`, times the
    /// largest quantity.
    pub const MAX_INPUT: Self = Self(1_000_000_000_000);

    /// `self + other`, or `None` where it would not fit.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// `self − other` if that is not below zero: what an account may pay.
    #[must_use]
    pub const fn less(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) if rest >= 0 => Some(Self(rest)),
            _ => None,
        }
    }

    /// `self × qty`, or `None` where it would not fit.
    #[must_use]
    pub const fn times(self, qty: u32) -> Option<Self> {
        match self.0.checked_mul(qty as i64) {
            Some(product) => Some(Self(product)),
            None => None,
        }
    }
}

impl fmt::Display for Won {
    /// With a comma every three digits: `1,234,567`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
        if self.0 < 0 {
            text.push('-');
        }
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_wraps() {
        assert_eq!(Won(i64::MAX).plus(Won(1)), None);
        assert_eq!(Won(i64::MAX).times(2), None);
        assert_eq!(Won(5).less(Won(6)), None, "an account is never overdrawn");
        assert_eq!(Won(6).less(Won(6)), Some(Won::ZERO));
    }

    #[test]
    fn digits_are_grouped() {
        for (won, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(Won(won).to_string(), text);
        }
    }
}
