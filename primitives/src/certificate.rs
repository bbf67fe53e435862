//! Aggregated signature of a quorum.

use crate::{BeaconHeader, Epoch, SEATS_MAX, ShardHeader, SignatureBytes, View};
use alloy_primitives::B256;
use ssz::Encode as _;
use ssz_derive::{Decode, Encode};

/// Which seats of a committee signed: one bit each, seat 0 in the lowest bit of the first byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Signers {
    seats: u32,
    bits: Vec<u8>,
}

impl Signers {
    /// Builds the bitmap of a committee of `seats` from the indices that signed; indices at or
    /// above `seats` are ignored.
    pub fn from_indices(seats: u32, indices: impl IntoIterator<Item = u32>) -> Self {
        let seats = seats.min(SEATS_MAX as u32);
        let mut bits = vec![0u8; (seats as usize).div_ceil(8)];
        for index in indices.into_iter().filter(|index| *index < seats) {
            bits[index as usize / 8] |= 1 << (index % 8);
        }
        Self { seats, bits }
    }

    /// Size of the committee the bitmap speaks of.
    pub const fn seats(&self) -> u32 {
        self.seats
    }

    /// Whether the bitmap has exactly the bytes and bits that `seats` seats need.
    pub fn is_well_formed(&self) -> bool {
        self.seats as usize <= SEATS_MAX
            && self.bits.len() == (self.seats as usize).div_ceil(8)
            && match self.seats % 8 {
                0 => true,
                used => self.bits.last().is_none_or(|last| last >> used == 0),
            }
    }

    /// Indices of the seats that signed, ascending. Costs no more than the bytes there are, whatever
    /// size a decoded bitmap claims.
    pub fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.seats)
            .zip(self.bits.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)))
            .filter_map(|(index, bit)| (bit == 1).then_some(index))
    }

    /// How many seats signed.
    pub fn count(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }
}

/// A quorum's finalization of one block: what makes it *certified*.
///
/// Different peers may hold different certificates of one block, so certificate bytes enter no id.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Certificate {
    /// Term of the committee that signed.
    pub epoch: Epoch,
    /// View in which it agreed; at an epoch's boundary it may be above the header's own view.
    pub view: View,
    /// View of the parent proposal.
    pub parent_view: View,
    /// Id of the certified header.
    pub id: B256,
    /// Who signed.
    pub signers: Signers,
    /// Sum of their signatures.
    pub signature: SignatureBytes,
}

impl Certificate {
    /// Size on the wire, bytes.
    pub fn encoded_len(&self) -> usize {
        self.ssz_bytes_len()
    }
}

/// A shard header with the certificate of exactly that header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CertifiedShardHeader {
    /// The header.
    pub header: ShardHeader,
    /// Names the header's id.
    pub certificate: Certificate,
}

/// A beacon header with the certificate of exactly that header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CertifiedBeaconHeader {
    /// The header.
    pub header: BeaconHeader,
    /// Names the header's id.
    pub certificate: Certificate,
}
