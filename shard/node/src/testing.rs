//! What this package's tests build chains from: a genesis file, a store in memory, a beacon view for each height.

use crate::beacon_view::BeaconView;
use crate::store::{Resume, ShardStore};
use primitives::{
    AnchorProof, B256, ChainSpec, Committee, Genesis, Height, InboxCursors, RecordProof, ShardId,
};
use shard_state::genesis::genesis_header;
use shard_state::testing::{TestBeacon, allocations, spec};
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use storage::{Durability, MemoryDisk, Store};

/// The shard that tests run.
pub(crate) const SHARD: ShardId = ShardId::new(1);
/// Heights in an epoch of it.
pub(crate) const EPOCH_HEIGHTS: u64 = 8;
/// Funded keys.
pub(crate) const KEYS: u64 = 4;
/// Timestamp of genesis.
const TIMESTAMP_MS: u64 = 1_000;

/// The `local` preset with short epochs.
pub(crate) fn short_spec() -> Arc<ChainSpec> {
    let shard_epoch_heights = NonZeroU64::new(EPOCH_HEIGHTS).expect("not zero");
    Arc::new(ChainSpec { shard_epoch_heights, ..(*spec()).clone() })
}

/// A genesis file without validators: nobody agrees in these tests.
pub(crate) fn genesis() -> Genesis {
    let spec = (*short_spec()).clone();
    let allocations = allocations(KEYS);
    let shards = (0..spec.shards.len() as u32).map(ShardId::new);
    let shard_ids =
        shards.map(|shard| genesis_header(&spec, shard, &allocations, TIMESTAMP_MS).id()).collect();
    Genesis { spec, timestamp_ms: TIMESTAMP_MS, validators: Vec::new(), allocations, shard_ids }
}

/// The store on a simulated disk, keeping this many states.
pub(crate) fn open(disk: &MemoryDisk, history_blocks: u64) -> (ShardStore, Resume) {
    let store =
        Store::memory(disk, ShardStore::config(Durability::Power, history_blocks)).expect("the disk works");
    ShardStore::open(store, &genesis(), SHARD, history_blocks).expect("the store is whole")
}

/// What the follower would tell of `beacon` at `height`, having seen every height.
pub(crate) fn view(beacon: &TestBeacon, height: u64) -> BeaconView {
    let spec = short_spec();
    let anchors: Vec<AnchorProof> =
        (0..spec.shards.len() as u32).map(|shard| beacon.anchor(ShardId::new(shard), height, 0)).collect();
    let seats = (0..4).map(|index| beacon.anchor(SHARD, height, index).seat).collect();
    let committee = Arc::new(Committee::new(seats).expect("different keys"));
    let records: Vec<_> = (anchors.iter())
        .map(|anchor| RecordProof {
            record: anchor.record.clone(),
            branch: anchor.record_branch.clone(),
            cursors: InboxCursors::default(),
        })
        .collect();
    let named = records.iter().flat_map(|proof| {
        let entries = proof.record.table.entries().iter();
        entries.map(|entry| ((proof.record.shard, entry.epoch), Arc::clone(&committee)))
    });
    let ids: BTreeMap<Height, B256> = (0..=height)
        .map(|height| beacon.anchor_ref(height))
        .map(|anchor| (anchor.height, anchor.id))
        .collect();
    BeaconView {
        header: anchors[0].header.clone(),
        id: anchors[0].header.id(),
        mix: anchors[0].mix,
        mix_branch: anchors[0].mix_branch.clone(),
        committees: Arc::new(named.collect()),
        authorities: Arc::default(),
        deliveries: (0..spec.shards.len() as u32)
            .map(|shard| beacon.delivery(ShardId::new(shard), height))
            .collect(),
        records,
        ids: Arc::new(ids),
    }
}
