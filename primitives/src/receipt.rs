//! Cross-shard receipts: the envelope. What a payload means is known by its kind's own code.

use crate::Lane;
use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use ssz::Encode as _;
use ssz_derive::{Decode, Encode};

/// Where the Portal is, on every shard: "Atoll" in ASCII, and 1. Receipts are sent through it.
pub const PORTAL: Address = address!("41746f6c6c000000000000000000000000000001");

/// Codec tag of a receipt's payload; tags are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[ssz(struct_behaviour = "transparent")]
pub struct ReceiptKind(u16);

impl ReceiptKind {
    /// Wraps a tag.
    pub const fn new(tag: u16) -> Self {
        Self(tag)
    }

    /// The tag.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// One message from one chain to another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// From where to where.
    pub lane: Lane,
    /// Its number in the lane, from zero, without gaps.
    pub sequence: u64,
    /// What the payload is.
    pub kind: ReceiptKind,
    /// Who sent it, on the source chain.
    pub sender: Address,
    /// Wei that travel with it.
    pub value: U256,
    /// Gas the destination may use for it; paid at the source.
    pub gas: u64,
    /// Destination timestamp, seconds since the Unix epoch, after which it bounces; zero is never.
    pub deadline: u64,
    /// Encoded by the kind.
    pub payload: Bytes,
}

impl Receipt {
    /// Keccak-256 of the encoding: names the receipt, and is its leaf in the outbox. Lane and sequence are in it, so no
    /// two receipts of a network share one.
    pub fn id(&self) -> B256 {
        keccak256(self.as_ssz_bytes())
    }
}
