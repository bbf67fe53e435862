//! The trie against `alloy-trie`, which rebuilds everything from sorted entries.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, b256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, TrieAccount, proof::ProofRetainer};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{EMPTY_ROOT, NodeError, ProofError, StateTrie, Trie, verify_proof};
use crate::account::{Account, AccountChange};

type Entries = BTreeMap<B256, Vec<u8>>;

fn reference_root(entries: &Entries) -> B256 {
    let mut builder = HashBuilder::default();
    entries.iter().for_each(|(key, value)| builder.add_leaf(Nibbles::unpack(key), value));
    builder.root()
}

/// The nodes `alloy-trie` retains for `key`, without those that are part of their parent.
fn reference_proof(entries: &Entries, key: &B256) -> Vec<Bytes> {
    let mut builder =
        HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![Nibbles::unpack(key)]));
    entries.iter().for_each(|(key, value)| builder.add_leaf(Nibbles::unpack(key), value));
    builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted().into_iter().map(|(_, node)| node);
    nodes.enumerate().filter(|(index, node)| *index == 0 || node.len() >= 32).map(|(_, node)| node).collect()
}

fn reference_accepts(root: B256, key: &B256, value: Option<&Vec<u8>>, proof: &[Bytes]) -> bool {
    alloy_trie::proof::verify_proof(root, Nibbles::unpack(key), value.cloned(), proof).is_ok()
}

fn trie_of(entries: &Entries) -> Trie {
    let mut trie = Trie::new();
    entries.iter().for_each(|(key, value)| trie.insert(key, value));
    trie
}

/// Evenly spread keys, and keys that share long prefixes with each other.
fn key() -> impl Strategy<Value = B256> {
    let spread = any::<[u8; 32]>().prop_map(B256::new);
    let crowded = (0u8..3, vec((0usize..32, 0u8..4), 0..3)).prop_map(|(family, changes)| {
        let mut key = [family.wrapping_mul(0x77); 32];
        changes.into_iter().for_each(|(at, value)| key[at] = value << (at % 2 * 4));
        B256::new(key)
    });
    let last_nibbles = (0u8..2, any::<u8>()).prop_map(|(family, last)| {
        let mut key = B256::repeat_byte(family);
        key[31] = last;
        key
    });
    prop_oneof![2 => spread, 2 => crowded, 1 => last_nibbles]
}

/// Values so short that nodes are embedded, as long as an account's, and longer.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => vec(any::<u8>(), 1..4),
        2 => vec(any::<u8>(), 1..34),
        2 => vec(any::<u8>(), 70..111),
        1 => vec(any::<u8>(), 1..700),
    ]
}

fn entries(count: std::ops::Range<usize>) -> impl Strategy<Value = Entries> {
    proptest::collection::btree_map(key(), value(), count)
}

#[derive(Clone, Debug)]
enum Operation {
    Write(B256, Vec<u8>),
    RemoveAny(B256),
    /// Removes an entry that is there.
    RemovePresent(Index),
    OverwritePresent(Index, Vec<u8>),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        5 => (key(), value()).prop_map(|(key, value)| Operation::Write(key, value)),
        1 => key().prop_map(Operation::RemoveAny),
        3 => any::<Index>().prop_map(Operation::RemovePresent),
        2 => (any::<Index>(), value()).prop_map(|(index, value)| Operation::OverwritePresent(index, value)),
    ]
}

