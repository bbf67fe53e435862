//! Committees that are smaller than the validators are many: they change, and some fail.

use crate::{
    config::WorldConfig,
    estate::Estate,
    seeds,
    world::{Simulation, World},
};
use beacon_state::ValidatorRecord;
use consensus::sampling::{committee_seed, draw_committee};
use engine::simulated::byzantine::Misconduct;
use parking_lot::Mutex;
use primitives::{
    Chain, Committee, Epoch, Height, PublicKeyBytes, Seat, ShardId, SignatureBytes, ValidatorIndex, View,
    Vote,
};
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

/// When each validator voted for the first time, by shard and epoch.
type FirstVotes = BTreeMap<(ShardId, Epoch, usize), FirstVote>;

/// Breaks no rule, but notes when each validator votes for the first time.
struct Observer {
    validator: usize,
    shards: crate::world::Shards,
    votes: Arc<Mutex<FirstVotes>>,
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

/// The validators of the smallest stake, the absent ones among them, without whom the shard stands still, and the beacon chain does not.
fn critical(world: &World, shard: ShardId, absent: &BTreeSet<usize>) -> Option<BTreeSet<usize>> {
    let snapshot = world.validators.values().next()?.beacon.snapshot();
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
        lost.is_superset(absent) && seats_of(&committee, lost) > 2 && beacon.iter().all(spared)
    });
    let stake = |lost: &BTreeSet<usize>| lost.iter().map(|validator| STAKES[*validator]).sum::<u32>();
    fitting.filter(|lost| stake(lost) <= 6).min_by_key(stake)
}

pub(crate) fn lost_committee(seed: u64) {
    Simulation::new(seed, stalling()).phase(async |world| {
        lose_committee(world, &BTreeSet::new()).await;
        world.advance(10, Duration::from_secs(120)).await;
    });
}

#[test]
fn validators_that_were_away_when_an_epoch_was_ended_early_find_their_way_back() {
    seeds::each([95], absentees);
}

pub(crate) fn absentees(seed: u64) {
    Simulation::new(seed, stalling()).phase(async |world| {
        world.advance(6, Duration::from_secs(30)).await;
        let absent = BTreeSet::from([STAKES.len() - 1]);
        for validator in &absent {
            world.crash(*validator).await;
        }
        world.advance(8, Duration::from_secs(60)).await;
        let lost = lose_committee(world, &absent).await;
        for validator in lost.union(&absent) {
            world.start(*validator).await;
        }
        world.advance(10, Duration::from_secs(120)).await;
    });
}

/// Shards are ended early soon; the beacon chain's committees rule long enough to be known in advance.
fn stalling() -> WorldConfig {
    let mut config = config(1);
    let count = |number| NonZeroU64::new(number).expect("not zero");
    config.spec.beacon_epoch_heights = count(64);
    config.spec.stall_heights = count(8);
    config
}

/// Crashes validators that the shard's committee cannot do without, beside those who are `absent` already, and waits
/// for the early end.
async fn lose_committee(world: &mut World, absent: &BTreeSet<usize>) -> BTreeSet<usize> {
    let shard = ShardId::ZERO;
    let lost = loop {
        world.advance(6, Duration::from_secs(60)).await;
        if let Some(lost) = critical(world, shard, absent) {
            break lost;
        }
        let height = world.shard_heights(shard).0;
        let next = |world: &World| world.shard_heights(shard).0 >= height + 6;
        world.until(Duration::from_secs(60), "another epoch", next).await;
    };
    let before = world.estate.book.early_ends(shard);
    for validator in &lost {
        world.crash(*validator).await;
    }
    let ended = |world: &World| world.estate.book.early_ends(shard) > before;
    world.until(Duration::from_secs(60), "the epoch is ended early", ended).await;
    lost
}

/// Validator *v* with *u* of 25 units expects 8·u/25 of the seats. Drawn without replacement, the sum over the seven
/// degrees of freedom is smaller than chi-square's: 24.3 is exceeded once in a thousand even with replacement.
#[test]
fn seats_over_two_hundred_epochs_are_proportional_to_stake() {
    let estate = Estate::new(0, config(1));
    let (state, _) = beacon_state::genesis(&estate.genesis).expect("a valid genesis file");
    let units: Vec<Seat> =
        (0..).map(ValidatorIndex::new).zip(state.state().validators()).flat_map(seats).collect();
    let mut observed = [0.0; STAKES.len()];
    let mut mix = state.state().mix();
    for epoch in (0..200).map(Epoch::new) {
        let committee =
            draw_committee(&units, 8, committee_seed(mix, ShardId::ZERO.into(), epoch)).expect("25 units");
        committee.seats().iter().for_each(|seat| observed[seat.validator.get() as usize] += 1.0);
        mix = crypto::hash::sha256(mix.as_slice());
    }
    let expected = STAKES.map(|stake| 200.0 * 8.0 * f64::from(stake) / 25.0);
    let statistic: f64 = observed.iter().zip(expected).map(|(seen, mean)| (seen - mean).powi(2) / mean).sum();
    assert!(statistic < 24.3, "{statistic}: {observed:?}");
}

fn seats((validator, record): (ValidatorIndex, &ValidatorRecord)) -> Vec<Seat> {
    let (node, fee_recipient) = (record.node(ShardId::ZERO.into()), record.withdrawal().address);
    record.units().iter().map(|key| Seat { key: *key, validator, node, fee_recipient }).collect()
}
