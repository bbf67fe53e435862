//! Committees that are smaller than the validators are many: they change, and some fail.

use crate::{
    book::Book,
    config::WorldConfig,
    seeds,
    world::{Simulation, World},
};
use engine::simulated::byzantine::Misconduct;
use parking_lot::Mutex;
use primitives::{Chain, Committee, Epoch, Height, PublicKeyBytes, ShardId, SignatureBytes, View, Vote};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
    sync::Arc,
    time::Duration,
};

/// Validators as in any young network: a few large ones, many small ones.
const STAKES: [u32; 8] = [10, 5, 3, 2, 2, 1, 1, 1];

fn config(shards: usize) -> WorldConfig {
    let mut config = WorldConfig { stakes: STAKES.to_vec(), ..WorldConfig::new(shards) };
    config.spec.seats_target = 8;
    config
}

/// The first vote of a validator in an epoch of a shard.
#[derive(Clone, Copy, Debug)]
struct FirstVote {
    view: View,
    /// What its node had certified.
    head: Height,
}

/// Breaks no rule, but notes when each validator votes for the first time.
struct Observer {
    validator: usize,
    shards: crate::world::Shards,
    votes: Arc<Mutex<BTreeMap<(ShardId, Epoch, usize), FirstVote>>>,
}

impl Misconduct for Observer {
    fn second_vote(&self, _: &PublicKeyBytes, vote: &Vote) -> Option<(Vote, SignatureBytes)> {
        let shard = vote.chain.shard()?;
        let head = self.shards.lock().get(&self.validator)?.chain(shard)?.snapshot().height();
        let mut votes = self.votes.lock();
        votes.entry((shard, vote.epoch, self.validator)).or_insert(FirstVote { view: vote.view, head });
        None
    }
}

/// The committee of an epoch and its first height, from a node that saw it drawn.
fn drawn(world: &World, chain: Chain, epoch: Epoch) -> Option<(Committee, Height)> {
    let drawn =
        world.validators.values().find_map(|node| node.beacon.committee(chain, epoch).expect("readable"))?;
    Some((drawn.committee, drawn.first_height))
}

fn members(committee: &Committee) -> BTreeSet<usize> {
    committee.seats().iter().map(|seat| seat.validator.get() as usize).collect()
}

#[test]
fn committees_change_every_epoch_and_joiners_have_synced_before_they_vote() {
    seeds::each([81], rotation);
}

pub(crate) fn rotation(seed: u64) {
    Simulation::new(seed, config(2)).run(async |world| {
        let votes = Arc::default();
        for validator in 0..STAKES.len() {
            let shards = world.shards.clone();
            world.corrupt(validator, Arc::new(Observer { validator, shards, votes: Arc::clone(&votes) }));
        }
        world.start_all().await;
        let epochs = 5;
        let last = 12 * epochs;
        let far = |world: &World| world.estate.shards().all(|shard| world.shard_heights(shard).0 > last);
        world.until(Duration::from_secs(60), "five epochs of every shard", far).await;
        for shard in world.estate.shards() {
            let mut before = None;
            for epoch in (0..epochs).map(Epoch::new) {
                let (committee, first) = drawn(world, shard.into(), epoch).expect("drawn");
                assert_eq!(committee.len(), 8);
                assert_ne!(before.replace(committee.root()), Some(committee.root()), "epoch {epoch}");
                for validator in members(&committee) {
                    let vote = votes.lock().get(&(shard, epoch, validator)).copied();
                    let vote: FirstVote =
                        vote.unwrap_or_else(|| panic!("{validator} never voted in epoch {epoch}"));
                    let below = first.previous().unwrap_or_default();
                    assert!(
                        vote.head >= below,
                        "validator {validator} voted in epoch {epoch} at height {}",
                        vote.head
                    );
                    assert!(
                        vote.view <= View::new(4),
                        "validator {validator} came to epoch {epoch} in {vote:?}"
                    );
                }
            }
        }
    });
}

#[test]
fn a_shard_that_loses_a_third_of_its_seats_gets_a_fresh_committee_and_goes_on() {
    seeds::each([91], lost_committee);
}

/// Seats of `lost` validators in a committee.
fn seats_of(committee: &Committee, lost: &BTreeSet<usize>) -> usize {
    committee.seats().iter().filter(|seat| lost.contains(&(seat.validator.get() as usize))).count()
}

/// The validators of the smallest stake without whom the shard stands still, and the beacon chain does not.
fn critical(world: &World, shard: ShardId) -> Option<BTreeSet<usize>> {
    let snapshot = world.validators[&0].beacon.snapshot();
    let record = snapshot.state().shard(shard)?;
    let ruling = record.table.ruling(record.accepted.height.next())?.epoch;
    let (committee, _) = drawn(world, shard.into(), ruling)?;
    let beacon_epoch = snapshot.header().epoch;
    let beacon = [beacon_epoch, beacon_epoch.next()].map(|epoch| drawn(world, Chain::Beacon, epoch));
    let subsets =
        (1u32..1 << STAKES.len()).map(|bits| (0..STAKES.len()).filter(|v| bits >> v & 1 == 1).collect());
    let fitting = subsets.filter(|lost: &BTreeSet<usize>| {
        let spared = |drawn: &Option<(Committee, Height)>| {
            drawn.as_ref().is_some_and(|(committee, _)| seats_of(committee, lost) <= 2)
        };
        seats_of(&committee, lost) > 2 && beacon.iter().all(spared)
    });
    let stake = |lost: &BTreeSet<usize>| lost.iter().map(|validator| STAKES[*validator]).sum::<u32>();
    fitting.filter(|lost| stake(lost) <= 6).min_by_key(stake)
}

pub(crate) fn lost_committee(seed: u64) {
    let mut config = config(1);
    let count = |number| NonZeroU64::new(number).expect("not zero");
    config.spec.beacon_epoch_heights = count(64);
    config.spec.stall_heights = count(8);
    Simulation::new(seed, config).phase(async |world| {
        let shard = ShardId::ZERO;
        let lost = loop {
            world.advance(6, Duration::from_secs(30)).await;
            let epoch = |world: &World| world.chain(0, shard).map(|chain| chain.snapshot().header().epoch);
            match critical(world, shard) {
                Some(lost) => break lost,
                None => {
                    let before = epoch(world);
                    world
                        .until(Duration::from_secs(30), "another epoch", |world| epoch(world) > before)
                        .await;
                }
            }
        };
        for validator in &lost {
            world.crash(*validator).await;
        }
        let ended = |world: &World| ends(&world.estate.book) > 0;
        world.until(Duration::from_secs(60), "the epoch is ended early", ended).await;
        world.advance(10, Duration::from_secs(120)).await;
    });
}

fn ends(book: &Book) -> usize {
    book.early_ends(ShardId::ZERO)
}
