//! Benchmarks, in `benches/`; here only what several of them measure alike.

mod asker;
mod asking;
mod delay;
mod network;
mod spread;

pub use asker::Asker;
pub use asking::{block_times, call, height, millis, quantity};
pub use network::Network;
pub use spread::Spread;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The `atoll` that is measured: the one that `ATOLL_BENCH_BINARY` names, or the one beside the bench in the target
/// folder.
pub fn atoll() -> PathBuf {
    let beside = env::current_exe().ok().and_then(|bench| Some(bench.parent()?.parent()?.join("atoll")));
    let binary = env::var_os("ATOLL_BENCH_BINARY").map(PathBuf::from).or(beside).expect("a place to look");
    assert!(binary.exists(), "{} is missing: run `cargo build --release` first", binary.display());
    binary
}

/// Memory of a process as its status has it, by name: `VmRSS` is all that is resident, `RssAnon` that without what a file
/// stands behind, such as a database's pages; `process` is its folder under `/proc`.
pub fn memory_kib(process: &Path, name: &str) -> u64 {
    let status = fs::read_to_string(process.join("status")).expect("the process runs");
    let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned());
    let found = status.lines().find_map(value).expect("its memory");
    found.trim_end_matches(" kB").parse().expect("a number")
}

/// Time that a process has spent, in user mode and in the kernel; `process` is its folder under `/proc`.
pub fn cpu_seconds(process: &Path) -> f64 {
    let stat = fs::read_to_string(process.join("stat")).expect("the process runs");
    let (_, fields) = stat.rsplit_once(") ").expect("the name is in parentheses");
    let ticks: u64 =
        fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    // USER_HZ is 100 on every architecture this runs on.
    ticks as f64 / 100.0
}
