//! A trie made from sorted entries, in one pass.
//!
//! The branches on the way to the last entry (the *spine*) are kept at hand: the next entry joins, or parts
//! from, one of them at the first nibble in which the two keys differ. The trie is whole after every entry.

use alloy_primitives::B256;

use super::{Trie, arena::NodeId, nibble};

/// Length of a typical account's value, from which room is made for all of them.
const TYPICAL_VALUE_LEN: usize = 80;

impl Trie {
    /// A trie of entries whose keys ascend. Any other order gives the same trie, more slowly.
    pub fn from_sorted<V: AsRef<[u8]>>(entries: impl IntoIterator<Item = (B256, V)>) -> Self {
        let mut entries = entries.into_iter().filter(|(_, value)| !value.as_ref().is_empty());
        let mut trie = Self::new();
        let Some((first, value)) = entries.next() else { return trie };
        trie.arena.reserve(entries.size_hint().0.saturating_add(1), TYPICAL_VALUE_LEN);
        trie.root = trie.arena.new_leaf(first, value.as_ref());
        trie.stale_entries = 1;

        let mut spine = Spine { branches: Vec::new(), leaf: trie.root, key: first };
        for (key, value) in entries.by_ref() {
            if key <= spine.key {
                trie.insert(&key, value.as_ref());
                break;
            }
            trie.push_right(&mut spine, key, value.as_ref());
        }
        for (key, value) in entries {
            trie.insert(&key, value.as_ref());
        }
        trie
    }

    /// Adds an entry to the right of all others.
    fn push_right(&mut self, spine: &mut Spine, key: B256, value: &[u8]) {
        let depth = nibble::first_difference(&spine.key, &key);
        let leaf = self.arena.new_leaf(key, value);
        self.stale_entries = self.stale_entries.saturating_add(1);

        let mut left = spine.leaf;
        while let Some(index) = spine.branches.pop_if(|index| self.arena.branch(*index).depth() > depth) {
            left = NodeId::branch(index);
        }
        let parent = spine.branches.last().copied();
        match parent {
            Some(index) if self.arena.branch(index).depth() == depth => {
                self.arena.set_child(index, nibble::at(&key, depth), leaf);
            }
            _ => {
                let branch = self.arena.new_branch(depth, [left, leaf]);
                match parent {
                    Some(index) => {
                        let slot = nibble::at(&key, self.arena.branch(index).depth());
                        self.arena.set_child(index, slot, branch);
                    }
                    None => self.root = branch,
                }
                spine.branches.extend(branch.as_branch());
            }
        }
        spine.leaf = leaf;
        spine.key = key;
    }
}

/// The way to the last entry of a trie under construction.
struct Spine {
    /// Indices of the branches passed, from the root.
    branches: Vec<usize>,
    leaf: NodeId,
    key: B256,
}
