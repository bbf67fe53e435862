//! A store against the simplest thing that could do its work: maps that are copied.

use std::collections::BTreeMap;

use proptest::prelude::*;
use storage::{Batch, Durability, MemoryDisk, Store};

use crate::support::{self, Balances, HISTORY_RECORDS, balances, config, memory, open, put, records};

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(u64, Option<u64>)>),
    Write(Vec<(u64, Option<u64>)>),
    Rewind(u64),
    Flush,
    Reopen,
    /// The power goes after so many operations; the seed decides what stays.
    Crash {
        operations: u64,
        seed: u64,
        during: Vec<(u64, Option<u64>)>,
    },
    Range(u64, u64),
}

fn changes() -> impl Strategy<Value = Vec<(u64, Option<u64>)>> {
    prop::collection::vec((0..20_u64, prop::option::weighted(0.7, any::<u64>())), 0..8)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => changes().prop_map(Step::Commit),
        2 => changes().prop_map(Step::Write),
        2 => (1..4_u64).prop_map(Step::Rewind),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        1 => (0..6_u64, any::<u64>(), changes())
            .prop_map(|(operations, seed, during)| Step::Crash { operations, seed, during }),
        2 => (0..20_u64, 0..20_u64).prop_map(|(from, to)| Step::Range(from, to)),
    ]
}

/// The balances after each commit that counts.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    now: BTreeMap<u64, u64>,
    /// Sequence to the state right after its commit.
    committed: BTreeMap<u64, BTreeMap<u64, u64>>,
    /// Records from here on have always been among the last ones.
    kept_from: u64,
}

impl Model {
    fn next(&self) -> u64 {
        self.committed.last_key_value().map_or(0, |(last, _)| last + 1)
    }

    fn apply(&mut self, changes: &[(u64, Option<u64>)]) {
        for &(key, value) in changes {
            match value {
                Some(value) => drop(self.now.insert(key, value)),
                None => drop(self.now.remove(&key)),
            }
        }
    }

    fn commit(&mut self, changes: &[(u64, Option<u64>)]) {
        self.apply(changes);
        self.committed.insert(self.next(), self.now.clone());
        self.kept_from = self.kept_from.max(self.next().saturating_sub(HISTORY_RECORDS));
    }

    /// The batch that leads back to the state after `sequence`, which becomes the present one.
    fn rewind(&mut self, sequence: u64) -> Batch {
        let target = self.committed[&sequence].clone();
        let mut batch = Batch::new();
        for key in self.now.keys() {
            batch.delete::<Balances>(key);
        }
        for (key, value) in &target {
            batch.put::<Balances>(key, value);
        }
        self.committed.retain(|&commit, _| commit <= sequence);
        self.now = target;
        batch
    }

    fn check(&self, store: &Store) -> Result<(), TestCaseError> {
        prop_assert_eq!(balances(store), self.now.clone().into_iter().collect::<Vec<_>>());
        prop_assert_eq!(store.last_sequence(), self.committed.last_key_value().map(|(&last, _)| last));
        let records = records(store);
        for (sequence, record) in &records {
            prop_assert!(self.committed.contains_key(sequence));
            prop_assert_eq!(record, &sequence.to_le_bytes().repeat(5));
        }
        let kept: Vec<_> = records.iter().map(|(sequence, _)| sequence).collect();
        prop_assert!(kept.is_sorted());
        prop_assert!(self.committed.range(self.kept_from..).all(|(sequence, _)| kept.contains(&sequence)));
        for key in 0..20 {
            prop_assert_eq!(store.get::<Balances>(&key).unwrap(), self.now.get(&key).copied());
        }
        Ok(())
    }
}

fn batch(changes: &[(u64, Option<u64>)]) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in changes {
        match value {
            Some(value) => batch.put::<Balances>(key, value),
            None => batch.delete::<Balances>(key),
        }
    }
    batch
}

/// How a store is closed and opened again; `Some` cuts the power first.
type Reopen<'a> = dyn Fn(Store, Option<u64>) -> Store + 'a;

fn run(
    steps: &[Step],
    mut store: Store,
    disk: Option<&MemoryDisk>,
    reopen: &Reopen<'_>,
) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Commit(changes) => {
                let sequence = model.next();
                store.commit(sequence, &sequence.to_le_bytes().repeat(5), batch(changes)).unwrap();
                model.commit(changes);
            }
            Step::Write(changes) => {
                store.write(batch(changes)).unwrap();
                model.apply(changes);
            }
            Step::Rewind(back) => {
                if let Some(to) = model.next().checked_sub(1 + back) {
                    store.rewind_to(to, model.rewind(to)).unwrap();
                }
            }
            Step::Flush => store.flush().unwrap(),
            Step::Reopen => store = reopen(store, None),
            Step::Crash { operations, seed, during } => {
                let Some(disk) = disk else { continue };
                disk.power_off_after(*operations);
                let sequence = model.next();
                let done = store.commit(sequence, &sequence.to_le_bytes().repeat(5), batch(during));
                store = reopen(store, Some(*seed));
                // What was not acknowledged may have survived.
                if done.is_ok() || store.last_sequence() == Some(sequence) {
                    model.commit(during);
                }
            }
            Step::Range(from, to) => {
                let found = store.range::<Balances>(from..to, 5).unwrap();
                let expected = model.now.iter().filter(|(key, _)| (from..to).contains(key)).take(5);
                prop_assert_eq!(found, expected.map(|(&key, &value)| (key, value)).collect::<Vec<_>>());
                let snapshot = store.snapshot().unwrap();
                let found: Vec<_> =
                    snapshot.range_reversed::<Balances>(from..=to).unwrap().map(Result::unwrap).collect();
                let expected = model.now.iter().rev().filter(|(key, _)| (from..=to).contains(key));
                prop_assert_eq!(found, expected.map(|(&key, &value)| (key, value)).collect::<Vec<_>>());
            }
        }
        model.check(&store)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_store_in_memory_does_what_the_model_does_through_power_cuts(steps in prop::collection::vec(step(), 1..60)) {
        let disk = MemoryDisk::new();
        let config = || config(Durability::Power);
        run(&steps, memory(&disk, config()), Some(&disk), &|store, crash| {
            match crash {
                Some(seed) => disk.crash(seed),
                None => drop(store),
            }
            memory(&disk, config())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_store_in_a_directory_does_what_the_model_does(
        steps in prop::collection::vec(step(), 1..40),
        power in any::<bool>(),
    ) {
        let directory = support::directory();
        let config = || config(if power { Durability::Power } else { Durability::Process });
        run(&steps, open(directory.path(), config()), None, &|store, _| {
            drop(store);
            open(directory.path(), config())
        })?;
    }
}

#[test]
fn two_runs_with_the_same_seeds_leave_the_same_disk() {
    let run = || {
        let disk = MemoryDisk::new();
        let store = memory(&disk, config(Durability::Process));
        for sequence in 0..50 {
            store.commit(sequence, &[1; 30], put(sequence, 1)).unwrap();
        }
        disk.crash(99);
        drop(store);
        let store = memory(&disk, config(Durability::Process));
        (store.last_sequence(), balances(&store), records(&store), store.recovery())
    };
    assert_eq!(run(), run());
}
