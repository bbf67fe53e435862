//! Receipts through everything at once: links that lose, delay and reorder, nodes that say everything twice, a relayer who
//! lies, a crash, a partition. Many seeds, with committees most of whose members have to ask others for receipts.

use crate::{
    config::{CALM, ROUGH, WorldConfig},
    receipts::everything_arrives,
    seeds,
    world::{Simulation, World},
};
use bytes::Bytes;
use engine::simulated::byzantine::Misconduct;
use parking_lot::Mutex;
use primitives::{Bundle, U256};
use ssz::{Decode as _, Encode as _};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The validator that gossips other receipts than it has.
const RELAYER: usize = 1;

/// What nodes gossip of another shard's receipts, behind the byte of its kind.
#[derive(ssz_derive::Encode, ssz_derive::Decode)]
struct Receipts {
    bundles: Vec<Bundle>,
}

const RECEIPTS_KIND: u8 = 4;

/// Hands receipts on, but forged, or once more, or in another order, or not all of them, or not at all.
#[derive(Default)]
struct Relayer {
    told: AtomicU64,
    before: Mutex<Option<Bytes>>,
}

impl Misconduct for Relayer {
    fn gossip(&self, message: Bytes) -> Vec<Bytes> {
        let Some((&RECEIPTS_KIND, content)) = message.split_first() else { return vec![message] };
        let mut lie = Receipts::from_ssz_bytes(content).expect("what a node gossips it can read");
        let before = self.before.lock().replace(message.clone());
        match self.told.fetch_add(1, Ordering::Relaxed) % 5 {
            0 => lie.bundles[0].receipts[0].value += U256::from(1),
            1 => return before.into_iter().chain([message]).collect(),
            2 => lie.bundles.reverse(),
            3 => drop(lie.bundles[0].receipts.remove(0)),
            _ => return Vec::new(),
        }
        vec![[vec![RECEIPTS_KIND], lie.as_ssz_bytes()].concat().into()]
    }
}

/// Says everything twice.
struct Echo;

impl Misconduct for Echo {
    fn gossip(&self, message: Bytes) -> Vec<Bytes> {
        vec![message.clone(), message]
    }
}

fn config() -> WorldConfig {
    let mut config = WorldConfig { stakes: vec![2, 2, 2, 2, 1, 1, 1, 1], ..WorldConfig::new(2) };
    config.spec.seats_target = 5;
    config
}

#[test]
fn a_relayer_who_forges_replays_reorders_truncates_or_withholds_delays_nothing_for_long() {
    seeds::each([89], relayer);
}

pub(crate) fn relayer(seed: u64) {
    let conduct = Arc::new(Relayer::default());
    Simulation::new(seed, config()).run(async |world| {
        world.corrupt(RELAYER, conduct.clone());
        world.start_all().await;
        world.advance(30, Duration::from_secs(90)).await;
        everything_arrives(world, Duration::from_secs(20)).await;
        let told = conduct.told.load(Ordering::Relaxed);
        assert!(told > 5, "it was its turn {told} times only");
    });
}

/// Everybody goes on while links are bad.
pub(crate) fn storm(seed: u64) {
    through_bad_links(seed, async |world| world.advance(4, Duration::from_secs(120)).await);
}

/// What comes in between does not matter: everything arrives afterwards.
pub(crate) fn brief_storm(seed: u64) {
    through_bad_links(seed, async |world| world.pass(Duration::from_secs(10)).await);
}

/// Links stay bad for so long that epochs end early, and everybody goes on.
pub(crate) fn long_storm(seed: u64) {
    through_bad_links(seed, async |world| {
        world.pass(Duration::from_secs(60)).await;
        world.advance(4, Duration::from_secs(120)).await;
    });
}

/// Links are bad for a `time`, then worse, then well again.
fn through_bad_links(seed: u64, time: impl AsyncFnOnce(&World)) {
    let config = WorldConfig { link: ROUGH, ..config() };
    Simulation::new(seed, config).run(async |world| {
        for validator in 0..world.estate.validators() {
            match validator {
                RELAYER => world.corrupt(validator, Arc::new(Relayer::default())),
                _ => world.corrupt(validator, Arc::new(Echo)),
            }
        }
        world.start_all().await;
        time(world).await;
        let victim = 2 + (seed % 6) as usize;
        world.crash(victim).await;
        world.pass(Duration::from_secs(2)).await;
        world.partition(&[&[0, 1, 2, 3], &[4, 5, 6, 7]]).await;
        world.pass(Duration::from_secs(4)).await;
        world.relink(CALM).await;
        world.start(victim).await;
        everything_arrives(world, Duration::from_secs(120)).await;
    });
}

/// With this seed both shards are ended early, each with what the other has consumed from it.
#[test]
fn shards_go_on_in_a_storm_so_long_that_epochs_end_early() {
    seeds::each([1016], long_storm);
}

/// Twenty-five seeds, in parts that run side by side.
mod receipts_arrive_exactly_once_and_in_order_through {
    use super::{seeds, storm};

    #[test]
    fn storms_200_to_204() {
        seeds::each(200..205, storm);
    }

    #[test]
    fn storms_205_to_209() {
        seeds::each(205..210, storm);
    }

    #[test]
    fn storms_210_to_214() {
        seeds::each(210..215, storm);
    }

    #[test]
    fn storms_215_to_219() {
        seeds::each(215..220, storm);
    }

    #[test]
    fn storms_220_to_224() {
        seeds::each(220..225, storm);
    }
}
