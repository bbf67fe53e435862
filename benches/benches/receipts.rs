//! How long a receipt takes from shard to shard on a local network of real processes: transfers over all lanes, at a light
//! load.
//!
//! ```sh
//! cargo build --release && cargo bench -p benches --bench receipts
//! ```
//!
//! With `ATOLL_BENCH_RTT_MS=50` everything between nodes takes so much longer, there and back.
//!
//! Times are those that the first validator's node notes, except for the finalized ones, which are those at which it was
//! seen to answer so. It measures the `atoll` beside it in the target folder, or the one that `ATOLL_BENCH_BINARY` names, on
//! ports 2000 above the default ones.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::SolCall as _;
use benches::{Network, Spread, call, quantity};
use crypto::secp256k1::SecretKey;
use futures::future::join_all;
use rpc::{client::Client, view::ReceiptJourney};
use serde_json::{Value, json};
use shard_state::{
    portal::{PORTAL, abi::IPortal},
    testing::{key, sign},
};

const PORT_BASE: u16 = 20_545;
const SHARDS: u16 = 3;
/// Over all lanes.
const TRANSFERS: u64 = 1_000;
/// Between two transfers of one shard.
const PAUSE: Duration = Duration::from_millis(143);
const POLL: Duration = Duration::from_millis(20);
const WARM_UP: Duration = Duration::from_secs(10);
/// The secret of the third of the well-known accounts.
const SECRET: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

fn main() {
    // `cargo test --benches` and `cargo bench -- --list` want nothing measured.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut network = Network::up(&folder.path().join("net"), PORT_BASE, &[]);
    if let Ok(rtt) = env::var("ATOLL_BENCH_RTT_MS") {
        let rtt: u32 = rtt.parse().expect("ATOLL_BENCH_RTT_MS is a number");
        network.lengthen(Duration::from_millis(1) * rtt / 2);
        println!("injected round trip: {rtt} ms");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&network));
}

async fn measure(network: &Network) {
    tokio::time::sleep(WARM_UP).await;
    let plan = &network.description()["plan"];
    println!("durability: {}", plan["durability"].as_str().unwrap_or("process"));
    let done = Arc::new(AtomicBool::new(false));
    let watches = (0..SHARDS).map(|shard| finalized_heights(network.client(shard), Arc::clone(&done)));
    let watched = join_all(watches);
    let sending = async {
        let sent = join_all((0..SHARDS).map(|shard| send(network, shard))).await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        done.store(true, Ordering::Relaxed);
        sent
    };
    let (finalized, sent) = futures::join!(watched, sending);
    let (mut verified, mut credited, mut recorded) = (Vec::new(), Vec::new(), Vec::new());
    for (source, hash) in sent.into_iter().flatten() {
        let Some(journey) = journey(network, source, hash).await else { continue };
        let (source, arrived) =
            (journey.0.sent.expect("it was sent"), journey.1.consumed.expect("it arrived"));
        let certified = source.certified_ms.expect("noted");
        verified.push(arrived.verified_ms.expect("noted").saturating_sub(certified));
        credited.push(arrived.certified_ms.expect("noted").saturating_sub(source.proposed_ms));
        let heights = &finalized[journey.1.destination as usize];
        let time = heights.iter().find(|(height, _)| *height >= arrived.block_number).map(|(_, time)| *time);
        recorded.push(time.expect("watched long enough").saturating_sub(source.proposed_ms));
    }
    println!("receipts: {} of {TRANSFERS} arrived", credited.len());
    println!("certified -> verified at the destination: {}", Spread::of(verified));
    println!("inclusion -> credited: {}", Spread::of(credited));
    println!("inclusion -> finalized: {}", Spread::of(recorded));
}

/// Sends this shard's part, to the others in turn; the transactions' hashes.
async fn send(network: &Network, shard: u16) -> Vec<(u16, B256)> {
    let client = network.client(shard);
    let secret = alloy_primitives::hex::decode_to_array(SECRET).expect("32 bytes");
    let secret = SecretKey::from_bytes(&secret).expect("a key");
    let chain_id = quantity(&call(&client, "eth_chainId", json!([])).await);
    let mut sent = Vec::new();
    for nonce in 0..TRANSFERS.div_ceil(u64::from(SHARDS)) {
        let to = u32::from(shard + 1 + (nonce % u64::from(SHARDS - 1)) as u16) % u32::from(SHARDS);
        let transaction = alloy_consensus::TxEip1559 {
            chain_id,
            nonce,
            gas_limit: 100_000,
            max_fee_per_gas: 100_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: PORTAL.into(),
            value: U256::from(1),
            input: IPortal::transferCall { shard: to, to: key(7).address() }.abi_encode().into(),
            ..Default::default()
        };
        let bytes: Bytes = sign(transaction, &secret).encoded_2718().into();
        let hash = call(&client, "eth_sendRawTransaction", json!([bytes])).await;
        sent.push((shard, serde_json::from_value(hash).expect("a hash")));
        tokio::time::sleep(PAUSE).await;
    }
    sent
}

/// The receipt that a transaction sent, as its source and as its destination tell of it.
async fn journey(network: &Network, source: u16, hash: B256) -> Option<(ReceiptJourney, ReceiptJourney)> {
    let receipt = call(&network.client(source), "eth_getTransactionReceipt", json!([hash])).await;
    let id = receipt["logs"][0]["topics"][1].clone();
    let sent: ReceiptJourney = ask(&network.client(source), &id).await?;
    let arrived = ask(&network.client(sent.destination as u16), &id).await?;
    Some((sent, arrived))
}

async fn ask(client: &Client, id: &Value) -> Option<ReceiptJourney> {
    serde_json::from_value(call(client, "atoll_getReceipt", json!([id, false])).await).expect("a journey")
}

/// When the node was seen to call which height finalized, until told to stop.
async fn finalized_heights(client: Client, done: Arc<AtomicBool>) -> Vec<(u64, u64)> {
    let mut seen: Vec<(u64, u64)> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let block = call(&client, "eth_getBlockByNumber", json!(["finalized", false])).await;
        let height = quantity(&block["number"]);
        if seen.last().is_none_or(|(last, _)| *last < height) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
            seen.push((height, now as u64));
        }
        tokio::time::sleep(POLL).await;
    }
    seen
}
