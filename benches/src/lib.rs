//! Benchmarks, in `benches/`; here only what several of them measure alike.

use std::{fs, path::Path};

/// Time that a process has spent, in user mode and in the kernel; `process` is its folder under `/proc`.
pub fn cpu_seconds(process: &Path) -> f64 {
    let stat = fs::read_to_string(process.join("stat")).expect("the process runs");
    let (_, fields) = stat.rsplit_once(") ").expect("the name is in parentheses");
    let ticks: u64 =
        fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    // USER_HZ is 100 on every architecture this runs on.
    ticks as f64 / 100.0
}
