//! The nodes' configuration files.

use super::{
    description::validator_directory,
    plan::Plan,
    ports::{Ports, loopback},
};
use eyre::{Report, WrapErr as _};
use primitives::{GenesisValidator, NodeKey};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Writes both files of every validator, those to be included. Paths in them are absolute, so that nodes run from anywhere.
pub(super) fn write(directory: &Path, plan: &Plan, validators: &[GenesisValidator]) -> eyre::Result<()> {
    let peers = |key: fn(&GenesisValidator) -> NodeKey, port: fn(&Ports) -> u16| {
        let entry = |(validator, index)| format!("{}@{}", key(validator), loopback(port(&plan.ports(index))));
        validators.iter().zip(0..).map(entry).collect::<Vec<_>>()
    };
    let beacon_peers = peers(|validator| validator.beacon_node, Ports::beacon_network);
    let shard_peers = peers(|validator| validator.shard_node, Ports::shard_network);
    for index in 0..plan.nodes() {
        let own = validator_directory(directory, index);
        let ports = plan.ports(index);
        let beacon = beacon_node::config::Config {
            data_dir: own.join("beacon-node"),
            genesis: directory.join("genesis.json"),
            keys: own.join("keys"),
            password_file: Some(directory.join("password")),
            listen: loopback(ports.beacon_network()),
            peers: beacon_peers.clone(),
            rest: loopback(ports.rest()),
            metrics: loopback(ports.beacon_metrics()),
            durability: durability(&plan.durability)?,
            worker_threads: 1,
            ..Default::default()
        };
        write_toml(&own.join("beacon-node.toml"), &beacon)?;
        let shard = shard_node::config::Config {
            data_dir: own.join("shard-node"),
            genesis: directory.join("genesis.json"),
            keys: own.join("keys"),
            password_file: Some(directory.join("password")),
            listen: loopback(ports.shard_network()),
            peers: shard_peers.clone(),
            beacon: format!("http://{}", loopback(ports.rest())),
            rpc: loopback(ports.rpc(0)),
            metrics: loopback(ports.shard_metrics()),
            durability: durability(&plan.durability)?,
            worker_threads: 2,
            ..Default::default()
        };
        write_toml(&own.join("shard-node.toml"), &shard)?;
    }
    Ok(())
}

/// The setting of either node that this word means.
fn durability<T: clap::ValueEnum>(word: &str) -> eyre::Result<T> {
    T::from_str(word, false).map_err(Report::msg)
}

fn write_toml(path: &PathBuf, config: &impl Serialize) -> eyre::Result<()> {
    fs::write(path, toml::to_string(config)?).wrap_err_with(|| path.display().to_string())
}
