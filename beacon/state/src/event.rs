//! What a block did, for those who act on it.

use primitives::{AcceptedHeader, B256, Chain, Committee, Epoch, Height, ShardId, ValidatorIndex, View};

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
