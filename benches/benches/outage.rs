//! A shard is down while others send to it until their lanes are full and beyond, on a local network of real processes:
//! how evenly the others go on, what memory it takes them, and how long until everything has arrived once it is back.
//!
//! ```sh
//! cargo build --release && cargo bench -p benches --bench outage
//! ```
//!
//! Eight validators with committees of a few seats, for a term that does not end; `kill -9` takes the shard nodes of the
//! fewest validators without whom one shard has no quorum and the others do. It measures the `atoll` beside it in the
//! target folder, or the one that `ATOLL_BENCH_BINARY` names, on ports 3000 above the default ones.

use std::{
    collections::BTreeMap,
    env, fs,
    num::NonZeroU64,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall as _, SolError as _};
use benches::{Network, Spread, block_times, call, height, memory_kib, millis, quantity};
use crypto::secp256k1::SecretKey;
use futures::future::join_all;
use primitives::{Chain, ChainSpec, Epoch, ShardId};
use rpc::{
    beacon::{BeaconClient, CommitteeView},
    client::Client,
    view::LaneView,
};
use serde_json::{Value, json};
use shard_state::{
    portal::{PORTAL, abi::IPortal},
    testing::{key, sign},
};

const PORT_BASE: u16 = 21_545;
const VALIDATORS: u16 = 8;
/// Few, so that validators differ in what they run.
const SEATS: u32 = 5;
/// The shard that goes down.
const DOWN: u16 = 2;
/// Those that go on.
const UP: [u16; 2] = [0, 1];
const CAPACITY: u64 = 8_192;
/// Sent at once, before what became of them is looked at.
const WAVE: u64 = 512;
const CALM: Duration = Duration::from_secs(40);
/// How long senders go on trying while lanes are full.
const FULL: Duration = Duration::from_secs(80);
const PATIENCE: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(100);
/// The secret of the third of the well-known accounts.
const SECRET: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

fn main() {
    // `cargo test --benches` and `cargo bench -- --list` want nothing measured.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let spec = folder.path().join("spec.toml");
    fs::write(&spec, toml::to_string(&long_terms()).expect("a specification")).expect("a temporary file");
    let validators = VALIDATORS.to_string();
    let arguments = ["--validators", &validators, "--spec", spec.to_str().expect("a plain path")];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&folder.path().join("net"), &arguments));
}

/// The local preset with small committees whose terms outlast the measurement, whatever stands still.
fn long_terms() -> ChainSpec {
    let long = NonZeroU64::new(1 << 20).expect("not zero");
    let local = ChainSpec::preset("local").expect("a preset");
    let (seats_target, lane_capacity) = (SEATS, CAPACITY);
    let (beacon_epoch_heights, shard_epoch_heights, stall_heights) = (long, long, long);
    ChainSpec {
        seats_target,
        lane_capacity,
        beacon_epoch_heights,
        shard_epoch_heights,
        stall_heights,
        ..local
    }
}

async fn measure(folder: &Path, arguments: &[&str]) {
    let (mut network, cast) = draw(folder, arguments).await;
    println!("of {VALIDATORS} shard nodes, those of validators {:?} will be killed", cast.victims);
    let mut senders = Vec::new();
    for shard in UP {
        senders.push(Sender::new(network.client_of(cast.reader(shard), shard)).await);
    }
    tokio::time::sleep(CALM / 4).await;
    report(&network, &cast, "calm", tokio::time::sleep(CALM)).await;

    let pids = network.pids();
    let victims = cast.victims.iter().map(|victim| pids[&format!("shard-{victim}")].to_string());
    let killed = Command::new("kill").arg("-9").args(victims).status();
    assert!(killed.expect("kill exists").success(), "the nodes could not be killed");
    report(&network, &cast, "filling", join_all(senders.iter_mut().map(Sender::fill))).await;
    for (sender, shard) in senders.iter().zip(UP) {
        println!("lane {shard} -> {DOWN}: {} in flight of {CAPACITY}", sender.lane().await.in_flight);
    }
    let tries = async { join_all(senders.iter_mut().map(Sender::try_on)).await.into_iter().sum::<u64>() };
    let refused = report(&network, &cast, "full", tries).await;
    println!("refused while full: {refused} sends, each with LaneFull");

    let start = Instant::now();
    network.restart(arguments);
    let reader = network.client_of(cast.members(DOWN)[0], DOWN);
    let credited = async || balance(&reader, key(7).address()).await == U256::from(2 * CAPACITY);
    wait_until("everything has arrived", credited).await;
    println!("after the restart of all nodes everything arrived, once, within {} ms", millis(start));
    let acknowledged = async || {
        let lanes = join_all(senders.iter().map(Sender::lane)).await;
        lanes.iter().all(|lane| lane.in_flight == 0)
    };
    wait_until("the sources know", acknowledged).await;
    println!("the lanes were empty again within {} ms", millis(start));
}

