//! A batch of changes applied in one walk.
//!
//! Changes that share a path share its descent. Sorted keys make the runs of changes under a child as long
//! as they can be; any other order, and repeated keys, give the same trie more slowly, the last change of a
//! key being the one that stands.

use alloy_primitives::B256;

use super::{Trie, arena::{NodeId, NodeKind}, nibble};

/// A change of one entry: the value it gets, or `None` to remove it.
type Change<V> = (B256, Option<V>);

impl Trie {
    /// Applies changes whose keys ascend.
    pub fn apply_sorted<V: AsRef<[u8]>>(&mut self, changes: &[(B256, Option<V>)]) {
        let (root, changed) = self.apply(self.root, 0, changes);
        self.root = root;
        if changed {
            self.stale_entries = self.stale_entries.saturating_add(changes.len());
        }
    }

    /// Applies changes that all belong under `node`, which starts at depth `from`. Returns what now stands in
    /// its place and whether anything changed: a stale node has only stale nodes above it.
    fn apply<V: AsRef<[u8]>>(&mut self, node: NodeId, from: usize, changes: &[Change<V>]) -> (NodeId, bool) {
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
    fn count_inside<V>(&self, branch: usize, from: usize, changes: &[Change<V>]) -> usize {
        let depth = self.arena.branch(branch).depth();
        if depth == from {
            return changes.len();
        }
        let path = self.arena.any_key(NodeId::branch(branch));
        changes.iter().take_while(|(key, _)| nibble::first_difference(key, path) >= depth).count()
    }

    fn apply_to_branch<V: AsRef<[u8]>>(&mut self, index: usize, changes: &[Change<V>]) -> (NodeId, bool) {
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
    fn apply_to_leaf<V: AsRef<[u8]>>(&mut self, index: usize, change: &Change<V>) -> NodeId {
        match written(change) {
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
    fn apply_beside<V: AsRef<[u8]>>(&mut self, node: NodeId, change: &Change<V>) -> (NodeId, bool) {
        let Some(value) = written(change) else { return (node, false) };
        let leaf = self.arena.new_leaf(change.0, value);
        if node == NodeId::NONE {
            return (leaf, true);
        }
        let depth = nibble::first_difference(&change.0, self.arena.any_key(node));
        (self.arena.new_branch(depth, [node, leaf]), true)
    }
}

/// The value a change writes; none if it removes.
fn written<V: AsRef<[u8]>>(change: &Change<V>) -> Option<&[u8]> {
    change.1.as_ref().map(AsRef::as_ref).filter(|value| !value.is_empty())
}
