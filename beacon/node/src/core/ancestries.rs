//! Proofs of ancestry within shards, kept by the header they start from.
//!
//! Nobody has checked them: whether one leads from the header that a crosslink consumed is seen when it is
//! used. What is kept has the shape of a proof in that header's history, and is bounded for each header.

use super::step::Taken;
use crypto::mmr::MmrProof;
use primitives::{ANCESTRIES_MAX, B256, Height, ShardHeader, ShardId};
use std::collections::BTreeMap;

/// Proofs by shard and descendant.
#[derive(Clone, Debug, Default)]
pub(super) struct Ancestries {
    by_header: BTreeMap<(ShardId, B256), Vec<MmrProof>>,
}

impl Ancestries {
    /// Most proofs of one header: those that one offer can bring, its crosslink's own history among them.
    pub(super) const HEADER_MAX: usize = ANCESTRIES_MAX + 1;

    /// Keeps those proofs in the history of `header`, whose id is `id`, that are not held yet, as far as there is room.
    pub(super) fn add(
        &mut self,
        header: &ShardHeader,
        id: B256,
        proofs: impl IntoIterator<Item = MmrProof>,
    ) -> Taken {
        let held = self.by_header.entry((header.shard, id)).or_default();
        let before = held.len();
        for proof in proofs {
            let fits = proof.leaf_count == header.height.get() && proof.is_well_formed();
            if fits && held.len() < Self::HEADER_MAX && !held.contains(&proof) {
                held.push(proof);
            }
        }
        if held.len() > before { Taken::New } else { Taken::Known }
    }

    /// Forgets the proofs of every header that is not to be kept.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(ShardId, &B256) -> bool) {
        self.by_header.retain(|(shard, id), _| keep(*shard, id));
    }

    /// What may prove that the header at height `ancestor` is an ancestor of `descendant`.
    pub(super) fn of(&self, shard: ShardId, descendant: B256, ancestor: Height) -> Vec<MmrProof> {
        let held = self.by_header.get(&(shard, descendant)).map_or(&[][..], Vec::as_slice);
        held.iter().filter(|proof| proof.leaf_index == ancestor.get()).cloned().collect()
    }
}
