//! Waits until every endpoint of a starting network answers and every chain has certified a block.
//!
//! The beacon chain comes first: it tells which validators have seats of which shards, and are waited for there.

use super::{
    description::{Description, Endpoint, Validator},
    seats::Seats,
};
use eyre::bail;
use indicatif::{ProgressBar, ProgressStyle};
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
    let style = ProgressStyle::with_template("{spinner} starting {pos}/{len} {bar:30} {msg}");
    let bar = ProgressBar::new(0).with_style(style.expect("a valid template"));
    wait_for(beacon_probes(description)?, description, children, &bar, deadline).await?;
    let seats = Seats::ask(&BeaconClient::new(&description.validators[0].beacon)?).await?;
    wait_for(shard_probes(description, &seats)?, description, children, &bar, deadline).await?;
    bar.finish_and_clear();
    Ok(())
}

async fn wait_for(
    mut pending: Vec<(String, Probe)>,
    description: &Description,
    children: &mut [Child],
    bar: &ProgressBar,
    deadline: Instant,
) -> eyre::Result<()> {
    bar.inc_length(pending.len() as u64);
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
    Shard(Client),
}

fn beacon_probes(description: &Description) -> eyre::Result<Vec<(String, Probe)>> {
    let probe = |(index, validator): (usize, &Validator)| {
        let client = BeaconClient::new(&validator.beacon)?;
        Ok((format!("the beacon chain at validator {index}"), Probe::Beacon(client)))
    };
    description.validators.iter().enumerate().map(probe).collect()
}

fn shard_probes(description: &Description, seats: &Seats) -> eyre::Result<Vec<(String, Probe)>> {
    let probe = |(index, shard): (usize, &Endpoint)| {
        let client = Client::new(&shard.http)?;
        Ok((format!("shard {} at validator {index}", shard.name), Probe::Shard(client)))
    };
    seats.endpoints(description).map(probe).collect()
}

impl Probe {
    /// Whether its chain has a certified block above genesis.
    async fn answers(&self) -> bool {
        match self {
            Self::Beacon(client) => client.head().await.is_ok_and(|head| head.header.message.slot.0 > 0),
            Self::Shard(client) => client
                .call::<String>("eth_blockNumber", serde_json::json!([]))
                .await
                .is_ok_and(|height| height != "0x0"),
        }
    }
}