/// The change an operation means for these entries, applied to them.
fn resolve(operation: Operation, entries: &mut Entries) -> Option<(B256, Option<Vec<u8>>)> {
    let pick = |index: Index, entries: &Entries| {
        (!entries.is_empty())
            .then(|| *entries.keys().nth(index.index(entries.len())).expect("index is below len"))
    };
    let change = match operation {
        Operation::Write(key, value) => (key, Some(value)),
        Operation::RemoveAny(key) => (key, None),
        Operation::RemovePresent(index) => (pick(index, entries)?, None),
        Operation::OverwritePresent(index, value) => (pick(index, entries)?, Some(value)),
    };
    match &change.1 {
        Some(value) => entries.insert(change.0, value.clone()),
        None => entries.remove(&change.0),
    };
    Some(change)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// After every batch of writes and removals the root and the entries are the reference's, whether the batch
    /// came sorted, in the order it was made, or one change at a time.
    #[test]
    fn any_sequence_of_changes_gives_the_reference_root(batches in vec(vec(operation(), 0..250), 0..8)) {
        let mut entries = Entries::new();
        let [mut sorted, mut unsorted, mut single] = [Trie::new(), Trie::new(), Trie::new()];
        for batch in batches {
            let changes: Vec<_> = batch.into_iter().filter_map(|op| resolve(op, &mut entries)).collect();
            unsorted.apply_sorted(&changes);
            for (key, value) in &changes {
                match value {
                    Some(value) => single.insert(key, value),
                    None => single.remove(key),
                }
            }
            let changes: Vec<_> = changes.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
            sorted.apply_sorted(&changes);
            let expected = reference_root(&entries);
            for trie in [&mut sorted, &mut unsorted, &mut single] {
                prop_assert_eq!(trie.root(), expected);
                prop_assert_eq!(trie.len(), entries.len());
            }
            for (key, _) in &changes {
                prop_assert_eq!(sorted.get(key), entries.get(key).map(Vec::as_slice));
            }
        }
    }

    /// Building from sorted entries, and from entries in any order, gives the reference root.
    #[test]
    fn bulk_build_gives_the_reference_root(entries in entries(0..2_000), swaps in vec((any::<Index>(), any::<Index>()), 0..4)) {
        let expected = reference_root(&entries);
        let mut list: Vec<_> = entries.clone().into_iter().collect();
        prop_assert_eq!(Trie::from_sorted(list.clone()).root(), expected);
        for (a, b) in swaps {
            if !list.is_empty() {
                let (a, b) = (a.index(list.len()), b.index(list.len()));
                list.swap(a, b);
            }
        }
        let mut unsorted = Trie::from_sorted(list);
        prop_assert_eq!(unsorted.root(), expected);
        prop_assert_eq!(unsorted.len(), entries.len());
    }

    /// Removing what was added gives back the root there was, and the memory is used again.
    #[test]
    fn inverse_changes_give_back_the_root(entries in entries(0..300), added in entries(1..300)) {
        let mut trie = trie_of(&entries);
        let before = trie.root();
        let changes: Vec<_> = added.iter().map(|(key, value)| (*key, Some(value.clone()))).collect();
        let inverse: Vec<_> = added.keys().map(|key| (*key, entries.get(key).cloned())).collect();
        trie.apply_sorted(&changes);
        let after = trie.root();
        trie.apply_sorted(&inverse);
        prop_assert_eq!(trie.root(), before);
        prop_assert_eq!(trie.len(), entries.len());
        trie.apply_sorted(&changes);
        prop_assert_eq!(trie.root(), after);
    }

    /// Proofs of present and absent keys are the reference's nodes; both verifiers read the same value from them,
    /// and neither accepts another.
    #[test]
    fn proofs_are_the_reference_proofs(entries in entries(0..150), others in vec(key(), 0..10)) {
        let mut trie = trie_of(&entries);
        let root = trie.root();
        for key in entries.keys().step_by(7).chain(&others) {
            let value = entries.get(key);
            let proof = trie.proof(key);
            prop_assert_eq!(verify_proof(root, key, &proof), Ok(value.cloned()));
            prop_assert!(reference_accepts(root, key, value, &proof));
            prop_assert!(!reference_accepts(root, key, Some(&vec![0xff; 9]), &proof));
            if value.is_some() {
                prop_assert_eq!(&proof, &reference_proof(&entries, key));
                prop_assert!(!reference_accepts(root, key, None, &proof));
            }
        }
    }

    /// A proof made before the root was asked for is the proof made afterwards.
    #[test]
    fn proof_does_not_wait_for_the_root(entries in entries(1..100), changed in entries(1..20), key in key()) {
        let mut trie = trie_of(&entries);
        trie.root();
        changed.iter().for_each(|(key, value)| trie.insert(key, value));
        let early = trie.proof(&key);
        trie.root();
        prop_assert_eq!(early, trie.proof(&key));
    }

    /// A proof with one bit changed, a node missing or a node too many is refused.
    #[test]
    fn altered_proof_is_refused(entries in entries(1..150), pick: Index, node: Index, byte: Index, bit in 0u8..8) {
        let mut trie = trie_of(&entries);
        let root = trie.root();
        let key = entries.keys().nth(pick.index(entries.len())).expect("index is below len");
        let proof = trie.proof(key);

        let mut flipped = proof.clone();
        let node = node.index(proof.len());
        let mut bytes = proof[node].to_vec();
        let byte = byte.index(bytes.len());
        bytes[byte] ^= 1 << bit;
        flipped[node] = bytes.into();
        let refused = verify_proof(root, key, &flipped);
        prop_assert!(matches!(refused, Err(ProofError::WrongNode { index, .. }) if index == node), "{:?}", refused);

        let (last, cut) = proof.split_last().expect("a trie with entries has a root node");
        let refused = verify_proof(root, key, cut);
        prop_assert!(matches!(refused, Err(ProofError::Incomplete { found, .. }) if found == cut.len()), "{:?}", refused);

        let spare: Vec<_> = proof.iter().chain([last]).cloned().collect();
        let error = ProofError::SpareNodes { expected: proof.len(), found: proof.len() + 1 };
        prop_assert_eq!(verify_proof(root, key, &spare), Err(error));
    }

    /// Bytes that hash right but are no node of a trie are an error or an answer, never a panic.
    #[test]
    fn garbage_with_the_right_hash_is_survived(
        entries in entries(1..40), key in key(), changes in vec((any::<Index>(), any::<u8>()), 0..4), cut: Index, noise in vec(any::<u8>(), 0..80),
    ) {
        let mut node = trie_of(&entries).proof(&key)[0].to_vec();
        for (at, value) in changes {
            let at = at.index(node.len());
            node[at] = value;
        }
        node.truncate(1 + cut.index(node.len()));
        for node in [node, noise] {
            let _ = verify_proof(keccak256(&node), &key, &[node.into()]);
        }
    }
}

