//! Validators that break the rules.

use crate::{
    config::WorldConfig,
    estate::Estate,
    seeds,
    world::{Simulation, World},
};
use crypto::bls::SecretKey;
use engine::{Block, Content, simulated::byzantine::Misconduct};
use primitives::{
    B256, Chain, Height, PublicKeyBytes, ShardId, SignatureBytes, ValidatorIndex, Vote, VoteKind,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The validator that breaks the rules; it has one unit.
const CULPRIT: usize = 3;

/// Votes twice in every view: for the block, and for one that does not exist.
struct Equivocator {
    secrets: BTreeMap<PublicKeyBytes, SecretKey>,
    genesis_hash: B256,
    chain: fn(Chain) -> bool,
}

impl Equivocator {
    fn new(estate: &Estate, validator: usize, chain: fn(Chain) -> bool) -> Self {
        let secrets =
            estate.secrets[validator].iter().map(|secret| (secret.public_key().to_bytes(), secret.clone()));
        Self { secrets: secrets.collect(), genesis_hash: estate.genesis.hash(), chain }
    }
}

impl Misconduct for Equivocator {
    fn second_vote(&self, key: &PublicKeyBytes, vote: &Vote) -> Option<(Vote, SignatureBytes)> {
        if vote.kind != VoteKind::Notarize || !(self.chain)(vote.chain) {
            return None;
        }
        let vote = Vote { id: crypto::hash::blake3(vote.id.as_slice()), ..*vote };
        let namespace = consensus::namespace(self.genesis_hash, vote.chain);
        let bytes = consensus::vote::signing_bytes(&namespace, &vote);
        Some((vote, self.secrets.get(key)?.sign(&bytes).to_bytes()))
    }
}

#[test]
fn an_equivocator_on_the_beacon_chain_is_slashed_and_loses_its_seats() {
    seeds::each([51, 52], beacon_equivocator);
}

pub(crate) fn beacon_equivocator(seed: u64) {
    equivocator(seed, WorldConfig::new(0), |chain| chain == Chain::Beacon);
}

#[test]
fn an_equivocator_on_a_shard_is_slashed_by_the_beacon_chain_and_loses_its_seats() {
    seeds::each([53], shard_equivocator);
}

pub(crate) fn shard_equivocator(seed: u64) {
    equivocator(seed, WorldConfig::new(1), |chain| chain != Chain::Beacon);
}

fn equivocator(seed: u64, config: WorldConfig, chain: fn(Chain) -> bool) {
    let config = WorldConfig { guilty: Some(CULPRIT), ..config };
    Simulation::new(seed, config).run(async |world| {
        world.corrupt(CULPRIT, Arc::new(Equivocator::new(&world.estate, CULPRIT, chain)));
        world.start_all().await;
        let slashed = |world: &World| world.estate.book.is_slashed(CULPRIT);
        world.until(Duration::from_secs(20), "the equivocator is slashed", slashed).await;
        // The epoch after next is the first that is drawn without it.
        world.advance_beacon(18, Duration::from_secs(40)).await;
        for validator in world.honest() {
            let snapshot = world.validators[&validator].beacon.snapshot();
            let record = snapshot.state().validators().nth(CULPRIT).cloned().expect("records stay");
            assert!(record.is_slashed() && record.units().is_empty());
            let epoch = snapshot.header().epoch;
            let committee = &snapshot.committees[&(Chain::Beacon, epoch)];
            assert!(committee.seats().iter().all(|seat| seat.validator.get() != CULPRIT as u64));
        }
        // The shards go on without it, too.
        world.advance(6, Duration::from_secs(20)).await;
    });
}

/// Proposes blocks whose state root is not what their content leads to.
struct Liar;

impl Misconduct for Liar {
    fn proposal(&self, block: Block) -> Block {
        match block.content() {
            Content::Beacon(honest) => {
                let mut lie = (**honest).clone();
                lie.header.state_root = B256::repeat_byte(0xbd);
                Block::beacon(lie)
            }
            Content::Shard(honest) => {
                let mut lie = (**honest).clone();
                lie.header.state_root = B256::repeat_byte(0xbd);
                Block::shard(lie)
            }
        }
    }
}

#[test]
fn a_proposer_whose_state_root_does_not_follow_is_outvoted() {
    seeds::each([61, 62], liar);
}

pub(crate) fn liar(seed: u64) {
    Simulation::new(seed, WorldConfig::new(1)).run(async |world| {
        world.corrupt(CULPRIT, Arc::new(Liar));
        world.start_all().await;
        world.advance(20, Duration::from_secs(60)).await;
        for validator in world.honest().filter(|validator| *validator != CULPRIT) {
            let (beacon, shard) = ("atoll_blocks_rejected_total", "atoll_shard_blocks_rejected_total");
            assert!(world.beacon_metric(validator, beacon) > 0, "validator {validator} was shown no lie");
            assert!(world.shard_metric(validator, shard) > 0, "validator {validator} was shown no lie");
        }
        let culprit = ValidatorIndex::new(CULPRIT as u64);
        let store = world.validators[&0].beacon.store();
        let heights = |head: Height| (1..=head.get()).map(Height::new);
        for height in heights(store.head()) {
            let header = store.header(height).expect("readable").expect("kept");
            assert_ne!(header.proposer, culprit, "beacon height {height}");
        }
        let snapshot = world.chain(0, ShardId::ZERO).expect("everybody has a seat").snapshot();
        for height in heights(snapshot.height()) {
            let header = snapshot.reader.header(height).expect("readable").expect("kept");
            assert_ne!(header.proposer, culprit, "shard height {height}");
        }
    });
}
