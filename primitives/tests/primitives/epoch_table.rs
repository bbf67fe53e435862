//! Epoch tables.

use primitives::{B256, EPOCH_ENTRIES_MAX, Epoch, EpochEntry, EpochTable, Height};

fn entry(epoch: u64, first_height: u64) -> EpochEntry {
    EpochEntry {
        epoch: Epoch::new(epoch),
        first_height: Height::new(first_height),
        committee_root: B256::repeat_byte(epoch as u8),
    }
}

/// Epochs 3, 4 and 6 (5 was void), from heights 10, 20 and 25.
fn table() -> EpochTable {
    EpochTable::new(vec![entry(3, 10), entry(4, 20), entry(6, 25)]).unwrap()
}

#[test]
fn a_table_has_rising_epochs_and_rising_heights() {
    assert_eq!(EpochTable::new(vec![entry(3, 10), entry(2, 20)]), None);
    assert_eq!(EpochTable::new(vec![entry(3, 10), entry(3, 20)]), None);
    assert_eq!(EpochTable::new(vec![entry(3, 10), entry(4, 10)]), None);
    let entries = |count| (0..count).map(|epoch| entry(epoch, epoch)).collect();
    assert!(EpochTable::new(entries(EPOCH_ENTRIES_MAX as u64)).is_some());
    assert_eq!(EpochTable::new(entries(EPOCH_ENTRIES_MAX as u64 + 1)), None);
}

#[test]
fn a_height_is_ruled_by_the_last_epoch_that_starts_at_or_below_it() {
    let ruling = |height| table().ruling(Height::new(height)).map(|entry| entry.epoch.get());
    assert_eq!(
        [9, 10, 19, 20, 24, 25, 1000].map(ruling),
        [None, Some(3), Some(3), Some(4), Some(4), Some(6), Some(6)]
    );
}

#[test]
fn an_epoch_ends_where_the_next_one_starts_or_after_its_fixed_number_of_heights() {
    let last = |epoch| table().last_height(Epoch::new(epoch), 8).map(Height::get);
    assert_eq!([2, 3, 4, 5, 6, 7].map(last), [None, Some(19), Some(24), None, Some(32), None]);
}

#[test]
fn an_entry_that_does_not_follow_is_not_added() {
    for wrong in [entry(5, 30), entry(6, 30), entry(7, 25)] {
        let mut table = table();
        assert!(!table.push(wrong));
        assert_eq!(table, self::table());
    }
    let mut table = table();
    assert!(table.push(entry(7, 26)));
    assert_eq!(table.latest(), Some(&entry(7, 26)));
}

#[test]
fn a_full_table_forgets_its_oldest_epoch() {
    let mut table = EpochTable::default();
    assert!((0..=EPOCH_ENTRIES_MAX as u64).all(|epoch| table.push(entry(epoch, 10 * epoch))));
    assert_eq!(table.entries().len(), EPOCH_ENTRIES_MAX);
    assert_eq!(table.entry(Epoch::ZERO), None);
    assert_eq!(table.entries()[0], entry(1, 10));
    assert!(table.is_well_formed());
}

#[test]
fn an_early_end_removes_an_epoch_and_all_after_it() {
    let mut table = table();
    table.truncate_from(Epoch::new(4));
    assert_eq!(table.entries(), [entry(3, 10)]);
    assert!(table.push(entry(7, 15)));
}
