//! Waits until every endpoint of a starting network answers and every chain has certified a block.
//!
//! A shard is waited for at those validators that have seats of it.

use super::{description::Description, seats::has_seat};
use eyre::bail;
use indicatif::{ProgressBar, ProgressStyle};
use primitives::ShardId;
use rpc::{beacon::BeaconClient, client::Client};
use std::{
    process::Child,
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const LOG_LINES: usize = 12;

/// Returns when the network is usable; fails when a node ends, or nothing comes within the timeout.
pub(super) async fn wait(description: &Description, children: &mut [Child]) -> eyre::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    let mut pending: Vec<(String, Probe)> = probes(description)?;
    let bar = ProgressBar::new(pending.len() as u64).with_style(
        ProgressStyle::with_template("{spinner} starting {pos}/{len} {bar:30} {msg}")
            .expect("a valid template"),
    );
    while !pending.is_empty() {
        require_running(description, children)?;
        let mut still = Vec::new();
        for (name, probe) in pending {
            if !probe.answers().await {
                still.push((name, probe));
            }
        }
        pending = still;
        bar.set_position(bar.length().unwrap_or_default() - pending.len() as u64);
        if let Some((name, _)) = pending.first() {
            bar.set_message(format!("waiting for {name}"));
            if Instant::now() > deadline {
                bar.abandon();
                bail!("{name} did not answer within {TIMEOUT:?}: see `atoll testnet logs`");
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Fails with the end of its log when a node has ended.
pub(super) fn require_running(description: &Description, children: &mut [Child]) -> eyre::Result<()> {
    for (node, child) in description.nodes.iter().zip(children) {
        if let Some(status) = child.try_wait()? {
            bail!("{} ended by itself ({status}); its last words:\n{}", node.name, node.log_tail(LOG_LINES));
        }
    }
    Ok(())
}

/// Something that must answer.
enum Probe {
    Beacon(BeaconClient),
    Shard { client: Client, beacon: BeaconClient, validator: usize, shard: ShardId },
}

fn probes(description: &Description) -> eyre::Result<Vec<(String, Probe)>> {
    let mut probes = Vec::new();
    for (index, validator) in description.validators.iter().enumerate() {
        let beacon = BeaconClient::new(&validator.beacon)?;
        probes.push((format!("the beacon chain at validator {index}"), Probe::Beacon(beacon.clone())));
        // One without stake opens its shards when it is drawn.
        for shard in validator.shards.iter().filter(|_| validator.stake > 0) {
            let (client, beacon) = (Client::new(&shard.http)?, beacon.clone());
            let probe = Probe::Shard { client, beacon, validator: index, shard: shard.shard };
            probes.push((format!("shard {} at validator {index}", shard.name), probe));
        }
    }
    Ok(probes)
}

impl Probe {
    /// Whether its chain has a certified block above genesis, or nobody expects it to run that chain.
    async fn answers(&self) -> bool {
        match self {
            Self::Beacon(client) => client.head().await.is_ok_and(|head| head.header.message.slot.0 > 0),
            Self::Shard { client, beacon, validator, shard } => {
                match client.call::<String>("eth_blockNumber", serde_json::json!([])).await {
                    Ok(height) => height != "0x0",
                    Err(_) => matches!(has_seat(beacon, *validator, *shard).await, Ok(false)),
                }
            }
        }
    }
}
