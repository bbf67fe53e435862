//! The words every other package speaks: identifiers, wire containers and the chain specification.
//!
//! What holds here: every container has one SSZ encoding, frozen by a fixture in `tests/fixtures`;
//! a header's id is its `hash_tree_root`; a body is committed to by the BLAKE3 hash of its encoding.
//! Nothing in this package judges whether a value is right: it only says what a value *is*.
//!
//! Rules: docs/spec/containers.md

mod anchor;
mod beacon;
mod beacon_lane;
mod bundle;
mod certificate;
mod chain;
mod committee;
mod conflict;
mod crosslink;
mod crosslink_offer;
mod epoch_table;
mod evidence;
mod genesis;
mod id;
mod inclusion;
mod light;
mod receipt;
mod registry;
mod shard;
mod spec;
mod transparent;
mod trust;
mod vote;

pub use anchor::{AnchorProof, AnchorRef};
pub use beacon::{BeaconBlock, BeaconBody, BeaconHeader};
pub use beacon_lane::{BeaconBundle, BeaconDelivery, BeaconLane, DELIVERY_RECEIPTS_MAX, OFFER_BUNDLES_MAX};
pub use bundle::{AncestorHeader, Bundle, OutboxLeaf, OutboxProof};
pub use certificate::{Certificate, CertifiedBeaconHeader, CertifiedShardHeader, Signers};
pub use chain::{Chain, Lane};
pub use committee::{Committee, NodeKey, SEATS_MAX, Seat};
pub use conflict::{Bypassed, Conflict, Consumption, Divergence, OtherAncestor, VoidSource};
pub use crosslink::{Crosslink, InboxCursor, InboxCursors, SourceAncestry};
pub use crosslink_offer::{ANCESTRIES_MAX, CrosslinkOffer};
pub use epoch_table::{EPOCH_ENTRIES_MAX, EpochEntry, EpochTable};
pub use evidence::Evidence;
pub use genesis::{Allocation, Genesis, GenesisError, GenesisValidator, SeatRegistration};
pub use id::{Epoch, Height, ShardId, ValidatorIndex, View};
pub use inclusion::Inclusion;
pub use light::{LightUpdate, RecordProof};
pub use receipt::{PORTAL, Receipt, ReceiptKind};
pub use registry::{AcceptedHeader, ShardKind, ShardRecord, ShardStatus};
pub use shard::{ShardBlock, ShardBody, ShardHeader};
pub use spec::{ChainSpec, ShardSpec, SpecError};
pub use trust::{Unverified, Verified};
pub use vote::{SignedVote, Vote, VoteKind};

pub use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
pub use crypto::bls::{PublicKeyBytes, SignatureBytes};
