//! Which block a caller means, and the state after it.
//!
//! `latest` and `safe` are the newest certified block, `finalized` the newest that a finalized beacon block has
//! recorded, `pending` what stands on `latest`: the block proposed above it, or an empty one.

use super::error::{read, storage};
use crate::snapshot::Snapshot;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::Bloom;
use primitives::{Height, ShardHeader};
use rpc::RpcError;
use rpc::error::RpcResult;
use shard_state::{block::Executed, chain::ChainView, executor::Environment, receipt::transactions_root};
use std::sync::Arc;

/// A block of the chain, or the one that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// The certified block at this height, which is not above the head.
    At(Height),
    /// On top of the head.
    Pending,
}

impl Position {
    /// By number or tag; `None` above the head.
    pub(super) fn by_number(snapshot: &Snapshot, block: BlockNumberOrTag) -> Option<Self> {
        Some(match block {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Safe => Self::At(snapshot.height()),
            BlockNumberOrTag::Finalized => Self::At(snapshot.finalized),
            BlockNumberOrTag::Earliest => Self::At(Height::ZERO),
            BlockNumberOrTag::Pending => Self::Pending,
            BlockNumberOrTag::Number(number) => {
                let height = Height::new(number);
                return (height <= snapshot.height()).then_some(Self::At(height));
            }
        })
    }

    /// By number, tag or hash (EIP-1898); `None` if there is no such block. Every known block is canonical, so `requireCanonical` asks nothing more.
    pub(super) fn find(snapshot: &Snapshot, block: BlockId) -> RpcResult<Option<Self>> {
        match block {
            BlockId::Number(number) => Ok(Self::by_number(snapshot, number)),
            BlockId::Hash(hash) => {
                Ok(snapshot.reader.height(&hash.block_hash).map_err(storage)?.map(Self::At))
            }
        }
    }

    /// The same where there must be one.
    pub(super) fn by_id(snapshot: &Snapshot, block: BlockId) -> RpcResult<Self> {
        Self::find(snapshot, block)?.ok_or(RpcError::HeaderNotFound)
    }

    /// The state after the block.
    pub(super) fn view(self, snapshot: &Snapshot) -> RpcResult<ChainView> {
        match self {
            Self::Pending => Ok(pending_view(snapshot)),
            Self::At(height) if height == snapshot.height() => Ok(snapshot.view.clone()),
            Self::At(height) => {
                snapshot.reader.view_at(height).map_err(read)?.ok_or(RpcError::HeaderNotFound)
            }
        }
    }

    /// Height of the newest certified block that the state contains.
    pub(super) fn certified(self, snapshot: &Snapshot) -> Height {
        match self {
            Self::At(height) => height,
            Self::Pending => snapshot.height(),
        }
    }
}

/// The block on top of the head: the one that was proposed, or an empty one.
pub(super) fn pending_block(snapshot: &Snapshot) -> Arc<Executed> {
    if let Some(pending) = &snapshot.pending {
        return Arc::clone(&pending.executed);
    }
    let header = empty_header(snapshot);
    let environment = Environment {
        height: header.height.get(),
        timestamp: header.timestamp_ms / 1_000,
        base_fee: header.base_fee,
        ..*snapshot.view.environment()
    };
    let id = header.id();
    Arc::new(Executed {
        header,
        id,
        environment,
        arrivals: Vec::new(),
        acknowledged: Vec::new(),
        transactions: Vec::new(),
        receipts: Vec::new(),
        change_set: Arc::default(),
        outbox: Default::default(),
        cursors: Default::default(),
    })
}

fn pending_view(snapshot: &Snapshot) -> ChainView {
    if let Some(pending) = &snapshot.pending {
        return pending.view.clone();
    }
    let block = pending_block(snapshot);
    ChainView::new(block.header.clone(), block.id, block.environment, snapshot.view.state().clone())
}

/// The header of a block on the head that does nothing, as far as it can be known before it is proposed.
fn empty_header(snapshot: &Snapshot) -> ShardHeader {
    let parent = snapshot.header();
    ShardHeader {
        height: parent.height.next(),
        parent: snapshot.id(),
        parent_view: parent.view,
        timestamp_ms: parent.timestamp_ms.saturating_add(snapshot.spec.shard_interval_ms.get()),
        transactions_root: transactions_root(&[]),
        transaction_receipts_root: transactions_root(&[]),
        logs_bloom: Bloom::ZERO,
        gas_used: 0,
        base_fee: snapshot.next_base_fee(),
        ..parent.clone()
    }
}
