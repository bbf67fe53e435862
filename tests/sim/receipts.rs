//! Shards send each other receipts, whatever happens between them.
//!
//! That none is lost, applied twice or out of order, and that no money appears or disappears, the oracles check in every
//! scenario; here also that everything arrives, once links and machines are well again.

use crate::{
    config::{CALM, ROUGH, WorldConfig},
    seeds,
    world::{Simulation, World},
};
use alloy_primitives::keccak256;
use engine::{Block, simulated::byzantine::Misconduct};
use primitives::{Chain, Height, Lane, Receipt, ShardId, U256};
use shard_state::{
    portal::{LaneState, lanes},
    receipt::transactions_root,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

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

#[test]
fn receipts_reach_committees_whose_members_do_not_serve_the_source() {
    seeds::each([83], strangers);
}

pub(crate) fn strangers(seed: u64) {
    let mut config = WorldConfig { stakes: vec![2, 2, 2, 2, 1, 1, 1, 1], ..WorldConfig::new(3) };
    config.spec.seats_target = 5;
    Simulation::new(seed, config).phase(async |world| {
        world.advance(30, Duration::from_secs(90)).await;
        everything_arrives(world, Duration::from_secs(20)).await;
        let (sent, _) = progress(world);
        assert!(sent.values().all(|sent| *sent >= 3), "every lane is used: {sent:?}");
        let from_peers = (0..world.estate.validators())
            .map(|validator| world.shard_metric(validator, "atoll_shard_bundles_from_peers_total"))
            .sum::<u64>();
        assert!(from_peers > 0, "somebody had to ask a peer");
    });
}

#[test]
fn a_full_lane_refuses_and_delays_neither_its_source_nor_other_lanes() {
    seeds::each([85], narrow);
}

pub(crate) fn narrow(seed: u64) {
    let mut config = WorldConfig::new(3);
    config.spec.lane_capacity = 2;
    Simulation::new(seed, config).phase(async |world| {
        world.advance(16, Duration::from_secs(30)).await;
        everything_arrives(world, Duration::from_secs(10)).await;
        assert!(refusals(world) > 0, "three senders fill a lane of two");
        let most = most_in_flight(world);
        assert!(most <= 4, "{most} receipts were under way on one lane");
        world.assert_steady();
    });
}

/// The validator whose proposals are wrong; it has one unit.
const FORGER: usize = 3;

/// Proposes blocks that bring other receipts than were sent, or in another order, or twice, or not all.
struct Forger;

impl Misconduct for Forger {
    fn proposal(&self, block: Block) -> Block {
        let Some(honest) = block.as_shard().filter(|block| !block.body.bundles.is_empty()) else {
            return block;
        };
        let mut lie = (**honest).clone();
        let bundles = &mut lie.body.bundles;
        match honest.header.height.get() % 5 {
            0 => bundles[0].receipts[0].value += U256::from(1),
            1 => bundles.push(bundles[0].clone()),
            2 => bundles.reverse(),
            3 => drop(bundles[0].receipts.remove(0)),
            _ => bundles.clear(),
        }
        if lie.body.bundles == honest.body.bundles {
            lie.body.bundles[0].receipts[0].sequence += 1;
        }
        let ids = lie.body.bundles.iter().flat_map(|bundle| &bundle.receipts).map(Receipt::id);
        let hashes = lie.body.transactions.iter().map(keccak256);
        lie.header.transactions_root = transactions_root(&ids.chain(hashes).collect::<Vec<_>>());
        lie.header.data_root = lie.body.root();
        Block::shard(lie)
    }
}

#[test]
fn a_proposer_who_forges_replays_reorders_truncates_or_withholds_is_outvoted() {
    seeds::each([87], forger);
}

pub(crate) fn forger(seed: u64) {
    Simulation::new(seed, WorldConfig::new(2)).run(async |world| {
        world.corrupt(FORGER, Arc::new(Forger));
        world.start_all().await;
        world.advance(24, Duration::from_secs(60)).await;
        everything_arrives(world, Duration::from_secs(20)).await;
        for validator in world.honest().filter(|validator| *validator != FORGER) {
            let rejected = world.shard_metric(validator, "atoll_shard_blocks_rejected_total");
            assert!(rejected > 0, "validator {validator} was shown no forgery");
        }
    });
}

/// Transactions to the Portal that failed, over all shards.
pub(crate) fn refusals(world: &World) -> usize {
    let of = |shard| {
        let snapshot = world.chain(0, shard).expect("everybody has a seat").snapshot();
        let heights = (1..=snapshot.height().get()).map(Height::new);
        let receipts = heights.filter_map(|height| snapshot.reader.receipts(height).expect("readable"));
        receipts.flatten().filter(|receipt| !receipt.success()).count()
    };
    world.estate.shards().map(of).sum()
}

/// Waits until all that was sent up to now has arrived.
pub(crate) async fn everything_arrives(world: &World, limit: Duration) {
    let (sent, _) = progress(world);
    let arrived = |world: &World| {
        let (_, received) = progress(world);
        sent.iter().all(|(lane, sent)| received.get(lane).is_some_and(|received| received >= sent))
    };
    world.until(limit, "all that was sent has arrived", arrived).await;
}

/// The most receipts that a source believes to be under way on one lane.
pub(crate) fn most_in_flight(world: &World) -> u64 {
    let shards = world.estate.shards().count() as u32;
    let lanes = world.estate.shards().flat_map(|shard| newest(world, shard, shards));
    lanes.map(|lane| lane.outgoing.in_flight()).max().unwrap_or(0)
}

/// For every lane between shards how many receipts were sent, and how many were received, by the nodes that know most.
fn progress(world: &World) -> (BTreeMap<Lane, u64>, BTreeMap<Lane, u64>) {
    let (mut sent, mut received) = (BTreeMap::new(), BTreeMap::new());
    let shards = world.estate.shards().count() as u32;
    for shard in world.estate.shards() {
        let between = |lane: &LaneState| lane.chain != Chain::Beacon;
        for LaneState { chain, outgoing, incoming } in
            newest(world, shard, shards).into_iter().filter(between)
        {
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
