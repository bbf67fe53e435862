//! What tests of this package and of others build blocks from: keys, signed transactions, and a beacon chain just large
//! enough to anchor them. Not part of a node.

mod net;

pub use net::TestNet;

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, Signed, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use consensus::{
    authority::{Authority, CommitteeSource},
    layout::{self, FIELD_LANES, FIELD_MIX, FIELD_SHARDS, SHARDS_DEPTH, STATE_FIELDS},
    testing::{GENESIS, Members},
};
use crypto::secp256k1::SecretKey;
use primitives::{
    AcceptedHeader, Allocation, AnchorProof, AnchorRef, BeaconDelivery, BeaconHeader, BeaconLane,
    Certificate, Chain, ChainSpec, Committee, Epoch, EpochEntry, EpochTable, Height, InboxCursors, Receipt,
    RecordProof, Seat, ShardHeader, ShardId, ShardRecord, ValidatorIndex, Verified, View,
};
use tree_hash::TreeHash as _;
use xshard::{Payload, beacon};

use crate::{
    block::{BlockContext, Incoming},
    transaction::{Transaction, TransactionLimits, verify_batch},
};

/// One ether, wei.
pub const ETHER: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// A gas price that is above every base fee of a test, wei.
pub const GAS_PRICE: u128 = 2_000_000_000;

/// The `local` preset.
pub fn spec() -> Arc<ChainSpec> {
    Arc::new(ChainSpec::preset("local").expect("a preset that its own tests read"))
}

/// The user key of a number.
pub fn key(number: u64) -> SecretKey {
    let bytes = keccak256(number.to_be_bytes());
    SecretKey::from_bytes(&bytes.0).expect("a hash is in range but for one chance in 2^127")
}

/// A million ether for each of the first `count` keys.
pub fn allocations(count: u64) -> Vec<Allocation> {
    let balance = ETHER * U256::from(1_000_000);
    (0..count).map(|number| Allocation { address: key(number).address(), balance }).collect()
}

/// Signs a transaction of any type.
pub fn sign<T>(transaction: T, key: &SecretKey) -> TxEnvelope
where
    T: SignableTransaction<Signature>,
    Signed<T>: Into<TxEnvelope>,
{
    let signature = key.sign(&transaction.signature_hash());
    transaction.into_signed(signature).into()
}

/// Verifies a transaction that a test relies on.
pub fn verified(envelope: &TxEnvelope, limits: &TransactionLimits) -> Arc<Verified<Transaction>> {
    let verified = verify_batch(vec![envelope.encoded_2718().into()], limits).pop();
    Arc::new(verified.expect("one for one").expect("a test's transaction is valid"))
}

/// Builds verified EIP-1559 transactions of one shard.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// What they are verified against.
    pub limits: TransactionLimits,
}

impl Sender {
    /// For a shard of the `local` preset.
    pub fn new(shard: ShardId) -> Self {
        Self { limits: TransactionLimits::new(&spec(), shard) }
    }

    /// A transaction that calls `to`, or creates a contract.
    pub fn transaction(
        &self,
        key: &SecretKey,
        nonce: u64,
        to: Option<Address>,
        value: U256,
        input: impl Into<Bytes>,
    ) -> Arc<Verified<Transaction>> {
        verified(&sign(self.unsigned(nonce, to, value, input), key), &self.limits)
    }

    /// A plain transfer.
    pub fn transfer(
        &self,
        key: &SecretKey,
        nonce: u64,
        to: Address,
        value: U256,
    ) -> Arc<Verified<Transaction>> {
        let unsigned = TxEip1559 { gas_limit: 21_000, ..self.unsigned(nonce, Some(to), value, Bytes::new()) };
        verified(&sign(unsigned, key), &self.limits)
    }

    /// The transaction before it is signed.
    pub fn unsigned(
        &self,
        nonce: u64,
        to: Option<Address>,
        value: U256,
        input: impl Into<Bytes>,
    ) -> TxEip1559 {
        TxEip1559 {
            chain_id: self.limits.chain_id,
            nonce,
            gas_limit: 2_000_000,
            max_fee_per_gas: GAS_PRICE,
            max_priority_fee_per_gas: 1_000_000,
            to: to.map_or(TxKind::Create, TxKind::Call),
            value,
            access_list: Default::default(),
            input: input.into(),
        }
    }
}

/// A beacon chain reduced to what anchors prove: a mix for each height, every shard's record, one committee.
#[derive(Clone, Debug)]
pub struct TestBeacon {
    spec: Arc<ChainSpec>,
    members: Arc<Members>,
    committee: Committee,
    authority: Arc<Authority>,
    records: Vec<ShardRecord>,
    cursors: Vec<InboxCursors>,
    lanes: Vec<TestLane>,
}

