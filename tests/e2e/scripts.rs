//! The clients of `tests/clients`, each with a network of its own: what they print is the report.

use crate::{network::Network, tools};
use std::process::Command;

const DEFI: u32 = 1;

/// Runs a client's script, which says itself what failed.
fn run(client: &str) {
    let Some(clients) = tools::clients() else { return };
    let network = Network::start(&[]);
    let http = network.url(DEFI, 0);
    let output = Command::new(tools::workspace().join("tests/clients/run"))
        .arg(client)
        .env("ATOLL_CLIENTS_DIR", clients)
        .env("ATOLL_WS", http.replace("http", "ws"))
        .env("ATOLL_RPC", http)
        .output()
        .expect("the script starts");
    let report = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    println!("{report}");
    assert!(output.status.success(), "{client}:\n{report}\n{complaint}");
    let sum = report.lines().last().unwrap_or_default();
    assert!(sum.ends_with(" passed, 0 failed") && !sum.starts_with("0 "), "{client} ran nothing: {sum}");
}

#[test]
fn cast_does_what_its_users_do() {
    run("cast");
}

#[test]
fn forge_deploys_broadcasts_and_tests_on_a_fork() {
    run("forge");
}

#[test]
fn viem_does_what_its_users_do() {
    run("viem");
}

#[test]
fn ethers_does_what_its_users_do() {
    run("ethers");
}

#[test]
fn web3_py_does_what_its_users_do() {
    run("web3py");
}

#[test]
fn tests_of_a_hardhat_project_run_over_the_network() {
    run("hardhat");
}

#[test]
fn metamask_adds_the_network_and_sends() {
    run("metamask");
}
