//! A network of real processes, ended with the test.

use rpc::client::Client;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Ports of the tests' networks: away from the default ones, so that a developer's network may run.
pub(crate) const PORT_BASE: u16 = 18545;
const READY_TIMEOUT: Duration = Duration::from_secs(120);

static TURN: Mutex<()> = Mutex::new(());

/// The binary that cargo built beside this test.
pub(crate) fn atoll() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let folder = test.ancestors().nth(2).expect("tests lie in <profile>/deps");
    let binary = folder.join("atoll");
    assert!(binary.exists(), "{} is missing: run `cargo test --workspace`", binary.display());
    binary
}

/// A running network.
pub(crate) struct Network {
    supervisor: Option<Child>,
    directory: tempfile::TempDir,
    arguments: Vec<String>,
    _turn: MutexGuard<'static, ()>,
}

impl Network {
    /// Starts a network and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut network = Self {
            supervisor: None,
            directory: tempfile::tempdir().expect("a temporary directory"),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            _turn: turn,
        };
        network.up();
        network
    }

    /// Starts the network again on its data.
    pub(crate) fn up(&mut self) {
        let mut child = Command::new(atoll())
            .args(["testnet", "up", "--port-base", &PORT_BASE.to_string(), "--data-dir"])
            .arg(self.data_dir())
            .args(&self.arguments)
            // The network ends with this test, however the test ends.
            .env("ATOLL_EXIT_WITH_STDIN", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("atoll starts");
        let stdout = child.stdout.take().expect("piped");
        let (sender, ready) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.starts_with("ready in") {
                    let _ = sender.send(());
                }
            }
        });
        let result = ready.recv_timeout(READY_TIMEOUT);
        if result.is_err() {
            let _ = child.kill();
            let mut errors = String::new();
            let _ = child.stderr.take().expect("piped").read_to_string(&mut errors);
            panic!("the network did not get ready: {errors}\n{}", self.logs());
        }
        self.supervisor = Some(child);
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("net")
    }

    /// Ends the network in order.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.supervisor.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// `kill -9` for the supervisor and every node, at one instant as far as a shell can do that.
    pub(crate) fn kill_everything(&mut self) {
        let mut pids: Vec<u32> = self.pids().into_iter().map(|(_, pid)| pid).collect();
        let mut child = self.supervisor.take().expect("a running network");
        pids.insert(0, child.id());
        kill_9(&pids);
        let _ = child.wait();
        wait_until("all nodes are gone", Duration::from_secs(10), || pids.iter().all(|pid| !is_alive(*pid)));
    }

    /// Name and process of each node.
    pub(crate) fn pids(&self) -> Vec<(String, u32)> {
        let nodes = self.description()["nodes"].clone();
        let nodes = nodes.as_array().expect("a list");
        let node =
            |node: &Value| (node["name"].as_str().unwrap().to_owned(), node["pid"].as_u64().unwrap() as u32);
        nodes.iter().map(node).collect()
    }

    /// `testnet.json`.
    pub(crate) fn description(&self) -> Value {
        let text = std::fs::read_to_string(self.data_dir().join("testnet.json")).expect("a description");
        serde_json::from_str(&text).expect("valid JSON")
    }

    /// HTTP endpoint of a shard at a validator.
    pub(crate) fn url(&self, shard: u32, validator: u32) -> String {
        format!("http://127.0.0.1:{}", u32::from(PORT_BASE) + 10 * shard + 1000 * validator)
    }

    /// REST of a validator's beacon node.
    pub(crate) fn beacon(&self, validator: usize) -> String {
        let description = self.description();
        description["validators"][validator]["beacon"].as_str().expect("an address").to_owned()
    }

    pub(crate) fn client(&self, shard: u32, validator: u32) -> Client {
        Client::new(self.url(shard, validator)).expect("a valid address")
    }

    /// The ends of all logs, for a failing test's report.
    pub(crate) fn logs(&self) -> String {
        let Ok(entries) = std::fs::read_dir(self.data_dir().join("logs")) else { return String::new() };
        let mut logs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        logs.sort();
        logs.iter().map(|log| format!("--- {}\n{}\n", log.display(), tail(log))).collect()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.logs());
        }
        self.down();
    }
}

fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// `kill -9` of these processes.
pub(crate) fn kill_9(pids: &[u32]) {
    let status = Command::new("kill").arg("-9").args(pids.iter().map(ToString::to_string)).status();
    assert!(status.expect("kill exists").success(), "cannot kill {pids:?}");
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

/// Polls until `done`, or fails the test naming what did not happen.
pub(crate) fn wait_until(what: &str, timeout: Duration, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + timeout;
    while !done() {
        assert!(Instant::now() < deadline, "did not happen within {timeout:?}: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// A call that must succeed.
pub(crate) fn call(client: &Client, method: &str, params: Value) -> Value {
    block_on(client.request(method, params)).unwrap_or_else(|error| panic!("{method}: {error}"))
}

/// Height of a block by tag.
pub(crate) fn height(client: &Client, tag: &str) -> Option<u64> {
    let block = block_on(client.request("eth_getBlockByNumber", json!([tag, false]))).ok()?;
    Some(quantity(&block["number"]))
}

/// A hexadecimal quantity.
pub(crate) fn quantity(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or_else(|| panic!("expected a quantity, found {value}"));
    u64::from_str_radix(text.trim_start_matches("0x"), 16).expect("hexadecimal")
}
