//! The beacon headers that a development chain's blocks are anchored at.
//!
//! A block's rules ask for a beacon header, and for proofs of what the block takes from it: the randomness, the
//! shard's record, the seat that proposes. Here nobody agreed on such headers. Each is made for the block that names it,
//! over a state that has the shard's record and a randomness of its own and nothing else; the one seat has no key. The
//! proofs are right, so blocks follow by the same rules as everywhere; that the headers are final is what a network
//! would add.

use super::genesis::SHARD;
use alloy_primitives::{Address, B256, keccak256};
use consensus::layout::{self, FIELD_MIX, FIELD_SHARDS, SHARDS_DEPTH, STATE_FIELDS};
use primitives::{
    AnchorProof, BeaconHeader, Committee, Epoch, EpochEntry, EpochTable, Height, PublicKeyBytes, Seat,
    ShardHeader, ShardRecord, ValidatorIndex,
};
use shard_state::block::BlockContext;
use tree_hash::TreeHash as _;

/// Who proposes.
const PROPOSER: ValidatorIndex = ValidatorIndex::ZERO;
/// Earns the fees: nobody's.
const FEE_RECIPIENT: Address = Address::ZERO;
/// Place of the one seat, and of the one record.
const ONLY: u32 = 0;

/// A beacon chain that says what one shard needs to hear.
#[derive(Clone, Debug)]
pub(super) struct DevBeacon {
    seat: Seat,
    seat_branch: Vec<B256>,
    record: ShardRecord,
}

impl DevBeacon {
    /// One seat, which rules from the first block on for ever. `None` if the layout has no room for one.
    pub(super) fn new() -> Option<Self> {
        let seat = Seat {
            key: PublicKeyBytes::new([0; PublicKeyBytes::LENGTH]),
            validator: PROPOSER,
            node: B256::ZERO,
            fee_recipient: FEE_RECIPIENT,
        };
        let committee = Committee::new(vec![seat])?;
        let entry =
            EpochEntry { epoch: Epoch::ZERO, first_height: Height::ZERO, committee_root: committee.root() };
        let record =
            ShardRecord { shard: SHARD, table: EpochTable::new(vec![entry])?, ..ShardRecord::default() };
        Some(Self { seat, seat_branch: layout::committee_branch(&committee, ONLY)?, record })
    }

    /// What a block on `parent` is proposed with.
    pub(super) fn context(&self, parent: &ShardHeader, timestamp_ms: u64) -> Option<BlockContext> {
        Some(BlockContext {
            epoch: Epoch::ZERO,
            view: parent.view.next(),
            parent_view: parent.view,
            proposer: PROPOSER,
            timestamp_ms,
            anchor: self.anchor(parent.height.next(), timestamp_ms)?,
            others: Vec::new(),
            delivery: None,
        })
    }

    fn anchor(&self, height: Height, timestamp_ms: u64) -> Option<AnchorProof> {
        let records = [self.record.tree_hash_root()];
        let mix = keccak256([b"mix".as_slice(), &height.get().to_be_bytes()].concat());
        let mut fields = [B256::ZERO; STATE_FIELDS];
        fields[FIELD_MIX as usize] = mix;
        fields[FIELD_SHARDS as usize] = layout::list_root(&records, SHARDS_DEPTH);
        let state_root = layout::state_root(&fields);
        Some(AnchorProof {
            header: BeaconHeader { height, timestamp_ms, state_root, ..BeaconHeader::default() },
            mix,
            mix_branch: layout::field_branch(&fields, FIELD_MIX)?,
            record: self.record.clone(),
            record_branch: layout::record_branch(&records, u64::from(ONLY), &fields)?,
            seat_index: ONLY,
            seat: self.seat,
            seat_branch: self.seat_branch.clone(),
        })
    }
}
