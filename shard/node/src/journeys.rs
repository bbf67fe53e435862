//! When receipts passed this node: for people who watch them, not for the chain.

use alloy_primitives::{B256, map::B256Map};
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Receipts that are remembered.
const RECEIPTS_MAX: usize = 1 << 16;

/// When a receipt passed a node, milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// It was verified at its destination.
    pub verified_ms: Option<u64>,
    /// The block that sent or consumed it was certified.
    pub certified_ms: Option<u64>,
}

/// The newest receipts' times; the oldest are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Journeys(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    times: B256Map<Times>,
    order: VecDeque<B256>,
}

impl Journeys {
    pub(crate) fn verified(&self, ids: impl IntoIterator<Item = B256>, now_ms: u64) {
        self.note(ids, |times| times.verified_ms.get_or_insert(now_ms));
    }

    pub(crate) fn certified(&self, ids: impl IntoIterator<Item = B256>, now_ms: u64) {
        self.note(ids, |times| times.certified_ms.get_or_insert(now_ms));
    }

    pub(crate) fn times(&self, id: &B256) -> Times {
        self.0.lock().times.get(id).copied().unwrap_or_default()
    }

    fn note(&self, ids: impl IntoIterator<Item = B256>, note: impl Fn(&mut Times) -> &mut u64) {
        let mut remembered = self.0.lock();
        let Remembered { times, order } = &mut *remembered;
        for id in ids {
            note(times.entry(id).or_insert_with(|| {
                order.push_back(id);
                Times::default()
            }));
        }
        while order.len() > RECEIPTS_MAX {
            let oldest = order.pop_front();
            oldest.and_then(|oldest| times.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_counts_and_the_oldest_receipts_are_forgotten() {
        let journeys = Journeys::default();
        let id = |number: usize| crypto::hash::sha256(&number.to_le_bytes());
        journeys.verified([id(0)], 1);
        journeys.certified([id(0)], 2);
        journeys.certified([id(0)], 3);
        assert_eq!(journeys.times(&id(0)), Times { verified_ms: Some(1), certified_ms: Some(2) });
        journeys.certified((1..=RECEIPTS_MAX).map(id), 4);
        assert_eq!(journeys.times(&id(0)), Times::default());
        assert_eq!(journeys.times(&id(1)).certified_ms, Some(4));
    }
}
