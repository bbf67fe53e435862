//! Shards send each other receipts, whatever happens between them.
//!
//! That none is lost, applied twice or out of order, and that no money appears or disappears, the oracles check in every
//! scenario; here also that everything arrives, once links and machines are well again.

use crate::{
    config::{CALM, ROUGH, WorldConfig},
    seeds,
    world::{Simulation, World},
};
use primitives::{Chain, Lane, ShardId};
use shard_state::portal::{LaneState, lanes};
use std::{collections::BTreeMap, time::Duration};

#[test]
fn receipts_arrive_in_calm_water() {
    seeds::each([71, 72], calm);
}

pub(crate) fn calm(seed: u64) {
    Simulation::new(seed, WorldConfig::new(3)).phase(async |world| {
        world.advance(10, Duration::from_secs(20)).await;
        everything_arrives(world, Duration::from_secs(5)).await;
        let (sent, _) = progress(world);
        assert!(sent.len() == 6 && sent.values().all(|sent| *sent >= 3), "every lane is used: {sent:?}");
        world.assert_steady();
    });
}

#[test]
fn receipts_arrive_once_links_and_machines_are_well_again() {
    seeds::each([81], trouble);
}

pub(crate) fn trouble(seed: u64) {
    let config = WorldConfig { link: ROUGH, ..WorldConfig::new(2) };
    Simulation::new(seed, config).phase(async |world| {
        world.advance(6, Duration::from_secs(60)).await;
        let victim = (seed % 5) as usize;
        world.crash(victim).await;
        world.pass(Duration::from_secs(4)).await;
        world.partition(&[&[0, 1], &[2, 3, 4]]).await;
        world.pass(Duration::from_secs(6)).await;
        world.heal().await;
        world.start(victim).await;
        world.relink(CALM).await;
        everything_arrives(world, Duration::from_secs(60)).await;
    });
}

/// Waits until all that was sent up to now has arrived.
async fn everything_arrives(world: &World, limit: Duration) {
    let (sent, _) = progress(world);
    let arrived = |world: &World| {
        let (_, received) = progress(world);
        sent.iter().all(|(lane, sent)| received.get(lane).is_some_and(|received| received >= sent))
    };
    world.until(limit, "all that was sent has arrived", arrived).await;
}

/// For every lane how many receipts were sent, and how many were received, by the nodes that know most.
fn progress(world: &World) -> (BTreeMap<Lane, u64>, BTreeMap<Lane, u64>) {
    let (mut sent, mut received) = (BTreeMap::new(), BTreeMap::new());
    let shards = world.estate.shards().count() as u32;
    for shard in world.estate.shards() {
        for LaneState { chain, outgoing, incoming } in newest(world, shard, shards) {
            let here = Chain::from(shard);
            sent.insert(Lane { source: here, destination: chain }, outgoing.sent);
            let count = incoming.map_or(0, |cursor| cursor.sequence);
            received.insert(Lane { source: chain, destination: here }, count);
        }
    }
    (sent, received)
}

fn newest(world: &World, shard: ShardId, shards: u32) -> Vec<LaneState> {
    let snapshots = (0..world.estate.validators()).filter_map(|validator| world.chain(validator, shard));
    let newest = snapshots.map(|chain| chain.snapshot()).max_by_key(|snapshot| snapshot.height());
    newest.map_or(Vec::new(), |newest| lanes(newest.view.state(), shard, shards).expect("readable"))
}
