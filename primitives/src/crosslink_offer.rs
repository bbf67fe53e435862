//! A crosslink on its way to the beacon chain.

use crate::{BeaconBundle, Crosslink};
use crypto::mmr::MmrProof;
use ssz_derive::{Decode, Encode};

/// Most ancestries in one offer.
pub const ANCESTRIES_MAX: usize = 64;

/// What a shard node offers to beacon nodes: a crosslink, and proofs that headers which sent receipts are
/// ancestors of its header, so that crosslinks of shards that consumed from them can be accepted with it,
/// or after it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CrosslinkOffer {
    /// The crosslink; without `sources`, which the beacon proposer attaches.
    pub crosslink: Crosslink,
    /// Each in the history of the crosslink's header; at most [`ANCESTRIES_MAX`].
    pub ancestries: Vec<MmrProof>,
    /// What the shard sent to the beacon chain up to the crosslink's header and is not known to be consumed: the next
    /// receipts of the lane, in order, each proven in the history of that header; at most
    /// [`crate::OFFER_BUNDLES_MAX`].
    pub bundles: Vec<BeaconBundle>,
}
