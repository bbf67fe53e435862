//! Commits, reads, rewinds and refusals of a store that does not crash.

use std::ops::Bound;

use alloy_primitives::B256;
use storage::{
    Batch, DecodeError, Durability, KEY_BYTES_MAX, Key, MemoryDisk, Ssz, StorageError, Store, StoreConfig,
    Table, Value,
};

use crate::support::{
    self, Balances, Names, Notes, TABLES, Undeclared, balances, config, lazy, memory, on_both_backends, open,
    put, records,
};

#[test]
fn a_commit_is_visible_at_once_and_stays_when_the_tables_have_it() {
    on_both_backends(lazy(Durability::Process), |store| {
        store.commit(7, b"seven", put(1, 10)).unwrap();
        for _ in 0..2 {
            assert_eq!(store.get::<Balances>(&1).unwrap(), Some(10));
            assert_eq!(store.get::<Balances>(&2).unwrap(), None);
            assert_eq!(store.record(7).unwrap().as_deref(), Some(b"seven".as_slice()));
            assert_eq!(store.last_sequence(), Some(7));
            store.flush().unwrap();
        }
    });
}

#[test]
fn ranges_merge_what_is_pending_with_the_tables() {
    on_both_backends(lazy(Durability::Process), |store| {
        let mut batch = Batch::new();
        for key in 0..10 {
            batch.put::<Balances>(&key, &key);
        }
        store.commit(0, b"", batch).unwrap();
        store.flush().unwrap();
        let mut batch = put(3, 300);
        batch.delete::<Balances>(&4);
        batch.put::<Balances>(&20, &20);
        store.commit(1, b"", batch).unwrap();
        let mut batch = put(4, 400);
        batch.delete::<Balances>(&9);
        batch.delete::<Balances>(&99);
        store.commit(2, b"", batch).unwrap();

        let all = [(0, 0), (1, 1), (2, 2), (3, 300), (4, 400), (5, 5), (6, 6), (7, 7), (8, 8), (20, 20)];
        assert_eq!(balances(store), all);
        assert_eq!(store.range::<Balances>(3..=4, 9).unwrap(), [(3, 300), (4, 400)]);
        assert_eq!(store.range::<Balances>(8.., 9).unwrap(), [(8, 8), (20, 20)]);
        assert_eq!(store.range::<Balances>(.., 1).unwrap(), [(0, 0)]);
        assert_eq!(store.last::<Balances>().unwrap(), Some((20, 20)));
        assert_eq!(store.first_at_or_after::<Balances>(&9).unwrap(), Some((20, 20)));
        assert_eq!(store.first_at_or_after::<Balances>(&21).unwrap(), None);
        let snapshot = store.snapshot().unwrap();
        let reversed = |range: (Bound<u64>, Bound<u64>)| -> Vec<u64> {
            snapshot.range_reversed::<Balances>(range).unwrap().map(|entry| entry.unwrap().0).collect()
        };
        assert_eq!(reversed((Bound::Excluded(2), Bound::Excluded(5))), [4, 3]);
        assert_eq!(reversed((Bound::Included(7), Bound::Included(9))), [8, 7]);
        assert_eq!(reversed((Bound::Unbounded, Bound::Included(1))), [1, 0]);
        let inverted = (Bound::Included(5), Bound::Excluded(3));
        assert_eq!(reversed(inverted), [0_u64; 0]);
        assert_eq!(reversed((Bound::Excluded(3), Bound::Excluded(3))), [0_u64; 0]);
        assert_eq!(store.range::<Balances>(inverted, 9).unwrap(), []);
    });
}

#[test]
fn a_snapshot_never_changes_and_never_shows_half_a_commit() {
    const COMMITS: u64 = 1500;
    const READS: u64 = 3000;
    let directory = support::directory();
    // The tables change all the time, so that readers meet every moment of that.
    let store = open(directory.path(), StoreConfig { flush_commits: 1, ..config(Durability::Process) });
    let both = |value: u64| {
        let mut batch = put(1, value);
        batch.put::<Balances>(&2, &value);
        batch.put::<Notes>(&(B256::ZERO, 0), &value.to_be_bytes().to_vec());
        batch
    };
    store.commit(0, b"", both(0)).unwrap();
    let read = |seen: &mut u64| {
        let snapshot = store.snapshot().unwrap();
        let sequence = snapshot.sequence().unwrap();
        assert!(sequence >= *seen, "{sequence} after {seen}");
        *seen = sequence;
        for _ in 0..2 {
            assert_eq!(snapshot.get::<Balances>(&1).unwrap(), Some(sequence));
            let entries: Vec<_> = snapshot.range::<Balances>(..).unwrap().map(Result::unwrap).collect();
            assert_eq!(entries, [(1, sequence), (2, sequence)]);
            let note = snapshot.last::<Notes>().unwrap().unwrap().1;
            assert_eq!(note, sequence.to_be_bytes());
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for sequence in 1..=COMMITS {
                store.commit(sequence, b"", both(sequence)).unwrap();
                assert_eq!(
                    store.get::<Balances>(&2).unwrap(),
                    Some(sequence),
                    "a commit is read by who made it"
                );
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                let mut seen = 0;
                (0..READS).for_each(|_| read(&mut seen));
            });
        }
    });
    assert_eq!(store.last_sequence(), Some(COMMITS));
}