/// What the beacon chain has of one shard.
#[derive(Clone, Debug, Default)]
struct TestLane {
    received: u64,
    first_sequence: u64,
    pending: Vec<Receipt>,
}

/// Seats of the one committee; seat *i* is that of validator *i*.
const SEATS: u32 = 4;

impl TestBeacon {
    /// All shards of a specification, ruled by one committee in their first epochs.
    pub fn new(spec: Arc<ChainSpec>) -> Self {
        Self::with_epochs(spec, 8)
    }

    /// The same, knowing only so many epochs, each of the specification's length.
    pub fn with_epochs(spec: Arc<ChainSpec>, epochs: u64) -> Self {
        let members = Arc::new(Members::new(0, SEATS));
        let seat = |(index, seat): (u64, &Seat)| Seat {
            validator: ValidatorIndex::new(index),
            fee_recipient: Self::fee_recipient(index),
            ..*seat
        };
        let seats = (0..).zip(members.committee.seats()).map(seat).collect();
        let committee = Committee::new(seats).expect("different keys");
        let entry = |epoch: u64| EpochEntry {
            epoch: Epoch::new(epoch),
            first_height: Height::new(epoch * spec.shard_epoch_heights.get()),
            committee_root: committee.root(),
        };
        let table = EpochTable::new((0..epochs).map(entry).collect()).expect("ascending");
        let inbox_cursors_root = InboxCursors::default().root();
        let accepted = AcceptedHeader { inbox_cursors_root, ..AcceptedHeader::default() };
        let records = (0u32..).zip(&spec.shards).map(|(id, shard)| ShardRecord {
            shard: ShardId::new(id),
            kind: shard.kind,
            accepted,
            table: table.clone(),
            ..ShardRecord::default()
        });
        let cursors = vec![InboxCursors::default(); spec.shards.len()];
        let authority = Authority::new(committee.clone(), Chain::Beacon, Epoch::ZERO, GENESIS);
        let authority = Arc::new(authority.expect("valid keys"));
        let lanes = vec![TestLane::default(); spec.shards.len()];
        Self { records: records.collect(), members, committee, authority, cursors, lanes, spec }
    }

    /// Who earns the fees of blocks that a validator proposes.
    pub fn fee_recipient(validator: u64) -> Address {
        Address::from_word(keccak256([b"fees".as_slice(), &validator.to_be_bytes()].concat()))
    }

    /// The randomness at a height.
    pub fn mix(height: u64) -> B256 {
        keccak256([b"mix".as_slice(), &height.to_be_bytes()].concat())
    }

    /// A quorum's certificate of a shard's header.
    pub fn certify(&self, header: &ShardHeader) -> Certificate {
        let quorum = self.committee.quorum();
        self.members.certify(header.shard.into(), header.epoch.get(), header.id(), quorum)
    }

    /// Records a shard's header, with the cursors that it commits to.
    pub fn accept(&mut self, header: &ShardHeader, cursors: &InboxCursors) {
        let shard = header.shard.get() as usize;
        self.records[shard].accepted = AcceptedHeader {
            height: header.height,
            id: header.id(),
            epoch: header.epoch,
            history_root: header.history_root,
            outbox_root: header.outbox_root,
            inbox_cursors_root: header.inbox_cursors_root,
            accepted_at: Height::ZERO,
        };
        self.cursors[shard] = cursors.clone();
    }

    /// Sends a receipt to a shard; its id.
    pub fn send(&mut self, shard: ShardId, payload: &Payload, value: U256) -> B256 {
        let lane = &mut self.lanes[shard.get() as usize];
        let sequence = lane.first_sequence + lane.pending.len() as u64;
        let receipt = beacon::receipt(shard, sequence, value, payload);
        lane.pending.push(receipt);
        lane.pending.last().map_or(B256::ZERO, Receipt::id)
    }

    /// Forgets the first `count` receipts to a shard, as if its accepted header had consumed them.
    pub fn forget(&mut self, shard: ShardId, count: usize) {
        let lane = &mut self.lanes[shard.get() as usize];
        lane.pending.drain(..count);
        lane.first_sequence += count as u64;
    }

    /// Consumes the receipts of a shard below a sequence.
    pub fn receive(&mut self, shard: ShardId, sequence: u64) {
        self.lanes[shard.get() as usize].received = sequence;
    }

