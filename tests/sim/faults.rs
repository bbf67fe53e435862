//! Links and machines fail, honestly.

use crate::{
    config::{ROUGH, WorldConfig},
    seeds,
    world::Simulation,
};
use std::time::Duration;

#[test]
fn lost_and_late_messages_slow_the_chains_but_do_not_stop_them() {
    seeds::each([11, 12], rough_links);
}

pub(crate) fn rough_links(seed: u64) {
    let config = WorldConfig { link: ROUGH, ..WorldConfig::new(0) };
    Simulation::new(seed, config).phase(async |world| {
        world.advance_beacon(12, Duration::from_secs(120)).await;
    });
}

#[test]
fn a_partition_stops_the_chains_and_healing_starts_them_again() {
    seeds::each([21, 22], partition);
}

pub(crate) fn partition(seed: u64) {
    Simulation::new(seed, WorldConfig::new(0)).phase(async |world| {
        world.advance_beacon(4, Duration::from_secs(10)).await;
        // Four seats and three: neither side has the five that decide.
        world.partition(&[&[0, 1], &[2, 3, 4]]).await;
        world.pass(Duration::from_secs(1)).await;
        let before = world.beacon_heights().1;
        world.pass(Duration::from_secs(20)).await;
        assert!(world.beacon_heights().1 <= before + 1, "a side without a quorum certified blocks");
        world.heal().await;
        world.advance_beacon(5, Duration::from_secs(40)).await;
        // One validator alone: the others go on, and it catches up.
        world.partition(&[&[4], &[0, 1, 2, 3]]).await;
        let goal = world.beacon_heights().1 + 6;
        world.until(Duration::from_secs(30), "the majority goes on", |world| world.beacon_heights().1 >= goal).await;
        world.heal().await;
        world.advance_beacon(3, Duration::from_secs(20)).await;
    });
}

#[test]
fn a_validator_that_crashes_comes_back_where_it_was() {
    seeds::each([31, 32], crash_one);
}

pub(crate) fn crash_one(seed: u64) {
    Simulation::new(seed, WorldConfig::new(0)).phase(async |world| {
        let victim = (seed % 5) as usize;
        world.advance_beacon(5, Duration::from_secs(12)).await;
        world.crash(victim).await;
        world.advance_beacon(6, Duration::from_secs(40)).await;
        world.start(victim).await;
        world.advance_beacon(6, Duration::from_secs(40)).await;
    });
}

#[test]
fn no_certified_block_is_lost_when_all_validators_lose_power() {
    seeds::each([41, 42], crash_all);
}

pub(crate) fn crash_all(seed: u64) {
    let mut simulation = Simulation::new(seed, WorldConfig::new(0));
    for cut_ms in [7_300, 6_000 + seed % 1000, 9_100] {
        simulation.phase(async |world| {
            world.advance_beacon(2, Duration::from_secs(40)).await;
            world.pass(Duration::from_millis(cut_ms)).await;
        });
    }
    simulation.phase(async |world| world.advance_beacon(4, Duration::from_secs(40)).await);
}