#[test]
fn a_rewind_takes_back_records_and_changes_together() {
    on_both_backends(lazy(Durability::Process), |store| {
        store.commit(0, b"zero", put(1, 10)).unwrap();
        let change = put(1, 11);
        let undo = store.snapshot().unwrap().inverse(&change).unwrap();
        assert_eq!(undo, put(1, 10));
        assert_eq!(store.decode_batch(&undo.encode()).unwrap(), Some(undo.clone()));
        store.commit(1, &undo.encode(), change).unwrap();
        store.flush().unwrap();
        store.rewind_to(0, undo).unwrap();
        assert_eq!(balances(store), [(1, 10)]);
        assert_eq!(records(store), [(0, b"zero".to_vec())]);
        assert_eq!(store.last_sequence(), Some(0));
        store.commit(1, b"another", put(2, 20)).unwrap();
        assert_eq!(records(store), [(0, b"zero".to_vec()), (1, b"another".to_vec())]);
    });
}

#[test]
fn sequences_rise_by_one_and_rewinds_go_back() {
    on_both_backends(lazy(Durability::Process), |store| {
        assert!(matches!(store.rewind_to(0, Batch::new()), Err(StorageError::NotBack { to: 0, last: None })));
        store.commit(5, b"", put(1, 1)).unwrap();
        for found in [4, 5, 7] {
            assert!(matches!(
                store.commit(found, b"", put(1, 2)),
                Err(StorageError::NotNext { expected: 6, found: refused }) if refused == found
            ));
        }
        assert!(matches!(
            store.rewind_to(5, Batch::new()),
            Err(StorageError::NotBack { to: 5, last: Some(5) })
        ));
        store.write(put(1, 3)).unwrap();
        store.commit(6, b"", Batch::new()).unwrap();
        assert_eq!(balances(store), [(1, 3)]);
    });
}

#[test]
fn keys_and_tables_that_mdbx_would_abort_on_are_refused() {
    on_both_backends(lazy(Durability::Process), |store| {
        let with_key = |length: usize| {
            let mut batch = Batch::new();
            batch.put::<Names>(&vec![7; length], &());
            batch
        };
        for found in [0, KEY_BYTES_MAX + 1] {
            assert!(matches!(
                store.write(with_key(found)),
                Err(StorageError::KeyLength { table: Names::NAME, found: refused, max: KEY_BYTES_MAX }) if refused == found
            ));
        }
        store.write(with_key(1)).unwrap();
        store.write(with_key(KEY_BYTES_MAX)).unwrap();
        store.flush().unwrap();
        assert_eq!(store.last::<Names>().unwrap(), Some((vec![7; KEY_BYTES_MAX], ())));

        let mut batch = Batch::new();
        batch.put::<Undeclared>(&1, &1);
        assert!(
            matches!(store.write(batch), Err(StorageError::UnknownTable { name }) if &*name == Undeclared::NAME)
        );
    });
}

#[test]
fn large_values_and_an_empty_value_come_back_from_the_tables() {
    on_both_backends(lazy(Durability::Process), |store| {
        let large = vec![0xa5; 3 << 20];
        let mut batch = Batch::new();
        batch.put::<Notes>(&(B256::ZERO, 1), &large);
        batch.put::<Notes>(&(B256::ZERO, 2), &Vec::new());
        store.write(batch).unwrap();
        store.flush().unwrap();
        assert_eq!(store.get::<Notes>(&(B256::ZERO, 1)).unwrap(), Some(large));
        assert_eq!(store.last::<Notes>().unwrap(), Some(((B256::ZERO, 2), Vec::new())));
    });
}

