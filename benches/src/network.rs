//! A local network of real processes.

use crate::delay;
use rpc::client::Client;
use serde_json::Value;
use std::{
    collections::BTreeMap,
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
        Self::up_with(folder, port_base, &[], variables)
    }

    /// Likewise, with these arguments.
    pub fn up_with(folder: &Path, port_base: u16, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let (binary, folder) = (crate::atoll(), folder.to_owned());
        let mut network = Self { binary, folder, port_base, ready: Duration::ZERO };
        network.start(&[&["--fresh"], arguments].concat(), variables);
        network
    }

    /// Starts it again on its data, with the arguments that it was made with.
    pub fn restart(&mut self, arguments: &[&str]) {
        self.stop();
        self.start(arguments, &[]);
    }

    fn start(&mut self, arguments: &[&str], variables: &[(&str, &str)]) {
        let start = Instant::now();
        let status = Command::new(&self.binary)
            .args(["testnet", "up", "--detach", "--json", "--port-base", &self.port_base.to_string()])
            .arg("--data-dir")
            .arg(&self.folder)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.expect("atoll starts").success(), "the network did not start");
        self.ready = start.elapsed();
    }

    /// Starts it again so that whatever its nodes say to each other takes `delay` longer, each way.
    pub fn lengthen(&mut self, delay: Duration) {
        self.stop();
        let mut relays = BTreeMap::new();
        for validator in fs::read_dir(&self.folder).expect("the network's folder").flatten() {
            for node in ["beacon-node.toml", "shard-node.toml"] {
                let file = validator.path().join(node);
                let Ok(text) = fs::read_to_string(&file) else { continue };
                let lines = text.lines().map(|line| through_relays(line, delay, &mut relays));
                let text = lines.collect::<Vec<_>>().join("\n");
                fs::write(&file, text).expect("its own folder");
            }
        }
        assert!(!relays.is_empty(), "nodes have peers");
        self.start(&[], &[]);
    }

    fn stop(&self) -> bool {
        let down =
            Command::new(&self.binary).args(["testnet", "down", "--data-dir"]).arg(&self.folder).status();
        down.is_ok_and(|status| status.success())
    }

    /// How long it took to start.
    pub const fn ready(&self) -> Duration {
        self.ready
    }

    /// Where the first validator's node serves a shard.
    pub fn address(&self, shard: u16) -> SocketAddr {
        self.address_of(0, shard)
    }

    /// Where a validator's node serves a shard.
    fn address_of(&self, validator: u16, shard: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port_base + 1_000 * validator + 10 * shard).into()
    }

    /// Asks that node.
    pub fn client(&self, shard: u16) -> Client {
        self.client_of(0, shard)
    }

    /// Asks a validator's node for a shard.
    pub fn client_of(&self, validator: u16, shard: u16) -> Client {
        Client::new(format!("http://{}", self.address_of(validator, shard))).expect("a plain address")
    }

    /// What `atoll` says of it.
    pub fn description(&self) -> Value {
        let text = fs::read_to_string(self.folder.join("testnet.json")).expect("a description");
        serde_json::from_str(&text).expect("valid JSON")
    }

    fn processes(&self) -> Vec<PathBuf> {
        self.pids().into_values().map(|pid| Path::new("/proc").join(pid.to_string())).collect()
    }

    /// The process of each node, by name.
    pub fn pids(&self) -> BTreeMap<String, u64> {
        let description = self.description();
        let nodes = description["nodes"].as_array().expect("a list").iter();
        let node = |node: &Value| {
            (node["name"].as_str().expect("a name").to_owned(), node["pid"].as_u64().expect("a process"))
        };
        nodes.map(node).collect()
    }

    /// Time that all processes have spent, in user mode and in the kernel.
    pub fn cpu_seconds(&self) -> f64 {
        self.processes().iter().map(|process| crate::cpu_seconds(process)).sum()
    }

    /// Resident memory of all processes.
    pub fn memory_mib(&self) -> u64 {
        self.processes().iter().map(|process| crate::memory_kib(process, "VmRSS")).sum::<u64>() / 1_024
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if !self.stop() {
            eprintln!("the network in {} may still run", self.folder.display());
        }
    }
}

/// A line in which the addresses of peers, `KEY@ADDRESS` each, are those of relays instead.
fn through_relays(line: &str, delay: Duration, relays: &mut BTreeMap<SocketAddr, SocketAddr>) -> String {
    let part = |part: &str| {
        let end = part.find(['"', '\'']).unwrap_or(part.len());
        let Ok(address) = part[..end].parse::<SocketAddr>() else { return part.to_owned() };
        let relay =
            relays.entry(address).or_insert_with(|| delay::relay(address, delay).expect("a free port"));
        format!("{relay}{}", &part[end..])
    };
    let (before, rest) = line.split_once('@').map_or((line, None), |(before, rest)| (before, Some(rest)));
    let parts = rest.into_iter().flat_map(|rest| rest.split('@')).map(part);
    std::iter::once(before.to_owned()).chain(parts).collect::<Vec<_>>().join("@")
}
