//! What taking in receipts costs beside executing transactions: a block that verifies and applies one bundle of transfers,
//! and a block of as many local transfers whose senders are known. Both are checked as a validator does it, roots included.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall as _;
use criterion::{Criterion, criterion_group, criterion_main};
use primitives::{Bundle, ShardBlock, ShardId, Verified};
use shard_state::{
    block::{BlockLimits, Incoming},
    chain::ShardState,
    portal::{PORTAL, abi::IPortal},
    testing::{NOTHING_INCOMING, Sender, TestBeacon, TestNet, allocations, key, spec},
    transaction::Transaction,
};

const TRANSFERS: u64 = 1_000;
const HERE: ShardId = ShardId::new(1);
const ACCOUNTS: u64 = 1_000;

/// A chain before its first block.
fn chain() -> ShardState {
    ShardState::genesis(spec(), HERE, &allocations(ACCOUNTS), 1_700_000_000_000)
}

/// Every transfer goes to an account of its own.
fn recipient(number: u64) -> Address {
    key(number % ACCOUNTS).address()
}

/// A bundle of transfers that shard 0 sent in one block.
fn bundle() -> (TestBeacon, Vec<Bundle>) {
    let mut net = TestNet::new();
    let sender = Sender::new(ShardId::ZERO);
    let sends: Vec<_> = (0..TRANSFERS)
        .map(|nonce| {
            let call = IPortal::transferCall { shard: HERE.get(), to: recipient(nonce) };
            sender.transaction(&key(0), nonce, Some(PORTAL), U256::ONE, call.abi_encode())
        })
        .collect();
    net.advance(0, &sends, &[]);
    let bundles = net.outgoing(0, HERE.get(), 0);
    assert_eq!(bundles.iter().map(|bundle| bundle.receipts.len() as u64).sum::<u64>(), TRANSFERS);
    (net.beacon, bundles)
}

/// A block that consumes the bundle, and one of local transfers.
fn blocks(
    beacon: &TestBeacon,
    bundles: &[Bundle],
    transfers: &[Arc<Verified<Transaction>>],
) -> [ShardBlock; 2] {
    let context = || beacon.context(&chain().base().header, 1);
    let limits = BlockLimits::new(&spec());
    let incoming = Incoming { bundles, committees: Some(beacon) };
    let propose = |incoming: Incoming<'_>, transactions: &[Arc<Verified<Transaction>>]| {
        let mut chain = chain();
        let parent = chain.base_id();
        let mut candidates = transactions.iter().cloned();
        chain.propose(parent, context(), incoming, &mut candidates, &limits).expect("builds").block
    };
    let [taken_in, local] = [propose(incoming, &[]), propose(NOTHING_INCOMING, transfers)];
    assert_eq!(taken_in.body.bundles[0].receipts.len() as u64, TRANSFERS);
    assert_eq!(local.body.transactions.len() as u64, TRANSFERS);
    [taken_in, local]
}

fn apply(criterion: &mut Criterion) {
    let (beacon, bundles) = bundle();
    let sender = Sender::new(HERE);
    let transfers: Vec<_> = (0..TRANSFERS)
        .map(|number| sender.transfer(&key(number), 0, recipient(number + 1), U256::ONE))
        .collect();
    let pool: HashMap<B256, _> =
        transfers.iter().map(|transaction| (transaction.hash(), transaction.clone())).collect();
    let [taken_in, local] = blocks(&beacon, &bundles, &transfers);
    let mut group = criterion.benchmark_group("verify and apply, for each of 1,000");
    for (name, block) in [("receipt of one bundle", &taken_in), ("local transfer", &local)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let mut elapsed = Duration::ZERO;
                for _ in 0..rounds {
                    let mut chain = chain();
                    let start = Instant::now();
                    let lookup = |hash: &B256| pool.get(hash).cloned();
                    chain.verify(block, &lookup, Some(&beacon)).expect("follows");
                    elapsed += start.elapsed();
                }
                elapsed / TRANSFERS as u32
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = apply
}
criterion_main!(benches);
