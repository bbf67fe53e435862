//! Building a block.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::B256;
use primitives::{
    BeaconDelivery, Bundle, ChainSpec, RecordProof, ShardBlock, ShardBody, ShardHeader, Verified,
};
use ssz::Encode as _;

use xshard::{Arrival, flow};

use super::{
    BlockContext, BlockError, BlockLimits, Executed, InboxError, Incoming, ParentView, entries, header,
    inbox::{Inbox, verify_others},
};
use crate::{
    executor::{BlockExecutor, Environment, ExecuteError, InclusionError},
    fee::next_base_fee,
    portal,
    receipt::{hashes, transaction_receipts_root, transactions_root},
    transaction::{Transaction, acknowledged},
    trie::StateTrie,
};

/// Gas of the cheapest transaction: with less left, a block is full.
const TRANSACTION_GAS_MIN: u64 = 21_000;
/// Bytes of a transaction's place in the encoded list.
const OFFSET_BYTES: usize = 4;
/// After so many transactions that no longer fit, the block is taken for full.
const MISFITS_MAX: u32 = 64;

/// A block that was built, and what came of executing it.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The block.
    pub block: ShardBlock,
    /// What came of it.
    pub executed: Executed,
    /// Candidates that were tried and left out, in order.
    pub skipped: Vec<Skipped>,
    /// Bundles that can never be consumed; whoever they came from is at fault.
    pub refused: Vec<InboxError>,
}

/// A candidate that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The transaction.
    pub hash: B256,
    /// Why.
    pub reason: SkipReason,
}

/// Why a candidate was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// It may not be included here.
    #[error(transparent)]
    Inclusion(InclusionError),
    /// The body is full; perhaps the next one is not.
    #[error("body is full: {found} bytes wanted, {left} left")]
    BodyFull {
        /// Bytes left.
        left: usize,
        /// Bytes wanted.
        found: usize,
    },
}

/// Builds a block on its parent from candidates in the order given, for as long as gas, bytes and count allow.
/// `trie` stands at the parent, and afterwards at the block; on error it is as it was.
pub fn propose(
    spec: &ChainSpec,
    parent: &ParentView<'_>,
    trie: &mut StateTrie,
    context: BlockContext,
    incoming: Incoming<'_>,
    candidates: &mut dyn Iterator<Item = Arc<Verified<Transaction>>>,
    limits: &BlockLimits,
) -> Result<Proposed, BlockError> {
    let header = header_before(spec, parent, &context);
    let BlockContext { anchor, others: all, delivery, .. } = context;
    let (others, bundles, transactions) = (Vec::new(), Vec::new(), Vec::new());
    let body = ShardBody { anchor, others, delivery: Vec::new(), bundles, transactions };
    let mut block = ShardBlock { header, body };
    header::check(spec, parent, &block.header)?;
    let anchor = header::check_anchor(spec, &block)?;
    let environment = Environment::new(spec, &block.header, anchor.mix, anchor.fee_recipient);

    let ShardHeader { parent: parent_id, anchor, .. } = block.header;
    let mut executor = BlockExecutor::open(parent.state, environment, parent_id, anchor.id)?;
    let body_bytes_max = limits.body_bytes_max.min(spec.body_bytes_max) as usize;
    let TakenIn { arrivals, refused } =
        take_in(spec, &mut block, all, delivery.as_ref(), &mut executor, &incoming, body_bytes_max)?;
    let bytes_left = body_bytes_max.saturating_sub(block.body.ssz_bytes_len());
    let limits =
        BlockLimits { transactions_max: limits.transactions_max.min(spec.transactions_max), ..*limits };
    let (transactions, skipped) = take(&mut executor, candidates, &limits, bytes_left)?;

    block.body.transactions = transactions.iter().map(|transaction| transaction.encoded().clone()).collect();
    let ids = arrivals.iter().map(|arrival| arrival.id);
    let all: Vec<B256> = ids.chain(hashes(&transactions)).collect();
    block.header.transactions_root = transactions_root(&all);
    block.header.data_root = block.body.root();
    block.header.gas_used = executor.gas_used();
    block.header.logs_bloom = executor.logs_bloom();
    let cursors = executor.cursors()?;
    block.header.inbox_cursors_root = cursors.root();
    let (change_set, receipts) = executor.close();
    let outbox = portal::outbox(block.header.shard, &receipts)?;
    block.header.outbox_root = outbox.root();
    block.header.transaction_receipts_root = transaction_receipts_root(&receipts);
    block.header.state_root = trie.update(&change_set.account_changes());
    let (header, id) = (block.header.clone(), block.header.id());
    let change_set = Arc::new(change_set);
    let executed = Executed {
        acknowledged: acknowledged(header.shard, &block.body),
        transactions: entries(&arrivals, transactions),
        header,
        id,
        environment,
        arrivals,
        receipts,
        change_set,
        outbox,
        cursors,
    };
    Ok(Proposed { block, executed, skipped, refused })
}

/// Everything of the header that does not depend on the transactions.
fn header_before(spec: &ChainSpec, parent: &ParentView<'_>, context: &BlockContext) -> ShardHeader {
    ShardHeader {
        shard: parent.header.shard,
        epoch: context.epoch,
        view: context.view,
        parent_view: context.parent_view,
        height: parent.header.height.next(),
        parent: parent.id,
        timestamp_ms: context.timestamp_ms.max(parent.header.timestamp_ms.saturating_add(1)),
        proposer: context.proposer,
        anchor: context.anchor_ref(),
        history_root: parent.child_history().root(),
        gas_limit: spec.gas_limit,
        base_fee: next_base_fee(parent.header, spec),
        ..ShardHeader::default()
    }
}

