//! Who has seats: with many validators and small committees, not everybody runs every shard.

use primitives::{Chain, Epoch, ShardId};
use rpc::beacon::BeaconClient;

/// Whether a validator has a seat of a shard in the newest term that is drawn, or the one before: the coming one and the
/// one that rules.
pub(super) async fn has_seat(beacon: &BeaconClient, validator: usize, shard: ShardId) -> eyre::Result<bool> {
    let shards = beacon.shards().await?;
    let Some(view) = shards.iter().find(|view| view.shard.0 == u64::from(shard.get())) else {
        return Ok(false);
    };
    let newest = view.drawn_epoch.0;
    for epoch in newest.saturating_sub(1)..=newest {
        let committee = beacon.committee_view(Chain::Shard(shard), Epoch::new(epoch)).await?;
        if committee.seats.iter().any(|seat| seat.validator.0 == validator as u64) {
            return Ok(true);
        }
    }
    Ok(false)
}
