//! Certified headers as shards offered them: what shows that a committee certified two branches, and who consumed
//! from a void one.
//!
//! Of each shard the newest few are kept, whatever becomes of them. Certificates were verified; histories were not, and
//! are judged where they are used.

use beacon_state::BeaconState;
use beacon_state::operation::{conflict, consumption};
use primitives::{
    B256, Bypassed, CertifiedShardHeader, Conflict, Consumption, Crosslink, Divergence, InboxCursor,
    OtherAncestor, ShardHeader, ShardId, VoidSource,
};
use std::collections::{BTreeMap, VecDeque};

/// Headers by shard, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    by_shard: BTreeMap<ShardId, VecDeque<Crosslink>>,
}

impl Seen {
    /// Most headers of one shard.
    pub(super) const SHARD_MAX: usize = 32;

    pub(super) fn holds(&self, shard: ShardId, id: &B256) -> bool {
        self.of(shard).any(|seen| seen.certificate.id == *id)
    }

    /// Takes a header that a committee certified. Returns what conflict it makes with one that is here.
    pub(super) fn add(&mut self, state: &BeaconState, crosslink: &Crosslink) -> Option<Conflict> {
        let (shard, id) = (crosslink.header.shard, crosslink.certificate.id);
        if self.holds(shard, &id) {
            return None;
        }
        let accepted = state.shard(shard).map(|record| record.accepted.id);
        let found = self.of(shard).find_map(|seen| conflict_of(seen, crosslink, accepted));
        let seen = self.by_shard.entry(shard).or_default();
        seen.push_back(crosslink.clone());
        if seen.len() > Self::SHARD_MAX {
            seen.pop_front();
        }
        found
    }

    /// Headers that consumed from what is void by `state`, of each shard at most one.
    pub(super) fn consumptions(&self, state: &BeaconState) -> Vec<Consumption> {
        let of_shard = |shard: &ShardId| {
            let newest_first = self.of(*shard).rev();
            newest_first
                .filter(|seen| is_open(state, &seen.header))
                .find_map(|seen| consumption_of(state, seen))
        };
        self.by_shard.keys().filter_map(of_shard).collect()
    }

    fn of(&self, shard: ShardId) -> impl DoubleEndedIterator<Item = &Crosslink> {
        self.by_shard.get(&shard).into_iter().flatten()
    }
}

/// What a header consumed from a void branch, if it did.
fn consumption_of(state: &BeaconState, seen: &Crosslink) -> Option<Consumption> {
    let sources = seen.cursors.as_slice().iter().filter_map(|cursor| void_source(state, cursor));
    let consumptions = sources.map(|source| Consumption {
        certified: certified(seen),
        cursors: seen.cursors.clone(),
        source,
    });
    let holds = |consumption: &Consumption| {
        consumption::verify(consumption).and_then(|()| consumption::check(state, consumption)).is_ok()
    };
    consumptions.into_iter().find(holds)
}

/// Why the header that a cursor names is void, if it is and that is known.
fn void_source(state: &BeaconState, cursor: &InboxCursor) -> Option<VoidSource> {
    let shard = cursor.source.shard()?;
    let record = state.shard(shard)?;
    let accepted = record.accepted;
    if cursor.height > accepted.height {
        let ruling = record.table.ruling(cursor.height)?.epoch;
        return (cursor.epoch < ruling).then_some(VoidSource::Ended(shard));
    }
    let is_bypassed = cursor.height == accepted.height && cursor.id != accepted.id;
    let divergence = Divergence::SameHeight(0);
    is_bypassed.then_some(VoidSource::Bypassed(Bypassed { shard, divergence }))
}

/// Whether `header` is one that could still be accepted, as far as height and epoch go.
fn is_open(state: &BeaconState, header: &ShardHeader) -> bool {
    state.shard(header.shard).is_some_and(|record| header.height > record.accepted.height)
        && state.current_epoch(header.shard.into()).is_some_and(|entry| entry.epoch == header.epoch)
}

/// The conflict of two certified headers of one shard, if they are shown to exclude each other.
fn conflict_of(one: &Crosslink, other: &Crosslink, accepted: Option<B256>) -> Option<Conflict> {
    let (lower, upper) = if one.header.height <= other.header.height { (one, other) } else { (other, one) };
    let divergences = if lower.header.height == upper.header.height {
        vec![Divergence::SameHeight(0)]
    } else {
        // The upper one's history leads to its ancestor at the accepted height of its time: that is the accepted
        // header, or, where it directly follows, the parent that the header names.
        let ids = accepted.into_iter().chain([upper.header.parent]);
        let below = |id| Divergence::Below(OtherAncestor { id, proof: upper.history.clone() });
        ids.map(below).collect()
    };
    let conflict = |divergence| Conflict { first: certified(lower), second: certified(upper), divergence };
    divergences.into_iter().map(conflict).find(|conflict| conflict::verify(conflict).is_ok())
}

fn certified(crosslink: &Crosslink) -> CertifiedShardHeader {
    CertifiedShardHeader { header: crosslink.header.clone(), certificate: crosslink.certificate.clone() }
}
