//! What a local network of real processes costs and how evenly it runs: idle for a while, then a few transfers one after
//! another.
//!
//! ```sh
//! cargo build --release && ATOLL_BENCH_IDLE_S=300 cargo bench -p benches --bench network
//! ```
//!
//! It measures the `atoll` beside it in the target folder, or the one that `ATOLL_BENCH_BINARY` names, on ports
//! 1000 above the default ones.

use std::{
    env,
    time::{Duration, Instant},
};

use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Bytes, U256};
use benches::{Network, Spread, block_times, call, height, millis, quantity};
use primitives::Height;
use serde_json::json;
use shard_state::testing::{key, sign};

const PORT_BASE: u16 = 19_545;
const SHARDS: u16 = 3;
const DEFI: u16 = 1;
const TRANSFERS: u64 = 40;
/// Until the first measurement: the processes' start is not idling.
const WARM_UP: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(30);
/// The secret of the second of the well-known accounts.
const SECRET: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

fn main() {
    // `cargo test --benches` and `cargo bench -- --list` want nothing measured.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let idle = env::var("ATOLL_BENCH_IDLE_S").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let network = Network::up(&folder.path().join("net"), PORT_BASE, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&network, Duration::from_secs(idle)));
}

async fn measure(network: &Network, idle: Duration) {
    println!("ready in {:.1} s, the start of the processes included", network.ready().as_secs_f64());
    tokio::time::sleep(WARM_UP).await;
    let mut heights = Vec::new();
    for shard in 0..SHARDS {
        heights.push(height(&network.client(shard), "latest").await);
    }
    let (before, start) = (network.cpu_seconds(), Instant::now());
    println!("idle for {} s ...", idle.as_secs());
    tokio::time::sleep(idle).await;
    let cores = (network.cpu_seconds() - before) / start.elapsed().as_secs_f64();
    println!("idle: {cores:.3} cores and {} MiB, both in sum", network.memory_mib());
    for (shard, first) in (0..SHARDS).zip(heights) {
        let client = network.client(shard);
        let last = height(&client, "latest").await;
        let (mut epochs, times) = block_times(&client, first..=last).await;
        epochs.dedup();
        println!("shard {shard}: epochs {epochs:?}, interval {}", Spread::between(&times));
    }
    println!("beacon chain: interval {}", Spread::between(&beacon_times(network, start.elapsed()).await));
    latency(network).await;
}

/// Sends transfers one after another, at random places in a block's time.
async fn latency(network: &Network) {
    let client = network.client(DEFI);
    let secret = crypto::secp256k1::SecretKey::from_bytes(
        &alloy_primitives::hex::decode_to_array(SECRET).expect("32 bytes"),
    );
    let secret = secret.expect("a key");
    let chain_id = quantity(&call(&client, "eth_chainId", json!([])).await);
    let (mut receipts, mut finalized) = (Vec::new(), Vec::new());
    for nonce in 0..TRANSFERS {
        let transaction = alloy_consensus::TxEip1559 {
            chain_id,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: 100_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: key(7).address().into(),
            value: U256::from(1),
            ..Default::default()
        };
        let bytes: Bytes = sign(transaction, &secret).encoded_2718().into();
        // Steps that share no factor with the interval visit all of it.
        tokio::time::sleep(Duration::from_millis(nonce * 137 % 500)).await;
        let sent = Instant::now();
        let hash = call(&client, "eth_sendRawTransaction", json!([bytes])).await;
        let receipt = until(async || {
            let receipt = call(&client, "eth_getTransactionReceipt", json!([hash])).await;
            (!receipt.is_null()).then_some(receipt)
        });
        let number = quantity(&receipt.await["blockNumber"]);
        receipts.push(millis(sent));
        let certified = Instant::now();
        until(async || (height(&client, "finalized").await >= number).then_some(())).await;
        finalized.push(millis(certified));
    }
    println!("transfer: sent to receipt {}", Spread::of(receipts));
    println!("transfer: receipt to `finalized` {}", Spread::of(finalized));
}

async fn until<T>(mut done: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = done().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "nothing happened within {PATIENCE:?}");
        tokio::time::sleep(POLL).await;
    }
}

/// Timestamps of the beacon blocks of the last `span`, milliseconds.
async fn beacon_times(network: &Network, span: Duration) -> Vec<u64> {
    let base = network.description()["validators"][0]["beacon"].as_str().map(str::to_owned);
    let client = rpc::beacon::BeaconClient::new(base.expect("its address")).expect("a plain address");
    let mut times = Vec::new();
    let head = client.head().await.expect("a head").header.message.slot.0;
    for height in head.saturating_sub(span.as_secs())..=head {
        let header = client.header(Height::new(height)).await.expect("a header");
        times.push(header.header.message.timestamp_ms.0);
    }
    times
}
