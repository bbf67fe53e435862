//! How likely a draw gives an adversary so many seats that a committee stops or lies.
//!
//! The number of an adversary's seats is hypergeometric: units are drawn without replacement. The tail
//! is summed exactly, over integers. An adversary that proposes the last *r* beacon blocks before a
//! draw chooses among at most 2^r mixes, so a probability grows by at most that factor.
//!
//! Rules: docs/spec/consensus.md#takeover

mod probability;

pub use probability::Probability;

use num_bigint::BigUint;
use std::fmt;

/// What an adversary may reach in one draw of a committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// Units that the committee is drawn from.
    pub units: u64,
    /// Of which the adversary owns so many: its share, rounded up.
    pub adversary_units: u64,
    /// Seats of the committee.
    pub seats: u32,
    /// Seats without which the others are no quorum.
    pub stalling_seats: u32,
    /// Seats that are a quorum.
    pub quorum: u32,
    /// That the adversary gets the stalling seats or more: it can stop the chain.
    pub liveness_loss: Probability,
    /// That the adversary gets a quorum: it can certify what it wants.
    pub safety_loss: Probability,
}

/// What an adversary of `adversary_permille` of all `units` may reach when a committee of
/// `seats_target` (all units where there are fewer) is drawn after `trailing_reveals` reveals of its own.
///
/// An empty committee is lost with certainty.
pub fn takeover(units: u64, seats_target: u32, adversary_permille: u32, trailing_reveals: u32) -> Takeover {
    let seats = u32::try_from(units).unwrap_or(u32::MAX).min(seats_target);
    let share = (u128::from(units) * u128::from(adversary_permille)).div_ceil(1000);
    let adversary_units = u64::try_from(share).unwrap_or(u64::MAX).min(units);
    // As `Committee::quorum`, of which this is the rule for committees not drawn yet.
    let quorum = seats - seats.saturating_sub(1) / 3;
    let stalling_seats = seats - quorum + u32::from(seats > 0);
    let lose = |needed| tail(units, adversary_units, seats, needed).worsened(trailing_reveals);
    Takeover {
        units,
        adversary_units,
        seats,
        stalling_seats,
        quorum,
        liveness_loss: lose(stalling_seats),
        safety_loss: lose(quorum),
    }
}

/// That of `drawn` units out of `units` at least `needed` are among the adversary's `owned`.
fn tail(units: u64, owned: u64, drawn: u32, needed: u32) -> Probability {
    let honest = units - owned;
    // With fewer honest units than seats, some draws are impossible: start where they are not.
    let least = u64::from(needed).max(u64::from(drawn).saturating_sub(honest));
    let most = u64::from(drawn).min(owned);
    let mut sum = BigUint::ZERO;
    if least <= most {
        let mut term = binomial(owned, least) * binomial(honest, u64::from(drawn) - least);
        for count in least..most {
            sum += &term;
            // C(K, i+1) · C(M, n−i−1) from C(K, i) · C(M, n−i): both divisions are exact.
            let left = u64::from(drawn) - count;
            term *= owned - count;
            term /= count + 1;
            term *= left;
            term /= honest - left + 1;
        }
        sum += term;
    }
    Probability::new(sum, binomial(units, u64::from(drawn)))
}

/// `n` choose `k`; zero where `k` is above `n`.
fn binomial(n: u64, k: u64) -> BigUint {
    if k > n {
        return BigUint::ZERO;
    }
    (0..k.min(n - k)).fold(BigUint::from(1u8), |value, i| value * (n - i) / (i + 1))
}

impl fmt::Display for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { units, adversary_units, seats, stalling_seats, quorum, liveness_loss, safety_loss } = self;
        write!(
            f,
            "{seats} seats drawn from {units} units: {stalling_seats} stop the chain, {quorum} take it over; \
             an adversary with {adversary_units} of the units does so with probability {liveness_loss} and {safety_loss}"
        )
    }
}

#[cfg(test)]
mod tests;
