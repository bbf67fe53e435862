//! Which heights belong to which epoch.

use commonware_consensus::types::{Epoch, EpochInfo, Epocher, Height};
use parking_lot::RwLock;
use primitives::EpochTable;
use std::{collections::BTreeMap, sync::Arc};

/// All that epoch tables have said about one generation of a chain; beyond it, epochs of fixed length.
///
/// Clones share what is learned. What was said once stays.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    /// First height of each epoch.
    firsts: Arc<RwLock<BTreeMap<u64, u64>>>,
    heights_per_epoch: u64,
}

impl Epochs {
    pub(crate) fn new(table: &EpochTable, heights_per_epoch: u64) -> Self {
        let epochs = Self { firsts: Arc::default(), heights_per_epoch: heights_per_epoch.max(1) };
        epochs.learn(table);
        epochs
    }

    /// Adds what `table` says of epochs nothing was said of.
    pub(crate) fn learn(&self, table: &EpochTable) {
        let mut firsts = self.firsts.write();
        for entry in table.entries() {
            let first = entry.first_height.get();
            let known = *firsts.entry(entry.epoch.get()).or_insert(first);
            if known != first {
                tracing::warn!(epoch = %entry.epoch, known, first, "epoch table contradicts an earlier one, ignored");
            }
        }
    }

    /// First and last height of `epoch`; `None` for numbers that were skipped or come before all that is known.
    fn bounds(&self, epoch: u64) -> Option<(u64, u64)> {
        let firsts = self.firsts.read();
        let (known, first) = firsts.range(..=epoch).next_back()?;
        if let Some((_, next)) = firsts.range(epoch.checked_add(1)?..).next() {
            return (*known == epoch).then_some((*first, next.checked_sub(1)?));
        }
        let beyond = (epoch - known).checked_mul(self.heights_per_epoch)?;
        let first = first.checked_add(beyond)?;
        Some((first, first.checked_add(self.heights_per_epoch)?.checked_sub(1)?))
    }

    /// The epoch that rules `height`.
    fn ruling(&self, height: u64) -> Option<u64> {
        let firsts = self.firsts.read();
        let (epoch, first) = firsts.iter().rev().find(|(_, first)| **first <= height)?;
        match firsts.last_key_value() {
            Some((last, _)) if last == epoch => epoch.checked_add((height - first) / self.heights_per_epoch),
            _ => Some(*epoch),
        }
    }
}

/// Nobody produces the block at height zero: it counts to the epoch that starts at height one.
const fn with_genesis(first: u64) -> u64 {
    if first == 1 { 0 } else { first }
}

impl Epocher for Epochs {
    fn containing(&self, height: Height) -> Option<EpochInfo> {
        let epoch = self
            .ruling(height.get())
            .or_else(|| self.ruling(height.next().get()).filter(|_| height.is_zero()))?;
        let (first, last) = self.bounds(epoch)?;
        let first = Height::new(with_genesis(first));
        Some(EpochInfo::new(Epoch::new(epoch), height, first, Height::new(last)))
    }

    fn first(&self, epoch: Epoch) -> Option<Height> {
        self.bounds(epoch.get()).map(|(first, _)| Height::new(with_genesis(first)))
    }

    fn last(&self, epoch: Epoch) -> Option<Height> {
        self.bounds(epoch.get()).map(|(_, last)| Height::new(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{B256, EpochEntry};

    fn epochs(entries: &[(u64, u64)], heights_per_epoch: u64) -> Epochs {
        let entries = entries.iter().map(|(epoch, first)| EpochEntry {
            epoch: primitives::Epoch::new(*epoch),
            first_height: primitives::Height::new(*first),
            committee_root: B256::ZERO,
        });
        Epochs::new(&EpochTable::new(entries.collect()).unwrap(), heights_per_epoch)
    }

    fn epoch_at(epochs: &Epochs, height: u64) -> Option<(u64, u64, u64)> {
        let info = epochs.containing(Height::new(height))?;
        Some((info.epoch().get(), info.first().get(), info.last().get()))
    }

    #[test]
    fn beyond_the_table_epochs_have_their_fixed_length() {
        let epochs = epochs(&[(0, 1), (1, 11)], 10);
        assert_eq!(epoch_at(&epochs, 0), Some((0, 0, 10)));
        assert_eq!(epoch_at(&epochs, 10), Some((0, 0, 10)));
        assert_eq!(epoch_at(&epochs, 11), Some((1, 11, 20)));
        assert_eq!(epoch_at(&epochs, 45), Some((4, 41, 50)));
        assert_eq!(epochs.first(Epoch::new(4)), Some(Height::new(41)));
        assert_eq!(epochs.last(Epoch::new(4)), Some(Height::new(50)));
    }

    #[test]
    fn an_epoch_that_ended_early_and_numbers_that_were_skipped_have_no_further_heights() {
        let epochs = epochs(&[(3, 31), (4, 36)], 10);
        assert_eq!(epoch_at(&epochs, 35), Some((3, 31, 35)));
        assert_eq!(epoch_at(&epochs, 36), Some((4, 36, 45)));
        assert_eq!(epoch_at(&epochs, 30), None);
        assert_eq!(epochs.last(Epoch::new(2)), None);
    }

    #[test]
    fn no_number_overflows() {
        let epochs = epochs(&[(1, u64::MAX - 3)], 10);
        assert_eq!(epochs.last(Epoch::new(1)), None);
        assert_eq!(epochs.first(Epoch::new(u64::MAX)), None);
        assert_eq!(epoch_at(&epochs, u64::MAX), None);
    }
}
