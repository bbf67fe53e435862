//! What a transaction costs before and inside a block: recovering its sender, executing it.
//!
//! All times are *per transaction*, the sender recovery's on all cores, the others' on one: a block of transfers is
//! executed around the interpreter and through it, a block of ERC-20 transfers through it, and a block of
//! transfers is verified as a validator does, with roots, when the pool has its transactions already.

use std::{
    collections::HashMap,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use primitives::{ShardId, Verified};
use shard_state::{
    account::Account,
    block::BlockLimits,
    chain::ShardState,
    executor::{BlockExecutor, Environment, Path},
    genesis::genesis_state,
    state::MemoryState,
    testing::{NOTHING_INCOMING, Sender, TestBeacon, allocations, key, sign, spec, verified},
    transaction::{Transaction, verify_batch},
};

const SHARD: ShardId = ShardId::new(1);
const ACCOUNTS: u64 = 2_000;
const TRANSACTIONS: u64 = 8_000;
const BATCHES: [usize; 3] = [8, 64, 1_024];

/// Balances of the token are in `keccak256(owner ‖ 0)`, as Solidity places a mapping in slot 0.
///
/// ```text
///     calldata[0..4] == transfer(address,uint256), else revert
///     PUSH0 CALLDATALOAD PUSH1 e0 SHR PUSH4 a9059cbb EQ PUSH1 main JUMPI PUSH0 PUSH0 REVERT
/// main: JUMPDEST
///     from = keccak256(caller ‖ 0); balance(from) < amount ? fail
///     CALLER PUSH0 MSTORE PUSH1 40 PUSH0 KECCAK256 DUP1 SLOAD PUSH1 24 CALLDATALOAD DUP1 DUP3 LT PUSH1 fail JUMPI
///     balance(from) −= amount
///     DUP1 SWAP2 SUB SWAP1 SWAP2 SSTORE
///     balance(to) += amount
///     PUSH1 04 CALLDATALOAD PUSH0 MSTORE PUSH1 40 PUSH0 KECCAK256 DUP1 SLOAD DUP3 ADD SWAP1 SSTORE
///     emit Transfer(caller, to, amount)
///     PUSH0 MSTORE PUSH1 04 CALLDATALOAD CALLER PUSH32 Transfer PUSH1 20 PUSH0 LOG3
///     return true
///     PUSH1 01 PUSH0 MSTORE PUSH1 20 PUSH0 RETURN
/// fail: JUMPDEST PUSH0 PUSH0 REVERT
/// ```
const TOKEN: [u8; 112] = hex!(
    "5f3560e01c63a9059cbb146011575f5ffd"
    "5b"
    "335f5260405f208054602435808210606c57"
    "809103909155"
    "6004355f5260405f208054820190555f52"
    "60043533"
    "7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    "60205fa3"
    "60015f5260205ff3"
    "5b5f5ffd"
);
const TOKEN_ADDRESS: Address = Address::repeat_byte(0x70);

fn environment() -> Environment {
    Environment {
        portal: shard_state::portal::PortalRules::ALONE,
        chain_id: spec().evm_chain_id(SHARD),
        height: 1,
        timestamp: 1_700_000_000,
        mix: B256::repeat_byte(1),
        fee_recipient: Address::repeat_byte(2),
        gas_limit: spec().gas_limit,
        base_fee: 1_000_000_000,
    }
}

/// Funded accounts that also own the token.
fn state() -> MemoryState {
    let mut state = genesis_state(&allocations(ACCOUNTS));
    let code_hash = state.set_code(Bytes::from_static(&TOKEN));
    state.set_account(TOKEN_ADDRESS, Account { nonce: 1, code_hash, ..Account::default() });
    for owner in 0..ACCOUNTS {
        let slot = keccak256([key(owner).address().into_word(), B256::ZERO].concat());
        state.set_storage(TOKEN_ADDRESS, slot, U256::from(1_000_000));
    }
    state
}

/// Transactions in turns from all accounts, each to the next one.
fn transactions(unsigned: impl Fn(&Sender, u64, Address) -> TxEip1559) -> Vec<Arc<Verified<Transaction>>> {
    let sender = Sender::new(SHARD);
    let transaction = |number: u64| {
        let (from, to, nonce) = (number % ACCOUNTS, (number + 7) % ACCOUNTS, number / ACCOUNTS);
        verified(&sign(unsigned(&sender, nonce, key(to).address()), &key(from)), &sender.limits)
    };
    (0..TRANSACTIONS).map(transaction).collect()
}

fn transfers() -> Vec<Arc<Verified<Transaction>>> {
    transactions(|sender, nonce, to| TxEip1559 {
        gas_limit: 21_000,
        ..sender.unsigned(nonce, Some(to), U256::ONE, Bytes::new())
    })
}

fn token_transfers() -> Vec<Arc<Verified<Transaction>>> {
    transactions(|sender, nonce, to| {
        let input =
            [&hex!("a9059cbb")[..], to.into_word().as_slice(), U256::ONE.to_be_bytes::<32>().as_slice()]
                .concat();
        TxEip1559 { gas_limit: 60_000, ..sender.unsigned(nonce, Some(TOKEN_ADDRESS), U256::ZERO, input) }
    })
}

fn senders(criterion: &mut Criterion) {
    let encoded: Vec<Bytes> =
        transfers().iter().take(1_024).map(|transaction| transaction.encoded().clone()).collect();
    let limits = Sender::new(SHARD).limits;
    let mut group = criterion.benchmark_group("sender recovery");
    for batch in BATCHES {
        group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
            bencher.iter_custom(|rounds| {
                let mut elapsed = Duration::ZERO;
                for _ in 0..rounds {
                    let batch = encoded[..batch].to_vec();
                    let start = Instant::now();
                    black_box(verify_batch(batch, &limits));
                    elapsed += start.elapsed();
                }
                elapsed / batch as u32
            });
        });
    }
    group.finish();
}

