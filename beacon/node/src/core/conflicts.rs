//! Conflicts that a coming block may bring: proofs that a committee certified two branches.

use super::candidates::CandidateError;
use super::committees::Committees;
use super::step::Taken;
use beacon_state::operation::conflict;
use beacon_state::{BeaconState, CommitteeSource as _};
use primitives::{Chain, Conflict, ShardId};
use std::collections::BTreeMap;

/// Conflicts by shard: one is enough to end an epoch, so their number is bounded by that of shards.
#[derive(Clone, Debug, Default)]
pub(super) struct ConflictPool {
    by_shard: BTreeMap<ShardId, Conflict>,
}

impl ConflictPool {
    /// Takes a conflict that ends an epoch above `state`.
    pub(super) fn insert(
        &mut self,
        state: &BeaconState,
        committees: &Committees,
        conflict: Conflict,
    ) -> Result<Taken, CandidateError> {
        let (shard, epoch) = (conflict.first.header.shard, conflict.first.header.epoch);
        conflict::verify(&conflict)?;
        conflict::check(state, &conflict)?;
        if self.by_shard.contains_key(&shard) {
            return Ok(Taken::Known);
        }
        let authority = committees.of(state).authority(Chain::Shard(shard), epoch);
        let authority = authority.ok_or(CandidateError::NoCommittee { shard, epoch })?;
        authority.verify_certificate(&conflict.first.certificate)?;
        authority.verify_certificate(&conflict.second.certificate)?;
        self.by_shard.insert(shard, conflict);
        Ok(Taken::New)
    }

    /// Forgets conflicts of epochs that have ended.
    pub(super) fn refresh(&mut self, state: &BeaconState) {
        self.by_shard.retain(|_, conflict| conflict::check(state, conflict).is_ok());
    }

    /// What is held, by shard.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Conflict> {
        self.by_shard.values()
    }

    pub(super) fn len(&self) -> usize {
        self.by_shard.len()
    }
}