/// Who has seats of what, and whom to kill.
struct Cast {
    /// By shard.
    committees: BTreeMap<u16, CommitteeView>,
    victims: Vec<u16>,
}

impl Cast {
    /// Whom to kill so that [`DOWN`] alone has no quorum, if anybody.
    fn of(committees: BTreeMap<u16, CommitteeView>) -> Option<Self> {
        let seats = |shard: u16, set: u16| {
            let seats = committees[&shard].seats.iter();
            seats.filter(|seat| set >> seat.validator.0 & 1 == 1).count() as u64
        };
        let stalls = |shard: u16, set: u16| seats(shard, set) >= committees[&shard].takeover.stalling_seats.0;
        let sets = (0..1u16 << VALIDATORS)
            .filter(|set| stalls(DOWN, *set) && UP.iter().all(|shard| !stalls(*shard, *set)));
        let set = sets.min_by_key(|set| set.count_ones())?;
        let victims = (0..VALIDATORS).filter(|validator| set >> validator & 1 == 1).collect();
        Some(Self { committees, victims })
    }

    /// Validators with a seat.
    fn members(&self, shard: u16) -> Vec<u16> {
        self.committees[&shard].seats.iter().map(|seat| seat.validator.0 as u16).collect()
    }

    /// A validator that runs a shard and stays.
    fn reader(&self, shard: u16) -> u16 {
        let stays = |validator: &u16| !self.victims.contains(validator);
        self.members(shard).into_iter().find(stays).expect("there is a quorum")
    }

    /// The processes that stay, by name.
    fn survivors(&self, network: &Network) -> BTreeMap<String, u64> {
        let mut pids = network.pids();
        pids.retain(|name, _| !self.victims.iter().any(|victim| *name == format!("shard-{victim}")));
        pids
    }
}

/// A network whose committees allow what is to be shown.
async fn draw(folder: &Path, arguments: &[&str]) -> (Network, Cast) {
    for _ in 0..10 {
        let network = Network::up_with(folder, PORT_BASE, arguments, &[]);
        let address =
            network.description()["validators"][0]["beacon"].as_str().expect("an address").to_owned();
        let beacon = BeaconClient::new(&address).expect("an address");
        let mut committees = BTreeMap::new();
        for shard in UP.into_iter().chain([DOWN]) {
            let chain = Chain::Shard(ShardId::new(shard.into()));
            committees.insert(shard, beacon.committee_view(chain, Epoch::ZERO).await.expect("a committee"));
        }
        if let Some(cast) = Cast::of(committees) {
            return (network, cast);
        }
    }
    panic!("of ten networks none had committees that differ enough");
}

/// Prints how the shards that go on and the processes that stay did while `what` was going on.
async fn report<T>(network: &Network, cast: &Cast, name: &str, what: impl Future<Output = T>) -> T {
    let clients = UP.map(|shard| network.client_of(cast.reader(shard), shard));
    let first = join_all(clients.iter().map(|client| height(client, "latest"))).await;
    let (before, start) = (memory(network, cast), Instant::now());
    let outcome = what.await;
    let (after, seconds) = (memory(network, cast), start.elapsed().as_secs());
    for ((shard, client), first) in UP.iter().zip(&clients).zip(first) {
        let (_, times) = block_times(client, first..=height(client, "latest").await).await;
        println!("{name}, {seconds} s: shard {shard}: interval {}", Spread::between(&times));
    }
    let all = |memory: &BTreeMap<String, u64>| memory.values().sum::<u64>() / 1_024;
    let most = |memory: &BTreeMap<String, u64>| memory.values().max().copied().unwrap_or_default() / 1_024;
    println!(
        "{name}, {seconds} s: {} processes: {} MiB before, {} MiB after; the largest {} and {}",
        after.len(),
        all(&before),
        all(&after),
        most(&before),
        most(&after),
    );
    outcome
}

