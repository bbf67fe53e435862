//! Links and machines fail, honestly.

use crate::{
    config::{ROUGH, WorldConfig},
    seeds,
    world::{Simulation, World},
};
use crypto::bls::SecretKey;
use engine::simulated::byzantine::Misconduct;
use primitives::{B256, PublicKeyBytes, ShardId, SignatureBytes, Vote};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

#[test]
fn lost_and_late_messages_slow_the_chains_but_do_not_stop_them() {
    seeds::each([11, 12], rough_links);
}

pub(crate) fn rough_links(seed: u64) {
    let config = WorldConfig { link: ROUGH, ..WorldConfig::new(1) };
    Simulation::new(seed, config).phase(async |world| {
        world.advance(20, Duration::from_secs(120)).await;
    });
}

#[test]
fn a_partition_stops_the_chains_and_healing_starts_them_again() {
    seeds::each([21, 22], partition);
}

pub(crate) fn partition(seed: u64) {
    Simulation::new(seed, WorldConfig::new(1)).phase(async |world| {
        world.advance(6, Duration::from_secs(15)).await;
        // Four seats and three: neither side has the five that decide.
        world.partition(&[&[0, 1], &[2, 3, 4]]).await;
        world.pass(Duration::from_secs(1)).await;
        let heights = |world: &World| (world.beacon_heights().1, world.shard_heights(ShardId::ZERO).0);
        let before = heights(world);
        world.pass(Duration::from_secs(12)).await;
        assert_eq!(heights(world), before, "a side without a quorum certified blocks");
        world.heal().await;
        world.advance(6, Duration::from_secs(40)).await;
        // One validator alone: the others go on, and it catches up.
        world.partition(&[&[4], &[0, 1, 2, 3]]).await;
        let goal = world.beacon_heights().1 + 6;
        world
            .until(Duration::from_secs(30), "the majority goes on", |world| world.beacon_heights().1 >= goal)
            .await;
        world.heal().await;
        world.advance_beacon(3, Duration::from_secs(20)).await;
    });
}

#[test]
fn a_validator_that_crashes_comes_back_where_it_was() {
    seeds::each([31, 32], crash_one);
}

pub(crate) fn crash_one(seed: u64) {
    Simulation::new(seed, WorldConfig::new(1)).phase(async |world| {
        let victim = (seed % 5) as usize;
        world.advance(6, Duration::from_secs(15)).await;
        world.crash(victim).await;
        world.advance(12, Duration::from_secs(40)).await;
        world.start(victim).await;
        world.advance(6, Duration::from_secs(40)).await;
        world.crash_in_commit(victim, seed % 7).await;
        world.start(victim).await;
        world.advance(6, Duration::from_secs(40)).await;
    });
}

#[test]
fn no_certified_block_is_lost_when_all_validators_lose_power() {
    seeds::each([41, 42], crash_all);
}

pub(crate) fn crash_all(seed: u64) {
    let mut simulation = Simulation::new(seed, WorldConfig::new(2));
    for cut_ms in [3_000 + seed * 37 % 1000, 1_000 + seed * 91 % 1000] {
        simulation.phase(async |world| {
            world.advance(6, Duration::from_secs(40)).await;
            world.pass(Duration::from_millis(cut_ms)).await;
        });
    }
    simulation.phase(async |world| world.advance(8, Duration::from_secs(40)).await);
}

#[test]
fn validators_whose_view_of_the_beacon_chain_is_late_wait_and_never_vote_no() {
    seeds::each([71], late_beacon_views);
}

pub(crate) fn late_beacon_views(seed: u64) {
    Simulation::new(seed, WorldConfig::new(1)).phase(async |world| {
        world.advance(4, Duration::from_secs(15)).await;
        // Three of seven seats: without them nothing is decided.
        let late = [1, 4];
        late.iter().for_each(|validator| world.lags[*validator].set(Duration::from_millis(900)));
        let waits = |world: &World| {
            late.iter().all(|late| world.shard_metric(*late, "atoll_shard_waiting_requests") > 0)
        };
        world.until(Duration::from_secs(30), "both wait for a beacon header", waits).await;
        world.advance(16, Duration::from_secs(60)).await;
        for validator in world.honest() {
            let refused = world.shard_metric(validator, "atoll_shard_blocks_rejected_total");
            assert_eq!(refused, 0, "validator {validator} refused a block");
        }
    });
}

/// Says everything twice, which is no offence.
struct Stutterer {
    secrets: BTreeMap<PublicKeyBytes, SecretKey>,
    genesis_hash: B256,
}

impl Misconduct for Stutterer {
    fn second_vote(&self, key: &PublicKeyBytes, vote: &Vote) -> Option<(Vote, SignatureBytes)> {
        let namespace = consensus::namespace(self.genesis_hash, vote.chain);
        let bytes = consensus::vote::signing_bytes(&namespace, vote);
        Some((*vote, self.secrets.get(key)?.sign(&bytes).to_bytes()))
    }
}

#[test]
fn votes_that_arrive_twice_harm_nobody() {
    seeds::each([75], duplicates);
}

pub(crate) fn duplicates(seed: u64) {
    Simulation::new(seed, WorldConfig { link: ROUGH, ..WorldConfig::new(1) }).run(async |world| {
        let estate = Arc::clone(&world.estate);
        let own = |secret: &SecretKey| (secret.public_key().to_bytes(), secret.clone());
        for (validator, secrets) in estate.secrets.iter().enumerate() {
            let (secrets, genesis_hash) = (secrets.iter().map(own).collect(), estate.genesis.hash());
            world.corrupt(validator, Arc::new(Stutterer { secrets, genesis_hash }));
        }
        world.start_all().await;
        world.advance(12, Duration::from_secs(120)).await;
    });
}
