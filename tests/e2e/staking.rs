//! What somebody does who wants to be a validator: stake, take part, and leave.

use crate::network::{Network, atoll, block_on, call, wait_until};
use alloy_primitives::U256;
use rpc::beacon::BeaconClient;
use serde_json::{Value, json};
use std::{
    process::{Command, Output},
    time::Duration,
};

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ACCOUNT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const DEFI: u32 = 1;
/// The one without stake, by its number in the network.
const SPARE: &str = "4";

/// `atoll deposit` and `atoll exit`, watched to the end.
fn stake(network: &Network, command: &str, from: &str) -> Output {
    Command::new(atoll())
        .args([
            command,
            "--validator",
            SPARE,
            "--from",
            from,
            "--key",
            KEY,
            "--watch",
            "--json",
            "--data-dir",
        ])
        .arg(network.data_dir())
        .output()
        .expect("atoll starts")
}

fn stages(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout.clone()).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_node_without_stake_becomes_a_validator_is_drawn_and_gets_its_stake_back() {
    let network = Network::start(&["--spares", "1"]);
    let ether = U256::from(1_000_000_000_000_000_000_u64);
    let balance = || {
        let wei = call(&network.client(DEFI, 0), "eth_getBalance", json!([ACCOUNT, "latest"]));
        serde_json::from_value::<U256>(wei).expect("a quantity")
    };
    let before = balance();

    let deposited = stages(&stake(&network, "deposit", "defi"));
    let names: Vec<_> = deposited.iter().filter_map(|line| line["stage"].as_str()).collect();
    assert_eq!(names, ["included", "registered", "drawn"]);
    assert_eq!(deposited[1]["detail"]["validator"], 4);
    assert!(before - balance() >= ether * U256::from(32), "the stake has left the account");

    // It is not for everybody to end it.
    let refused = stake(&network, "exit", "nft");
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && error.contains("not the validator's withdrawal account"), "{error}");

    let ended = stages(&stake(&network, "exit", "defi"));
    let names: Vec<_> = ended.iter().filter_map(|line| line["stage"].as_str()).collect();
    assert_eq!(names, ["included", "exited", "paid out"]);
    wait_until("the stake is back", Duration::from_secs(20), || before - balance() < ether);
    let beacon = BeaconClient::new(network.beacon(0)).expect("an address");
    let validator = block_on(beacon.validator(SPARE)).expect("answers").expect("stays in the registry");
    assert_eq!((validator.balance.0, validator.validator.units.0), (0, 0));
}
