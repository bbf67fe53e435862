//! Nothing goes wrong.

use crate::{
    config::{ROUGH, WorldConfig},
    seeds, wallet,
    world::Simulation,
};
use primitives::{Chain, ShardId};
use std::time::Duration;

#[test]
fn in_calm_water_the_beacon_chain_passes_through_its_epochs() {
    seeds::each([1, 2], beacon_epochs);
}

pub(crate) fn beacon_epochs(seed: u64) {
    Simulation::new(seed, WorldConfig::new(0)).phase(async |world| {
        // Three epochs of eight heights, a second each.
        world.advance_beacon(26, Duration::from_secs(32)).await;
        world.assert_steady();
    });
}

#[test]
fn in_calm_water_shards_execute_and_the_beacon_chain_finalizes() {
    seeds::each([1, 2], calm);
}

pub(crate) fn calm(seed: u64) {
    Simulation::new(seed, WorldConfig::new(2)).phase(async |world| {
        // More than two epochs of twelve heights, half a second each, and the seconds that finality takes.
        world.advance(28, Duration::from_secs(25)).await;
        world.assert_steady();
        for shard in world.estate.shards() {
            let view = world.chain(0, shard).expect("everybody has a seat").snapshot().view.clone();
            for account in 0..wallet::ACCOUNTS {
                let nonce = view.account(&wallet::address(account)).expect("readable").nonce;
                assert!(nonce >= 5, "account {account} of shard {shard} got {nonce} transfers through");
            }
        }
    });
}

/// What a run did, in full.
fn transcript(seed: u64) -> Vec<String> {
    let config = WorldConfig { link: ROUGH, ..WorldConfig::new(1) };
    Simulation::new(seed, config).phase(async |world| {
        world.advance_beacon(6, Duration::from_secs(40)).await;
        let chains = [Chain::Beacon, Chain::from(ShardId::ZERO)];
        let ids = chains.map(|chain| (chain, world.estate.book.ids(chain)));
        let ids = ids
            .into_iter()
            .flat_map(|(chain, ids)| ids.into_iter().map(move |(place, id)| (chain, place, id)));
        ids.map(|(chain, (epoch, height), id)| format!("{chain} {epoch} {height} {id}")).collect()
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
