//! Checking that a block follows from its parent, by executing it.

use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, Bytes, keccak256};
use consensus::authority::CommitteeSource;
use primitives::{ChainSpec, ShardBlock, ShardBody, Verified};
use rayon::prelude::*;
use ssz::Encode as _;

use super::{
    BlockError, Executed, InboxError, Lookup, ParentView, entries,
    header::{self, expect_equal},
    inbox::{self, Inbox},
};
use crate::{
    executor::{BlockExecutor, Environment},
    portal,
    receipt::{transaction_receipts_root, transactions_root},
    transaction::{Transaction, TransactionLimits, acknowledged, verify_batch},
    trie::StateTrie,
};

/// Fewer transactions than this are hashed sooner than threads wake up.
const PARALLEL_MIN: usize = 512;

/// Executes a block on its parent and checks every field of its header. `trie` stands at the parent, and afterwards at
/// the block; on error it is as it was. Without `committees`, the block's own certificate vouches for the certificates of
/// what it takes in.
pub fn execute(
    spec: &ChainSpec,
    parent: &ParentView<'_>,
    trie: &mut StateTrie,
    block: &ShardBlock,
    lookup: Lookup<'_>,
    committees: Option<&dyn CommitteeSource>,
) -> Result<Executed, BlockError> {
    let header = &block.header;
    header::check(spec, parent, header)?;
    let hashes = check_body(spec, block)?;
    let anchor = header::check_anchor(spec, block)?;
    let environment = Environment::new(spec, header, anchor.mix, anchor.fee_recipient);
    let others = inbox::verify_others(header.shard, anchor.header.state_root, &block.body.others)?;
    let mut inbox = Inbox::new(spec, header, anchor.header.state_root, &others);
    if let Some(committees) = committees {
        inbox.verify_quorums(&block.body.bundles, committees)?;
    }
    let limits = TransactionLimits::new(spec, header.shard);
    let transactions = resolve(&block.body.transactions, &hashes, &limits, lookup)?;

    let mut executor = BlockExecutor::open(parent.state, environment, header.parent, header.anchor.id)?;
    for delivery in &block.body.delivery {
        inbox.deliver(&mut executor, delivery)?;
    }
    inbox.acknowledge(&mut executor)?;
    for bundle in &block.body.bundles {
        inbox.take(&mut executor, bundle)?;
    }
    let ids = inbox.arrivals().iter().map(|arrival| arrival.id);
    let all: Vec<B256> = ids.chain(hashes.iter().copied()).collect();
    expect_equal!(TransactionsRoot, transactions_root(&all), header.transactions_root);
    for (index, transaction) in transactions.iter().enumerate() {
        executor.execute(transaction).map_err(|error| BlockError::at(index, hashes[index], error))?;
    }
    expect_equal!(GasUsed, executor.gas_used(), header.gas_used);
    let bloom = executor.logs_bloom();
    if bloom != header.logs_bloom {
        return Err(BlockError::LogsBloom { expected: Box::new(bloom), found: Box::new(header.logs_bloom) });
    }
    let cursors = executor.cursors()?;
    expect_equal!(InboxCursorsRoot, cursors.root(), header.inbox_cursors_root);
    let (change_set, receipts) = executor.close();
    let outbox = portal::outbox(header.shard, &receipts)?;
    expect_equal!(OutboxRoot, outbox.root(), header.outbox_root);
    expect_equal!(
        TransactionReceiptsRoot,
        transaction_receipts_root(&receipts),
        header.transaction_receipts_root
    );
    let expected = trie.update(&change_set.account_changes());
    if expected != header.state_root {
        trie.update(&change_set.inverse().account_changes());
        return Err(BlockError::StateRoot { expected, found: header.state_root });
    }
    let arrivals = inbox.into_arrivals();
    Ok(Executed {
        header: header.clone(),
        id: header.id(),
        environment,
        acknowledged: acknowledged(header.shard, &block.body),
        transactions: entries(&arrivals, transactions),
        arrivals,
        receipts,
        change_set: Arc::new(change_set),
        outbox,
        cursors,
    })
}

/// Checks the body against its limits and the header, and gives the transactions' hashes.
fn check_body(spec: &ChainSpec, block: &ShardBlock) -> Result<Vec<B256>, BlockError> {
    let ShardBlock { header, body } = block;
    let (limit, found) = (spec.body_bytes_max, body.ssz_bytes_len());
    if found > limit as usize {
        return Err(BlockError::BodyTooLarge { limit, found });
    }
    let (limit, found) = (spec.transactions_max, body.transactions.len());
    if found > limit as usize {
        return Err(BlockError::TooManyTransactions { limit, found });
    }
    if body.delivery.len() > 1 {
        return Err(InboxError::Deliveries { found: body.delivery.len() }.into());
    }
    let (limit, found) = (spec.bundles_max, body.bundles.len());
    if found > limit as usize {
        return Err(InboxError::TooManyBundles { limit, found }.into());
    }
    expect_equal!(DataRoot, body.root(), header.data_root);
    let hashes = hash_transactions(body);
    Ok(hashes)
}

fn hash_transactions(body: &ShardBody) -> Vec<B256> {
    if body.transactions.len() < PARALLEL_MIN {
        body.transactions.iter().map(keccak256).collect()
    } else {
        body.transactions.par_iter().with_min_len(PARALLEL_MIN / 4).map(keccak256).collect()
    }
}

/// Finds the transactions that were verified before, and verifies the others in one batch.
fn resolve(
    encoded: &[Bytes],
    hashes: &[B256],
    limits: &TransactionLimits,
    lookup: Lookup<'_>,
) -> Result<Vec<Arc<Verified<Transaction>>>, BlockError> {
    let mut found: Vec<Option<Arc<Verified<Transaction>>>> = hashes
        .iter()
        .map(|hash| {
            lookup(hash).filter(|transaction| {
                transaction.hash() == *hash && transaction.envelope().chain_id() == Some(limits.chain_id)
            })
        })
        .collect();
    let missing: Vec<usize> = (0..found.len()).filter(|index| found[*index].is_none()).collect();
    let verified = verify_batch(missing.iter().map(|index| encoded[*index].clone()).collect(), limits);
    for (index, transaction) in missing.into_iter().zip(verified) {
        let transaction = transaction.map_err(|error| BlockError::Transaction { index, error })?;
        found[index] = Some(Arc::new(transaction));
    }
    Ok(found.into_iter().flatten().collect())
}
