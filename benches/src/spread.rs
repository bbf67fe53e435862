//! How values are distributed.

use std::fmt;

/// How values are distributed, milliseconds.
#[derive(Debug)]
pub struct Spread(Vec<u64>);

impl Spread {
    /// Of these values.
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        Self(values)
    }

    /// Of what lies between one value and the next.
    pub fn between(times: &[u64]) -> Self {
        Self::of(times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect())
    }

    /// The value below which so many of a thousand lie.
    pub fn at(&self, permille: usize) -> u64 {
        self.0.get(self.0.len() * permille / 1_000).or(self.0.last()).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, p90, p99, max) = (self.at(500), self.at(900), self.at(990), self.at(1_000));
        write!(f, "median {median} ms, p90 {p90}, p99 {p99}, max {max} ({} values)", self.0.len())
    }
}
