//! `atoll testnet status`: what runs, and how far every chain is at every validator.

use super::{
    description::{Description, Endpoint},
    down::DataDir,
};
use alloy_primitives::U64;
use clap::Args;
use comfy_table::{Table, presets::NOTHING};
use rpc::{beacon::BeaconClient, client::Client};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What to show.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    directory: DataDir,
}

/// The state of a network.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    nodes: Vec<NodeStatus>,
    chains: Vec<ChainStatus>,
}

#[derive(Clone, Debug, Serialize)]
struct NodeStatus {
    name: String,
    running: bool,
    pid: Option<u32>,
}

/// One chain as one validator sees it; heights are absent where nobody answers.
#[derive(Clone, Debug, Serialize)]
struct ChainStatus {
    chain: String,
    validator: usize,
    endpoint: String,
    certified: Option<u64>,
    finalized: Option<u64>,
}

#[derive(Deserialize)]
struct BlockNumber {
    number: U64,
}

/// Prints the state of the network.
pub fn status(args: &StatusArgs) -> eyre::Result<()> {
    let description = args.directory.description()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let status = runtime.block_on(observe(&description))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        println!("{}", nodes_table(&status));
        println!("{}", chains_table(&status));
    }
    Ok(())
}

async fn observe(description: &Description) -> eyre::Result<Status> {
    let nodes = description.nodes.iter().map(|node| {
        let running = node.is_running();
        NodeStatus { name: node.name.clone(), running, pid: node.pid.filter(|_| running) }
    });
    let mut chains = Vec::new();
    for (index, validator) in description.validators.iter().enumerate() {
        let head = BeaconClient::new(&validator.beacon)?.head().await.ok();
        chains.push(ChainStatus {
            chain: "beacon".into(),
            validator: index,
            endpoint: validator.beacon.clone(),
            certified: head.as_ref().map(|head| head.header.message.slot.0),
            finalized: head.as_ref().map(|head| head.header.message.slot.0),
        });
        for shard in &validator.shards {
            chains.push(observe_shard(index, shard).await?);
        }
    }
    Ok(Status { nodes: nodes.collect(), chains })
}

async fn observe_shard(validator: usize, shard: &Endpoint) -> eyre::Result<ChainStatus> {
    let client = Client::new(&shard.http)?;
    let height = async |tag: &str| {
        let block: Option<BlockNumber> =
            client.call("eth_getBlockByNumber", json!([tag, false])).await.ok()?;
        block.map(|block| block.number.to())
    };
    Ok(ChainStatus {
        chain: shard.name.clone(),
        validator,
        endpoint: shard.http.clone(),
        certified: height("latest").await,
        finalized: height("finalized").await,
    })
}

fn nodes_table(status: &Status) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["node", "state", "process"]);
    for node in &status.nodes {
        let state = if node.running { "running" } else { "not running" };
        table.add_row([
            node.name.clone(),
            state.into(),
            node.pid.map(|pid| pid.to_string()).unwrap_or_default(),
        ]);
    }
    table
}

fn chains_table(status: &Status) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["chain", "validator", "certified", "finalized", "endpoint"]);
    let text = |height: Option<u64>| height.map_or("no answer".to_owned(), |height| height.to_string());
    for chain in &status.chains {
        table.add_row([
            chain.chain.clone(),
            chain.validator.to_string(),
            text(chain.certified),
            text(chain.finalized),
            chain.endpoint.clone(),
        ]);
    }
    table
}
