//! The beacon chain's end of the lanes between it and a shard.
//!
//! What was sent stays here until a header of the shard is accepted that has consumed it: an accepted header is never
//! undone, so nobody needs it any more. Sequences rise by one from the first that waits.
//!
//! Rules: docs/spec/receipts.md#beacon-lanes

use primitives::{B256, BeaconLane, Receipt, ShardId, U256};
use ssz::{Decode, DecodeError, Encode};
use tree_hash::{Hash256, PackedEncoding, TreeHash, TreeHashType};
use xshard::{Payload, beacon};

#[cfg(test)]
mod tests;

/// What the beacon chain has received from a shard, and the receipts to it that wait.
///
/// Its tree root is that of [`Self::summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardLane {
    shard: ShardId,
    received: u64,
    first_sequence: u64,
    pending: Vec<Receipt>,
    /// Those of `pending`, at the same places.
    ids: Vec<B256>,
}

impl ShardLane {
    /// A lane on which nothing was sent yet.
    pub(crate) const fn new(shard: ShardId) -> Self {
        Self { shard, received: 0, first_sequence: 0, pending: Vec::new(), ids: Vec::new() }
    }

    /// The shard.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// How many of the shard's receipts were consumed: the sequence of the next one.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Sequence of the first receipt that the shard is not known to have consumed.
    pub const fn first_sequence(&self) -> u64 {
        self.first_sequence
    }

    /// Sequence that the next receipt to the shard will have.
    pub const fn next_sequence(&self) -> u64 {
        self.first_sequence.saturating_add(self.pending.len() as u64)
    }

    /// Receipts that the shard is not known to have consumed, in order.
    pub fn pending(&self) -> &[Receipt] {
        &self.pending
    }

    /// Their ids.
    pub fn ids(&self) -> &[B256] {
        &self.ids
    }

    /// The lane as followers see it.
    pub fn summary(&self) -> BeaconLane {
        beacon::lane(self.shard, self.received, self.first_sequence, &self.ids)
    }

    /// Takes note that the shard's next receipt was consumed.
    pub(crate) const fn receive(&mut self) {
        self.received = self.received.saturating_add(1);
    }

    /// Sends a receipt to the shard; no gas and no deadline come with it.
    pub(crate) fn send(&mut self, value: U256, payload: &Payload) {
        let receipt = beacon::receipt(self.shard, self.next_sequence(), value, payload);
        self.ids.push(receipt.id());
        self.pending.push(receipt);
    }

    /// Forgets what the shard has consumed: all below sequence `next`.
    pub(crate) fn acknowledge(&mut self, next: u64) {
        let count = next.saturating_sub(self.first_sequence).min(self.pending.len() as u64);
        // No more than there are.
        let places = ..count as usize;
        self.pending.drain(places);
        self.ids.drain(places);
        self.first_sequence += count;
    }

    /// Whether the receipts that wait are those of this lane, one after the other.
    pub(crate) fn is_well_formed(&self) -> bool {
        let sequences = self.first_sequence.checked_add(self.pending.len() as u64).is_some();
        let follows = |(receipt, sequence): (&Receipt, u64)| {
            receipt.lane == beacon::lane_to(self.shard) && receipt.sequence == sequence
        };
        sequences && self.pending.iter().zip(self.first_sequence..).all(follows)
    }
}

/// The encoded form.
#[derive(ssz_derive::Encode)]
struct Stored<'a> {
    shard: ShardId,
    received: u64,
    first_sequence: u64,
    pending: &'a Vec<Receipt>,
}

/// The decoded form, without what is computed from it.
#[derive(ssz_derive::Decode)]
struct Loaded {
    shard: ShardId,
    received: u64,
    first_sequence: u64,
    pending: Vec<Receipt>,
}

impl ShardLane {
    const fn stored(&self) -> Stored<'_> {
        let Self { shard, received, first_sequence, pending, .. } = self;
        Stored { shard: *shard, received: *received, first_sequence: *first_sequence, pending }
    }
}

impl Encode for ShardLane {
    fn is_ssz_fixed_len() -> bool {
        false
    }
    fn ssz_bytes_len(&self) -> usize {
        self.stored().ssz_bytes_len()
    }
    fn ssz_append(&self, buf: &mut Vec<u8>) {
        self.stored().ssz_append(buf);
    }
}

impl Decode for ShardLane {
    fn is_ssz_fixed_len() -> bool {
        false
    }
    fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let Loaded { shard, received, first_sequence, pending } = Loaded::from_ssz_bytes(bytes)?;
        let ids = pending.iter().map(Receipt::id).collect();
        Ok(Self { shard, received, first_sequence, pending, ids })
    }
}

impl TreeHash for ShardLane {
    fn tree_hash_type() -> TreeHashType {
        BeaconLane::tree_hash_type()
    }
    fn tree_hash_packed_encoding(&self) -> PackedEncoding {
        self.summary().tree_hash_packed_encoding()
    }
    fn tree_hash_packing_factor() -> usize {
        BeaconLane::tree_hash_packing_factor()
    }
    fn tree_hash_root(&self) -> Hash256 {
        self.summary().tree_hash_root()
    }
}
