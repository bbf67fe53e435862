//! The beacon chain once more, from genesis and blocks alone.

use crate::estate::Estate;
use beacon_state::{BeaconState, CommitteeSource, Event, apply_block, operation::randao};
use consensus::authority::Authority;
use primitives::{B256, BeaconBlock, Certificate, Chain, Epoch};
use std::{collections::BTreeMap, sync::Arc};

/// Every committee that was drawn.
#[derive(Default)]
struct Drawn {
    authorities: BTreeMap<(Chain, Epoch), Arc<Authority>>,
}

impl Drawn {
    fn learn(&mut self, genesis_hash: B256, events: &[Event]) {
        for event in events {
            let Event::Drawn { chain, epoch, committee, .. } = event else { continue };
            let root = committee.root();
            let same = self.authorities.values().find(|known| known.committee_root() == root);
            let authority = match same {
                Some(known) => known.reappointed(*chain, *epoch),
                None => Authority::new(committee.clone(), *chain, *epoch, genesis_hash)
                    .expect("drawn from valid keys"),
            };
            self.authorities.insert((*chain, *epoch), Arc::new(authority));
        }
    }
}

impl CommitteeSource for Drawn {
    fn authority(&self, chain: Chain, epoch: Epoch) -> Option<Arc<Authority>> {
        self.authorities.get(&(chain, epoch)).cloned()
    }
}

/// Executes `blocks`, which start above genesis; returns their ids. Panics where one does not follow, where a
/// certificate is not its committee's, or where stake appears or disappears.
pub(crate) fn reexecute(
    estate: &Estate,
    blocks: impl Iterator<Item = (BeaconBlock, Option<Certificate>)>,
) -> Vec<B256> {
    let (mut chain, events) = beacon_state::genesis(&estate.genesis).expect("a valid genesis file");
    let hash = estate.genesis.hash();
    let mut drawn = Drawn::default();
    drawn.learn(hash, &events);
    let mut ids = Vec::new();
    for (block, certificate) in blocks {
        let height = block.header.height;
        let leader = leader(&drawn, hash, &block);
        let applied = apply_block(&estate.genesis.spec, &chain, &block, leader, &drawn);
        let transition =
            applied.unwrap_or_else(|error| panic!("beacon block {height} does not follow: {error}"));
        chain = transition.chain;
        if let Some(certificate) = certificate {
            assert_eq!(certificate.id, chain.id(), "certificate of beacon block {height}");
            let authority = drawn.authority(Chain::Beacon, certificate.epoch).expect("drawn before it ruled");
            authority.verify_certificate(&certificate).expect("a certificate is its committee's");
        }
        drawn.learn(hash, &transition.events);
        assert_conserved(estate, chain.state());
        ids.push(chain.id());
    }
    ids
}

/// The seat that a block was proposed from: the one that made the reveal.
fn leader(drawn: &Drawn, genesis_hash: B256, block: &BeaconBlock) -> u32 {
    let header = &block.header;
    let authority = drawn.authority(Chain::Beacon, header.epoch).expect("drawn before it ruled");
    let reveal = &block.body.randao_reveal;
    let made = |seat: &u32| {
        randao::verify(genesis_hash, &authority, *seat, header.proposer, header.height, reveal).is_ok()
    };
    let mut seats = (0..authority.committee().len()).filter(made);
    seats.next().unwrap_or_else(|| {
        panic!("no seat of the proposer made the reveal of beacon block {}", header.height)
    })
}

/// Units are staked, on their way out, burned or paid, and add up to those of genesis and the deposited ones.
fn assert_conserved(estate: &Estate, state: &BeaconState) {
    let staked: u64 = state.validators().map(|validator| validator.units().len() as u64).sum();
    let burned: u64 = state.validators().map(|validator| validator.burned_units()).sum();
    let stake = state.stake();
    let exiting = state.exits().len() as u64;
    assert_eq!(
        (stake.staked_units, stake.exiting_units, stake.burned_units),
        (staked, exiting, burned),
        "beacon height {}",
        state.height()
    );
    let all = staked + exiting + burned + stake.withdrawn_units;
    assert_eq!(all, estate.units() + stake.deposited_units, "beacon height {}", state.height());
}
