use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, hex, keccak256};
use proptest::prelude::*;

use super::{
    AccountDelta, ChangeSet, ChangeSetError, FlatState as _, LayerStack, Layered, MemoryState, PendingState,
    SlotDelta,
};
use crate::account::Account;

fn account() -> impl Strategy<Value = Option<Account>> {
    let code_hash = prop_oneof![Just(KECCAK256_EMPTY), any::<[u8; 32]>().prop_map(B256::new)];
    let balance =
        (any::<[u64; 4]>(), 0usize..256).prop_map(|(limbs, shift)| U256::from_limbs(limbs) >> shift);
    prop::option::of(
        (any::<u64>(), 0u32..64, balance, code_hash).prop_map(|(nonce, shift, balance, code_hash)| Account {
            nonce: nonce >> shift,
            balance,
            code_hash,
        }),
    )
}

fn change_set() -> impl Strategy<Value = ChangeSet> {
    let value = || prop_oneof![Just(U256::ZERO), any::<u64>().prop_map(U256::from)];
    let slots = prop::collection::btree_map(0u8..8, (value(), value()), 0..4);
    let accounts = prop::collection::btree_map(0u8..12, (account(), account(), slots), 0..8);
    let code = prop::collection::btree_set(prop::collection::vec(any::<u8>(), 0..40), 0..3);
    (accounts, code).prop_map(|(accounts, code)| {
        let accounts = accounts.into_iter().map(|(address, (before, after, slots))| AccountDelta {
            address: Address::repeat_byte(address),
            before,
            after,
            storage: slots
                .into_iter()
                .map(|(slot, (before, after))| SlotDelta { slot: B256::repeat_byte(slot), before, after })
                .collect(),
        });
        let code = code.into_iter().map(|code| (keccak256(&code), Bytes::from(code)));
        ChangeSet::new(accounts.collect(), code.collect())
    })
}