#[test]
fn empty_trie_has_the_known_root_and_proves_absence_with_nothing() {
    let mut trie = Trie::new();
    assert_eq!(trie.root(), EMPTY_ROOT);
    assert_eq!(EMPTY_ROOT, keccak256([0x80]));
    let key = keccak256("absent");
    assert_eq!(trie.proof(&key), Vec::<Bytes>::new());
    assert_eq!(verify_proof(EMPTY_ROOT, &key, &[]), Ok(None));
    assert_eq!(verify_proof(EMPTY_ROOT, &key, &[Bytes::from_static(&[0x80])]), Ok(None));
    let refused = verify_proof(keccak256("other root"), &key, &[]);
    let expected = keccak256("other root");
    assert_eq!(refused, Err(ProofError::Incomplete { found: 0, depth: 0, expected }));
}

#[test]
fn emptied_trie_has_the_empty_root() {
    let mut trie = Trie::new();
    let keys: Vec<_> = (0u32..100).map(|i| keccak256(i.to_be_bytes())).collect();
    keys.iter().for_each(|key| trie.insert(key, b"value"));
    assert_ne!(trie.root(), EMPTY_ROOT);
    keys.iter().for_each(|key| trie.insert(key, b""));
    assert_eq!((trie.root(), trie.len(), trie.is_empty()), (EMPTY_ROOT, 0, true));
}

