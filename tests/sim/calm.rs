//! Nothing goes wrong.

use crate::{config::WorldConfig, seeds, world::Simulation};
use primitives::Chain;
use std::time::Duration;

#[test]
fn in_calm_water_the_beacon_chain_passes_through_its_epochs() {
    seeds::each([1, 2], beacon_epochs);
}

pub(crate) fn beacon_epochs(seed: u64) {
    Simulation::new(seed, WorldConfig::new(0)).phase(async |world| {
        // Three epochs of eight heights, a second each.
        world.advance_beacon(26, Duration::from_secs(32)).await;
    });
}

/// What a run did, in full.
fn transcript(seed: u64) -> Vec<String> {
    Simulation::new(seed, WorldConfig::new(0)).phase(async |world| {
        world.advance_beacon(6, Duration::from_secs(15)).await;
        let ids = world.estate.book.ids(Chain::Beacon);
        ids.into_iter().map(|((epoch, height), id)| format!("{epoch} {height} {id}")).collect()
    })
}

#[test]
fn the_same_seed_gives_the_same_run() {
    seeds::each([3], |seed| {
        let first = transcript(seed);
        assert_eq!(first, transcript(seed));
        assert_ne!(first, transcript(seed + 1));
    });
}