/// Changes one account from what it is in `state` to nonce `nonce`, and its slot 1 to `nonce`; zero removes both.
fn step(state: &MemoryState, address: u8, nonce: u64) -> ChangeSet {
    let address = Address::repeat_byte(address);
    let slot = B256::with_last_byte(1);
    let before = state.account(&address).expect("in memory");
    let storage = SlotDelta {
        slot,
        before: state.storage(&address, &slot).expect("in memory"),
        after: U256::from(nonce),
    };
    let after = Some(Account { nonce, ..Account::default() }).filter(|account| !account.is_empty());
    ChangeSet::new(vec![AccountDelta { address, before, after, storage: vec![storage] }], Vec::new())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_set_is_read_as_it_was_written(changes in change_set()) {
        prop_assert_eq!(ChangeSet::decode(&changes.encode()), Ok(changes));
    }

    #[test]
    fn the_inverse_of_the_inverse_is_the_change_set(changes in change_set()) {
        prop_assert_eq!(changes.inverse().inverse(), changes);
    }

    #[test]
    fn a_damaged_change_set_is_refused_or_is_another_one(
        changes in change_set(),
        position in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut bytes = changes.encode();
        let position = position.index(bytes.len());
        bytes[position] ^= flip;
        if let Ok(other) = ChangeSet::decode(&bytes) {
            prop_assert_ne!(&other, &changes);
            prop_assert_eq!(other.encode(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        bytes.insert(0, 1);
        if let Ok(changes) = ChangeSet::decode(&bytes) {
            prop_assert_eq!(changes.encode(), bytes);
        }
    }

    #[test]
    fn applying_a_change_set_and_its_inverse_gives_back_the_state_and_the_root(
        steps in prop::collection::vec((0u8..6, 0u64..5), 1..12),
    ) {
        let (mut state, mut trie) = (MemoryState::new(), MemoryState::new().trie());
        let mut states = vec![(state.clone(), trie.root())];
        let mut changes = Vec::new();
        for (address, nonce) in steps {
            let change = step(&state, address, nonce);
            state.apply(&change);
            let root = trie.update(&change.account_changes());
            prop_assert_eq!(root, state.trie().root());
            states.push((state.clone(), root));
            changes.push(change);
        }
        states.pop();
        for (change, (before, root)) in changes.iter().zip(states).rev() {
            state.apply(&change.inverse());
            prop_assert_eq!(&state, &before);
            prop_assert_eq!(trie.update(&change.inverse().account_changes()), root);
        }
    }

    #[test]
    fn changes_after_changes_are_the_changes_of_one_block(
        steps in prop::collection::vec((0u8..4, 0u64..4), 1..12),
        split in any::<prop::sample::Index>(),
    ) {
        let mut state = MemoryState::new();
        let mut changes = Vec::new();
        for (address, nonce) in steps {
            let change = step(&state, address, nonce);
            state.apply(&change);
            changes.push(change);
        }
        let joined = |changes: &[ChangeSet]| {
            changes.iter().fold(ChangeSet::default(), |joined, change| joined.then(change))
        };
        let all = joined(&changes);
        let (first, later) = changes.split_at(split.index(changes.len()));
        prop_assert_eq!(&joined(first).then(&joined(later)), &all);
        let mut at_once = MemoryState::new();
        at_once.apply(&all);
        prop_assert_eq!(&at_once, &state);
        at_once.apply(&all.inverse());
        prop_assert_eq!(at_once, MemoryState::new());
    }

    #[test]
    fn layers_read_as_the_state_they_lead_to(
        steps in prop::collection::vec((0u8..6, 0u64..50), 1..20),
        rebase_at in any::<prop::sample::Index>(),
    ) {
        let mut state = MemoryState::new();
        let mut stack = LayerStack::new(Arc::new(state.clone()));
        let mut snapshots: Vec<(MemoryState, Layered)> = Vec::new();
        let mut changes = Vec::new();
        for (number, (address, nonce)) in (0u64..).zip(&steps) {
            let change = Arc::new(step(&state, *address, *nonce));
            state.apply(&change);
            stack.push(B256::from(U256::from(number)), change.clone());
            snapshots.push((state.clone(), stack.top()));
            changes.push(change);
        }
        let index = rebase_at.index(steps.len());
        let flat = Arc::new(snapshots[index].0.clone());
        stack.rebase(B256::from(U256::from(index)), flat).expect("that block was pushed");
        prop_assert_eq!(stack.len(), steps.len() - index - 1);
        snapshots.push((state, stack.top()));
        let undo = changes[index + 1..].iter().rev().map(|change| &**change);
        snapshots.push((snapshots[index].0.clone(), stack.top().rewound(undo)));
        for (expected, layered) in &snapshots {
            for address in (0u8..6).map(Address::repeat_byte) {
                let slot = B256::with_last_byte(1);
                prop_assert_eq!(layered.account(&address), expected.account(&address));
                prop_assert_eq!(layered.storage(&address, &slot), expected.storage(&address, &slot));
            }
        }
    }
}

/// The stored form is on disks: changing it takes a new version byte.
#[test]
fn the_stored_form_is_this() {
    let storage =
        vec![SlotDelta { slot: B256::with_last_byte(5), before: U256::ZERO, after: U256::from(258) }];
    let after = Some(Account { nonce: 300, balance: U256::from(255), code_hash: B256::repeat_byte(3) });
    let delta = AccountDelta { address: Address::repeat_byte(2), before: None, after, storage };
    let code = Bytes::from_static(&[0x60, 0x01]);
    let changes = ChangeSet::new(vec![delta], vec![(keccak256(&code), code)]);
    let expected = hex!(
        "01" "01"
        "0202020202020202020202020202020202020202" "1c"
        "ac02" "01ff" "0303030303030303030303030303030303030303030303030303030303030303"
        "01" "0000000000000000000000000000000000000000000000000000000000000005" "00" "020102"
        "01" "02" "6001"
    );
    assert_eq!(changes.encode(), expected);
}

#[test]
fn a_change_set_that_is_cut_short_or_goes_on_is_refused() {
    let bytes = step(&MemoryState::new(), 1, 1).encode();
    for length in 0..bytes.len() {
        let error = ChangeSet::decode(&bytes[..length]).expect_err("is cut short");
        assert!(matches!(error, ChangeSetError::Truncated { .. }), "{length}: {error}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(ChangeSet::decode(&longer), Err(ChangeSetError::Trailing { found: 1 }));
}

#[test]
fn encodings_that_writing_never_gives_are_refused() {
    let case = |bytes: &[u8]| ChangeSet::decode(bytes).expect_err("is not canonical");
    assert_eq!(case(&[2, 0, 0]), ChangeSetError::Version { found: 2 });
    assert_eq!(case(&[1, 0x80, 0, 0]), ChangeSetError::Number { offset: 1 });
    // A billion accounts announced and none there: refused without asking for memory.
    assert_eq!(case(&[1, 0x80, 0x94, 0xeb, 0xdc, 3]), ChangeSetError::Truncated { offset: 6, needed: 20 });
    let nothing_changes = [&[1, 1][..], &[7; 20], &[0, 0]].concat();
    assert_eq!(case(&nothing_changes), ChangeSetError::NotCanonical);
    let flags = [&[1, 1][..], &[7; 20], &[0b10, 0]].concat();
    assert_eq!(case(&flags), ChangeSetError::Flags { offset: 22, found: 0b10 });
}

#[test]
fn what_is_written_and_taken_back_is_no_change() {
    let state = MemoryState::new();
    let mut pending = PendingState::new(&state);
    let address = Address::repeat_byte(1);
    let rich = Account { balance: U256::ONE, ..Account::default() };
    pending.set_account(&address, rich).expect("in memory");
    assert_eq!(pending.account(&address), Ok(Some(rich)));
    pending.set_account(&address, Account::default()).expect("in memory");
    assert_eq!(pending.account(&address), Ok(None));
    assert!(pending.into_change_set().is_empty());
}