/// Of the processes that stay, KiB without pages of files.
fn memory(network: &Network, cast: &Cast) -> BTreeMap<String, u64> {
    let of = |pid: u64| memory_kib(&Path::new("/proc").join(pid.to_string()), "RssAnon");
    cast.survivors(network).into_iter().map(|(name, pid)| (name, of(pid))).collect()
}

/// Sends one wei at a time to the shard that is down.
struct Sender {
    client: Client,
    secret: SecretKey,
    address: Address,
    chain_id: u64,
    nonce: u64,
}

impl Sender {
    async fn new(client: Client) -> Self {
        let secret = alloy_primitives::hex::decode_to_array(SECRET).expect("32 bytes");
        let secret = SecretKey::from_bytes(&secret).expect("a key");
        let chain_id = quantity(&call(&client, "eth_chainId", json!([])).await);
        let address = secret.address();
        Self { client, secret, address, chain_id, nonce: 0 }
    }

    async fn lane(&self) -> LaneView {
        let lane = call(&self.client, "atoll_getLane", json!([format!("0x{DOWN:x}")])).await;
        serde_json::from_value(lane).expect("a lane")
    }

    /// Sends until the lane is full.
    async fn fill(&mut self) {
        while self.nonce < CAPACITY {
            for _ in 0..WAVE.min(CAPACITY - self.nonce) {
                self.send().await;
            }
            self.settle().await;
        }
    }

    /// Goes on sending, ten a second; how many were refused.
    async fn try_on(&mut self) -> u64 {
        let (start, first) = (Instant::now(), self.nonce);
        while start.elapsed() < FULL {
            self.send().await;
            tokio::time::sleep(POLL).await;
        }
        self.settle().await;
        assert_eq!(self.lane().await.sent, CAPACITY, "the lane is full");
        let refusal = self.client.request("eth_call", json!([self.call_object(), "latest"])).await;
        let refusal = refusal.expect_err("the lane is full").to_string();
        let selector = alloy_primitives::hex::encode(IPortal::LaneFull::SELECTOR);
        assert!(refusal.contains("LaneFull") || refusal.contains(&selector), "{refusal}");
        self.nonce - first
    }

    fn call_object(&self) -> Value {
        json!({ "from": self.address, "to": PORTAL, "value": "0x1", "data": Bytes::from(transfer()) })
    }

    async fn send(&mut self) {
        let transaction = alloy_consensus::TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: 100_000,
            max_fee_per_gas: 1_000_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: PORTAL.into(),
            value: U256::from(1),
            input: transfer().into(),
            ..Default::default()
        };
        let bytes: Bytes = sign(transaction, &self.secret).encoded_2718().into();
        call(&self.client, "eth_sendRawTransaction", json!([bytes])).await;
        self.nonce += 1;
    }

    /// Waits until all that was sent is in blocks.
    async fn settle(&self) {
        let settled = async || {
            let count = call(&self.client, "eth_getTransactionCount", json!([self.address, "latest"])).await;
            quantity(&count) == self.nonce
        };
        wait_until("what was sent is in blocks", settled).await;
    }
}

fn transfer() -> Vec<u8> {
    IPortal::transferCall { shard: DOWN.into(), to: key(7).address() }.abi_encode()
}

async fn wait_until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !done().await {
        assert!(start.elapsed() < PATIENCE, "did not happen within {PATIENCE:?}: {what}");
        tokio::time::sleep(POLL).await;
    }
}

async fn balance(client: &Client, address: Address) -> U256 {
    let wei = call(client, "eth_getBalance", json!([address, "latest"])).await;
    serde_json::from_value(wei).expect("a quantity")
}
