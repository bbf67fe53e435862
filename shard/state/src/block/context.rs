//! What a block is built on and from.

use alloy_primitives::B256;
use consensus::authority::CommitteeSource;
use crypto::mmr::Mmr;
use primitives::{
    AnchorProof, AnchorRef, BeaconDelivery, Bundle, ChainSpec, Epoch, RecordProof, ShardHeader,
    ValidatorIndex, View,
};

use crate::state::FlatState;

/// The block below, and the state after it.
#[derive(Clone, Copy)]
pub struct ParentView<'a> {
    /// The parent.
    pub header: &'a ShardHeader,
    /// Its id.
    pub id: B256,
    /// The ids of heights zero up to *its* parent: what `header.history_root` is the root of.
    pub history: &'a Mmr,
    /// The state after it.
    pub state: &'a dyn FlatState,
}

impl ParentView<'_> {
    /// The range that a child's history root is the root of.
    pub fn child_history(&self) -> Mmr {
        let mut history = self.history.clone();
        history.push(self.id);
        history
    }
}

impl std::fmt::Debug for ParentView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParentView")
            .field("header", &self.header)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a proposer chooses, apart from the transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// Term of the committee.
    pub epoch: Epoch,
    /// The view it is proposed in.
    pub view: View,
    /// The parent's view, zero for the epoch's first block.
    pub parent_view: View,
    /// Who proposes.
    pub proposer: ValidatorIndex,
    /// Milliseconds since the Unix epoch; raised above the parent's if it is not.
    pub timestamp_ms: u64,
    /// What the block takes from the beacon chain.
    pub anchor: AnchorProof,
    /// Every other shard in the anchor's state, by rising id; the block names those that it needs.
    pub others: Vec<RecordProof>,
    /// What the anchor's state has for this shard, from the lane's first receipt on; the block takes of it what is new.
    pub delivery: Option<BeaconDelivery>,
}

impl BlockContext {
    /// How a header names the anchor.
    pub fn anchor_ref(&self) -> AnchorRef {
        AnchorRef { height: self.anchor.header.height, id: self.anchor.header.id() }
    }
}

/// How much a proposer takes. A proposer in a hurry sets less than the specification allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLimits {
    /// Most transactions.
    pub transactions_max: u32,
    /// Most bytes of the encoded body.
    pub body_bytes_max: u32,
    /// Most gas.
    pub gas_max: u64,
}

impl BlockLimits {
    /// All that a block may have.
    pub const fn new(spec: &ChainSpec) -> Self {
        Self {
            transactions_max: spec.transactions_max,
            body_bytes_max: spec.body_bytes_max,
            gas_max: spec.gas_limit,
        }
    }
}

/// What other shards have sent, as far as the proposer has heard.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// Everything of one lane and source block each; those of one lane in order.
    pub bundles: &'a [Bundle],
    /// Who must have certified them; none if that was verified before.
    pub committees: Option<&'a dyn CommitteeSource>,
}

impl std::fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("bundles", &self.bundles.len()).finish_non_exhaustive()
    }
}
