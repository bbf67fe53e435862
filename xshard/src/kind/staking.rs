//! Stake: to the beacon chain, and back.

use primitives::{Address, NodeKey, ReceiptKind, SeatRegistration, ShardId, ValidatorIndex};
use ssz_derive::{Decode, Encode};

/// Registers a validator. The receipt's value is its stake: one unit for each seat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Deposit {
    /// One per unit.
    pub seats: Vec<SeatRegistration>,
    /// Identity of its `beacon-node`.
    pub beacon_node: NodeKey,
    /// Identity of its `shard-node`.
    pub shard_node: NodeKey,
    /// Owns the stake.
    pub withdrawal: WithdrawalAccount,
}

/// An account that owns stake: gets it when it ends, and may end or add to it. Its address receives fees on every shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, tree_hash_derive::TreeHash)]
pub struct WithdrawalAccount {
    /// Where it is.
    pub shard: ShardId,
    /// Its address there.
    pub address: Address,
}

/// Adds units to a validator; sent by its withdrawal account, since who holds a unit's key can cost the validator others.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TopUp {
    /// Whose.
    pub validator: ValidatorIndex,
    /// One per unit.
    pub seats: Vec<SeatRegistration>,
}

/// Ends the stake of a validator, or a part of it; sent by its withdrawal account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Exit {
    /// Whose.
    pub validator: ValidatorIndex,
    /// How many, the latest registered first; zero is all.
    pub units: u64,
}

/// Pays stake out that ended; the receipt's value is its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Withdrawal {
    /// Whose it was.
    pub validator: ValidatorIndex,
    /// Who receives it.
    pub to: Address,
}

impl Deposit {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(3);
}

impl TopUp {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(4);
}

impl Exit {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(5);
}

impl Withdrawal {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(6);
}

/// Why the beacon chain does not do what a receipt asks for; as one byte, the data of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[ssz(enum_behaviour = "tag")]
pub enum Refusal {
    /// The value is not that of its units.
    #[error("the value is not one unit of stake for each seat")]
    Value,
    /// More seats, or fewer, than one receipt may register.
    #[error("a deposit registers at least one seat, and no more than a block can")]
    Seats,
    /// Two validators, or two units, with one key.
    #[error("a seat key is registered already")]
    SeatKey,
    /// Nobody has shown to hold the secret.
    #[error("a proof of possession is wrong")]
    Possession,
    /// Another validator's node, or no key of a node.
    #[error("a node key is another validator's, or none")]
    NodeKey,
    /// There is no such shard to withdraw to.
    #[error("there is no such shard to withdraw to")]
    WithdrawalShard,
    /// No such validator.
    #[error("there is no such validator")]
    Validator,
    /// Somebody else's stake.
    #[error("the sender is not the validator's withdrawal account")]
    Sender,
    /// Less is staked.
    #[error("the validator has fewer units staked")]
    Units,
    /// Nobody could agree on anything without it.
    #[error("the last units of all stay")]
    LastUnits,
    /// There is no room for more validators or units.
    #[error("the registry is full")]
    Full,
    /// The beacon chain executes nothing and holds no accounts.
    #[error("the beacon chain takes deposits, top-ups and exits only")]
    Kind,
}
