//! A local network of real processes.

use rpc::client::Client;
use serde_json::Value;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// A network that ends with its handle.
#[derive(Debug)]
pub struct Network {
    binary: PathBuf,
    folder: PathBuf,
    port_base: u16,
    ready: Duration,
}

impl Network {
    /// Starts one whose nodes listen from `port_base` on, with these environment variables.
    pub fn up(folder: &Path, port_base: u16, variables: &[(&str, &str)]) -> Self {
        let binary = crate::atoll();
        let start = Instant::now();
        let status = Command::new(&binary)
            .args(["testnet", "up", "--detach", "--fresh", "--json", "--port-base", &port_base.to_string()])
            .arg("--data-dir")
            .arg(folder)
            .envs(variables.iter().copied())
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.expect("atoll starts").success(), "the network did not start");
        Self { binary, folder: folder.to_owned(), port_base, ready: start.elapsed() }
    }

    /// How long it took to start.
    pub const fn ready(&self) -> Duration {
        self.ready
    }

    /// Where the first validator's node serves a shard.
    pub fn address(&self, shard: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port_base + 10 * shard).into()
    }

    /// Asks that node.
    pub fn client(&self, shard: u16) -> Client {
        Client::new(format!("http://{}", self.address(shard))).expect("a plain address")
    }

    /// What `atoll` says of it.
    pub fn description(&self) -> Value {
        let text = fs::read_to_string(self.folder.join("testnet.json")).expect("a description");
        serde_json::from_str(&text).expect("valid JSON")
    }

    fn processes(&self) -> Vec<PathBuf> {
        let description = self.description();
        let nodes = description["nodes"].as_array().expect("a list").iter();
        nodes.map(|node| Path::new("/proc").join(node["pid"].to_string())).collect()
    }

    /// Time that all processes have spent, in user mode and in the kernel.
    pub fn cpu_seconds(&self) -> f64 {
        self.processes().iter().map(|process| crate::cpu_seconds(process)).sum()
    }

    /// Resident memory of all processes.
    pub fn memory_mib(&self) -> u64 {
        let kib = self.processes().into_iter().map(|process| {
            let status = fs::read_to_string(process.join("status")).expect("the node runs");
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
            line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
        });
        kib.sum::<u64>() / 1_024
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let down =
            Command::new(&self.binary).args(["testnet", "down", "--data-dir"]).arg(&self.folder).status();
        if !down.is_ok_and(|status| status.success()) {
            eprintln!("the network in {} may still run", self.folder.display());
        }
    }
}
