//! The storage tries of all accounts that have storage.

use alloy_primitives::{B256, U256, keccak256, map::B256Map};
use rayon::prelude::*;

use super::{EMPTY_ROOT, Trie, encoded::EncodedSlot};

/// Fewer changed slots than this are applied sooner than threads wake up.
const PARALLEL_MIN: usize = 256;

/// A slot, not hashed, and the value it gets; zero deletes it.
pub(super) type SlotChange = (B256, U256);

/// Storage tries by hashed address; an account without storage has none.
#[derive(Clone, Debug, Default)]
pub(super) struct StorageTries {
    /// Where each trie lies. Only looked up in: what iterates, iterates `tries`.
    places: B256Map<u32>,
    tries: Vec<Trie>,
    free: Vec<u32>,
}

impl StorageTries {
    pub(super) fn memory_bytes(&self) -> usize {
        /// A hash-map entry with its control byte, at the map's highest load.
        const PLACE_LEN: usize = (size_of::<(B256, u32)>() + 1) * 8 / 7;
        self.places.capacity() * PLACE_LEN
            + self.tries.iter().map(Trie::memory_bytes).sum::<usize>()
            + (self.tries.capacity() - self.tries.len()) * size_of::<Trie>()
            + self.free.capacity() * size_of::<u32>()
    }

    pub(super) fn get(&self, account: &B256) -> Option<&Trie> {
        self.places.get(account).map(|place| &self.tries[*place as usize])
    }

    pub(super) fn root(&self, account: &B256) -> B256 {
        self.get(account).map_or(EMPTY_ROOT, Trie::current_root)
    }

    /// Takes an account's trie out; an empty one if it has none.
    pub(super) fn take(&mut self, account: &B256) -> Trie {
        match self.places.remove(account) {
            Some(place) => {
                self.free.push(place);
                std::mem::take(&mut self.tries[place as usize])
            }
            None => Trie::new(),
        }
    }

    /// Gives an account the trie of its storage, in place of any it has.
    pub(super) fn put(&mut self, account: B256, trie: Trie) {
        self.take(&account);
        if trie.is_empty() {
            return;
        }
        let place = match self.free.pop() {
            Some(place) => {
                self.tries[place as usize] = trie;
                place
            }
            None => {
                self.tries.push(trie);
                u32::try_from(self.tries.len() - 1).expect("2^32 tries would take a TiB")
            }
        };
        self.places.insert(account, place);
    }

    /// Applies changes of slots, account by account, and leaves every root computed.
    pub(super) fn update(&mut self, changes: &[(B256, &[SlotChange])]) {
        let slots: usize = changes.iter().map(|(_, slots)| slots.len()).sum();
        let mut tries: Vec<Trie> = changes.iter().map(|(account, _)| self.take(account)).collect();
        if slots >= PARALLEL_MIN && changes.len() > 1 && rayon::current_num_threads() > 1 {
            tries.par_iter_mut().zip(changes).for_each(|(trie, (_, slots))| update(trie, slots));
        } else {
            tries.iter_mut().zip(changes).for_each(|(trie, (_, slots))| update(trie, slots));
        }
        for ((account, _), trie) in changes.iter().zip(tries) {
            self.put(*account, trie);
        }
    }
}

/// Applies changes of slots to the trie of one account, and computes its root.
pub(super) fn update(trie: &mut Trie, slots: &[SlotChange]) {
    let encoded: Vec<EncodedSlot> = slots.iter().map(|(_, value)| EncodedSlot::slot(value)).collect();
    let mut changes: Vec<(B256, Option<&EncodedSlot>)> =
        slots.iter().zip(&encoded).map(|((slot, _), value)| (keccak256(slot), Some(value))).collect();
    changes.sort_by_key(|change| change.0); // stable: the last of two changes of a slot stands
    trie.apply_sorted(&changes);
    trie.root();
}
