//! Nodes that die by `kill -9`: the chain goes on, and nothing certified is lost.

use crate::{
    load::Load,
    network::{Network, block_on, call, height, kill_9, wait_until},
    wallet::{USER, Wallet, chain_id},
};
use alloy_primitives::{Address, B256, U256};
use serde_json::json;
use std::time::Duration;

const DEFI: u32 = 1;

fn user(network: &Network) -> Wallet {
    Wallet::new(USER, chain_id(&network.description(), DEFI as usize))
}

fn send(network: &Network, validator: u32, wallet: &mut Wallet) -> B256 {
    let (bytes, hash) = wallet.transfer(Address::repeat_byte(7), U256::from(1));
    call(&network.client(DEFI, validator), "eth_sendRawTransaction", json!([bytes]));
    hash
}

fn is_certified(network: &Network, validator: u32, hash: B256) -> bool {
    let client = network.client(DEFI, validator);
    block_on(client.request("eth_getTransactionReceipt", json!([hash])))
        .is_ok_and(|receipt| !receipt.is_null())
}

/// All nodes die at once under load; after the restart every certified block is there, and the chain goes on.
#[test]
fn nothing_certified_is_lost_when_all_nodes_are_killed() {
    let mut network = Network::start(&[]);
    let load = Load::start(&network, DEFI, 0);
    let client = network.client(DEFI, 0);
    let busy = || height(&client, "latest").is_some_and(|latest| latest >= 12);
    wait_until("some blocks under load", Duration::from_secs(60), busy);
    let before = call(&client, "eth_getBlockByNumber", json!(["latest", false]));
    network.kill_everything();
    let sent = load.stop();
    let certified: Vec<_> = before["transactions"].as_array().expect("a list").clone();
    assert!(!sent.is_empty() && !certified.is_empty(), "there was no load: {before}");
    network.up();
    let client = network.client(DEFI, 0);
    let again = call(&client, "eth_getBlockByNumber", json!([before["number"], false]));
    assert_eq!(again["hash"], before["hash"], "a certified block was lost or replaced");
    for hash in certified {
        let receipt = call(&client, "eth_getTransactionReceipt", json!([hash]));
        assert_eq!(receipt["blockHash"], before["hash"], "the certified transaction {hash} was lost");
    }
    let mut wallet = user(&network);
    let hash = send(&network, 1, &mut wallet);
    wait_until("a new transaction is certified after the restart", Duration::from_secs(30), || {
        is_certified(&network, 1, hash)
    });
}

/// Each node of a validator dies under load, then both: the others go on, it comes back at a committed block and catches
/// up, and nothing that a living node had taken is lost.
#[test]
fn chain_goes_on_without_any_one_node_which_then_catches_up() {
    let network = Network::start(&[]);
    let mut wallet = user(&network);
    let load = Load::start(&network, DEFI, 0);
    for (victim, kinds) in [(1, &["beacon"][..]), (2, &["shard"]), (3, &["beacon", "shard"])] {
        let names: Vec<_> = kinds.iter().map(|kind| format!("{kind}-{victim}")).collect();
        let pids: Vec<_> =
            network.pids().into_iter().filter(|(name, _)| names.contains(name)).map(|(_, pid)| pid).collect();
        assert_eq!(pids.len(), kinds.len());
        kill_9(&pids);
        let hash = send(&network, 0, &mut wallet);
        wait_until("the others certify a transaction", Duration::from_secs(30), || {
            is_certified(&network, 0, hash)
        });
        let target = height(&network.client(DEFI, 0), "latest").expect("a head") + 4;
        wait_until("the killed node has caught up", Duration::from_secs(60), || {
            height(&network.client(DEFI, victim), "latest").is_some_and(|latest| latest >= target)
        });
        assert!(is_certified(&network, victim, hash), "the node that came back misses a transaction");
    }
    let sent = load.stop();
    assert!(sent.len() > 100, "the load was only {} transactions", sent.len());
    wait_until("all that was taken is certified, everywhere", Duration::from_secs(60), || {
        let last = *sent.last().expect("not empty");
        (0..4).all(|validator| is_certified(&network, validator, last))
    });
    for hash in sent {
        assert!(is_certified(&network, 3, hash), "the transaction {hash} was lost");
    }
}
