//! What a read over JSON-RPC costs the server, beside anvil: both run as processes of their own on a chain for tests,
//! and answer the same requests in turn, a second each, again and again: what else the machine does meets both alike.
//!
//! ```sh
//! cargo build --profile dist
//! ATOLL_BENCH_BINARY=target/dist/atoll ATOLL_BENCH_ANVIL=PATH/TO/anvil cargo bench -p benches --bench reads
//! ```
//!
//! Compared is the time that the server's process spends on one request, while more requests wait than it can answer; the
//! ratio is the median of the rounds'. It measures the `atoll` beside it in the target folder, or the one that
//! `ATOLL_BENCH_BINARY` names: that of the profile `dist`, for released binaries of anvil are built so.

use std::{
    env,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use benches::Asker;
use rpc::client::Client;
use serde_json::{Value, json};

/// Requests that are under way at once.
const CLIENTS: usize = 16;
const WARM_UP: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_secs(1);
const ROUNDS: usize = 11;
const PATIENCE: Duration = Duration::from_secs(30);
/// The first of the well-known accounts.
const OWNER: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
/// Init code of a contract that answers `balanceOf(address)` as tokens do: a slot of a mapping, found by its hash. Its
/// creator has 1,000.
///
/// ```text
/// init:  CALLER PUSH0 MSTORE PUSH1 40 PUSH0 KECCAK256 PUSH2 03e8 SWAP1 SSTORE
///        PUSH1 22 DUP1 PUSH1 15 PUSH0 CODECOPY PUSH0 RETURN
///        PUSH0 CALLDATALOAD PUSH1 e0 SHR PUSH4 70a08231 EQ PUSH1 found JUMPI PUSH0 PUSH0 REVERT
/// found: JUMPDEST PUSH1 04 CALLDATALOAD PUSH0 MSTORE PUSH1 40 PUSH0 KECCAK256 SLOAD PUSH0 MSTORE PUSH1 20 PUSH0 RETURN
/// ```
const TOKEN: &str = "0x335f5260405f206103e8905560228060155f395ff3\
                     5f3560e01c6370a08231146011575f5ffd5b6004355f5260405f20545f5260205ff3";
/// Init code of a contract that hashes its input and reads its storage 64 times, and returns its input.
///
/// ```text
/// init: PUSH1 1b DUP1 PUSH1 09 PUSH0 CODECOPY PUSH0 RETURN
///       PUSH1 40
/// loop: JUMPDEST PUSH0 CALLDATALOAD PUSH0 MSTORE PUSH1 20 PUSH0 KECCAK256 POP PUSH0 SLOAD POP
///       PUSH1 01 SWAP1 SUB DUP1 PUSH1 loop JUMPI PUSH1 20 PUSH0 RETURN
/// ```
const LOOP: &str = "0x601b8060095f395ff360405b5f355f5260205f20505f5450600190038060025760205ff3";

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
    let mut servers = vec![Server::start("atoll", atoll).await];
    match env::var_os("ATOLL_BENCH_ANVIL") {
        Some(anvil) => {
            let mut anvil = Command::new(anvil);
            anvil.args(["--silent", "--port"]);
            servers.push(Server::start("anvil", anvil).await);
        }
        None => println!("ATOLL_BENCH_ANVIL names no anvil: nothing to compare with"),
    }
    let mut requests = Vec::new();
    for server in &servers {
        requests.push(server.requests().await);
    }
    let names: Vec<_> = requests[0].iter().map(|(name, _)| *name).collect();
    for (kind, name) in names.into_iter().enumerate() {
        let mut askers = Vec::new();
        for (server, requests) in servers.iter().zip(&requests) {
            askers.push(server.askers(&requests[kind].1).await);
        }
        for (server, askers) in servers.iter().zip(&mut askers) {
            server.cost(askers, WARM_UP).await;
        }
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut costs = Vec::new();
            for (server, askers) in servers.iter().zip(&mut askers) {
                costs.push(server.cost(askers, ROUND).await);
            }
            rounds.push(costs);
        }
        for (index, server) in servers.iter().enumerate() {
            let cost = median(rounds.iter().map(|costs| costs[index]));
            println!("{name}: {} spends {cost:.1} µs on each", server.name);
        }
        if servers.len() > 1 {
            let ratios = rounds.iter().map(|costs| costs[1] / costs[0]);
            let least = ratios.clone().fold(f64::INFINITY, f64::min);
            let ratio = median(ratios);
            println!("{name}: requests per core, atoll / anvil = {ratio:.2} (median; least {least:.2})");
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A server that ends with its handle.
struct Server {
    name: &'static str,
    process: Child,
    port: u16,
    client: Client,
}

impl Server {
    /// Starts a server whose last argument is its port.
    async fn start(name: &'static str, mut command: Command) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        command.arg(port.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the server starts");
        let client = Client::new(format!("http://127.0.0.1:{port}")).expect("a plain address");
        let server = Self { name, process, port, client };
        let start = Instant::now();
        while server.client.request("eth_chainId", json!([])).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "nobody answers on port {port}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    /// What is asked: its name, and the request.
    async fn requests(&self) -> [(&'static str, Value); 3] {
        let (token, work) = (self.create(TOKEN).await, self.create(LOOP).await);
        let balance_of = format!("0x70a08231{:0>64}", &OWNER[2..]);
        let seven = format!("0x{}", "07".repeat(32));
        let balance = json!([{ "to": token, "input": balance_of }, "latest"]);
        assert_eq!(self.call("eth_call", balance.clone()).await, json!(format!("0x{:064x}", 1_000)));
        [
            ("eth_getBalance", request("eth_getBalance", json!([OWNER, "latest"]))),
            ("eth_call of a token's balance", request("eth_call", balance)),
            (
                "eth_call of 64 hashes and reads",
                request("eth_call", json!([{ "to": work, "input": seven }, "latest"])),
            ),
        ]
    }

    /// Creates a contract; its address.
    async fn create(&self, code: &str) -> Value {
        let created = self.call("eth_sendTransaction", json!([{ "from": OWNER, "data": code }])).await;
        let start = Instant::now();
        loop {
            let receipt = self.call("eth_getTransactionReceipt", json!([created])).await;
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{receipt}");
                return receipt["contractAddress"].clone();
            }
            assert!(start.elapsed() < PATIENCE, "the contract was not made");
        }
    }

    /// Connections that ask this.
    async fn askers(&self, request: &Value) -> Vec<Asker> {
        let mut askers = Vec::new();
        for _ in 0..CLIENTS {
            askers.push(Asker::connect(self.port, request).await.expect("the server takes connections"));
        }
        askers
    }

    /// Asks for a while; microseconds of the server's time for each answer.
    async fn cost(&self, askers: &mut [Asker], time: Duration) -> f64 {
        let (start, before) = (Instant::now(), self.cpu_seconds());
        let answers = askers.iter_mut().map(|asker| async {
            let mut answered = 0;
            while start.elapsed() < time {
                asker.ask().await.unwrap_or_else(|error| panic!("{} answers: {error}", self.name));
                answered += 1;
            }
            answered
        });
        let answered: u32 = futures::future::join_all(answers).await.into_iter().sum();
        (self.cpu_seconds() - before) * 1e6 / f64::from(answered)
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.client.request(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn cpu_seconds(&self) -> f64 {
        benches::cpu_seconds(&Path::new("/proc").join(self.process.id().to_string()))
    }
}

fn request(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