/// What a block takes in, and what it was offered in vain.
struct TakenIn {
    arrivals: Vec<Arc<Arrival>>,
    refused: Vec<InboxError>,
}

/// Takes in what the beacon chain has, and what other shards have sent, each source in its turn, for as long as there is
/// room; and notes in the body what that rests on.
fn take_in(
    spec: &ChainSpec,
    block: &mut ShardBlock,
    mut all: Vec<RecordProof>,
    delivery: Option<&BeaconDelivery>,
    executor: &mut BlockExecutor<'_>,
    incoming: &Incoming<'_>,
    body_bytes_max: usize,
) -> Result<TakenIn, BlockError> {
    let ShardBlock { header, body } = block;
    all.retain(|other| other.record.shard != header.shard);
    let others = verify_others(header.shard, body.anchor.header.state_root, &all)?;
    let mut inbox = Inbox::new(spec, header, body.anchor.header.state_root, &others);
    let mut refused = Vec::new();
    let news = delivery.map_or(Ok(None), |whole| inbox.news(executor, whole)).and_then(|news| {
        news.iter().try_for_each(|delivery| inbox.deliver(executor, delivery))?;
        Ok(news)
    });
    match news {
        Ok(news) => body.delivery.extend(news),
        // It is verified before anything is written.
        Err(BlockError::Inbox(error @ InboxError::Delivery(_))) => refused.push(error),
        Err(error) => return Err(error),
    }
    let mut named = inbox.acknowledge(executor)?;
    let mut bytes_left = body_bytes_max.saturating_sub(body.ssz_bytes_len() + all.ssz_bytes_len()) / 2;
    let mut closed = BTreeSet::new();
    for whole in in_turn(spec, header, incoming.bundles) {
        let source = whole.lane.source;
        if closed.contains(&source) || body.bundles.len() >= spec.bundles_max as usize {
            continue;
        }
        let Some(bundle) = inbox.portion(executor, whole, bytes_left)? else {
            closed.extend(inbox.has_more(executor, whole)?.then_some(source));
            continue;
        };
        let verified = match incoming.committees {
            Some(committees) => inbox.verify_quorums(std::slice::from_ref(&bundle), committees),
            None => Ok(()),
        };
        match verified.and_then(|()| inbox.take(executor, &bundle)) {
            Ok(()) => {
                named.extend(source.shard());
                bytes_left = bytes_left.saturating_sub(bundle.ssz_bytes_len() + OFFSET_BYTES);
                closed.extend(inbox.has_more(executor, whole)?.then_some(source));
                body.bundles.push(bundle);
            }
            Err(BlockError::Inbox(error)) => {
                closed.insert(source);
                refused.push(error);
            }
            Err(BlockError::Committee(_)) => drop(closed.insert(source)),
            Err(error) => return Err(error),
        }
    }
    let arrivals = inbox.into_arrivals();
    all.retain(|other| named.contains(&other.record.shard));
    body.others = all;
    Ok(TakenIn { arrivals, refused })
}

/// Bundles in the order in which a block serves their sources; those of one lane stay in order.
fn in_turn<'a>(spec: &ChainSpec, header: &ShardHeader, bundles: &'a [Bundle]) -> Vec<&'a Bundle> {
    let shards = spec.shards.len() as u32;
    let mut ordered: Vec<&Bundle> = bundles.iter().collect();
    ordered.sort_by_key(|bundle| {
        bundle.lane.source.shard().map(|source| flow::turn(source, header.height.get(), shards))
    });
    ordered
}

type Taken = (Vec<Arc<Verified<Transaction>>>, Vec<Skipped>);

/// Executes candidates while there is room.
fn take(
    executor: &mut BlockExecutor<'_>,
    candidates: &mut dyn Iterator<Item = Arc<Verified<Transaction>>>,
    limits: &BlockLimits,
    mut bytes_left: usize,
) -> Result<Taken, BlockError> {
    let (mut taken, mut skipped, mut misfits) = (Vec::new(), Vec::new(), 0);
    while taken.len() < limits.transactions_max as usize && misfits < MISFITS_MAX {
        let gas_left = limits.gas_max.saturating_sub(executor.gas_used()).min(executor.gas_left());
        if gas_left < TRANSACTION_GAS_MIN {
            break;
        }
        let Some(transaction) = candidates.next() else { break };
        let bytes = transaction.encoded().len() + OFFSET_BYTES;
        let result = if bytes > bytes_left {
            Err(SkipReason::BodyFull { left: bytes_left, found: bytes })
        } else {
            attempt(executor, &transaction, gas_left)?
        };
        match result {
            Ok(()) => {
                bytes_left -= bytes;
                taken.push(transaction);
            }
            Err(reason) => {
                let full = SkipReason::is_full(&reason);
                misfits += u32::from(full);
                skipped.push(Skipped { hash: transaction.hash(), reason });
            }
        }
    }
    Ok((taken, skipped))
}

fn attempt(
    executor: &mut BlockExecutor<'_>,
    transaction: &Transaction,
    gas_left: u64,
) -> Result<Result<(), SkipReason>, BlockError> {
    use alloy_consensus::Transaction as _;
    let found = transaction.envelope().gas_limit();
    if found > gas_left {
        let full = InclusionError::GasLimitReached { left: gas_left, found };
        return Ok(Err(SkipReason::Inclusion(full)));
    }
    match executor.execute(transaction) {
        Ok(_) => Ok(Ok(())),
        Err(ExecuteError::Inclusion(error)) => Ok(Err(SkipReason::Inclusion(error))),
        Err(error) => Err(error.into()),
    }
}

impl SkipReason {
    /// Whether the block was too full for it, so that the next block may take it.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::BodyFull { .. } | Self::Inclusion(InclusionError::GasLimitReached { .. }))
    }
}
