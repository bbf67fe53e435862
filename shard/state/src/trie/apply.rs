//! A batch of changes applied in one walk.
//!
//! Most changes of a block overwrite entries that are there, which moves no node: those are searched for all
//! together and written first. What is left, new and removed entries, is applied from the root down.
//!
//! Changes that share a path share its descent. Sorted keys make the runs of changes under a child as long
//! as they can be; any other order, and repeated keys, give the same trie more slowly, the last change of a
//! key being the one that stands.

use alloy_primitives::B256;

use super::{
    Trie,
    arena::{NodeId, NodeKind},
    nibble,
};

/// A change of one entry: the value it gets, or `None` to remove it.
type Change<'a> = (B256, Option<&'a [u8]>);

/// Fewer changes than this are not worth a search of their own.
const SEARCH_MIN: usize = 64;
/// So many changes at a time that the nodes they touch stay in a core's cache from the search to the walk.
const SEARCH_MAX: usize = 2_048;

impl Trie {
    /// Applies changes whose keys ascend.
    pub fn apply_sorted<V: AsRef<[u8]>>(&mut self, changes: &[(B256, Option<V>)]) {
        self.stale_entries = self.stale_entries.saturating_add(changes.len());
        for changes in changes.chunks(SEARCH_MAX) {
            let mut changes: Vec<Change<'_>> = changes.iter().map(written).collect();
            if changes.len() >= SEARCH_MIN && changes.is_sorted_by(|(a, _), (b, _)| a < b) {
                self.overwrite(&mut changes);
            }
            self.root = self.apply(self.root, 0, &changes).0;
        }
    }

    /// Applies changes whose keys ascend, and returns the root.
    ///
    /// The same as [`apply_sorted`](Self::apply_sorted) and then [`root`](Self::root). On one thread it is faster:
    /// what was changed under a first byte is hashed while it is in the cache.
    pub fn update_sorted<V: AsRef<[u8]>>(&mut self, changes: &[(B256, Option<V>)]) -> B256 {
        if changes.len() < SEARCH_MAX || rayon::current_num_threads() > 1 {
            self.apply_sorted(changes);
            return self.root();
        }
        for changes in changes.chunk_by(|(a, _), (b, _)| a[0] == b[0]) {
            self.apply_sorted(changes);
            self.refresh_under(&changes[0].0); // a chunk is never empty
        }
        self.root()
    }

    /// Writes the values of keys that are there already, and leaves the other changes to be applied.
    ///
    /// All keys go down a level before any goes further, so that the memory they wait for is fetched at once.
    fn overwrite(&mut self, changes: &mut Vec<Change<'_>>) {
        let mut nodes = vec![self.root; changes.len()];
        let mut descends = true;
        while descends {
            descends = false;
            for (node, (key, _)) in nodes.iter_mut().zip(changes.iter()) {
                if let NodeKind::Branch(index) = node.kind() {
                    self.arena.set_stale(*node);
                    let branch = self.arena.branch(index);
                    *node = branch.children[nibble::at(key, branch.depth())];
                    descends = true;
                }
            }
        }
        let mut nodes = nodes.into_iter();
        changes.retain(|(key, value)| match (nodes.next().map(NodeId::kind), value) {
            (Some(NodeKind::Leaf(index)), Some(value)) if self.arena.leaf(index).key == *key => {
                self.arena.set_value(index, value);
                false
            }
            _ => true,
        });
    }

    /// Applies changes that all belong under `node`, which starts at depth `from`. Returns what now stands in
    /// its place and whether anything changed: a stale node has only stale nodes above it.
    fn apply(&mut self, node: NodeId, from: usize, changes: &[Change<'_>]) -> (NodeId, bool) {
        let mut node = node;
        let mut changed = false;
        let mut rest = changes;
        while let Some((first, after)) = rest.split_first() {
            let step = match node.kind() {
                NodeKind::Branch(index) => {
                    let (inside, outside) = rest.split_at(self.count_inside(index, from, rest));
                    if inside.is_empty() {
                        rest = after;
                        self.apply_beside(node, first)
                    } else {
                        rest = outside;
                        self.apply_to_branch(index, inside)
                    }
                }
                NodeKind::Leaf(index) if self.arena.leaf(index).key == first.0 => {
                    rest = after;
                    (self.apply_to_leaf(index, first), true)
                }
                NodeKind::Leaf(_) | NodeKind::None => {
                    rest = after;
                    self.apply_beside(node, first)
                }
            };
            node = step.0;
            changed |= step.1;
        }
        (node, changed)
    }

    /// How many leading changes follow the path from depth `from` to where the branch branches.
    fn count_inside(&self, branch: usize, from: usize, changes: &[Change<'_>]) -> usize {
        let depth = self.arena.branch(branch).depth();
        if depth == from {
            return changes.len();
        }
        let path = self.arena.any_key(NodeId::branch(branch));
        changes.iter().take_while(|(key, _)| nibble::first_difference(key, path) >= depth).count()
    }

    fn apply_to_branch(&mut self, index: usize, changes: &[Change<'_>]) -> (NodeId, bool) {
        let depth = self.arena.branch(index).depth();
        let mut changed = false;
        let mut rest = changes;
        while let Some((key, _)) = rest.first() {
            let slot = nibble::at(key, depth);
            let run = rest.iter().take_while(|(key, _)| nibble::at(key, depth) == slot).count();
            let (run, after) = rest.split_at(run);
            rest = after;
            let (child, child_changed) = self.apply(self.arena.branch(index).children[slot], depth + 1, run);
            if child_changed {
                self.arena.set_child(index, slot, child);
                changed = true;
            }
        }
        if changed { (self.arena.settle_branch(index), true) } else { (NodeId::branch(index), false) }
    }

    /// Applies a change to the leaf of the same key.
    fn apply_to_leaf(&mut self, index: usize, change: &Change<'_>) -> NodeId {
        match change.1 {
            Some(value) => {
                self.arena.set_value(index, value);
                NodeId::leaf(index)
            }
            None => {
                self.arena.remove_leaf(index);
                NodeId::NONE
            }
        }
    }

    /// Applies a change of a key that is not under `node`, which may be none.
    fn apply_beside(&mut self, node: NodeId, change: &Change<'_>) -> (NodeId, bool) {
        let Some(value) = change.1 else { return (node, false) };
        let leaf = self.arena.new_leaf(change.0, value);
        if node == NodeId::NONE {
            return (leaf, true);
        }
        let depth = nibble::first_difference(&change.0, self.arena.any_key(node));
        (self.arena.new_branch(depth, [node, leaf]), true)
    }
}

/// The change as it is applied: an empty value removes.
fn written<V: AsRef<[u8]>>((key, value): &(B256, Option<V>)) -> Change<'_> {
    (*key, value.as_ref().map(AsRef::as_ref).filter(|value| !value.is_empty()))
}
