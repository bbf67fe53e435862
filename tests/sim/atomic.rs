//! Bundles over several shards take effect on all of them or on none, whatever happens between them.
//!
//! Once links and machines are well again, every bundle that was opened is decided; one that is committed paid out each of
//! its legs, one that is aborted gave back each that was in escrow, once, and nothing is in escrow any more. That no money
//! appears or disappears the oracles check, as in every scenario.

use crate::{
    config::{CALM, ROUGH, WorldConfig},
    market::{self, ABORTED, COMMITTED, OPEN, Trade, Trades, ask},
    seeds,
    world::{Simulation, World},
};
use alloy_sol_types::SolEvent;
use primitives::{B256, Height, ShardId, U256};
use shard_node::Snapshot;
use shard_state::{
    atomic::{
        ATOMIC,
        abi::IAtomic::{Escrowed, Leg, Released, bundleCall, escrowCall},
    },
    portal::lanes,
};
use std::{sync::Arc, time::Duration};

#[test]
fn bundles_are_decided_in_calm_water() {
    seeds::each([91], calm);
}

pub(crate) fn calm(seed: u64) {
    Simulation::new(seed, WorldConfig::new(3)).phase(async |world| {
        let trades = trade(world, 6);
        world.pass(Duration::from_secs(20)).await;
        let statuses = everything_is_decided(world, &trades, Duration::from_secs(70)).await;
        let of = |spoiled| statuses.iter().filter(move |(trade, _)| trade.is_spoiled == spoiled);
        assert!(of(true).all(|(_, status)| *status == ABORTED), "without a consent nothing moves");
        let committed = of(false).filter(|(_, status)| *status == COMMITTED).count();
        assert!(committed >= 3, "only {committed} of 6 are committed");
        world.assert_steady();
    });
}

#[test]
fn bundles_are_decided_once_links_and_machines_are_well_again() {
    seeds::each([93, 94], trouble);
}

pub(crate) fn trouble(seed: u64) {
    let config = WorldConfig { link: ROUGH, ..WorldConfig::new(2) };
    Simulation::new(seed, config).phase(async |world| {
        let trades = trade(world, 10);
        world.advance(6, Duration::from_secs(60)).await;
        let victim = (seed % 5) as usize;
        world.crash(victim).await;
        world.pass(Duration::from_secs(4)).await;
        world.partition(&[&[0, 1], &[2, 3, 4]]).await;
        world.pass(Duration::from_secs(6)).await;
        world.heal().await;
        world.start(victim).await;
        world.pass(Duration::from_secs(4)).await;
        world.relink(CALM).await;
        let statuses = everything_is_decided(world, &trades, Duration::from_secs(120)).await;
        for expected in [COMMITTED, ABORTED] {
            assert!(statuses.iter().any(|(_, status)| *status == expected), "none has status {expected}");
        }
    });
}

/// Lets traders trade so many times.
fn trade(world: &World, count: usize) -> Trades {
    let trades = Trades::default();
    let (estate, shards) = (Arc::clone(&world.estate), world.shards.clone());
    world.root.spawn(market::flow(world.root.child(), estate, shards, Arc::clone(&trades), count));
    trades
}

/// Waits until no bundle is open and nothing is under way for one; checks what became of each.
async fn everything_is_decided(world: &World, trades: &Trades, limit: Duration) -> Vec<(Trade, u8)> {
    world
        .until(limit, "every bundle is decided, and nothing in escrow", |world| is_quiet(world, trades))
        .await;
    let newest: Vec<_> = world.estate.shards().map(|shard| newest(world, shard)).collect();
    let escrowed: Vec<Vec<Escrowed>> = newest.iter().map(|snapshot| events(snapshot)).collect();
    let released: Vec<Vec<Released>> = newest.iter().map(|snapshot| events(snapshot)).collect();
    let trades = trades.lock().clone();
    let mut outcomes = Vec::new();
    for trade in trades {
        let id = trade.id();
        let coordinator = &newest[trade.coordinator.get() as usize];
        let status = ask(&coordinator.view, &bundleCall { id }).status;
        for (number, leg) in (0..).zip(&trade.legs) {
            let shard = leg.shard as usize;
            let taken = escrowed[shard].iter().filter(|event| event.id == id && event.leg == number).count();
            let paid: Vec<_> =
                released[shard].iter().filter(|event| event.id == id && event.leg == number).collect();
            let owners: Vec<_> = paid.iter().map(|event| (event.owner, event.amount)).collect();
            match status {
                COMMITTED => assert_eq!((taken, owners), (1, vec![(leg.to, leg.amount)]), "bundle {id}"),
                ABORTED => {
                    assert!(taken <= 1, "bundle {id}");
                    assert_eq!(owners, vec![(leg.from, leg.amount); taken], "bundle {id}");
                }
                _ => assert_eq!((taken, owners.len()), (0, 0), "bundle {id} was never opened"),
            }
        }
        outcomes.push((trade, status));
    }
    for snapshot in &newest {
        let escrow = snapshot.view.account(&ATOMIC).expect("readable").balance;
        assert_eq!(escrow, U256::ZERO, "everything was paid out");
    }
    outcomes
}

/// Whether all trades have come to their end: every one was opened or cannot be any more, is decided, and no place is
/// reserved, no escrow left.
fn is_quiet(world: &World, trades: &Trades) -> bool {
    let now = world.root.now_ms() / 1_000;
    let shards = u32::try_from(world.estate.shards().count()).expect("few shards");
    let newest: Vec<_> = world.estate.shards().map(|shard| newest(world, shard)).collect();
    let is_done = |trade: &Trade| {
        let id = trade.id();
        let status = ask(&newest[trade.coordinator.get() as usize].view, &bundleCall { id }).status;
        let is_over = status > OPEN || (status == 0 && trade.deadline + 5 < now);
        let is_held = |(number, leg): (u8, &Leg)| is_escrowed(&newest[leg.shard as usize], id, number);
        is_over && !(0..).zip(&trade.legs).any(is_held)
    };
    let is_reserved = |snapshot: &Arc<Snapshot>| {
        let lanes = lanes(snapshot.view.state(), snapshot.shard(), shards).expect("readable");
        lanes.iter().any(|lane| lane.outgoing.reserved > 0)
    };
    let trades = trades.lock();
    !trades.is_empty() && trades.iter().all(is_done) && !newest.iter().any(is_reserved)
}

fn is_escrowed(snapshot: &Snapshot, id: B256, leg: u8) -> bool {
    ask(&snapshot.view, &escrowCall { id, leg }).status != 0
}

/// Events of the Atomic on a shard, from its first block on.
fn events<E: SolEvent>(snapshot: &Snapshot) -> Vec<E> {
    let heights = (1..=snapshot.height().get()).map(Height::new);
    let receipts = heights.filter_map(|height| snapshot.reader.receipts(height).expect("readable"));
    let logs: Vec<_> = receipts.flatten().flat_map(|receipt| receipt.logs().to_vec()).collect();
    let own = logs.iter().filter(|log| log.address == ATOMIC);
    own.filter_map(|log| E::decode_log_data(&log.data).ok()).collect()
}

/// What the node that is furthest knows of a shard.
fn newest(world: &World, shard: ShardId) -> Arc<Snapshot> {
    let chains = (0..world.estate.validators()).filter_map(|validator| world.chain(validator, shard));
    let newest = chains.map(|chain| chain.snapshot()).max_by_key(|snapshot| snapshot.height());
    newest.expect("somebody runs the shard")
}
