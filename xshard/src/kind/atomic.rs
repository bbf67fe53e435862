//! Legs of a bundle that takes effect on all of its shards or on none.
//!
//! Only the Atomic contract sends these. A prepare takes an amount into escrow at its shard and is answered; a commit pays
//! it out, an abort gives it back, and neither is answered.

use primitives::{Address, B256, ReceiptKind, U256};
use ssz_derive::{Decode, Encode};

/// Takes one leg's amount into escrow, if its owner has consented. The receipt's gas is for that, and its deadline that of
/// the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Prepare {
    /// The bundle's id.
    pub bundle: B256,
    /// Which of its legs.
    pub leg: u8,
    /// What is taken: an ERC-20 token, or zero for the native coin.
    pub token: Address,
    /// Whose it is, and who gets it back.
    pub from: Address,
    /// Who gets it if all goes well.
    pub to: Address,
    /// How much.
    pub amount: U256,
    /// Gas that the coordinator needs for the answer; it is paid for.
    pub answer_gas: u64,
}

/// Pays an escrow to whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Commit {
    /// The bundle's id.
    pub bundle: B256,
    /// Which of its legs.
    pub leg: u8,
}

/// Gives an escrow back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Abort {
    /// The bundle's id.
    pub bundle: B256,
    /// Which of its legs.
    pub leg: u8,
}

impl Prepare {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(7);
}

impl Commit {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(8);
}

impl Abort {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(9);
}
