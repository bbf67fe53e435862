//! Which port is whose: fixed, so that a user can know them by heart.
//!
//! Validator *v*: shard *i*'s JSON-RPC on 8545 + 10·i + 1000·v, beacon REST on 5052 + 1000·v, metrics on
//! 5054 + 1000·v (beacon) and 9101 + 1000·v (shards), validators' networks on 9200 and 9201 + 1000·v.
//! `--port-base` moves all of them together: it is the number that stands for 8545.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread::sleep,
    time::{Duration, Instant},
};

/// JSON-RPC port of the first shard of the first validator, unless moved.
pub(super) const PORT_BASE: u16 = 8545;
const STRIDE: u32 = 1000;
const SHARD_STRIDE: u32 = 10;
/// How long a port that nobody seems to hold is waited for.
const LINGER: Duration = Duration::from_secs(3);

/// The ports of one validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    base: u16,
    validator: u32,
}

/// The numbers asked for do not fit into 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooHigh;

impl Ports {
    /// Ports of `validator`, if all of them exist.
    pub fn new(base: u16, validator: u32, shards: u32) -> Result<Self, TooHigh> {
        let ports = Self { base, validator };
        let highest = [9201, PORT_BASE as u32 + SHARD_STRIDE * shards.saturating_sub(1)].into_iter().max();
        match ports.shifted(highest.unwrap_or_default()) {
            Some(_) if ports.shifted(5052).is_some() => Ok(ports),
            _ => Err(TooHigh),
        }
    }

    fn shifted(&self, port: u32) -> Option<u16> {
        let shift = i64::from(self.base) - i64::from(PORT_BASE);
        let port = i64::from(port) + i64::from(STRIDE) * i64::from(self.validator) + shift;
        u16::try_from(port).ok().filter(|port| *port >= 1024)
    }

    fn port(&self, port: u32) -> u16 {
        self.shifted(port).expect("the highest and the lowest port exist: checked in new")
    }

    /// JSON-RPC of a shard.
    pub fn rpc(&self, shard: u32) -> u16 {
        self.port(u32::from(PORT_BASE) + SHARD_STRIDE * shard)
    }

    /// REST of the beacon node.
    pub fn rest(&self) -> u16 {
        self.port(5052)
    }

    /// Metrics page of the beacon node.
    pub fn beacon_metrics(&self) -> u16 {
        self.port(5054)
    }

    /// Metrics page of the shard node.
    pub fn shard_metrics(&self) -> u16 {
        self.port(9101)
    }

    /// The beacon node on its validators' network.
    pub fn beacon_network(&self) -> u16 {
        self.port(9200)
    }

    /// The shard node on its validators' network.
    pub fn shard_network(&self) -> u16 {
        self.port(9201)
    }

    /// All of them, with what each is for.
    pub fn all(&self, shards: u32) -> Vec<(u16, String)> {
        let validator = self.validator;
        let mut all = vec![
            (self.rest(), format!("beacon REST of validator {validator}")),
            (self.beacon_metrics(), format!("beacon metrics of validator {validator}")),
            (self.shard_metrics(), format!("shard metrics of validator {validator}")),
            (self.beacon_network(), format!("beacon network of validator {validator}")),
            (self.shard_network(), format!("shard network of validator {validator}")),
        ];
        all.extend(
            (0..shards).map(|shard| {
                (self.rpc(shard), format!("JSON-RPC of shard {shard} of validator {validator}"))
            }),
        );
        all
    }
}

/// An address on this machine only.
pub(super) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Whether `port` can be listened on now.
fn is_free(port: u16) -> bool {
    TcpListener::bind(loopback(port)).is_ok()
}

/// Whether `port` is free, or becomes so at once: a node that was just killed holds its ports a moment longer than
/// it can be seen.
pub(super) fn becomes_free(port: u16) -> bool {
    let deadline = Instant::now() + LINGER;
    while !is_free(port) {
        if owner(port).is_some() || Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
    true
}

/// "name (pid N)" of the process that listens on `port`, where the system tells.
pub(super) fn owner(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| listening_inode(table, port))?;
    let wanted = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let holds = fs::read_dir(process.path().join("fd"))
            .ok()?
            .flatten()
            .any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy() == wanted));
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        holds.then(|| format!("{} (pid {pid})", name.trim()))
    })
}

/// Inode of the socket that listens on `port`, from a table of the kernel's.
fn listening_inode(table: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    fs::read_to_string(table).ok()?.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        let matches = u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&LISTEN);
        matches.then(|| fields.get(9).map(ToString::to_string))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented ports, unmoved and moved.
    #[test]
    fn ports_are_where_the_manual_says() {
        let first = Ports::new(PORT_BASE, 0, 3).unwrap();
        assert_eq!(
            (first.rpc(1), first.rest(), first.beacon_metrics(), first.shard_metrics()),
            (8555, 5052, 5054, 9101)
        );
        let third = Ports::new(18545, 2, 3).unwrap();
        assert_eq!((third.rpc(0), third.rest(), third.shard_network()), (20545, 17052, 21201));
    }

    /// Ports that do not exist are refused before anything starts.
    #[test]
    fn impossible_ports_are_refused() {
        assert_eq!(Ports::new(65000, 0, 3), Err(TooHigh));
        assert_eq!(Ports::new(2000, 0, 3), Err(TooHigh));
        assert_eq!(Ports::new(PORT_BASE, 60, 3), Err(TooHigh));
    }

    /// A taken port is seen, and its owner found: this very process.
    #[test]
    fn owner_of_a_taken_port_is_found() {
        let listener = TcpListener::bind(loopback(0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        assert!(owner(port).unwrap().ends_with(&format!("(pid {})", std::process::id())));
    }
}