    fn lane(&self, shard: usize) -> BeaconLane {
        let lane = &self.lanes[shard];
        let ids: Vec<B256> = lane.pending.iter().map(Receipt::id).collect();
        beacon::lane(ShardId::new(shard as u32), lane.received, lane.first_sequence, &ids)
    }

    /// What the beacon block at `height` has for a shard.
    pub fn delivery(&self, shard: ShardId, height: u64) -> BeaconDelivery {
        let place = shard.get() as usize;
        let branch = layout::lane_branch(&self.lane_roots(), place as u64, &self.fields(height));
        let pending = &self.lanes[place].pending;
        let ids: Vec<B256> = pending.iter().map(Receipt::id).collect();
        beacon::deliver(self.lane(place), branch.expect("a shard"), pending, &ids)
    }

    fn lane_roots(&self) -> Vec<B256> {
        (0..self.lanes.len()).map(|shard| self.lane(shard).tree_hash_root()).collect()
    }

    fn record_roots(&self) -> Vec<B256> {
        self.records.iter().map(|record| record.tree_hash_root()).collect()
    }

    fn fields(&self, height: u64) -> [B256; STATE_FIELDS] {
        let mut fields = [B256::ZERO; STATE_FIELDS];
        fields[FIELD_MIX as usize] = Self::mix(height);
        fields[FIELD_SHARDS as usize] = layout::list_root(&self.record_roots(), SHARDS_DEPTH);
        fields[FIELD_LANES as usize] = layout::list_root(&self.lane_roots(), SHARDS_DEPTH);
        fields
    }

    /// Every shard in the state of the beacon block at `height`.
    pub fn records(&self, height: u64) -> Vec<RecordProof> {
        let proof = |(shard, cursors): (u32, &InboxCursors)| {
            let AnchorProof { record, record_branch, .. } = self.anchor(ShardId::new(shard), height, 0);
            RecordProof { record, branch: record_branch, cursors: cursors.clone() }
        };
        (0..).zip(&self.cursors).map(proof).collect()
    }

    /// What a block of `shard`, proposed by `proposer`, takes from the beacon block at `height`.
    pub fn anchor(&self, shard: ShardId, height: u64, proposer: u64) -> AnchorProof {
        let (roots, fields, mix) = (self.record_roots(), self.fields(height), Self::mix(height));
        let header = BeaconHeader {
            height: Height::new(height),
            timestamp_ms: height * self.spec.beacon_interval_ms.get(),
            state_root: layout::state_root(&fields),
            ..BeaconHeader::default()
        };
        let index = proposer as u32;
        AnchorProof {
            header,
            mix,
            mix_branch: layout::field_branch(&fields, FIELD_MIX).expect("a field"),
            record: self.records[shard.get() as usize].clone(),
            record_branch: layout::record_branch(&roots, u64::from(shard.get()), &fields).expect("a shard"),
            seat_index: index,
            seat: *self.committee.seat(index).expect("a seat"),
            seat_branch: layout::committee_branch(&self.committee, index).expect("a seat"),
        }
    }

    /// Names a beacon block as headers do.
    pub fn anchor_ref(&self, height: u64) -> AnchorRef {
        let header = self.anchor(ShardId::ZERO, height, 0).header;
        AnchorRef { height: header.height, id: header.id() }
    }

    /// What a proposer needs to build on `parent`, one view and half a second later, anchored at beacon height
    /// `anchor`.
    pub fn context(&self, parent: &ShardHeader, anchor: u64) -> BlockContext {
        let height = parent.height.next();
        let epoch = Epoch::new(height.get() / self.spec.shard_epoch_heights.get());
        let parent_view = if epoch == parent.epoch { parent.view } else { View::ZERO };
        let proposer = height.get() % u64::from(SEATS);
        let others = self.records(anchor);
        BlockContext {
            epoch,
            view: parent_view.next(),
            parent_view,
            proposer: ValidatorIndex::new(proposer),
            timestamp_ms: parent.timestamp_ms + self.spec.shard_interval_ms.get(),
            anchor: self.anchor(parent.shard, anchor, proposer),
            others,
            delivery: Some(self.delivery(parent.shard, anchor)),
        }
    }
}

/// The one committee speaks for every shard in every epoch.
impl CommitteeSource for TestBeacon {
    fn authority(&self, chain: Chain, epoch: Epoch) -> Option<Arc<Authority>> {
        Some(Arc::new(self.authority.reappointed(chain, epoch)))
    }
}

/// No other shard has sent anything.
pub const NOTHING_INCOMING: Incoming<'static> = Incoming { bundles: &[], committees: None };
