//! A real process, really killed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use storage::{Durability, StoreConfig};

use crate::support::{balances, config, open, put};

const DIRECTORY: &str = "ATOLL_STORAGE_KILL_TEST_DIRECTORY";

/// Keeps nothing that is not needed to recover.
fn small() -> StoreConfig {
    StoreConfig { history_records: 0, ..config(Durability::Process) }
}

/// Not a test by itself: what the killed process runs.
#[test]
fn commits_until_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let store = open(Path::new(&directory), small());
    let first = store.last_sequence().map_or(0, |last| last + 1);
    for sequence in first.. {
        store.commit(sequence, &[3; 200], put(sequence, sequence)).expect("the commit succeeds");
        println!("acknowledged {sequence}");
    }
}

#[test]
fn every_acknowledged_commit_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = None;
    for round in 0..6_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::commits_until_killed", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let deadline = Instant::now() + Duration::from_millis(150 + 37 * round);
        let mut killed = false;
        for line in output.lines() {
            // A last line without its end may be cut short; a shorter number is still acknowledged.
            let line = line.unwrap();
            if let Some(sequence) = line.rsplit("acknowledged ").next().and_then(|text| text.parse().ok()) {
                acknowledged = acknowledged.max(Some(sequence));
            }
            if !killed && acknowledged.is_some() && Instant::now() >= deadline {
                child.kill().unwrap();
                killed = true;
            }
        }
        assert!(killed, "the child ended by itself");
        child.wait().unwrap();
        let store = open(directory.path(), small());
        let last = store.last_sequence();
        assert!(last >= acknowledged, "round {round}: acknowledged {acknowledged:?}, found {last:?}");
        let expected: Vec<_> = (0..=last.unwrap()).map(|sequence| (sequence, sequence)).collect();
        assert_eq!(balances(&store), expected);
    }
}
