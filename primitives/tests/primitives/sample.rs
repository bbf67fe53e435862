//! Containers full of numbers that all differ, the same for the same seed.

use crypto::mmr::MmrProof;
use primitives::*;

/// Calls a macro with a name and the type of every container on the wire or under a root.
macro_rules! every_container {
    ($callback:ident) => {
        $callback! {
            accepted_header: AcceptedHeader,
            ancestor_header: AncestorHeader,
            anchor_proof: AnchorProof,
            anchor_ref: AnchorRef,
            beacon_block: BeaconBlock,
            beacon_body: BeaconBody,
            beacon_bundle: BeaconBundle,
            beacon_delivery: BeaconDelivery,
            beacon_lane: BeaconLane,
            beacon_header: BeaconHeader,
            bundle: Bundle,
            bypassed: Bypassed,
            certificate: Certificate,
            certified_beacon_header: CertifiedBeaconHeader,
            certified_shard_header: CertifiedShardHeader,
            chain: Chain,
            committee: Committee,
            conflict: Conflict,
            consumption: Consumption,
            crosslink: Crosslink,
            crosslink_offer: CrosslinkOffer,
            divergence: Divergence,
            epoch_entry: EpochEntry,
            epoch_table: EpochTable,
            evidence: Evidence,
            inbox_cursor: InboxCursor,
            inbox_cursors: InboxCursors,
            inclusion: Inclusion,
            lane: Lane,
            light_update: LightUpdate,
            mmr_proof: MmrProof,
            other_ancestor: OtherAncestor,
            outbox_leaf: OutboxLeaf,
            outbox_proof: OutboxProof,
            receipt: Receipt,
            receipt_kind: ReceiptKind,
            record_proof: RecordProof,
            seat: Seat,
            shard_block: ShardBlock,
            shard_body: ShardBody,
            shard_header: ShardHeader,
            shard_kind: ShardKind,
            shard_record: ShardRecord,
            shard_status: ShardStatus,
            signed_vote: SignedVote,
            signers: Signers,
            source_ancestry: SourceAncestry,
            void_source: VoidSource,
            vote: Vote,
            vote_kind: VoteKind,
        }
    };
}

pub(crate) use every_container;

/// A stream of numbers (splitmix64), and how long lists are.
pub(crate) struct Sampler {
    state: u64,
    list_length: Option<u64>,
}

impl Sampler {
    /// Lists have `list_length` elements, or from none to three where that is None.
    pub(crate) fn new(seed: u64, list_length: Option<u64>) -> Self {
        Self { state: seed, list_length }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.sample::<u64>() % bound
    }

    fn length(&mut self) -> u64 {
        self.list_length.unwrap_or_else(|| self.below(4))
    }

    pub(crate) fn sample<T: Sample>(&mut self) -> T {
        T::sample(self)
    }
}

/// A type that can be filled with numbers.
pub(crate) trait Sample {
    fn sample(sampler: &mut Sampler) -> Self;
}