#[test]
fn old_records_are_pruned_but_for_those_retained() {
    on_both_backends(config(Durability::Process), |store| {
        store.retain_from(30);
        for sequence in 0..100 {
            store.commit(sequence, &[1; 100], put(sequence % 7, sequence)).unwrap();
        }
        store.flush().unwrap();
        let oldest = store.first_record().unwrap();
        assert!((20..=30).contains(&oldest), "{oldest}");
        store.retain_from(u64::MAX);
        store.commit(100, &[1; 100], put(0, 1)).unwrap();
        store.flush().unwrap();
        let oldest = store.first_record().unwrap();
        assert!((80..=93).contains(&oldest), "{oldest}");
        assert_eq!(store.records_from(95).unwrap().count(), 6);
        assert!(matches!(
            store.records_from(oldest - 1),
            Err(StorageError::Pruned { sequence, oldest: kept }) if sequence == oldest - 1 && kept == oldest
        ));
        assert_eq!(store.record(0).unwrap(), None);
    });
}

#[test]
fn records_that_are_being_read_survive_pruning() {
    on_both_backends(config(Durability::Process), |store| {
        store.commit(0, b"first", put(0, 0)).unwrap();
        let early = store.records_from(0).unwrap();
        for sequence in 1..100 {
            store.commit(sequence, &[1; 100], put(0, sequence)).unwrap();
        }
        store.flush().unwrap();
        assert!(store.first_record().unwrap() > 0);
        assert_eq!(early.map(Result::unwrap).collect::<Vec<_>>(), [(0, b"first".to_vec())]);
    });
}

#[test]
fn a_second_opening_is_refused_until_the_first_and_its_snapshots_are_gone() {
    let directory = support::directory();
    let disk = MemoryDisk::new();
    let reopen = |open: &dyn Fn() -> Result<Store, StorageError>| {
        let store = open().unwrap();
        store.commit(1, b"", put(1, 1)).unwrap();
        assert!(matches!(open(), Err(StorageError::Locked { .. })));
        let snapshot = store.snapshot().unwrap();
        drop(store);
        assert!(matches!(open(), Err(StorageError::Locked { .. })));
        assert_eq!(snapshot.get::<Balances>(&1).unwrap(), Some(1));
        drop(snapshot);
        assert_eq!(open().unwrap().last_sequence(), Some(1));
    };
    reopen(&|| Store::open(directory.path(), lazy(Durability::Power)));
    reopen(&|| Store::memory(&disk, lazy(Durability::Power)));
}

#[test]
fn a_directory_whose_creation_was_interrupted_is_refused() {
    let directory = support::directory();
    drop(open(directory.path(), lazy(Durability::Power)));
    drop(open(directory.path(), lazy(Durability::Power)));
    let format = directory.path().join("FORMAT");

    std::fs::write(&format, "atoll storage 2\n").unwrap();
    let refused = Store::open(directory.path(), lazy(Durability::Power)).unwrap_err();
    assert!(matches!(refused, StorageError::Version { expected: 1, found: 2, .. }), "{refused}");

    std::fs::write(&format, "else").unwrap();
    let refused = Store::open(directory.path(), lazy(Durability::Power)).unwrap_err();
    assert!(matches!(refused, StorageError::Corrupt { .. }), "{refused}");

    std::fs::remove_file(&format).unwrap();
    let refused = Store::open(directory.path(), lazy(Durability::Power)).unwrap_err();
    assert!(matches!(refused, StorageError::HalfWritten { .. }), "{refused}");
}

#[test]
fn a_full_disk_refuses_the_commit_and_takes_it_when_there_is_room() {
    let disk = MemoryDisk::new();
    let store = memory(&disk, lazy(Durability::Power));
    store.commit(0, b"", put(1, 1)).unwrap();
    disk.set_capacity(Some(300));
    assert!(matches!(store.commit(1, &[0; 300], put(1, 2)), Err(StorageError::Full { .. })));
    assert_eq!((store.last_sequence(), balances(&store)), (Some(0), vec![(1, 1)]));
    store.commit(1, b"small", put(1, 3)).unwrap();
    disk.set_capacity(None);
    store.commit(2, &[0; 300], put(1, 4)).unwrap();
    drop(store);
    let store = memory(&disk, lazy(Durability::Power));
    assert_eq!((store.last_sequence(), balances(&store)), (Some(2), vec![(1, 4)]));
    assert_eq!(store.recovery().cut_bytes, 0);
}

