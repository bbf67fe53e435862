//! Every shard once more, from genesis and blocks alone.

use crate::{estate::Estate, world::World};
use consensus::authority::Authority;
use primitives::{B256, Chain, Height, ShardId, U256};
use shard_node::store::Reader;
use shard_state::{genesis::genesis_supply, reexecute::Reexecution};
use std::sync::Arc;

/// All nodes have the same chain of every shard, and it follows from genesis.
pub(crate) fn check(world: &World) {
    for shard in world.estate.shards() {
        check_shard(world, shard);
    }
}

fn check_shard(world: &World, shard: ShardId) {
    let nodes = world.shards.lock();
    let chains =
        nodes.iter().filter_map(|(validator, node)| Some((*validator, node.chain(shard)?.snapshot())));
    let chains: Vec<_> = chains.collect();
    let furthest = chains.iter().max_by_key(|(_, snapshot)| (snapshot.finalized, snapshot.height()));
    let Some((_, furthest)) = furthest else { return };
    let ids = reexecute(world, shard, &furthest.reader, furthest.height());
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
        if !world.estate.book.is_void(shard, epoch, height) {
            let kept = ids.get(height.get() as usize);
            assert_eq!(
                kept,
                Some(&id),
                "what epoch {epoch} certified at height {height} of shard {shard} is still there"
            );
        }
    }
    for (validator, running) in &world.validators {
        let beacon = running.beacon.snapshot();
        let accepted = beacon.state().shard(shard).expect("the shard exists").accepted;
        if let Some(id) = ids.get(accepted.height.get() as usize) {
            assert_eq!(accepted.id, *id, "validator {validator}: accepted header of shard {shard}");
        }
    }
}

/// Executes the chain up to `head`; returns its ids from height zero. Panics where a block does not follow, where a
/// certificate is not its committee's, or where money appears or disappears.
fn reexecute(world: &World, shard: ShardId, reader: &Reader, head: Height) -> Vec<B256> {
    let Estate { genesis, .. } = &*world.estate;
    let spec = Arc::new(genesis.spec.clone());
    let mut chain = Reexecution::new(spec, shard, &genesis.allocations, genesis.timestamp_ms);
    let issued = genesis_supply(&genesis.allocations).expect("far below the limit");
    let mut burned = U256::ZERO;
    let mut ids = vec![chain.id()];
    for height in (1..=head.get()).map(Height::new) {
        let block = reader.block(height).expect("readable").expect("a node keeps every block");
        let executed =
            chain.step(&block).unwrap_or_else(|error| panic!("shard {shard} height {height}: {error}"));
        burned += U256::from(executed.header.base_fee) * U256::from(executed.header.gas_used);
        assert_eq!(
            chain.state().supply(),
            Some(issued - burned),
            "money of shard {shard} after height {height}"
        );
        if let Some(certificate) = reader.certificate(height).expect("readable") {
            assert_eq!(certificate.id, executed.id, "certificate of height {height} of shard {shard}");
            let authority = authority(world, shard, certificate.epoch);
            authority.verify_certificate(&certificate).expect("a certificate is its committee's");
        }
        ids.push(executed.id);
    }
    ids
}

/// The committee of an epoch, as any running beacon node remembers it.
fn authority(world: &World, shard: ShardId, epoch: primitives::Epoch) -> Authority {
    let mut nodes = world.validators.values();
    let drawn = nodes.find_map(|running| running.beacon.committee(shard.into(), epoch).expect("readable"));
    let committee = drawn.expect("drawn before it ruled").committee;
    Authority::new(committee, shard.into(), epoch, world.estate.genesis.hash())
        .expect("drawn from valid keys")
}
