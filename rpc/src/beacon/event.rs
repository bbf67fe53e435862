//! What `/eth/v1/events` reports as it happens.

use super::Decimal;
use primitives::{B256, Chain};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// What one may listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A new head.
    Head,
    /// A new certified block.
    Block,
    /// A block became final.
    FinalizedCheckpoint,
    /// A crosslink was accepted.
    Crosslink,
    /// A shard's epoch was ended early.
    EarlyEnd,
    /// A validator lost stake.
    Slashing,
    /// Stake came, left the draws, or was paid out.
    Stake,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 7] = [
        Self::Head,
        Self::Block,
        Self::FinalizedCheckpoint,
        Self::Crosslink,
        Self::EarlyEnd,
        Self::Slashing,
        Self::Stake,
    ];

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Block => "block",
            Self::FinalizedCheckpoint => "finalized_checkpoint",
            Self::Crosslink => "crosslink",
            Self::EarlyEnd => "early_end",
            Self::Slashing => "slashing",
            Self::Stake => "stake",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no topic `{found}`; there are: {}", Topic::ALL.map(Topic::name).join(", "))]
pub struct TopicError {
    found: String,
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|topic| topic.name() == text);
        known.ok_or_else(|| TopicError { found: text.chars().take(40).collect() })
    }
}

/// Why a shard's epoch was ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// No crosslink came for too long.
    Stall,
    /// Its committee certified two branches.
    Conflict,
    /// It consumed from a void branch of another shard.
    Consumption,
}

/// What became of stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StakeChange {
    /// A new validator.
    Registered,
    /// More units of one.
    ToppedUp,
    /// Units left the draws.
    Exited,
    /// Units were paid out.
    Withdrawn,
}

/// Something that happened on the beacon chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Event {
    /// A new head.
    Head {
        /// Its height.
        slot: Decimal,
        /// Its id.
        #[schema(value_type = String)]
        block: B256,
        /// Its state root.
        #[schema(value_type = String)]
        state: B256,
        /// Whether it is the first block of its epoch.
        epoch_transition: bool,
        /// Always false: a head is certified.
        execution_optimistic: bool,
    },
    /// A block became final.
    FinalizedCheckpoint {
        /// Its id.
        #[schema(value_type = String)]
        block: B256,
        /// Its state root.
        #[schema(value_type = String)]
        state: B256,
        /// Its epoch.
        epoch: Decimal,
        /// Always false.
        execution_optimistic: bool,
    },
    /// A crosslink was accepted.
    Crosslink {
        /// Whose.
        shard: Decimal,
        /// Height of the shard's header.
        height: Decimal,
        /// Its id.
        #[schema(value_type = String)]
        id: B256,
        /// Term of the committee that certified it.
        shard_epoch: Decimal,
        /// Height of the beacon block that accepted it.
        accepted_at: Decimal,
    },
    /// A shard's epoch was ended early.
    EarlyEnd {
        /// Whose.
        shard: Decimal,
        /// The epoch that ended.
        ended_epoch: Decimal,
        /// The one that follows.
        next_epoch: Decimal,
        /// Its first height.
        first_height: Decimal,
        /// Why.
        cause: EndCause,
    },
    /// A validator lost stake.
    Slashing {
        /// Who.
        validator_index: Decimal,
        /// Units it lost.
        units: Decimal,
        /// The chain it equivocated on.
        #[schema(value_type = String)]
        chain: Chain,
        /// In which epoch.
        offence_epoch: Decimal,
    },
    /// Stake came, left the draws, or was paid out.
    Stake {
        /// Whose.
        validator_index: Decimal,
        /// How many units.
        units: Decimal,
        /// What became of them.
        change: StakeChange,
    },
    /// A new certified block.
    Block {
        /// Its height.
        slot: Decimal,
        /// Its id.
        #[schema(value_type = String)]
        block: B256,
        /// Always false.
        execution_optimistic: bool,
    },
}

impl Event {
    /// Under which topic it is reported.
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Head { .. } => Topic::Head,
            Self::Block { .. } => Topic::Block,
            Self::FinalizedCheckpoint { .. } => Topic::FinalizedCheckpoint,
            Self::Crosslink { .. } => Topic::Crosslink,
            Self::EarlyEnd { .. } => Topic::EarlyEnd,
            Self::Slashing { .. } => Topic::Slashing,
            Self::Stake { .. } => Topic::Stake,
        }
    }
}
