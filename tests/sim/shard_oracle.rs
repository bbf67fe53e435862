//! Every shard once more, from genesis and blocks alone; and what they sent each other.

use crate::{estate::Estate, world::World};
use consensus::authority::Authority;
use primitives::{B256, Chain, Height, Lane, ShardId, U256};
use shard_node::store::Reader;
use shard_state::{
    block::Executed,
    genesis::genesis_supply,
    portal::{burned, held, worth},
    reexecute::Reexecution,
};
use std::{collections::BTreeMap, sync::Arc};

/// Ids of the receipts of each lane, by sequence.
type Lanes = BTreeMap<Lane, Vec<B256>>;

/// A shard's chain, executed anew.
#[derive(Default)]
struct Replayed {
    ids: Vec<B256>,
    sent: Lanes,
    taken: Lanes,
}

/// All nodes have the same chain of every shard, and it follows from genesis.
pub(crate) fn check(world: &World) {
    let (mut sent, mut taken) = (Lanes::new(), Lanes::new());
    for shard in world.estate.shards() {
        let replayed = check_shard(world, shard);
        sent.extend(replayed.sent);
        taken.extend(replayed.taken);
    }
    for (lane, taken) in taken {
        let sent = sent.get(&lane).map_or(&[][..], Vec::as_slice);
        // Who sent more than we know of has crashed since.
        let known = taken.len().min(sent.len());
        assert_eq!(taken[..known], sent[..known], "what lane {lane} brought is what was sent, in order");
    }
}

fn check_shard(world: &World, shard: ShardId) -> Replayed {
    let nodes = world.shards.lock();
    let chains =
        nodes.iter().filter_map(|(validator, node)| Some((*validator, node.chain(shard)?.snapshot())));
    let chains: Vec<_> = chains.collect();
    let furthest = chains.iter().max_by_key(|(_, snapshot)| (snapshot.finalized, snapshot.height()));
    let Some((_, furthest)) = furthest else { return Replayed::default() };
    let replayed = reexecute(world, shard, &furthest.reader, furthest.height());
    let ids = &replayed.ids;
    for (validator, snapshot) in &chains {
        for (height, id) in (1..=snapshot.height().get()).map(Height::new).zip(ids.iter().skip(1)) {
            let header =
                snapshot.reader.header(height).expect("readable").expect("a node keeps every header");
            // Who has not heard of an early end still has what it voided.
            if !world.estate.book.is_void(shard, header.epoch, height) {
                assert_eq!(header.id(), *id, "validator {validator}, shard {shard}, height {height}");
            }
        }
    }
    for ((epoch, height), id) in world.estate.book.ids(Chain::from(shard)) {
        if world.estate.book.is_void(shard, epoch, height) {
            continue;
        }
        // Above the head of who has finalized most it may be with others.
        let kept = ids.get(height.get() as usize).copied().or_else(|| {
            let mut headers =
                chains.iter().filter_map(|(_, snapshot)| snapshot.reader.header(height).expect("readable"));
            headers.next().map(|header| header.id())
        });
        assert_eq!(
            kept,
            Some(id),
            "what epoch {epoch} certified at height {height} of shard {shard} is still there"
        );
    }
    for (validator, running) in &world.validators {
        let beacon = running.beacon.snapshot();
        let accepted = beacon.state().shard(shard).expect("the shard exists").accepted;
        if let Some(id) = ids.get(accepted.height.get() as usize) {
            assert_eq!(accepted.id, *id, "validator {validator}: accepted header of shard {shard}");
        }
    }
    replayed
}

/// Executes the chain up to `head`. Panics where a block does not follow, where a
/// certificate is not its committee's, or where money appears or disappears.
fn reexecute(world: &World, shard: ShardId, reader: &Reader, head: Height) -> Replayed {
    let Estate { genesis, .. } = &*world.estate;
    let spec = Arc::new(genesis.spec.clone());
    let mut chain = Reexecution::new(spec, shard, &genesis.allocations, genesis.timestamp_ms);
    let issued = genesis_supply(&genesis.allocations).expect("far below the limit");
    let mut expected = issued;
    let mut replayed = Replayed { ids: vec![chain.id()], ..Replayed::default() };
    for height in (1..=head.get()).map(Height::new) {
        let block = reader.block(height).expect("readable").expect("a node keeps every block");
        let executed =
            chain.step(&block).unwrap_or_else(|error| panic!("shard {shard} height {height}: {error}"));
        expected = expected + brought(&executed) - burned(&executed) - taken_away(&executed);
        let there = chain.state().supply().expect("fits") + held(chain.state());
        assert_eq!(there, expected, "money of shard {shard} after height {height}");
        replayed.note(&executed);
        if let Some(certificate) = reader.certificate(height).expect("readable") {
            assert_eq!(certificate.id, executed.id, "certificate of height {height} of shard {shard}");
            let authority = authority(world, shard, certificate.epoch);
            authority.verify_certificate(&certificate).expect("a certificate is its committee's");
        }
        replayed.ids.push(executed.id);
    }
    replayed
}

impl Replayed {
    /// Notes what a block sent and took in; numbers have no gaps.
    fn note(&mut self, executed: &Executed) {
        let sent = executed.outbox.receipts().map(|(id, receipt)| (id, receipt.lane, receipt.sequence));
        sent.for_each(|receipt| push(&mut self.sent, receipt));
        let taken = executed.arrivals.iter();
        let taken = taken.map(|arrival| (arrival.id, arrival.receipt.lane, arrival.receipt.sequence));
        taken.for_each(|receipt| push(&mut self.taken, receipt));
    }
}

fn push(lanes: &mut Lanes, (id, lane, sequence): (B256, Lane, u64)) {
    let ids = lanes.entry(lane).or_default();
    assert_eq!(ids.len() as u64, sequence, "the numbers of lane {lane} have no gaps");
    ids.push(id);
}

/// What a block's receipts from other shards brought.
fn brought(executed: &Executed) -> U256 {
    executed.arrivals.iter().fold(U256::ZERO, |sum, arrival| sum + worth(&arrival.receipt))
}

/// What a block's receipts to other shards took away.
fn taken_away(executed: &Executed) -> U256 {
    executed.outbox.receipts().fold(U256::ZERO, |sum, (_, receipt)| sum + worth(receipt))
}

/// The committee of an epoch, as any running beacon node remembers it.
fn authority(world: &World, shard: ShardId, epoch: primitives::Epoch) -> Authority {
    let mut nodes = world.validators.values();
    let drawn = nodes.find_map(|running| running.beacon.committee(shard.into(), epoch).expect("readable"));
    let committee = drawn.expect("drawn before it ruled").committee;
    Authority::new(committee, shard.into(), epoch, world.estate.genesis.hash())
        .expect("drawn from valid keys")
}
