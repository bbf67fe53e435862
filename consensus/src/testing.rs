//! Committees whose secret keys are known, and beacon states made of chosen parts: for tests of this package and of
//! others. Not part of a node.

use crate::authority::Authority;
use crate::layout::{
    FIELD_BEACON_TABLE, FIELD_LANES, FIELD_MIX, FIELD_SHARDS, SHARDS_DEPTH, STATE_FIELDS, field_branch,
    lane_branch, list_root, record_branch, state_root,
};
use crate::vote::signing_bytes;
use crypto::bls::{SecretKey, aggregate_signatures};
use primitives::{
    Address, B256, BeaconDelivery, BeaconHeader, BeaconLane, Certificate, CertifiedBeaconHeader, Chain,
    Committee, Epoch, EpochEntry, EpochTable, Height, InboxCursors, LightUpdate, RecordProof, Seat, ShardId,
    ShardRecord, SignedVote, Signers, ValidatorIndex, View, Vote, VoteKind,
};
use tree_hash::TreeHash as _;

/// The network's genesis hash.
pub const GENESIS: B256 = B256::repeat_byte(0x11);

/// A committee and its secrets, in the order of its seats.
#[derive(Debug)]
pub struct Members {
    /// The committee.
    pub committee: Committee,
    secrets: Vec<SecretKey>,
}

impl Members {
    /// Committees of different `seed` share no key.
    pub fn new(seed: u8, seats: u32) -> Self {
        let mut secrets: Vec<_> = (0..seats).map(|seat| secret(seed, seat)).collect();
        secrets.sort_by_key(|secret| secret.public_key().to_bytes());
        let seats = secrets.iter().zip(0..).map(|(secret, index)| Seat {
            key: secret.public_key().to_bytes(),
            validator: ValidatorIndex::new(index + 100 * u64::from(seed)),
            node: B256::repeat_byte(index as u8),
            fee_recipient: Address::repeat_byte(index as u8),
        });
        Self { committee: Committee::new(seats.collect()).expect("distinct keys"), secrets }
    }

    /// The committee as the voice of `chain`.
    pub fn authority(&self, chain: Chain, epoch: u64) -> Authority {
        Authority::new(self.committee.clone(), chain, Epoch::new(epoch), GENESIS).expect("valid keys")
    }

    /// A vote, signed by a seat.
    pub fn sign(&self, vote: Vote, seat: u32) -> SignedVote {
        let bytes = signing_bytes(&crate::namespace(GENESIS, vote.chain), &vote);
        SignedVote { vote, seat, signature: self.secrets[seat as usize].sign(&bytes).to_bytes() }
    }

    /// A certificate of `id` by the first `signers` seats, all in view 3 on top of view 2.
    pub fn certify(&self, chain: Chain, epoch: u64, id: B256, signers: u32) -> Certificate {
        self.aggregate(finalization(chain, epoch, id), signers)
    }

    /// A certificate made of votes that need not be finalizations.
    pub fn aggregate(&self, vote: Vote, signers: u32) -> Certificate {
        let votes = (0..signers).map(|seat| self.sign(vote, seat).signature);
        let votes: Vec<_> = votes.map(|bytes| crypto::bls::Signature::from_bytes(&bytes).unwrap()).collect();
        let signature = aggregate_signatures(&votes.iter().collect::<Vec<_>>()).unwrap().to_bytes();
        let Vote { epoch, view, parent_view, id, .. } = vote;
        let signers = Signers::from_indices(self.committee.len(), 0..signers);
        Certificate { epoch, view, parent_view, id, signers, signature }
    }
}

fn secret(seed: u8, seat: u32) -> SecretKey {
    let mut bytes = [1; 32];
    bytes[1] = seed;
    bytes[2..6].copy_from_slice(&seat.to_be_bytes());
    SecretKey::from_bytes(&bytes).expect("below the group's order")
}

/// A vote that decides for `id`, in view 3 on top of view 2.
pub fn finalization(chain: Chain, epoch: u64, id: B256) -> Vote {
    let (view, parent_view) = (View::new(3), View::new(2));
    Vote { kind: VoteKind::Finalize, chain, epoch: Epoch::new(epoch), view, parent_view, id }
}

