//! Who has seats: with many validators and small committees, not everybody runs every shard.

use super::description::{Description, Endpoint};
use primitives::{Chain, Epoch, ShardId};
use rpc::beacon::{BeaconClient, CommitteeView, ShardView};
use std::collections::BTreeSet;

/// Seats of shards by validator, in the terms that rule above what is accepted, and in the coming ones as far as they are
/// drawn.
pub(super) struct Seats(BTreeSet<(ShardId, u64)>);

impl Seats {
    /// Those that a beacon node knows.
    pub(super) async fn ask(beacon: &BeaconClient) -> eyre::Result<Self> {
        let mut seats = BTreeSet::new();
        for (shard, id) in beacon.shards().await?.iter().zip((0..).map(ShardId::new)) {
            for committee in committees(beacon, shard, id).await? {
                seats.extend(committee.seats.iter().map(|seat| (id, seat.validator.0)));
            }
        }
        Ok(Self(seats))
    }

    /// Where shards are served: at the genesis validators that have seats. One without stake opens its shards when it is
    /// drawn.
    pub(super) fn endpoints<'a>(
        &'a self,
        description: &'a Description,
    ) -> impl Iterator<Item = (usize, &'a Endpoint)> {
        let staked = description.validators.iter().enumerate().filter(|(_, validator)| validator.stake > 0);
        let all =
            staked.flat_map(|(index, validator)| validator.shards.iter().map(move |shard| (index, shard)));
        all.filter(|(index, endpoint)| self.0.contains(&(endpoint.shard, *index as u64)))
    }
}

/// The committee that is drawn last, and the one before it if that still rules.
async fn committees(
    beacon: &BeaconClient,
    shard: &ShardView,
    id: ShardId,
) -> eyre::Result<Vec<CommitteeView>> {
    let view = async |epoch| beacon.committee_view(Chain::Shard(id), Epoch::new(epoch)).await;
    let newest = view(shard.drawn_epoch.0).await?;
    let rules_already = newest.first_height.0 <= shard.accepted.height.0 + 1;
    let before = match shard.drawn_epoch.0.checked_sub(1) {
        Some(epoch) if !rules_already => Some(view(epoch).await?),
        _ => None,
    };
    Ok(before.into_iter().chain([newest]).collect())
}
