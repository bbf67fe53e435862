//! The chain as a whole: where it began, what is final, who rules, which shards there are.

use super::super::{CommitteeAnswer, Decimal};
use primitives::{
    Address, B256, Chain, Epoch, NodeKey, PublicKeyBytes, ShardKind, ShardRecord, ShardSpec, ShardStatus,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the chain began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GenesisView {
    /// Seconds since the Unix epoch.
    pub genesis_time: Decimal,
    /// Hash of the genesis file.
    #[schema(value_type = String)]
    pub genesis_validators_root: B256,
    /// Always zero: there has been no fork.
    pub genesis_fork_version: String,
    /// Atoll: milliseconds since the Unix epoch.
    pub genesis_time_ms: Decimal,
}

impl GenesisView {
    /// The chain that this genesis file starts.
    pub fn new(genesis_hash: B256, timestamp_ms: u64) -> Self {
        Self {
            genesis_time: Decimal(timestamp_ms / 1_000),
            genesis_validators_root: genesis_hash,
            genesis_fork_version: "0x00000000".into(),
            genesis_time_ms: Decimal(timestamp_ms),
        }
    }
}

/// A root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Root {
    /// The root.
    #[schema(value_type = String)]
    pub root: B256,
}

/// A block that stands for an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkpoint {
    /// The epoch.
    pub epoch: Decimal,
    /// The block's id.
    #[schema(value_type = String)]
    pub root: B256,
}

/// What is final, as seen in a state; a certificate justifies and finalizes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinalityCheckpoints {
    /// The block below.
    pub previous_justified: Checkpoint,
    /// The newest certified block.
    pub current_justified: Checkpoint,
    /// The same.
    pub finalized: Checkpoint,
}

/// A committee as a state names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateCommittee {
    /// Wire code of the chain: a shard's id, or 2^32 − 1 for the beacon chain.
    pub index: Decimal,
    /// First height of its epoch, on its own chain.
    pub slot: Decimal,
    /// Whose seats they are, in order of the seats; one that has several stands here several times.
    pub validators: Vec<Decimal>,
    /// Atoll: the chain.
    #[schema(value_type = String)]
    pub chain: Chain,
    /// Atoll: its term.
    pub epoch: Decimal,
}

/// How weak a committee is: what the assumed adversary may reach in one draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Takeover {
    /// Units that the committee is drawn from.
    pub units: Decimal,
    /// Of which the assumed adversary owns so many.
    pub adversary_units: Decimal,
    /// Seats without which the others are no quorum.
    pub stalling_seats: Decimal,
    /// Seats that decide.
    pub quorum: Decimal,
    /// Probability that it can stop the chain.
    #[schema(example = "2.1e-9")]
    pub liveness_loss: String,
    /// Probability that it can certify what it wants.
    #[schema(example = "4.0e-31")]
    pub safety_loss: String,
}

/// A seat of a committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatView {
    /// Its place in the committee.
    pub index: Decimal,
    /// Key whose votes count.
    #[schema(value_type = String)]
    pub key: PublicKeyBytes,
    /// Whose seat it is.
    pub validator: Decimal,
    /// Where its node is found.
    #[schema(value_type = String)]
    pub node: NodeKey,
    /// Earns the fees of the blocks proposed from it.
    #[schema(value_type = String)]
    pub fee_recipient: Address,
}

/// The validators drawn for one chain and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommitteeView {
    /// The chain.
    #[schema(value_type = String)]
    pub chain: Chain,
    /// The term.
    pub epoch: Decimal,
    /// First height of the epoch.
    pub first_height: Decimal,
    /// What the epoch table commits to.
    #[schema(value_type = String)]
    pub root: B256,
    /// The seats, in order of their keys.
    pub seats: Vec<SeatView>,
    /// How weak it is.
    pub takeover: Takeover,
}

impl CommitteeView {
    /// The view of an answer about `chain` and `epoch`.
    pub fn new(chain: Chain, epoch: Epoch, answer: CommitteeAnswer) -> Self {
        let seats = (0..)
            .zip(answer.committee.seats())
            .map(|(index, seat)| SeatView {
                index: Decimal(index),
                key: seat.key,
                validator: seat.validator.get().into(),
                node: seat.node,
                fee_recipient: seat.fee_recipient,
            })
            .collect();
        Self {
            chain,
            epoch: epoch.get().into(),
            first_height: answer.first_height.get().into(),
            root: answer.committee.root(),
            seats,
            takeover: answer.takeover,
        }
    }
}

/// The newest shard header that the beacon chain has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedView {
    /// Its height.
    pub height: Decimal,
    /// Its id.
    #[schema(value_type = String)]
    pub id: B256,
    /// Its epoch.
    pub epoch: Decimal,
    /// Height of the beacon block that accepted it.
    pub accepted_at: Decimal,
}

/// One shard of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShardView {
    /// Its id.
    pub shard: Decimal,
    /// Its name on command lines.
    pub name: String,
    /// What it executes.
    #[schema(value_type = String)]
    pub kind: ShardKind,
    /// Whether it takes part.
    #[schema(value_type = String)]
    pub status: ShardStatus,
    /// What transactions are signed for.
    pub chain_id: Decimal,
    /// Its latest crosslink.
    pub accepted: AcceptedView,
    /// The last epoch whose committee is drawn.
    pub drawn_epoch: Decimal,
    /// How often an epoch was ended early.
    pub early_ends: Decimal,
}

impl ShardView {
    /// The view of a registry entry; `spec` is the shard's part of the chain specification.
    pub fn new(record: &ShardRecord, spec: &ShardSpec, chain_id_base: u64) -> Self {
        let accepted = &record.accepted;
        Self {
            shard: u64::from(record.shard.get()).into(),
            name: spec.name.clone(),
            kind: record.kind,
            status: record.status,
            chain_id: chain_id_base.saturating_add(record.shard.get().into()).into(),
            accepted: AcceptedView {
                height: accepted.height.get().into(),
                id: accepted.id,
                epoch: accepted.epoch.get().into(),
                accepted_at: accepted.accepted_at.get().into(),
            },
            drawn_epoch: record.table.latest().map_or(0, |entry| entry.epoch.get()).into(),
            early_ends: record.early_ends.into(),
        }
    }
}