/// A table of epochs from zero on, which start at these heights under these committees.
pub fn table(entries: &[(u64, &Members)]) -> EpochTable {
    let entries = entries.iter().zip(0..).map(|((first_height, members), epoch)| EpochEntry {
        epoch: Epoch::new(epoch),
        first_height: Height::new(*first_height),
        committee_root: members.committee.root(),
    });
    EpochTable::new(entries.collect()).expect("rising heights")
}

/// Lanes of shards that neither sent nor received anything.
pub fn idle_lanes(shards: u32) -> Vec<BeaconLane> {
    (0..shards).map(|shard| BeaconLane { shard: ShardId::new(shard), ..BeaconLane::default() }).collect()
}

/// A beacon state of which only the public fields matter.
#[derive(Clone, Debug)]
pub struct State {
    /// Its randomness.
    pub mix: B256,
    /// The beacon chain's committees.
    pub beacon_table: EpochTable,
    /// Every shard's entry.
    pub records: Vec<ShardRecord>,
    /// Of each record's accepted header.
    pub cursors: Vec<InboxCursors>,
    /// The lanes to and from each shard, without receipts.
    pub lanes: Vec<BeaconLane>,
}

impl State {
    fn record_roots(&self) -> Vec<B256> {
        self.records.iter().map(|record| record.tree_hash_root()).collect()
    }

    fn lane_roots(&self) -> Vec<B256> {
        self.lanes.iter().map(|lane| lane.tree_hash_root()).collect()
    }

    /// Roots of its fields.
    pub fn fields(&self) -> [B256; STATE_FIELDS] {
        let mut fields = std::array::from_fn(|field| B256::repeat_byte(field as u8));
        fields[FIELD_MIX as usize] = self.mix;
        fields[FIELD_BEACON_TABLE as usize] = self.beacon_table.tree_hash_root();
        fields[FIELD_SHARDS as usize] = list_root(&self.record_roots(), SHARDS_DEPTH);
        fields[FIELD_LANES as usize] = list_root(&self.lane_roots(), SHARDS_DEPTH);
        fields
    }

    /// Its root.
    pub fn root(&self) -> B256 {
        state_root(&self.fields())
    }

    /// From the mix to the root.
    pub fn mix_branch(&self) -> Vec<B256> {
        field_branch(&self.fields(), FIELD_MIX).unwrap()
    }

    /// A shard's entry with its proof.
    pub fn record_proof(&self, shard: usize) -> RecordProof {
        let branch = record_branch(&self.record_roots(), shard as u64, &self.fields()).unwrap();
        RecordProof { record: self.records[shard].clone(), branch, cursors: self.cursors[shard].clone() }
    }

    /// A shard's lane with its proof.
    pub fn delivery(&self, shard: usize) -> BeaconDelivery {
        let branch = lane_branch(&self.lane_roots(), shard as u64, &self.fields()).unwrap();
        BeaconDelivery { lane: self.lanes[shard], branch, receipts: Vec::new(), range_proof: Vec::new() }
    }

    /// A header over it.
    pub fn header(&self, epoch: u64, height: u64) -> BeaconHeader {
        BeaconHeader {
            epoch: Epoch::new(epoch),
            height: Height::new(height),
            state_root: self.root(),
            ..BeaconHeader::default()
        }
    }

    /// The update that certifies this state at `height`.
    pub fn update(&self, epoch: u64, height: u64, members: &Members) -> LightUpdate {
        let header = self.header(epoch, height);
        let certificate = members.certify(Chain::Beacon, epoch, header.id(), members.committee.quorum());
        LightUpdate {
            certified: CertifiedBeaconHeader { header, certificate },
            mix: self.mix,
            mix_branch: self.mix_branch(),
            beacon_table: self.beacon_table.clone(),
            beacon_table_branch: field_branch(&self.fields(), FIELD_BEACON_TABLE).unwrap(),
            records: (0..self.records.len()).map(|shard| self.record_proof(shard)).collect(),
            deliveries: (0..self.lanes.len()).map(|shard| self.delivery(shard)).collect(),
        }
    }
}

/// Every value whose encoding differs from this one's in one bit of one byte.
pub fn with_one_bit_flipped<T: ssz::Encode + ssz::Decode>(value: &T) -> impl Iterator<Item = T> {
    let bytes = value.as_ssz_bytes();
    (0..bytes.len()).filter_map(move |place| {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        T::from_ssz_bytes(&bytes).ok()
    })
}
