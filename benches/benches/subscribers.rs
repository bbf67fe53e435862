//! Whether a shard keeps its pace while thousands listen to it: a local network of real processes, on one node of which
//! some WebSockets read all they are told, and others subscribe to everything and never read.
//!
//! ```sh
//! cargo build --release && ulimit -n 8192 && cargo bench -p benches --bench subscribers
//! ```
//!
//! Intervals between blocks are measured without listeners and with them in turn, so that what else the machine does
//! meets both. `ATOLL_BENCH_SUBSCRIBERS_S` is how long each turn takes, seconds. It measures the `atoll` beside it in
//! the target folder, or the one that `ATOLL_BENCH_BINARY` names.

use std::{
    env, io,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use benches::{Network, Spread, quantity};
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinSet,
};

const PORT_BASE: u16 = 20_545;
const SHARD: u16 = 1;
/// Listeners that read.
const READING: usize = 2_000;
/// Listeners that do not.
const SLOW: usize = 50;
/// Sockets that are opened at once: fewer than wait in a usual system's queue.
const AT_ONCE: usize = 100;
const TURNS: usize = 2;
const WARM_UP: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_secs(5);

/// Messages that listeners have read.
static READ: AtomicU64 = AtomicU64::new(0);

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const MASKED: u8 = 0x80;

fn main() {
    // `cargo test --benches` and `cargo bench -- --list` want nothing measured.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let seconds = env::var("ATOLL_BENCH_SUBSCRIBERS_S").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let connections = (READING + SLOW + 100).to_string();
    let network =
        Network::up(&folder.path().join("net"), PORT_BASE, &[("SHARD_RPC_CONNECTIONS", &connections)]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(compare(&network, Duration::from_secs(seconds)));
}

async fn compare(network: &Network, turn: Duration) {
    tokio::time::sleep(WARM_UP).await;
    let (mut alone, mut listened) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        alone.extend(intervals(network, turn).await);
        let mut listeners =
            Listeners::connect(network.address(SHARD)).await.expect("sockets for all listeners");
        tokio::time::sleep(SETTLING).await;
        let before = READ.load(Ordering::Relaxed);
        listened.extend(intervals(network, turn).await);
        let read = READ.load(Ordering::Relaxed) - before;
        println!(
            "{} of {READING} reading listeners were there to the end, and read {read} messages",
            listeners.left()
        );
        drop(listeners);
        tokio::time::sleep(SETTLING).await;
    }
    let (alone, listened) = (Spread::of(alone), Spread::of(listened));
    println!("without listeners: interval {alone}");
    println!("with {READING} that read and {SLOW} that do not: interval {listened}");
    for (name, permille) in [("median", 500), ("p99", 990)] {
        let ratio = listened.at(permille) as f64 / alone.at(permille) as f64;
        println!("{name} interval, with / without = {ratio:.3}");
    }
}

/// Intervals between the blocks of the next while, milliseconds.
async fn intervals(network: &Network, time: Duration) -> Vec<u64> {
    let client = network.client(SHARD);
    let first = height(&client).await;
    let before = network.cpu_seconds();
    tokio::time::sleep(time).await;
    let cores = (network.cpu_seconds() - before) / time.as_secs_f64();
    let last = height(&client).await;
    println!("{} blocks in {} s, {cores:.2} cores", last - first, time.as_secs());
    let times = (first..=last).map(|number| {
        let client = &client;
        async move {
            let params = json!([format!("0x{number:x}"), false]);
            let block = client.request("eth_getBlockByNumber", params).await.expect("a block");
            quantity(&block["atoll"]["timestampMs"])
        }
    });
    let times = join_all(times).await;
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

async fn height(client: &rpc::Client) -> u64 {
    quantity(&client.request("eth_blockNumber", json!([])).await.expect("a height"))
}

/// Listeners that hang up with their handle.
struct Listeners {
    reading: JoinSet<io::Result<()>>,
    _slow: Vec<Socket>,
}

impl Listeners {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut reading = JoinSet::new();
        for first in (0..READING).step_by(AT_ONCE) {
            let sockets = (first..first + AT_ONCE).map(async |index| {
                let mut socket = Socket::connect(address).await?;
                // One half hears of every block, the other of logs that there are none of.
                let params = match index % 2 {
                    0 => json!(["newHeads"]),
                    _ => json!(["logs", { "address": format!("0x{}", "ab".repeat(20)) }]),
                };
                socket.subscribe(&params).await?;
                Ok::<_, io::Error>(socket)
            });
            for socket in try_join_all(sockets).await? {
                reading.spawn(socket.read());
            }
        }
        let slow = (0..SLOW).map(async |_| {
            let mut socket = Socket::connect(address).await?;
            for params in [json!(["newHeads"]), json!(["logs", {}]), json!(["newPendingTransactions", true])]
            {
                socket.subscribe(&params).await?;
            }
            Ok::<_, io::Error>(socket)
        });
        Ok(Self { reading, _slow: try_join_all(slow).await? })
    }

    /// Those that read and were not hung up on.
    fn left(&mut self) -> usize {
        while self.reading.try_join_next().is_some() {}
        self.reading.len()
    }
}

/// As much of a WebSocket as listening takes.
struct Socket(BufReader<TcpStream>);

impl Socket {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut stream = BufReader::new(TcpStream::connect(address).await?);
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        match head.starts_with(b"HTTP/1.1 101") {
            true => Ok(Self(stream)),
            false => Err(io::Error::other(String::from_utf8_lossy(&head).into_owned())),
        }
    }

    async fn subscribe(&mut self, params: &Value) -> io::Result<()> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": params });
        self.send(TEXT, call.to_string().as_bytes()).await
    }

    async fn send(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let mut frame = vec![kind];
        match payload.len() {
            short @ 0..126 => frame.push(MASKED | short as u8),
            long => {
                frame.push(MASKED | 126);
                frame.extend(u16::try_from(long).map_err(io::Error::other)?.to_be_bytes());
            }
        }
        frame.extend([0; 4]); // a mask of zeros changes nothing
        frame.extend(payload);
        self.0.write_all(&frame).await
    }

    /// Reads, and shows that somebody is there, until the server hangs up.
    async fn read(mut self) -> io::Result<()> {
        let mut payload = Vec::new();
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).await?;
            let length = match head[1] {
                126 => u64::from(self.0.read_u16().await?),
                127 => self.0.read_u64().await?,
                short => u64::from(short),
            };
            payload.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
            self.0.read_exact(&mut payload).await?;
            READ.fetch_add(1, Ordering::Relaxed);
            if head[0] == PING {
                self.send(PONG, &payload).await?;
            }
        }
    }
}
