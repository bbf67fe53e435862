//! What shards sent to the beacon chain, kept by the header under whose history it is proven.
//!
//! Everything held was verified against that header, whose certificate was verified before: so nothing forged takes
//! the place of something good. Of each header the next receipts are kept, in order; no bundle is held whose receipts
//! another one brings.

use super::step::Taken;
use beacon_state::operation::receipts;
use beacon_state::proposal::BundleSource;
use primitives::{B256, BeaconBundle, OFFER_BUNDLES_MAX, ShardHeader, ShardId};
use ssz::Encode as _;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Bundles by shard and header.
#[derive(Clone, Debug, Default)]
pub(super) struct Bundles {
    /// Rising by first sequence.
    by_header: BTreeMap<(ShardId, B256), Vec<BeaconBundle>>,
}

impl Bundles {
    /// Most bundles of one header.
    pub(super) const HEADER_MAX: usize = OFFER_BUNDLES_MAX;
    /// Most bytes of bundles of one header, unless a single one has more.
    const HEADER_BYTES_MAX: usize = 1 << 22;

    /// Keeps those bundles in the history of `header`, whose id is `id`, that bring receipts from sequence `next` on which
    /// are not held yet, as far as there is room; lower sequences go first.
    pub(super) fn add(
        &mut self,
        header: &ShardHeader,
        id: B256,
        next: u64,
        bundles: impl IntoIterator<Item = BeaconBundle>,
    ) -> Taken {
        let mut taken = Taken::Known;
        let mut held = self.by_header.remove(&(header.shard, id)).unwrap_or_default();
        for bundle in bundles {
            let Some(range) = sequences(&bundle).filter(|range| *range.end() >= next) else { continue };
            let is_held = held.iter().any(|other| covers(other, &range));
            if is_held || receipts::verify(&bundle, header).is_err() {
                continue;
            }
            held.retain(|other| sequences(other).is_some_and(|other| !covers(&bundle, &other)));
            held.push(bundle);
            held.sort_by_key(|bundle| sequences(bundle).map(|range| *range.start()));
            limit(&mut held);
            if held.iter().any(|other| covers(other, &range)) {
                taken = Taken::New;
            }
        }
        if !held.is_empty() {
            self.by_header.insert((header.shard, id), held);
        }
        taken
    }

    /// Forgets the bundles of every header that is not to be kept.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(ShardId, &B256) -> bool) {
        self.by_header.retain(|(shard, id), _| keep(*shard, id));
    }

    /// Forgets the receipts below the sequence that `next` says is the next one of a shard.
    pub(super) fn forget_below(&mut self, next: impl Fn(ShardId) -> u64) {
        for ((shard, _), held) in &mut self.by_header {
            let next = next(*shard);
            held.retain(|bundle| sequences(bundle).is_some_and(|range| *range.end() >= next));
        }
        self.by_header.retain(|_, held| !held.is_empty());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_header.values().map(Vec::len).sum()
    }
}

impl BundleSource for Bundles {
    fn bundles(&self, shard: ShardId, accepted: &B256) -> Vec<BeaconBundle> {
        self.by_header.get(&(shard, *accepted)).cloned().unwrap_or_default()
    }
}

/// Lets the highest go that there is no room for.
fn limit(held: &mut Vec<BeaconBundle>) {
    held.truncate(Bundles::HEADER_MAX);
    let mut bytes: usize = held.iter().map(BeaconBundle::ssz_bytes_len).sum();
    while bytes > Bundles::HEADER_BYTES_MAX && held.len() > 1 {
        bytes -= held.pop().map_or(0, |bundle| bundle.ssz_bytes_len());
    }
}

/// From the first receipt's sequence to the last one's.
fn sequences(bundle: &BeaconBundle) -> Option<RangeInclusive<u64>> {
    Some(bundle.receipts.first()?.sequence..=bundle.receipts.last()?.sequence)
}

fn covers(bundle: &BeaconBundle, range: &RangeInclusive<u64>) -> bool {
    sequences(bundle).is_some_and(|own| own.start() <= range.start() && own.end() >= range.end())
}
