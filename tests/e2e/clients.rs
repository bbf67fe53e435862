//! What users do: cast sends value, deploys, calls and reads, and the beacon chain finalizes it.

use crate::{
    network::{Network, block_on, call, height, quantity, wait_until},
    tools,
};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const TO: &str = "0x00000000000000000000000000000000000a7011";
const DEFI: u32 = 1;

/// Init code of a contract that returns 42 to every call: `PUSH1 42 PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN`.
const ANSWER: &str = "0x69602a60005260206000f3600052600a6016f3";

/// Value and a contract through cast, certified and then finalized.
#[test]
fn cast_sends_deploys_and_reads_and_the_beacon_chain_finalizes() {
    let Some(cast) = tools::find("cast") else { return };
    let network = Network::start(&[]);
    let url = network.url(DEFI, 0);
    // The address first: after `--create CODE` cast takes everything for arguments of the constructor.
    let cast = |arguments: &[&str]| {
        tools::run(&cast, &[&arguments[..1], &["--rpc-url", &url], &arguments[1..]].concat())
    };

    let receipt = cast(&["send", TO, "--value", "1ether", "--private-key", KEY, "--json"]);
    let receipt: Value = serde_json::from_str(&receipt).expect("cast prints JSON");
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(cast(&["balance", TO]), "1000000000000000000");

    let created = cast(&["send", "--private-key", KEY, "--json", "--create", ANSWER]);
    let created: Value = serde_json::from_str(&created).expect("cast prints JSON");
    let contract = created["contractAddress"].as_str().expect("an address");
    assert_eq!(cast(&["call", contract, "answer()(uint256)"]), "42");

    let deployed_at = quantity(&created["blockNumber"]);
    let client = network.client(DEFI, 0);
    wait_until("the finalized tag passes the block", Duration::from_secs(15), || {
        height(&client, "finalized").is_some_and(|finalized| finalized >= deployed_at)
    });

    // Every validator agrees on the block.
    let hash =
        call(&client, "eth_getBlockByNumber", json!([format!("0x{deployed_at:x}"), false]))["hash"].clone();
    for validator in 1..4 {
        let other = network.client(DEFI, validator);
        wait_until("the other validators have the block", Duration::from_secs(10), || {
            height(&other, "latest").is_some_and(|latest| latest >= deployed_at)
        });
        let block = call(&other, "eth_getBlockByNumber", json!([format!("0x{deployed_at:x}"), false]));
        assert_eq!(block["hash"], hash);
    }

    // An unknown method is refused in the words that tools match on.
    let error = block_on(client.request("eth_frobnicate", json!([]))).unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}