fn run(state: &MemoryState, transactions: &[Arc<Verified<Transaction>>], path: Path) -> Duration {
    let start = Instant::now();
    let mut executor = BlockExecutor::resume(state, environment()).with_path(path);
    for transaction in transactions {
        let receipt = executor.execute(transaction).expect("funded, in order, within the block's gas");
        assert!(receipt.success());
    }
    black_box(executor.close());
    start.elapsed()
}

fn executors(criterion: &mut Criterion) {
    let state = state();
    let (transfers, tokens) = (transfers(), token_transfers());
    let mut group = criterion.benchmark_group("execute");
    let cases = [
        ("transfer around the interpreter", &transfers, Path::Fastest),
        ("transfer through the interpreter", &transfers, Path::Evm),
        ("ERC-20 transfer", &tokens, Path::Fastest),
    ];
    for (name, transactions, path) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let elapsed: Duration = (0..rounds).map(|_| run(&state, transactions, path)).sum();
                elapsed / TRANSACTIONS as u32
            });
        });
    }
    group.finish();
}

fn verify(criterion: &mut Criterion) {
    let transfers = transfers();
    let pool: HashMap<B256, Arc<Verified<Transaction>>> =
        transfers.iter().map(|transaction| (transaction.hash(), transaction.clone())).collect();
    let chain = || ShardState::genesis(spec(), SHARD, &allocations(ACCOUNTS), 1_700_000_000_000);
    let mut proposer = chain();
    let context = TestBeacon::new(spec()).context(&proposer.base().header, 1);
    let (parent, limits) = (proposer.base_id(), BlockLimits::new(&spec()));
    let proposed = proposer
        .propose(parent, context, NOTHING_INCOMING, &mut transfers.iter().cloned(), &limits)
        .expect("builds");
    assert_eq!(proposed.block.body.transactions.len() as u64, TRANSACTIONS);

    criterion.bench_function("verify a block of transfers that the pool has", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut elapsed = Duration::ZERO;
            for _ in 0..rounds {
                let mut validator = chain();
                let start = Instant::now();
                validator.verify(&proposed.block, &|hash| pool.get(hash).cloned(), None).expect("follows");
                elapsed += start.elapsed();
            }
            elapsed / TRANSACTIONS as u32
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = senders, executors, verify
}
criterion_main!(benches);