/// `trieanyorder_secureTrie.json` of the Ethereum tests: keys are hashed before they are written.
#[test]
fn secure_trie_vectors_of_ethereum_hold() {
    let root = |entries: &[(&str, &str)]| {
        let mut trie = Trie::new();
        entries.iter().for_each(|(key, value)| trie.insert(&keccak256(key), value.as_bytes()));
        trie.root()
    };
    assert_eq!(
        root(&[("A", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]),
        b256!("e9e2935138352776cad724d31c9fa5266a5c593bb97726dd2a908fe6d53284df"),
    );
    assert_eq!(
        root(&[("doe", "reindeer"), ("dog", "puppy"), ("dogglesworth", "cat")]),
        b256!("d4cd937e4a4368d7931a9cf51686b7e10abb3dce38a39000fd7902a092b64585"),
    );
    assert_eq!(
        root(&[("do", "verb"), ("horse", "stallion"), ("doge", "coin"), ("dog", "puppy")]),
        b256!("29b235a58c3c25ab83010c327d5932bcf05324b7d6b1185e650798034783ca9d"),
    );
}

/// Entries written over and over again take no more memory than once.
#[test]
fn freed_nodes_are_used_again() {
    let mut trie = Trie::new();
    let mut grown = 0;
    for round in 0u32..6 {
        let keys: Vec<_> =
            (0u32..500).map(|i| keccak256([round.to_be_bytes(), i.to_be_bytes()].concat())).collect();
        keys.iter().for_each(|key| trie.insert(key, &[1; 80]));
        keys.iter().for_each(|key| trie.remove(key));
        match round {
            0 => grown = 2 * trie.memory_bytes(), // branch counts and free lists differ between rounds
            _ => assert!(trie.memory_bytes() <= grown, "round {round}: {} > {grown}", trie.memory_bytes()),
        }
    }
}

fn item(bytes: &[u8]) -> Vec<u8> {
    alloy_rlp::encode(bytes)
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

/// What a root that is the hash of `node` is refused for.
fn refusal(node: &[u8]) -> NodeError {
    match verify_proof(keccak256(node), &B256::ZERO, &[Bytes::copy_from_slice(node)]) {
        Err(ProofError::Malformed { depth: 0, source }) => source,
        other => panic!("expected a malformed root, found {other:?}"),
    }
}

#[test]
fn malformed_node_is_refused_by_its_fault() {
    let whole_path = item(&[&[0x20][..], &[0; 32]].concat());
    let branch = |first: Vec<u8>, value: Vec<u8>| {
        let items: Vec<_> = std::iter::once(first).chain(vec![item(&[]); 15]).chain([value]).collect();
        list(&items)
    };
    assert_eq!(refusal(&item(&[7; 40])), NodeError::NotAList);
    assert_eq!(refusal(&list(&[item(&[1]), item(&[2]), item(&[3])])), NodeError::ItemCount { found: 3 });
    assert_eq!(refusal(&list(&[])), NodeError::ItemCount { found: 0 });
    let long = [list(&[whole_path.clone(), item(b"v")]), vec![0]].concat();
    assert_eq!(refusal(&long), NodeError::Trailing { found: 1 });
    assert_eq!(refusal(&list(&[item(&[]), item(b"v")])), NodeError::Path);
    assert_eq!(refusal(&list(&[item(&[0x40]), item(b"v")])), NodeError::Path);
    assert_eq!(refusal(&list(&[item(&[0x21, 0]), item(b"v")])), NodeError::Path);
    assert_eq!(
        refusal(&list(&[item(&[0x20, 0]), item(b"v")])),
        NodeError::PathLen { remaining: 64, found: 2 }
    );
    assert_eq!(
        refusal(&list(&[item(&[0x00]), item(&[1; 32])])),
        NodeError::PathLen { remaining: 64, found: 0 }
    );
    assert_eq!(
        refusal(&list(&[item(&[&[0][..], &[0; 32]].concat()), item(&[1; 32])])),
        NodeError::PathLen { remaining: 64, found: 64 }
    );
    assert_eq!(refusal(&list(&[whole_path, item(&[])])), NodeError::EmptyValue);
    assert_eq!(refusal(&list(&[item(&[0x10]), item(&[1; 31])])), NodeError::ChildLen { found: 31 });
    assert_eq!(refusal(&branch(item(&[1; 33]), item(&[]))), NodeError::ChildLen { found: 33 });
    assert_eq!(refusal(&branch(list(&[item(&[1; 31])]), item(&[]))), NodeError::ChildLen { found: 33 });
    assert_eq!(refusal(&branch(item(&[1; 32]), item(b"v"))), NodeError::BranchValue);
    assert_eq!(refusal(&[0xc2, 0x01]), NodeError::Rlp(alloy_rlp::Error::InputTooShort));
}

/// A chain of branches as deep as the key leaves no nibble for one more.
#[test]
fn branch_below_the_last_nibble_is_refused() {
    let branch =
        |child: Vec<u8>| list(&std::iter::once(child).chain(vec![item(&[]); 16]).collect::<Vec<_>>());
    let mut nodes = vec![branch(item(&[9; 32]))];
    for _ in 0..64 {
        nodes.push(branch(item(keccak256(&nodes[nodes.len() - 1]).as_slice())));
    }
    nodes.reverse();
    let proof: Vec<Bytes> = nodes.into_iter().map(Bytes::from).collect();
    let source = NodeError::PathLen { remaining: 0, found: 1 };
    assert_eq!(
        verify_proof(keccak256(&proof[0]), &B256::ZERO, &proof),
        Err(ProofError::Malformed { depth: 64, source }),
    );
}

// --- the state trie ---

#[derive(Clone, Debug, Default, PartialEq)]
struct ModelAccount {
    account: Account,
    storage: BTreeMap<B256, U256>,
}

type Model = BTreeMap<Address, ModelAccount>;

/// Applies a change to the model and returns the inverse.
fn apply_to_model(model: &mut Model, change: &AccountChange) -> AccountChange {
    let old = model.remove(&change.address);
    let old_storage = old.as_ref().map(|old| old.storage.clone()).unwrap_or_default();
    let mut new = ModelAccount::default();
    if let Some(account) = change.account.filter(|account| !account.is_empty()) {
        new.account = account;
        if !change.storage_cleared {
            new.storage = old_storage.clone();
        }
        new.storage.extend(change.storage.iter().copied());
        new.storage.retain(|_, value| !value.is_zero());
        model.insert(change.address, new.clone());
    }
    let slots = old_storage.keys().chain(new.storage.keys());
    let storage = slots.map(|slot| (*slot, old_storage.get(slot).copied().unwrap_or_default())).collect();
    AccountChange {
        address: change.address,
        account: old.map(|old| old.account),
        storage,
        storage_cleared: false,
    }
}

fn model_root(model: &Model) -> B256 {
    alloy_trie::root::state_root_unhashed(model.iter().map(|(address, entry)| {
        let storage_root = alloy_trie::root::storage_root_unhashed(
            entry.storage.iter().map(|(slot, value)| (*slot, *value)),
        );
        let Account { nonce, balance, code_hash } = entry.account;
        (*address, TrieAccount { nonce, balance, storage_root, code_hash })
    }))
}

fn account() -> impl Strategy<Value = Account> {
    (0u64..3, 0u64..3, 0u8..3).prop_map(|(nonce, balance, code)| Account {
        nonce,
        balance: U256::from(balance) << (balance * 50),
        code_hash: if code == 0 { KECCAK256_EMPTY } else { B256::repeat_byte(code) },
    })
}

fn change() -> impl Strategy<Value = AccountChange> {
    let slot = (0u8..20).prop_map(B256::with_last_byte);
    let value = prop_oneof![
        Just(U256::ZERO),
        (1u64..300).prop_map(U256::from),
        any::<[u64; 4]>().prop_map(U256::from_limbs)
    ];
    (0u8..12, prop::option::weighted(0.85, account()), vec((slot, value), 0..12), prop::bool::weighted(0.15))
        .prop_map(|(address, account, storage, storage_cleared)| AccountChange {
            address: Address::with_last_byte(address),
            account,
            storage,
            storage_cleared,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Blocks of account changes give the reference state root; their inverses, in turn, give back every root
    /// there was; and a state made at once from the same accounts has the same root.
    #[test]
    fn blocks_give_the_reference_root_and_rewind(blocks in vec(vec(change(), 0..12), 1..10)) {
        let mut model = Model::new();
        let mut state = StateTrie::new();
        let mut undo = Vec::new();
        for block in &blocks {
            let mut inverse: Vec<_> = block.iter().map(|change| apply_to_model(&mut model, change)).collect();
            inverse.reverse();
            undo.push((state.root(), inverse));
            prop_assert_eq!(state.update(block), model_root(&model));
            prop_assert_eq!(state.len(), model.len());
        }
        let accounts = model.iter().map(|(address, entry)| {
            (*address, entry.account, entry.storage.clone().into_iter().collect::<Vec<_>>())
        });
        prop_assert_eq!(StateTrie::from_accounts(accounts).root(), state.root());
        for (root, inverse) in undo.into_iter().rev() {
            prop_assert_eq!(state.update(&inverse), root);
        }
        prop_assert!(state.is_empty());
    }

    /// The account's proof leads to its RLP with the storage root, and each slot's proof to the slot's value.
    #[test]
    fn account_proof_shows_account_and_slots(block in vec(change(), 0..30), address in 0u8..12, slots in vec(0u8..20, 0..5)) {
        let mut model = Model::new();
        block.iter().for_each(|change| { apply_to_model(&mut model, change); });
        let mut state = StateTrie::new();
        let root = state.update(&block);
        let address = Address::with_last_byte(address);
        let slots: Vec<_> = slots.into_iter().map(B256::with_last_byte).collect();
        let (proof, slot_proofs) = state.account_proof(&address, &slots);

        let entry = model.get(&address);
        let storage_root = state.storage_root(&address);
        let expected = entry.map(|ModelAccount { account: Account { nonce, balance, code_hash }, .. }| {
            alloy_rlp::encode(TrieAccount { nonce: *nonce, balance: *balance, storage_root, code_hash: *code_hash })
        });
        prop_assert_eq!(verify_proof(root, &keccak256(address), &proof), Ok(expected));
        prop_assert_eq!(slot_proofs.iter().map(|proof| proof.0).collect::<Vec<_>>(), slots);
        for (slot, value, proof) in slot_proofs {
            let expected = entry.and_then(|entry| entry.storage.get(&slot)).copied();
            prop_assert_eq!(value, expected.unwrap_or_default());
            prop_assert_eq!(verify_proof(storage_root, &keccak256(slot), &proof), Ok(expected.map(alloy_rlp::encode)));
        }
    }
}

/// Blocks large enough that threads share the work and that one thread hashes as it goes: the roots are the
/// same, and the reference's.
#[test]
fn root_does_not_depend_on_the_number_of_threads() {
    let change = |index: u64, round: u64| AccountChange {
        address: Address::left_padding_from(&index.to_be_bytes()),
        account: (index % 5 != round).then(|| Account {
            nonce: index + round,
            balance: U256::from(index),
            code_hash: B256::with_last_byte(1),
        }),
        storage: (0..index % 3)
            .map(|slot| (B256::with_last_byte(slot as u8), U256::from(index + round)))
            .collect(),
        storage_cleared: false,
    };
    let blocks: Vec<Vec<_>> = (0..3)
        .map(|round| (500 * round..3_000 + 500 * round).map(|index| change(index, round)).collect())
        .collect();
    let mut model = Model::new();
    let mut expected = Vec::new();
    for block in &blocks {
        block.iter().for_each(|change| {
            apply_to_model(&mut model, change);
        });
        expected.push(model_root(&model));
    }
    for threads in [1, 2, 7] {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        let mut state = StateTrie::new();
        let roots: Vec<_> = pool.install(|| blocks.iter().map(|block| state.update(block)).collect());
        assert_eq!(roots, expected, "{threads} threads");
    }
}