impl Sample for u64 {
    fn sample(sampler: &mut Sampler) -> Self {
        sampler.state = sampler.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (sampler.state ^ sampler.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

macro_rules! sample_small_integers {
    ($($int:ty),*) => {$(
        impl Sample for $int {
            fn sample(sampler: &mut Sampler) -> Self {
                sampler.sample::<u64>() as $int
            }
        }
    )*};
}
sample_small_integers!(u8, u16, u32);

impl<const N: usize> Sample for [u8; N] {
    fn sample(sampler: &mut Sampler) -> Self {
        std::array::from_fn(|_| sampler.sample())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(sampler: &mut Sampler) -> Self {
        (0..sampler.length()).map(|_| sampler.sample()).collect()
    }
}

macro_rules! sample_from {
    ($($name:ty: $inner:ty => $make:expr,)*) => {$(
        impl Sample for $name {
            fn sample(sampler: &mut Sampler) -> Self {
                let make: fn($inner) -> Self = $make;
                make(sampler.sample())
            }
        }
    )*};
}
sample_from! {
    Height: u64 => Height::new,
    Epoch: u64 => Epoch::new,
    View: u64 => View::new,
    ShardId: u32 => ShardId::new,
    ValidatorIndex: u64 => ValidatorIndex::new,
    ReceiptKind: u16 => ReceiptKind::new,
    Chain: u32 => Chain::from_code,
    B256: [u8; 32] => B256::new,
    Address: [u8; 20] => Address::new,
    Bloom: [u8; 256] => Bloom::new,
    U256: [u8; 32] => U256::from_le_bytes,
    Bytes: Vec<u8> => Bytes::from,
    PublicKeyBytes: [u8; 48] => PublicKeyBytes::new,
    SignatureBytes: [u8; 96] => SignatureBytes::new,
    Committee: Vec<Seat> => |seats| Committee::new(seats).unwrap(),
    InboxCursors: Vec<InboxCursor> => |cursors| InboxCursors::new(cursors).unwrap(),
}

macro_rules! sample_fields {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl Sample for $name {
            fn sample(sampler: &mut Sampler) -> Self {
                Self { $($field: sampler.sample()),* }
            }
        }
    )*};
}
sample_fields! {
    AcceptedHeader { height, id, epoch, history_root, outbox_root, accepted_at, inbox_cursors_root }
    AncestorHeader { header, proof }
    AnchorProof { header, mix, mix_branch, record, record_branch, seat_index, seat, seat_branch }
    AnchorRef { height, id }
    BeaconBlock { header, body }
    BeaconBody { randao_reveal, crosslinks, evidence, conflicts, consumptions, bundles }
    BeaconBundle { header, ancestry, outbox, receipts, range_proof }
    BeaconDelivery { lane, branch, receipts, range_proof }
    BeaconLane { shard, received, first_sequence, count, root }
    BeaconHeader {
        epoch, view, parent_view, height, parent, timestamp_ms, proposer, state_root, body_root, history_root,
    }
    Bypassed { shard, divergence }
    Bundle { lane, certified, ancestor, continuity, outbox, receipts, range_proof }
    Certificate { epoch, view, parent_view, id, signers, signature }
    CertifiedBeaconHeader { header, certificate }
    CertifiedShardHeader { header, certificate }
    Conflict { first, second, divergence }
    Consumption { certified, cursors, source }
    Crosslink { header, certificate, history, cursors, sources }
    CrosslinkOffer { crosslink, ancestries, bundles }
    EpochEntry { epoch, first_height, committee_root }
    Evidence { first, second, committee }
    Inclusion { header, history, index, hash, transaction_branch, outcome, outcome_branch }
    InboxCursor { source, height, id, epoch, sequence }
    Lane { source, destination }
    LightUpdate { certified, mix, mix_branch, beacon_table, beacon_table_branch, records, deliveries }
    MmrProof { leaf_count, leaf_index, path }
    OtherAncestor { id, proof }
    OutboxLeaf { destination, first_sequence, count, root }
    OutboxProof { leaf, index, branch }
    Receipt { lane, sequence, kind, sender, value, gas, deadline, payload }
    RecordProof { record, branch, cursors }
    Seat { key, validator, node, fee_recipient }
    ShardBlock { header, body }
    ShardBody { anchor, others, delivery, bundles, transactions }
    ShardHeader {
        shard, epoch, view, parent_view, height, parent, timestamp_ms, proposer, anchor, state_root,
        transactions_root, transaction_receipts_root, logs_bloom, outbox_root, inbox_cursors_root,
        history_root, data_root, gas_used, gas_limit, base_fee,
    }
    ShardRecord { shard, kind, status, accepted, table, early_ends }
    SignedVote { vote, seat, signature }
    Vote { kind, chain, epoch, view, parent_view, id }
}

macro_rules! sample_one_of {
    ($($name:ty: $($make:expr),*;)*) => {$(
        impl Sample for $name {
            fn sample(sampler: &mut Sampler) -> Self {
                let choices: &[fn(&mut Sampler) -> Self] = &[$($make),*];
                choices[sampler.below(choices.len() as u64) as usize](sampler)
            }
        }
    )*};
}
sample_one_of! {
    ShardKind: |_| Self::Defi, |_| Self::Nft, |_| Self::Ai;
    ShardStatus: |_| Self::Active, |_| Self::Retired;
    VoteKind: |_| Self::Notarize, |_| Self::Nullify, |_| Self::Finalize;
    Divergence: |s| Self::SameHeight(s.sample()), |s| Self::Below(s.sample());
    VoidSource: |s| Self::Ended(s.sample()), |s| Self::Bypassed(s.sample());
    SourceAncestry: |s| Self::Direct(s.sample()), |s| Self::Ancestor(s.sample());
}

impl Sample for EpochTable {
    fn sample(sampler: &mut Sampler) -> Self {
        let (epoch, height) = (u64::from(sampler.sample::<u32>()), u64::from(sampler.sample::<u32>()));
        let entries = (0..sampler.length()).map(|place| EpochEntry {
            epoch: Epoch::new(epoch + place),
            first_height: Height::new(height + 64 * place),
            committee_root: sampler.sample(),
        });
        Self::new(entries.collect()).unwrap()
    }
}

impl Sample for Signers {
    fn sample(sampler: &mut Sampler) -> Self {
        let seats = 9 + sampler.below(20) as u32;
        Self::from_indices(seats, (0..seats).filter(|_| sampler.below(4) > 0))
    }
}
