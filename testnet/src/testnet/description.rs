//! `testnet.json`: what runs where, for people and programs.

use super::{
    accounts::ACCOUNTS,
    plan::Plan,
    process::{NodeProcess, Program},
};
use alloy_primitives::{Address, B256};
use eyre::{WrapErr as _, bail, eyre};
use primitives::{ShardId, ShardKind};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

const FILE: &str = "testnet.json";
const VERSION: u32 = 2;

/// The whole network. Written last when a data directory is made: without it the directory is
/// half-written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    version: u32,
    /// What was asked for.
    pub plan: Plan,
    /// Names the network.
    pub genesis_hash: B256,
    /// Endpoints by validator.
    pub validators: Vec<Validator>,
    /// The funded accounts.
    pub accounts: Vec<Account>,
    /// The nodes.
    pub nodes: Vec<NodeProcess>,
}

/// One validator's endpoints.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validator {
    /// Units at genesis; zero if it is to stake later.
    pub stake: u32,
    /// REST of its beacon node.
    pub beacon: String,
    /// Metrics page of its beacon node.
    pub beacon_metrics: String,
    /// Metrics page of its shard node.
    pub shard_metrics: String,
    /// JSON-RPC by shard.
    pub shards: Vec<Endpoint>,
}

/// JSON-RPC of one shard at one validator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The shard's name.
    pub name: String,
    /// Its id.
    pub shard: ShardId,
    /// What it executes.
    pub kind: ShardKind,
    /// EVM chain id.
    pub chain_id: u64,
    /// HTTP.
    pub http: String,
    /// WebSocket, on the same port.
    pub ws: String,
}

/// A funded account, with its secret.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Where the money is.
    pub address: Address,
    /// Known to the whole world.
    pub private_key: B256,
}

impl Description {
    /// Describes a network in `directory` (absolute).
    pub fn new(plan: Plan, genesis_hash: B256, directory: &Path) -> eyre::Result<Self> {
        let spec = &plan.spec;
        let validators = (0..plan.nodes()).map(|index| {
            let ports = plan.ports(index);
            let http = |port| format!("http://127.0.0.1:{port}");
            let shards = spec.shards.iter().zip(0..).map(|(shard, id)| Endpoint {
                name: shard.name.clone(),
                shard: ShardId::new(id),
                kind: shard.kind,
                chain_id: spec.evm_chain_id(ShardId::new(id)),
                http: http(ports.rpc(id)),
                ws: format!("ws://127.0.0.1:{}", ports.rpc(id)),
            });
            Validator {
                stake: plan.units(index),
                beacon: http(ports.rest()),
                beacon_metrics: format!("{}/metrics", http(ports.beacon_metrics())),
                shard_metrics: format!("{}/metrics", http(ports.shard_metrics())),
                shards: shards.collect(),
            }
        });
        let nodes = (0..plan.nodes()).flat_map(|index| {
            [("beacon", Program::BeaconNode), ("shard", Program::ShardNode)].map(|(short, program)| {
                NodeProcess {
                    name: format!("{short}-{index}"),
                    program,
                    config: validator_directory(directory, index).join(format!("{}.toml", program.name())),
                    log: directory.join("logs").join(format!("{short}-{index}.log")),
                    pid: None,
                }
            })
        });
        let accounts = ACCOUNTS.map(|(address, private_key)| Account { address, private_key });
        let (validators, nodes) = (validators.collect(), nodes.collect());
        Ok(Self { version: VERSION, genesis_hash, validators, accounts: accounts.into(), nodes, plan })
    }

    /// Reads the description in `directory`; `None` if there is none.
    pub fn read(directory: &Path) -> eyre::Result<Option<Self>> {
        let path = directory.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).wrap_err_with(|| path.display().to_string()),
        };
        let advice = "start over with `atoll testnet up --fresh`";
        let description: Self = serde_json::from_str(&text)
            .wrap_err_with(|| format!("{} is damaged: {advice}", path.display()))?;
        if description.version != VERSION {
            bail!("{} has version {}, expected {VERSION}: {advice}", path.display(), description.version);
        }
        Ok(Some(description))
    }

    /// Writes the description, whole or not at all.
    pub fn write(&self, directory: &Path) -> eyre::Result<()> {
        let (path, next) = (directory.join(FILE), directory.join("testnet.json.next"));
        fs::write(&next, self.to_json()).wrap_err_with(|| next.display().to_string())?;
        fs::rename(&next, &path).wrap_err_with(|| path.display().to_string())
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with string keys")
    }

    /// The validator of this number.
    pub fn validator(&self, index: usize) -> eyre::Result<&Validator> {
        let count = self.validators.len();
        self.validators
            .get(index)
            .ok_or_else(|| eyre!("there is no validator {index}, the network has {count}"))
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> eyre::Result<&NodeProcess> {
        let names = || self.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
        match self.nodes.iter().find(|node| node.name == name) {
            Some(node) => Ok(node),
            None => bail!("no node is called `{name}`; there are {}", names()),
        }
    }

    /// Names of the nodes that run.
    pub fn running(&self) -> Vec<&str> {
        self.nodes.iter().filter(|node| node.is_running()).map(|node| node.name.as_str()).collect()
    }
}

impl Validator {
    /// Its endpoint of the shard with this name or id.
    pub fn shard(&self, shard: &str) -> eyre::Result<&Endpoint> {
        let found = self.shards.iter().find(|one| one.name == shard || one.shard.to_string() == shard);
        let known = self.shards.iter().map(|one| &*one.name).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| eyre!("there is no shard `{shard}`; there are: {known}"))
    }
}

/// Where a validator's keys and data are.
pub(super) fn validator_directory(directory: &Path, index: u32) -> PathBuf {
    directory.join(format!("validator-{index}"))
}