#[test]
fn full_tables_stop_commits_before_memory_runs_out() {
    let directory = support::directory();
    let config = StoreConfig {
        map_bytes_max: 16 << 20,
        flush_bytes: 1 << 20,
        pending_bytes_max: 4 << 20,
        ..StoreConfig::new(Durability::Process, TABLES)
    };
    let store = open(directory.path(), config.clone());
    let mut refused = None;
    for sequence in 0..64 {
        let mut batch = Batch::new();
        batch.put::<Notes>(&(B256::ZERO, sequence as u32), &vec![1; 1 << 20]);
        if let Err(error) = store.commit(sequence, b"", batch) {
            refused = Some((sequence, error));
            break;
        }
    }
    let (sequence, error) = refused.expect("64 MiB do not fit");
    assert!(matches!(error, StorageError::TablesFull { bytes_max } if bytes_max == 16 << 20), "{error}");
    drop(store);
    let store = open(directory.path(), StoreConfig { map_bytes_max: 256 << 20, ..config });
    assert_eq!(store.last_sequence(), Some(sequence - 1));
    assert_eq!(store.range::<Notes>(.., usize::MAX).unwrap().len() as u64, sequence);
    store.flush().unwrap();
}

#[test]
fn a_value_of_another_type_is_an_error_that_names_the_table() {
    enum Wrong {}
    impl Table for Wrong {
        const NAME: &'static str = Balances::NAME;
        type Key = u64;
        type Value = u32;
    }
    on_both_backends(lazy(Durability::Process), |store| {
        store.write(put(1, 1)).unwrap();
        let refused = store.get::<Wrong>(&1).unwrap_err();
        let source = DecodeError::Length { expected: 4, found: 8 };
        assert!(
            matches!(refused, StorageError::Decode { table: "balances", source: found } if found == source)
        );
    });
}

#[test]
fn ssz_values_round_trip_and_refuse_what_is_not_theirs() {
    let mut bytes = Vec::new();
    Ssz(0x0102_0304_u32).encode(&mut bytes);
    assert_eq!(bytes, [4, 3, 2, 1]);
    assert_eq!(Ssz::<u32>::decode(&bytes), Ok(Ssz(0x0102_0304)));
    assert_eq!(Ssz::<u64>::decode(&bytes), Err(DecodeError::Invalid { what: "SSZ encoding" }));
}

/// Changing this changes what is on disk: raise the format's version with it.
#[test]
fn the_encoding_of_a_batch_is_frozen() {
    let mut batch = put(0x0102, 0x0304);
    batch.delete::<Balances>(&0x0506);
    batch.put::<Names>(&b"ab".to_vec(), &());
    let encoded = [
        "02000000",
        "08000000 62616c616e636573 02000000",
        "08000000 0000000000000102 01 08000000 0000000000000304",
        "08000000 0000000000000506 00",
        "05000000 6e616d6573 01000000",
        "02000000 6162 01 00000000",
    ];
    let encoded = alloy_primitives::hex::decode(encoded.concat().replace(' ', "")).unwrap();
    assert_eq!(batch.encode(), encoded);
    let store = memory(&MemoryDisk::new(), lazy(Durability::Process));
    assert_eq!(store.decode_batch(&encoded).unwrap(), Some(batch));
    for length in 0..encoded.len() {
        assert_eq!(store.decode_batch(&encoded[..length]).unwrap(), None, "{length} bytes");
    }
    assert_eq!(store.decode_batch(&[encoded, vec![0]].concat()).unwrap(), None);
}

proptest::proptest! {
    #[test]
    fn keys_order_as_their_encodings_and_round_trip(
        a in proptest::prelude::any::<(u8, u64, Vec<u8>)>(),
        b in proptest::prelude::any::<(u8, u64, Vec<u8>)>(),
    ) {
        proptest::prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        proptest::prop_assert_eq!(<(u8, u64, Vec<u8>) as Key>::decode(&a.to_bytes()), Ok(a));
    }

    #[test]
    fn batches_round_trip_and_other_bytes_do_not_panic(
        changes in proptest::collection::vec((proptest::prelude::any::<u64>(), proptest::prelude::any::<Option<u64>>()), 0..20),
        position in proptest::prelude::any::<proptest::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let mut batch = Batch::new();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put::<Balances>(&key, &value),
                None => batch.delete::<Balances>(&key),
            }
        }
        let store = memory(&MemoryDisk::new(), lazy(Durability::Process));
        let mut encoded = batch.encode();
        proptest::prop_assert_eq!(store.decode_batch(&encoded).unwrap(), Some(batch.clone()));
        let position = position.index(encoded.len());
        encoded[position] ^= flip;
        // A flipped byte of a key or value is another batch; anything else is refused.
        proptest::prop_assert_ne!(store.decode_batch(&encoded).ok().flatten(), Some(batch));
    }
}
