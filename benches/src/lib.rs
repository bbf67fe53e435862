//! Benchmarks, in `benches/`; here only what several of them measure alike.

mod delay;
mod network;
mod spread;

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

/// Time that a process has spent, in user mode and in the kernel; `process` is its folder under `/proc`.
pub fn cpu_seconds(process: &Path) -> f64 {
    let stat = fs::read_to_string(process.join("stat")).expect("the process runs");
    let (_, fields) = stat.rsplit_once(") ").expect("the name is in parentheses");
    let ticks: u64 =
        fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    // USER_HZ is 100 on every architecture this runs on.
    ticks as f64 / 100.0
}
