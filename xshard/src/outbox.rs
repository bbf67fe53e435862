//! What a block sends to other chains, and the root that its header commits to.
//!
//! One leaf per destination, in their order; each holds the first sequence number, how many, and the root of the tree
//! over the receipts' ids. A block that sends nothing commits to the empty list.

use crate::range;
use consensus::layout::{list_branch, list_root};
use crypto::merkle::verify_branch;
use primitives::{B256, Chain, OutboxLeaf, OutboxProof, Receipt};
use std::collections::BTreeMap;
use tree_hash::TreeHash as _;

/// Depth of the tree over the leaves, without the list's length: at most 2^16 destinations.
pub const OUTBOX_DEPTH: usize = 16;

/// Receipts that one block sends, by destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    lanes: BTreeMap<Chain, Sent>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sent {
    receipts: Vec<Receipt>,
    ids: Vec<B256>,
}

/// Why receipts are no outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboxError {
    /// A gap, or one twice.
    #[error("to chain {destination}: sequence {expected} is next, found {found}")]
    Sequence {
        /// Where it goes.
        destination: Chain,
        /// The next number.
        expected: u64,
        /// The receipt's.
        found: u64,
    },
    /// Two chains in one outbox.
    #[error("an outbox is of one source, found receipts of {expected} and {found}")]
    Source {
        /// Of the first receipt.
        expected: Chain,
        /// Of a later one.
        found: Chain,
    },
}

impl Outbox {
    /// The outbox of a block that sent `receipts`, in this order.
    pub fn new(receipts: impl IntoIterator<Item = Receipt>) -> Result<Self, OutboxError> {
        let (mut outbox, mut source) = (Self::default(), None);
        for receipt in receipts {
            let found = receipt.lane.source;
            let expected = *source.get_or_insert(found);
            if expected != found {
                return Err(OutboxError::Source { expected, found });
            }
            outbox.push(receipt)?;
        }
        Ok(outbox)
    }

    fn push(&mut self, receipt: Receipt) -> Result<(), OutboxError> {
        let destination = receipt.lane.destination;
        let sent = self.lanes.entry(destination).or_default();
        if let Some(last) = sent.receipts.last() {
            let (expected, found) = (last.sequence.saturating_add(1), receipt.sequence);
            if expected != found {
                return Err(OutboxError::Sequence { destination, expected, found });
            }
        }
        sent.ids.push(receipt.id());
        sent.receipts.push(receipt);
        Ok(())
    }

    /// Whether the block sends nothing.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Each destination's receipts, in order.
    pub fn lanes(&self) -> impl ExactSizeIterator<Item = (Chain, &[Receipt])> {
        self.lanes.iter().map(|(destination, sent)| (*destination, &*sent.receipts))
    }

    /// All receipts, by destination and sequence, with their ids.
    pub fn receipts(&self) -> impl Iterator<Item = (B256, &Receipt)> {
        self.lanes.values().flat_map(|sent| sent.ids.iter().copied().zip(&sent.receipts))
    }

    /// The leaves, by destination.
    pub fn leaves(&self) -> Vec<OutboxLeaf> {
        let leaf = |(destination, sent): (&Chain, &Sent)| OutboxLeaf {
            destination: *destination,
            first_sequence: sent.receipts.first().map_or(0, |first| first.sequence),
            count: sent.receipts.len() as u64,
            root: range::root(&sent.ids),
        };
        self.lanes.iter().map(leaf).collect()
    }

    /// What the header commits to.
    pub fn root(&self) -> B256 {
        list_root(&roots(&self.leaves()), OUTBOX_DEPTH)
    }

    /// Proof of a destination's leaf; `None` if nothing goes there.
    pub fn proof(&self, destination: Chain) -> Option<OutboxProof> {
        prove(&self.leaves(), destination)
    }
}

/// Proof of a destination's leaf among a block's leaves; `None` if nothing goes there.
pub fn prove(leaves: &[OutboxLeaf], destination: Chain) -> Option<OutboxProof> {
    let index = leaves.iter().position(|leaf| leaf.destination == destination)?;
    let branch = list_branch(&roots(leaves), index as u64, OUTBOX_DEPTH)?;
    Some(OutboxProof { leaf: leaves[index], index: u32::try_from(index).ok()?, branch })
}

/// Whether the leaf is in the outbox with this root.
#[must_use]
pub fn verify(proof: &OutboxProof, outbox_root: &B256) -> bool {
    let OutboxProof { leaf, index, branch } = proof;
    // The length is mixed in at the top, to the right: the index's bit there is zero.
    u64::from(*index) < 1 << OUTBOX_DEPTH
        && verify_branch(&leaf.tree_hash_root(), u64::from(*index), OUTBOX_DEPTH + 1, branch, outbox_root)
}

/// The outbox root of a block that sends nothing.
pub fn empty_outbox_root() -> B256 {
    list_root(&[], OUTBOX_DEPTH)
}

fn roots(leaves: &[OutboxLeaf]) -> Vec<B256> {
    leaves.iter().map(OutboxLeaf::tree_hash_root).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{receipt, receipts};
    use primitives::ShardId;

    #[test]
    fn every_destination_is_proven_and_no_other() {
        let outbox = Outbox::new(receipts(&[(1, 3), (2, 1), (4, 20)])).expect("in order");
        for (place, destination) in [1, 2, 4].into_iter().enumerate() {
            let mut proof = outbox.proof(ShardId::new(destination).into()).expect("sends there");
            assert_eq!(proof.index as usize, place);
            assert!(verify(&proof, &outbox.root()));
            proof.leaf.count += 1;
            assert!(!verify(&proof, &outbox.root()));
        }
        assert_eq!(outbox.proof(ShardId::new(3).into()), None);
    }

    #[test]
    fn an_empty_outbox_has_the_root_of_an_empty_list() {
        assert_eq!(Outbox::default().root(), empty_outbox_root());
        assert_ne!(Outbox::new(receipts(&[(1, 1)])).expect("in order").root(), empty_outbox_root());
    }

    #[test]
    fn a_gap_is_no_outbox() {
        let mut sent = receipts(&[(1, 3)]);
        sent.remove(1);
        let destination = ShardId::new(1).into();
        let expected = OutboxError::Sequence { destination, expected: 1, found: 2 };
        assert_eq!(Outbox::new(sent), Err(expected));
    }

    #[test]
    fn receipts_of_two_sources_are_no_outbox() {
        let mut other = receipt(1, 1);
        other.lane.source = ShardId::new(9).into();
        let expected = OutboxError::Source { expected: ShardId::ZERO.into(), found: ShardId::new(9).into() };
        assert_eq!(Outbox::new([receipt(1, 0), other]), Err(expected));
    }
}
