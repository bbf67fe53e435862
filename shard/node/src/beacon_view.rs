//! The beacon chain as the shards of this node see it: one finalized header, and what its state says.
//!
//! Only the follower makes one, from what the light client has verified.

use consensus::authority::{Authority, CommitteeSource};
use consensus::layout::committee_branch;
use primitives::{
    AnchorProof, AnchorRef, B256, BeaconDelivery, BeaconHeader, Chain, Committee, Epoch, Height,
    InboxCursors, RecordProof, ShardId, ShardRecord,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The beacon chain at one finalized header.
#[derive(Clone, Debug)]
pub struct BeaconView {
    /// The header.
    pub header: BeaconHeader,
    /// Its id.
    pub id: B256,
    /// The randomness after it.
    pub mix: B256,
    /// From the mix to the state root.
    pub mix_branch: Vec<B256>,
    /// Every shard's entry with its branch and cursors, in order of shard.
    pub records: Vec<RecordProof>,
    /// What there is for every shard, in order of shard.
    pub deliveries: Vec<BeaconDelivery>,
    /// The committees that the entries name, as far as they were fetched.
    pub committees: Arc<BTreeMap<(ShardId, Epoch), Arc<Committee>>>,
    /// Their voices.
    pub authorities: Arc<BTreeMap<(ShardId, Epoch), Arc<Authority>>>,
    /// Ids of the latest finalized headers, as far as they are known: not every height is.
    pub ids: Arc<BTreeMap<Height, B256>>,
}

impl BeaconView {
    /// Its height.
    pub const fn height(&self) -> Height {
        self.header.height
    }

    /// How a shard header names it.
    pub const fn anchor_ref(&self) -> AnchorRef {
        AnchorRef { height: self.header.height, id: self.id }
    }

    /// The entry of `shard`.
    pub fn record(&self, shard: ShardId) -> Option<&ShardRecord> {
        self.records.get(shard.get() as usize).map(|proof| &proof.record)
    }

    /// How far the accepted header of `shard` has consumed other chains' receipts.
    pub fn cursors(&self, shard: ShardId) -> Option<&InboxCursors> {
        self.records.get(shard.get() as usize).map(|proof| &proof.cursors)
    }

    /// What there is for `shard`.
    pub fn delivery(&self, shard: ShardId) -> Option<&BeaconDelivery> {
        self.deliveries.get(shard.get() as usize)
    }

    /// The committee of `shard` in `epoch`, if it is known.
    pub fn committee(&self, shard: ShardId, epoch: Epoch) -> Option<&Arc<Committee>> {
        self.committees.get(&(shard, epoch))
    }

    /// The committees of `shard` that act from now on, as far as they are known: the one that rules above the accepted
    /// header, and later ones.
    pub fn acting(&self, shard: ShardId) -> impl Iterator<Item = &Arc<Committee>> {
        let record = self.record(shard);
        let ruling = record.and_then(|record| record.table.ruling(record.accepted.height.next()));
        let first = ruling.map(|entry| entry.epoch);
        let entries = record.into_iter().flat_map(|record| record.table.entries());
        entries
            .filter(move |entry| first.is_none_or(|first| entry.epoch >= first))
            .filter_map(move |entry| self.committee(shard, entry.epoch))
    }

    /// What a block of `shard` takes from this header when it is proposed in `epoch` from the seat at `seat_index`.
    /// `None` if the committee, or the seat, is not known.
    pub fn anchor(&self, shard: ShardId, epoch: Epoch, seat_index: u32) -> Option<AnchorProof> {
        let RecordProof { record, branch, .. } = self.records.get(shard.get() as usize)?;
        let committee = self.committee(shard, epoch)?;
        Some(AnchorProof {
            header: self.header.clone(),
            mix: self.mix,
            mix_branch: self.mix_branch.clone(),
            record: record.clone(),
            record_branch: branch.clone(),
            seat_index,
            seat: *committee.seat(seat_index)?,
            seat_branch: committee_branch(committee, seat_index)?,
        })
    }
}

impl CommitteeSource for BeaconView {
    fn authority(&self, chain: Chain, epoch: Epoch) -> Option<Arc<Authority>> {
        self.authorities.get(&(chain.shard()?, epoch)).cloned()
    }
}
