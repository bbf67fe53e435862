//! A durable commit of 20,000 random keys into a table of a million: what a block waits for.
//!
//! Three ways in turns, in one run, so that whatever else the machine does falls on all of them:
//! the store's commit (one sequential write, synced), the same with the tables brought up to date
//! as well, and one synced MDBX transaction without a journal, with the same settings. Keys come sorted in all three.
//! Medians of wall time, and of the CPU time of the whole process, which includes the flusher's.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, keccak256};
use signet_libmdbx::{DatabaseFlags, Environment, EnvironmentFlags, Geometry, WriteFlags, sys::PageSize};
use storage::{Batch, Durability, Store, StoreConfig, Table};

const ENTRIES: u64 = 1_000_000;
const CHANGES: u64 = 20_000;
const ROUNDS: usize = 15;
const VALUE_BYTES: usize = 40;

enum Accounts {}

impl Table for Accounts {
    const NAME: &'static str = "accounts";
    type Key = B256;
    type Value = Vec<u8>;
}

fn key(index: u64) -> B256 {
    keccak256(index.to_be_bytes())
}

fn value(round: u64, index: u64) -> Vec<u8> {
    let mut value = vec![0; VALUE_BYTES];
    value[..8].copy_from_slice(&round.to_be_bytes());
    value[8..16].copy_from_slice(&index.to_be_bytes());
    value
}

/// The keys that a round changes, sorted, with their new values.
fn changes(round: u64) -> Vec<(B256, Vec<u8>)> {
    let drawn = |draw: u64| {
        u64::from_be_bytes(keccak256((round << 32 | draw).to_le_bytes())[..8].try_into().unwrap())
    };
    let mut changes: Vec<_> =
        (0..CHANGES).map(|draw| (key(drawn(draw) % ENTRIES), value(round, draw))).collect();
    changes.sort_unstable();
    changes
}

fn batch(changes: &[(B256, Vec<u8>)]) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in changes {
        batch.put::<Accounts>(key, value);
    }
    batch
}

/// A store that moves commits to its tables only when it is told to.
fn filled_store(path: &Path) -> Store {
    let config = StoreConfig {
        flush_bytes: usize::MAX,
        flush_commits: usize::MAX,
        pending_bytes_max: usize::MAX,
        ..StoreConfig::new(Durability::Power, &[Accounts::NAME])
    };
    let store = Store::open(path, config).unwrap();
    let entries: Vec<_> = (0..ENTRIES).map(|index| (key(index), value(0, index))).collect();
    store.commit(0, &[], batch(&entries)).unwrap();
    store.flush().unwrap();
    store
}

fn filled_mdbx(path: &Path) -> Environment {
    fs::create_dir(path).unwrap();
    let environment = Environment::builder()
        .set_geometry(Geometry {
            size: Some(0..1 << 34),
            growth_step: Some(16 << 20),
            page_size: Some(PageSize::Set(4096)),
            ..Geometry::default()
        })
        .set_flags(EnvironmentFlags { no_rdahead: true, ..EnvironmentFlags::default() })
        .open(path)
        .unwrap();
    let mut entries: Vec<_> = (0..ENTRIES).map(|index| (key(index), value(0, index))).collect();
    entries.sort_unstable();
    commit_mdbx(&environment, &entries);
    environment
}

fn commit_mdbx(environment: &Environment, changes: &[(B256, Vec<u8>)]) {
    let transaction = environment.begin_rw_unsync().unwrap();
    let database = transaction.create_db(None, DatabaseFlags::empty()).unwrap();
    let mut cursor = transaction.cursor(database).unwrap();
    for (key, value) in changes {
        cursor.put(key.as_slice(), value, WriteFlags::UPSERT).unwrap();
    }
    drop(cursor);
    transaction.commit().unwrap();
}

/// CPU time of this process so far, all threads.
fn cpu_time() -> Duration {
    // Fields 14 and 15 of proc(5) stat, in ticks of which Linux reports 100 per second; the name in
    // parentheses before them may hold spaces.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Wall times of the rounds, and the CPU time of all of them.
#[derive(Default)]
struct Measured {
    wall: Vec<Duration>,
    cpu: Duration,
}

impl Measured {
    fn time(&mut self, work: impl FnOnce()) {
        let (cpu, wall) = (cpu_time(), Instant::now());
        work();
        self.wall.push(wall.elapsed());
        self.cpu += cpu_time() - cpu;
    }

    fn median_ms(&mut self) -> f64 {
        self.wall.sort_unstable();
        self.wall[self.wall.len() / 2].as_secs_f64() * 1e3
    }

    fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.wall.len() as f64
    }
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled_store(&directory.path().join("store"));
    let mdbx = filled_mdbx(&directory.path().join("mdbx"));
    let [mut append, mut tables, mut direct] = [(); 3].map(|()| Measured::default());
    for round in 1..=ROUNDS as u64 {
        let [first, second, third] = [0, 1, 2].map(|part| changes(3 * round + part));
        append.time(|| store.commit(2 * round - 1, &[], batch(&first)).unwrap());
        store.flush().unwrap();
        tables.time(|| {
            store.commit(2 * round, &[], batch(&second)).unwrap();
            store.flush().unwrap();
        });
        direct.time(|| commit_mdbx(&mdbx, &third));
    }
    let base = direct.median_ms();
    println!(
        "{CHANGES} random keys into {ENTRIES}, durable, {ROUNDS} rounds  wall ms (median)  CPU ms (mean)  of MDBX's wall"
    );
    for (name, measured) in
        [("commit", &mut append), ("commit, then tables", &mut tables), ("MDBX alone", &mut direct)]
    {
        let wall = measured.median_ms();
        println!("{name:<58}{wall:>18.1}{:>15.1}{:>16.2}", measured.cpu_ms(), wall / base);
    }
}
