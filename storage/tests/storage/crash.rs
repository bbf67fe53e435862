//! What is left after a torn write, and what is refused after damage.

use std::{
    fs,
    path::{Path, PathBuf},
};

use storage::{Batch, Corruption, Durability, MemoryDisk, StorageError, Store, StoreConfig};

use crate::support::{self, Balances, balances, lazy, memory, open, put, records};

const COMMITS: u64 = 6;

/// A closed store of [`COMMITS`] commits whose tables have nothing, as after `kill -9`; returns the
/// journal's files.
fn written(directory: &Path, segment_bytes: u64) -> Vec<PathBuf> {
    let path = directory.join("store");
    let store = open(&path, StoreConfig { segment_bytes, ..lazy(Durability::Process) });
    for sequence in 0..COMMITS {
        store.commit(sequence, &[sequence as u8; 20], put(sequence, sequence)).unwrap();
    }
    drop(store);
    empty_tables(&path);
    let files = fs::read_dir(path.join("journal")).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Takes from the tables what closing the store has written.
fn empty_tables(store: &Path) {
    for entry in fs::read_dir(store.join("tables")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

fn reopened(directory: &Path) -> Result<Store, StorageError> {
    Store::open(directory.join("store"), lazy(Durability::Process))
}

/// A store cut to any length is at a commit, and goes on from there.
fn check_prefix(store: &Store, context: &str) -> u64 {
    let count = store.last_sequence().map_or(0, |last| last + 1);
    let expected: Vec<_> = (0..count).map(|sequence| (sequence, sequence)).collect();
    assert_eq!(balances(store), expected, "{context}");
    assert_eq!(records(store).len() as u64, count, "{context}");
    count
}

#[test]
fn a_journal_cut_at_any_byte_opens_at_the_last_whole_commit() {
    let directory = support::directory();
    let files = written(directory.path(), 1 << 20);
    let [file] = files.as_slice() else { panic!("one segment expected, found {files:?}") };
    let whole = fs::read(file).unwrap();
    let record = (whole.len() - 48) / COMMITS as usize;
    for length in 0..=whole.len() {
        fs::write(file, &whole[..length]).unwrap();
        let store = reopened(directory.path()).unwrap();
        let count = check_prefix(&store, &format!("cut to {length} bytes"));
        assert_eq!(count, (length.saturating_sub(48) / record) as u64, "cut to {length} bytes");
        let torn = if length <= 48 { length % 48 } else { (length - 48) % record };
        assert_eq!(store.recovery().cut_bytes, torn as u64, "cut to {length} bytes");
        store.commit(count, b"", put(count, count)).unwrap();
        assert_eq!(store.get::<Balances>(&count).unwrap(), Some(count));
        drop(store);
        empty_tables(&directory.path().join("store"));
    }
}

#[test]
fn a_flipped_byte_before_the_last_record_is_refused_and_located() {
    let directory = support::directory();
    let files = written(directory.path(), 1 << 20);
    let whole = fs::read(&files[0]).unwrap();
    let record = (whole.len() - 48) / COMMITS as usize;
    let last = whole.len() - record;
    for position in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x10;
        fs::write(&files[0], &damaged).unwrap();
        let opened = reopened(directory.path());
        if position >= last {
            // A damaged last record cannot be told from a torn one.
            let store = opened.unwrap();
            assert_eq!(store.last_sequence(), Some(COMMITS - 2));
            // Closing would write the tables, which the next positions need empty.
            drop(store);
            break;
        }
        let start = if position < 48 { 0 } else { position - (position - 48) % record };
        let what = if position < 48 { Corruption::SegmentHeader } else { Corruption::Record };
        match opened {
            Err(StorageError::Corrupt { file, offset, what: found }) => {
                assert_eq!((file, offset, found), (files[0].clone(), start as u64, what), "byte {position}");
            }
            other => panic!("byte {position}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_segment_is_refused() {
    let missing = |index: usize| {
        let directory = support::directory();
        let files = written(directory.path(), 150);
        assert!(files.len() >= 3, "{files:?}");
        fs::remove_file(&files[index]).unwrap();
        match reopened(directory.path()) {
            Err(StorageError::Corrupt { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(missing(0), Corruption::MissingStart { tables: 0, .. }));
    assert!(matches!(missing(1), Corruption::MissingSegment { .. }));
}

#[test]
fn a_journal_that_ends_before_the_tables_is_refused() {
    let directory = support::directory();
    let files = written(directory.path(), 1 << 20);
    drop(reopened(directory.path()).unwrap()); // closing brings the tables up to date
    let whole = fs::read(&files[0]).unwrap();
    fs::write(&files[0], &whole[..whole.len() - 1]).unwrap();
    match reopened(directory.path()) {
        Err(StorageError::Corrupt { what, .. }) => {
            assert_eq!(what, Corruption::MissingEnd { tables: COMMITS, journal: COMMITS - 1 });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_finished_segment_that_was_damaged_is_refused_when_its_record_is_read() {
    let directory = support::directory();
    let files = written(directory.path(), 150);
    drop(reopened(directory.path()).unwrap());
    let mut damaged = fs::read(&files[0]).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&files[0], &damaged).unwrap();
    let store = reopened(directory.path()).unwrap();
    let (bad, good): (Vec<_>, Vec<_>) = store.records_from(0).unwrap().partition(Result::is_err);
    assert_eq!((bad.len(), good.len()), (1, COMMITS as usize - 1));
    let Err(StorageError::Corrupt { file, what, .. }) = &bad[0] else { panic!("{bad:?}") };
    assert_eq!((file, *what), (&files[0], Corruption::Checksum));
}

#[test]
fn a_payload_made_to_look_like_records_does_not_pass_for_one() {
    // The whole journal of another store, whose record numbers are higher, as a payload...
    let other = support::directory();
    let copied = fs::read(&written(other.path(), 1 << 20)[0]).unwrap();
    let directory = support::directory();
    let path = directory.path().join("store");
    let store = open(&path, lazy(Durability::Process));
    store.commit(0, &copied, Batch::new()).unwrap();
    drop(store);
    empty_tables(&path);
    // ...of a record that was torn.
    let journal = fs::read_dir(path.join("journal")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 1]).unwrap();
    let store = reopened(directory.path()).unwrap();
    assert_eq!(store.last_sequence(), None);
    assert_eq!(store.recovery().cut_bytes, whole.len() as u64 - 1 - 48);
}

#[test]
fn what_power_durability_acknowledged_survives_a_power_cut_at_any_operation() {
    for operations in 0..60 {
        for seed in 0..4 {
            let disk = MemoryDisk::new();
            let config = || support::config(Durability::Power);
            let store = memory(&disk, config());
            disk.power_off_after(operations);
            let acknowledged = (0..20)
                .take_while(|&sequence| store.commit(sequence, &[9; 40], put(sequence, sequence)).is_ok());
            let acknowledged = acknowledged.count() as u64;
            disk.crash(seed);
            drop(store);
            let store = memory(&disk, config());
            let found = store.last_sequence().map_or(0, |last| last + 1);
            let context = format!("power off after {operations} operations, seed {seed}");
            assert!(
                (acknowledged..=acknowledged + 1).contains(&found),
                "{context}: {found} of {acknowledged}"
            );
            assert_eq!(
                balances(&store),
                (0..found).map(|sequence| (sequence, sequence)).collect::<Vec<_>>(),
                "{context}"
            );
            store.commit(found, b"", put(found, found)).unwrap();
        }
    }
}

#[test]
fn process_durability_loses_only_the_end_in_a_power_cut() {
    let mut lost = 0;
    for seed in 0..200 {
        let disk = MemoryDisk::new();
        let config = || support::config(Durability::Process);
        let store = memory(&disk, config());
        let commits = 20 + seed % 10;
        for sequence in 0..commits {
            store.commit(sequence, &[9; 40], put(sequence, sequence)).unwrap();
        }
        disk.crash(seed);
        assert!(
            store.commit(commits, b"", put(1, 1)).is_err(),
            "a handle from before the crash still writes"
        );
        let store = memory(&disk, config());
        let found = store.last_sequence().map_or(0, |last| last + 1);
        lost += commits - found;
        assert_eq!(
            balances(&store),
            (0..found).map(|sequence| (sequence, sequence)).collect::<Vec<_>>(),
            "seed {seed}"
        );
        assert_eq!(store.get::<Balances>(&found).unwrap(), None);
    }
    assert!(lost > 0, "the simulated disk loses nothing");
}
