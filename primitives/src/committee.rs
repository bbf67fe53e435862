//! The validators drawn for one chain and epoch.

use crate::{PublicKeyBytes, ValidatorIndex};
use alloy_primitives::{Address, B256};
use ssz_derive::{Decode, Encode};
use ssz_types::{VariableList, typenum::U2048};
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;

/// Most seats a committee can have.
pub const SEATS_MAX: usize = 2048;

/// Ed25519 public key of a node on its chain's validator network.
pub type NodeKey = B256;

/// One unit of stake at work in a committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, TreeHash)]
pub struct Seat {
    /// Key whose votes count for this seat; no two seats share one.
    pub key: PublicKeyBytes,
    /// Whose seat it is.
    pub validator: ValidatorIndex,
    /// Where its node is found: the validator's identity on this chain's network.
    pub node: NodeKey,
    /// Earns the fees of blocks proposed from this seat.
    pub fee_recipient: Address,
}

/// Seats in ascending order of key; a seat's index is its place in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[ssz(struct_behaviour = "transparent")]
pub struct Committee {
    seats: VariableList<Seat, U2048>,
}

crate::transparent::transparent_tree_hash!(Committee, seats);

impl Committee {
    /// Orders the seats by key; `None` if there are too many or two share a key.
    pub fn new(mut seats: Vec<Seat>) -> Option<Self> {
        seats.sort_unstable_by_key(|seat| seat.key);
        if seats.windows(2).any(|pair| pair[0].key == pair[1].key) {
            return None;
        }
        VariableList::new(seats).ok().map(|seats| Self { seats })
    }

    /// Whether the order of a decoded committee is the canonical one.
    pub fn is_well_formed(&self) -> bool {
        self.seats.windows(2).all(|pair| pair[0].key < pair[1].key)
    }

    /// Seats in order.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// The seat at `index`.
    pub fn seat(&self, index: u32) -> Option<&Seat> {
        self.seats.get(index as usize)
    }

    /// Number of seats.
    pub fn len(&self) -> u32 {
        u32::try_from(self.seats.len()).expect("at most SEATS_MAX seats: bounded by the list type")
    }

    /// Whether there is no seat.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Votes that decide: all but a third, rounded down, of one less than all.
    pub fn quorum(&self) -> u32 {
        self.len() - self.len().saturating_sub(1) / 3
    }

    /// What the epoch table commits to.
    pub fn root(&self) -> B256 {
        self.tree_hash_root()
    }

    /// Index of the seat with this key.
    pub fn index_of(&self, key: &PublicKeyBytes) -> Option<u32> {
        self.seats.binary_search_by_key(key, |seat| seat.key).ok().map(|index| index as u32)
    }
}
