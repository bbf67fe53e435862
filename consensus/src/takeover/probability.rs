//! Exact probabilities: fractions of big integers.

use num_bigint::BigUint;
use std::cmp::Ordering;
use std::fmt;

/// A fraction from zero to one. Equal fractions are equal, reduced or not.
#[derive(Clone, Debug)]
pub struct Probability {
    numerator: BigUint,
    denominator: BigUint,
}

impl Probability {
    /// The fraction, or one where it would be more or has no meaning (a zero denominator).
    pub fn new(numerator: BigUint, denominator: BigUint) -> Self {
        if numerator >= denominator {
            return Self::one();
        }
        Self { numerator, denominator }
    }

    /// Certainty.
    pub fn one() -> Self {
        Self { numerator: BigUint::from(1u8), denominator: BigUint::from(1u8) }
    }

    /// Above the bar.
    pub const fn numerator(&self) -> &BigUint {
        &self.numerator
    }

    /// Below the bar; not zero.
    pub const fn denominator(&self) -> &BigUint {
        &self.denominator
    }

    /// Whether it is impossible.
    pub fn is_zero(&self) -> bool {
        self.numerator == BigUint::ZERO
    }

    /// Whether it is certain.
    pub fn is_one(&self) -> bool {
        self.numerator == self.denominator
    }

    /// Times 2^`doublings`, at most one.
    #[must_use]
    pub fn worsened(self, doublings: u32) -> Self {
        if doublings as u64 > self.denominator.bits() && !self.is_zero() {
            return Self::one();
        }
        Self::new(self.numerator << doublings, self.denominator)
    }

    /// Largest *e* for which the probability is at most 2^-*e*. None where it is impossible.
    pub fn security_bits(&self) -> Option<u64> {
        if self.is_zero() {
            return None;
        }
        // Within one of the answer: the bit lengths differ by it or by one more.
        let bits = self.denominator.bits() - self.numerator.bits();
        let fits = |bits: u64| &self.numerator << bits <= self.denominator;
        Some(if fits(bits) { bits } else { bits - 1 })
    }

    /// The two leading decimal digits, rounded, and the power of ten of the first: `(12, 9)` is 1.2e-9.
    fn leading_digits(&self) -> (u64, u32) {
        let ten = BigUint::from(10u8);
        let mut scaled = self.numerator.clone();
        let mut exponent = 0;
        while scaled < self.denominator {
            scaled *= &ten;
            exponent += 1;
        }
        let digits = (scaled * 20u8 + &self.denominator) / (&self.denominator * 2u8);
        // From 10 to 100, as scaled / denominator is from 1 and below 10.
        match u64::try_from(&digits).unwrap_or(100) {
            100 => (10, exponent - 1),
            digits => (digits, exponent),
        }
    }
}

impl PartialEq for Probability {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Probability {}

impl PartialOrd for Probability {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Probability {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.numerator * &other.denominator).cmp(&(&other.numerator * &self.denominator))
    }
}

/// `0`, `1`, or two digits: `0.62`, `0.062`, `1.2e-9`.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.is_one() {
            return f.write_str("1");
        }
        match self.leading_digits() {
            (_, 0) => f.write_str("1.0"),
            (digits, 1) => write!(f, "0.{digits}"),
            (digits, 2) => write!(f, "0.0{digits}"),
            (digits, exponent) => write!(f, "{}.{}e-{exponent}", digits / 10, digits % 10),
        }
    }
}
