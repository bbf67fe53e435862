//! Nodes that die by `kill -9`: the chain goes on, and nothing certified is lost.

use crate::{
    network::{Network, block_on, call, height, kill_9, wait_until},
    wallet::{Wallet, chain_id},
};
use alloy_primitives::{Address, B256, U256};
use serde_json::json;
use std::{thread, time::Duration};

const DEFI: u32 = 1;

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
    let mut wallet = Wallet::new(chain_id(&network.description(), DEFI as usize));
    let sent: Vec<_> = (0..20)
        .map(|_| {
            thread::sleep(Duration::from_millis(50));
            send(&network, 0, &mut wallet)
        })
        .collect();
    let certified: Vec<_> = sent.iter().copied().filter(|hash| is_certified(&network, 0, *hash)).collect();
    let client = network.client(DEFI, 0);
    let before = call(&client, "eth_getBlockByNumber", json!(["latest", false]));
    network.kill_everything();
    network.up();
    let client = network.client(DEFI, 0);
    let again = call(&client, "eth_getBlockByNumber", json!([before["number"], false]));
    assert_eq!(again["hash"], before["hash"], "a certified block was lost or replaced");
    for hash in certified {
        assert!(is_certified(&network, 0, hash), "the certified transaction {hash} was lost");
    }
    wallet.nonce = crate::network::quantity(&call(
        &client,
        "eth_getTransactionCount",
        json!([wallet.address(), "latest"]),
    ));
    let hash = send(&network, 1, &mut wallet);
    wait_until("a new transaction is certified after the restart", Duration::from_secs(30), || {
        is_certified(&network, 1, hash)
    });
}

/// One validator's nodes die under load: the others go on, and it comes back and catches up.
#[test]
fn chain_goes_on_without_one_validator_which_then_catches_up() {
    let network = Network::start(&[]);
    let mut wallet = Wallet::new(chain_id(&network.description(), DEFI as usize));
    for victim in [2, 3] {
        let names = [format!("beacon-{victim}"), format!("shard-{victim}")];
        let pids: Vec<_> =
            network.pids().into_iter().filter(|(name, _)| names.contains(name)).map(|(_, pid)| pid).collect();
        assert_eq!(pids.len(), 2);
        send(&network, 0, &mut wallet);
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
}
