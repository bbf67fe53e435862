//! The state trie: what a block costs per transaction, and what reopening costs.
//!
//! A block is 20,000 transfers, so 40,000 existing accounts drawn at random, above a state of a million. Times of
//! blocks are *per transaction*, on one core: updating the trie in place and computing the state root.
//! `alloy-trie` keeps no trie: it rebuilds every root from all sorted accounts, so its time is that divided by
//! the transactions of one block.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, TrieAccount};
use criterion::{Criterion, criterion_group, criterion_main};
use shard_state::{
    account::{Account, AccountChange},
    trie::{EMPTY_ROOT, StateTrie, Trie},
};

const ACCOUNTS: u64 = 1_000_000;
const TRANSACTIONS: u32 = 20_000;

fn address(index: u64) -> Address {
    Address::from_word(keccak256(index.to_be_bytes()))
}

fn account(nonce: u64) -> Account {
    let balance = U256::from(1_000_000_000_000_000_000u64 - nonce);
    Account { nonce, balance, code_hash: KECCAK256_EMPTY }
}

fn no_storage(index: u64) -> (Address, Account, [(B256, U256); 0]) {
    (address(index), account(index % 300), [])
}

/// A block whose transfers touch accounts drawn by a fixed sequence; each account is changed once.
fn block(number: u64) -> Vec<AccountChange> {
    let mut drawn: Vec<u64> = (0..2 * u64::from(TRANSACTIONS))
        .map(|draw| {
            let word = keccak256([number.to_be_bytes(), draw.to_be_bytes()].concat());
            U256::from_be_bytes(word.0).as_limbs()[0] % ACCOUNTS
        })
        .collect();
    drawn.sort_unstable();
    drawn.dedup();
    let change = |index| AccountChange {
        address: address(index),
        account: Some(account(1_000 + number)),
        storage: Vec::new(),
        storage_cleared: false,
    };
    drawn.into_iter().map(change).collect()
}

/// One block after another, each timed for itself; the sum divided by the transactions of a block.
fn time_blocks(state: &mut StateTrie, next_block: &mut u64, iterations: u64) -> Duration {
    let mut total = Duration::ZERO;
    for _ in 0..iterations {
        let changes = block(*next_block);
        *next_block += 1;
        let start = Instant::now();
        black_box(state.update(&changes));
        total += start.elapsed();
    }
    total / TRANSACTIONS
}

fn state_root(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("state root at 1 M accounts, per transaction");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    let mut state = StateTrie::from_accounts((0..ACCOUNTS).map(no_storage));
    state.root();
    eprintln!("state of {} accounts: {} MiB", state.len(), state.memory_bytes() >> 20);

    let mut next_block = 0;
    for threads in [1, 2] {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        group.bench_function(format!("block of 20,000, {threads} thread(s)"), |bencher| {
            bencher.iter_custom(|iterations| {
                pool.install(|| time_blocks(&mut state, &mut next_block, iterations))
            });
        });
    }

    let leaves = sorted_leaves();
    group.bench_function("alloy-trie rebuilding every account", |bencher| {
        bencher.iter_custom(|iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                let mut builder = HashBuilder::default();
                leaves.iter().for_each(|(key, value)| builder.add_leaf(Nibbles::unpack(key), value));
                black_box(builder.root());
            }
            start.elapsed() / TRANSACTIONS
        });
    });
    group.finish();
}

/// The accounts as the trie holds them: by hashed address, ascending.
fn sorted_leaves() -> Vec<(B256, Vec<u8>)> {
    let mut leaves: Vec<_> = (0..ACCOUNTS)
        .map(no_storage)
        .map(|(address, Account { nonce, balance, code_hash }, _)| {
            (
                keccak256(address),
                alloy_rlp::encode(TrieAccount { nonce, balance, storage_root: EMPTY_ROOT, code_hash }),
            )
        })
        .collect();
    leaves.sort_unstable();
    leaves
}

fn reopen(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reopening 1 M accounts");
    group.sample_size(10);
    let leaves = sorted_leaves();
    group.bench_function("nodes from sorted leaves", |bencher| {
        bencher.iter_with_large_drop(|| Trie::from_sorted(leaves.iter().map(|(key, value)| (*key, value))));
    });
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started");
    group.bench_function("and the root, 1 thread", |bencher| {
        bencher.iter_with_large_drop(|| {
            let mut trie = Trie::from_sorted(leaves.iter().map(|(key, value)| (*key, value)));
            pool.install(|| black_box(trie.root()));
            trie
        });
    });
    group.finish();
}

criterion_group!(benches, state_root, reopen);
criterion_main!(benches);
