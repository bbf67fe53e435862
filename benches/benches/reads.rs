//! What a read over JSON-RPC costs the server, beside anvil: both run as processes of their own on a chain for tests,
//! and answer the same requests, one after the other.
//!
//! ```sh
//! cargo build --release && ATOLL_BENCH_ANVIL=PATH/TO/anvil cargo bench -p benches --bench reads
//! ```
//!
//! Compared is the time that the server's process spends on one request, so what the client costs does not matter. It
//! measures the `atoll` beside it in the target folder, or the one that `ATOLL_BENCH_BINARY` names.

use std::{
    env,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rpc::client::Client;
use serde_json::{Value, json};

/// Requests that are under way at once.
const CLIENTS: usize = 16;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);
/// The first of the well-known accounts.
const OWNER: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
/// Init code of a contract that hashes its input and reads its storage 64 times, and returns its input.
///
/// ```text
/// init: PUSH1 1b DUP1 PUSH1 09 PUSH0 CODECOPY PUSH0 RETURN
///       PUSH1 40
/// loop: JUMPDEST PUSH0 CALLDATALOAD PUSH0 MSTORE PUSH1 20 PUSH0 KECCAK256 POP PUSH0 SLOAD POP
///       PUSH1 01 SWAP1 SUB DUP1 PUSH1 loop JUMPI PUSH1 20 PUSH0 RETURN
/// ```
const CONTRACT: &str = "0x601b8060095f395ff360405b5f355f5260205f20505f5450600190038060025760205ff3";

fn main() {
    // `cargo test --benches` and `cargo bench -- --list` want nothing measured.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(compare());
}

async fn compare() {
    let mut atoll = Command::new(benches::atoll());
    atoll.args(["shard-node", "--dev", "--port"]);
    let ours = Server::start(atoll).await.measure("atoll").await;
    let Some(anvil) = env::var_os("ATOLL_BENCH_ANVIL") else {
        println!("ATOLL_BENCH_ANVIL names no anvil: nothing to compare with");
        return;
    };
    let mut anvil = Command::new(anvil);
    anvil.args(["--silent", "--port"]);
    let theirs = Server::start(anvil).await.measure("anvil").await;
    for ((method, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        println!("{method}: requests per second of the server's time, atoll / anvil = {:.2}", theirs / ours);
    }
}

/// A server that ends with its handle.
struct Server {
    process: Child,
    client: Client,
}

impl Server {
    /// Starts a server whose last argument is its port.
    async fn start(mut command: Command) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        command.arg(port.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the server starts");
        let client = Client::new(format!("http://127.0.0.1:{port}")).expect("a plain address");
        let server = Self { process, client };
        let start = Instant::now();
        while server.client.request("eth_chainId", json!([])).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "nobody answers on port {port}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    /// Microseconds of the server's time for one request of each kind.
    async fn measure(self, name: &str) -> Vec<(&'static str, f64)> {
        let created = self.call("eth_sendTransaction", json!([{ "from": OWNER, "data": CONTRACT }])).await;
        let start = Instant::now();
        let contract = loop {
            let receipt = self.call("eth_getTransactionReceipt", json!([created])).await;
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{receipt}");
                break receipt["contractAddress"].clone();
            }
            assert!(start.elapsed() < PATIENCE, "the contract was not made");
        };
        let input = format!("0x{}", "07".repeat(32));
        let requests = [
            ("eth_getBalance", json!([OWNER, "latest"])),
            ("eth_call", json!([{ "to": contract, "input": input }, "latest"])),
        ];
        let mut costs = Vec::new();
        for (method, params) in requests {
            self.load(method, &params, WARM_UP).await;
            let before = self.cpu_seconds();
            let start = Instant::now();
            let answered = self.load(method, &params, MEASURED).await;
            let (wall, cpu) = (start.elapsed().as_secs_f64(), self.cpu_seconds() - before);
            let cost = cpu * 1e6 / answered as f64;
            println!(
                "{name} {method}: {:.0} requests/s, {cost:.1} µs of the server's time each",
                answered as f64 / wall
            );
            costs.push((method, cost));
        }
        costs
    }

    /// Asks the same over and over; how often it was answered.
    async fn load(&self, method: &str, params: &Value, time: Duration) -> u64 {
        let start = Instant::now();
        let clients = (0..CLIENTS).map(|_| async {
            let mut answered = 0;
            while start.elapsed() < time {
                self.call(method, params.clone()).await;
                answered += 1;
            }
            answered
        });
        futures::future::join_all(clients).await.into_iter().sum()
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.client.request(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn cpu_seconds(&self) -> f64 {
        benches::cpu_seconds(&Path::new("/proc").join(self.process.id().to_string()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
