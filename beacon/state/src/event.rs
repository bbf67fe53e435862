//! What a block did, for those who act on it.

use crate::operation::receipts::Rejection;
use primitives::{
    AcceptedHeader, Address, B256, Chain, Committee, Epoch, Height, ShardId, U256, ValidatorIndex, View,
};

/// Why a shard's epoch was ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// Its committee brought no crosslink for too long.
    Stall,
    /// Its committee certified two branches.
    Conflict,
    /// It consumed from a branch of another shard that is void.
    Consumption,
}

/// One effect of a block, in the order in which they came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A validator lost units.
    Slashed {
        /// Who.
        validator: ValidatorIndex,
        /// How many.
        units: u64,
        /// Chain of the offence.
        chain: Chain,
        /// Epoch of the offence.
        epoch: Epoch,
        /// View of the offence.
        view: View,
    },
    /// A shard header was accepted: with it, all its ancestors are finalized.
    Accepted {
        /// The shard.
        shard: ShardId,
        /// The header's id.
        id: B256,
        /// Its height.
        height: Height,
    },
    /// A shard's epoch was ended: whatever is above `last` is void.
    EarlyEnd {
        /// The shard.
        shard: ShardId,
        /// The epoch that was to rule the height above `last`.
        epoch: Epoch,
        /// The epoch that rules it instead.
        successor: Epoch,
        /// The last accepted header.
        last: AcceptedHeader,
        /// Why.
        cause: EndCause,
    },
    /// A validator was registered by a deposit.
    Registered {
        /// Its index.
        validator: ValidatorIndex,
        /// Units it begins with.
        units: u64,
    },
    /// A validator got more units.
    ToppedUp {
        /// Whose.
        validator: ValidatorIndex,
        /// How many more.
        units: u64,
    },
    /// Units left the draws.
    Exited {
        /// Whose.
        validator: ValidatorIndex,
        /// How many.
        units: u64,
        /// Beacon height from which on they are paid.
        withdrawable_at: Height,
    },
    /// A receipt of a shard was not done as it asks.
    Refused {
        /// The shard.
        shard: ShardId,
        /// Its number in the lane.
        sequence: u64,
        /// Its id.
        id: B256,
        /// Why.
        rejection: Rejection,
    },
    /// Stake was paid out.
    Withdrawn {
        /// Whose it was.
        validator: ValidatorIndex,
        /// How many units.
        units: u64,
        /// Where it goes.
        shard: ShardId,
        /// Who receives it there.
        to: Address,
        /// Wei.
        value: U256,
    },
    /// A committee was drawn; the state keeps its root only.
    Drawn {
        /// The chain.
        chain: Chain,
        /// Its term.
        epoch: Epoch,
        /// The term's first height.
        first_height: Height,
        /// Who was drawn.
        committee: Committee,
    },
}
