//! Beacon headers and blocks, and what they carry.

use super::super::{Decimal, SignedBlock};
use super::dispute::{ConflictView, ConsumptionView};
use super::lane::BundleView;
use primitives::{
    B256, BeaconBlock, BeaconHeader, Chain, Crosslink, Evidence, PublicKeyBytes, SignatureBytes, SignedVote,
    VoteKind,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Name under which `/eth/v2` announces the shape of a block.
pub(crate) const BLOCK_VERSION: &str = "atoll";

/// Stands where a header has no certificate of its own.
const NO_SIGNATURE: SignatureBytes = SignatureBytes::new([0; SignatureBytes::LENGTH]);

/// A beacon header's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderMessage {
    /// Its height.
    pub slot: Decimal,
    /// Who proposed it.
    pub proposer_index: Decimal,
    /// Id of the header below.
    #[schema(value_type = String)]
    pub parent_root: B256,
    /// Root of the state after it.
    #[schema(value_type = String)]
    pub state_root: B256,
    /// BLAKE3 of the encoded body.
    #[schema(value_type = String)]
    pub body_root: B256,
    /// Atoll: term of the committee that agreed on it.
    pub epoch: Decimal,
    /// Atoll: view it was proposed in.
    pub view: Decimal,
    /// Atoll: view of its parent.
    pub parent_view: Decimal,
    /// Atoll: milliseconds since the Unix epoch.
    pub timestamp_ms: Decimal,
    /// Atoll: proves every header below it.
    #[schema(value_type = String)]
    pub history_root: B256,
}

impl From<&BeaconHeader> for HeaderMessage {
    fn from(header: &BeaconHeader) -> Self {
        Self {
            slot: header.height.get().into(),
            proposer_index: header.proposer.get().into(),
            parent_root: header.parent,
            state_root: header.state_root,
            body_root: header.body_root,
            epoch: header.epoch.get().into(),
            view: header.view.get().into(),
            parent_view: header.parent_view.get().into(),
            timestamp_ms: header.timestamp_ms.into(),
            history_root: header.history_root,
        }
    }
}

/// A header and the signature under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedHeader {
    /// The header.
    pub message: HeaderMessage,
    /// The certificate's; zeros where a descendant's certificate covers the header.
    #[schema(value_type = String)]
    pub signature: SignatureBytes,
}

/// A header with its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderView {
    /// The id.
    #[schema(value_type = String)]
    pub root: B256,
    /// Always true: only certified headers are shown.
    pub canonical: bool,
    /// The header.
    pub header: SignedHeader,
}

impl HeaderView {
    /// The view of a certified header.
    pub fn new(header: &BeaconHeader, signature: Option<SignatureBytes>) -> Self {
        let signature = signature.unwrap_or(NO_SIGNATURE);
        Self {
            root: header.id(),
            canonical: true,
            header: SignedHeader { message: header.into(), signature },
        }
    }
}

/// A shard's progress as a beacon block records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CrosslinkView {
    /// Whose.
    pub shard: Decimal,
    /// Term of the shard's committee.
    pub epoch: Decimal,
    /// Height of the shard's header.
    pub height: Decimal,
    /// Its id.
    #[schema(value_type = String)]
    pub id: B256,
    /// Its state root.
    #[schema(value_type = String)]
    pub state_root: B256,
    /// Its outbox root.
    #[schema(value_type = String)]
    pub outbox_root: B256,
    /// Its timestamp, milliseconds since the Unix epoch.
    pub timestamp_ms: Decimal,
    /// How many seats signed.
    pub signers: Decimal,
    /// Of how many.
    pub seats: Decimal,
    /// Height of the beacon block that accepted it.
    pub accepted_at: Decimal,
}

impl CrosslinkView {
    /// The view of a crosslink in the beacon block of height `accepted_at`.
    pub fn new(crosslink: &Crosslink, accepted_at: u64) -> Self {
        let Crosslink { header, certificate, .. } = crosslink;
        Self {
            shard: u64::from(header.shard.get()).into(),
            epoch: header.epoch.get().into(),
            height: header.height.get().into(),
            id: certificate.id,
            state_root: header.state_root,
            outbox_root: header.outbox_root,
            timestamp_ms: header.timestamp_ms.into(),
            signers: u64::from(certificate.signers.count()).into(),
            seats: u64::from(certificate.signers.seats()).into(),
            accepted_at: accepted_at.into(),
        }
    }
}

/// Two votes of one seat that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// The chain they are about.
    #[schema(value_type = String)]
    pub chain: Chain,
    /// The term.
    pub epoch: Decimal,
    /// The view.
    pub view: Decimal,
    /// Index of the seat.
    pub seat: Decimal,
    /// Its key, if the committee has such a seat.
    #[schema(value_type = Option<String>)]
    pub key: Option<PublicKeyBytes>,
    /// Whose seat it is.
    pub validator: Option<Decimal>,
    /// One vote.
    pub first: VoteView,
    /// The other.
    pub second: VoteView,
}

/// One vote of a piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VoteView {
    /// `notarize`, `nullify` or `finalize`.
    pub kind: String,
    /// The block voted for; zero in a nullification.
    #[schema(value_type = String)]
    pub id: B256,
    /// The seat's signature.
    #[schema(value_type = String)]
    pub signature: SignatureBytes,
}

impl From<&SignedVote> for VoteView {
    fn from(signed: &SignedVote) -> Self {
        let kind = match signed.vote.kind {
            VoteKind::Notarize => "notarize",
            VoteKind::Nullify => "nullify",
            VoteKind::Finalize => "finalize",
        };
        Self { kind: kind.into(), id: signed.vote.id, signature: signed.signature }
    }
}

impl From<&Evidence> for EvidenceView {
    fn from(evidence: &Evidence) -> Self {
        let vote = &evidence.first.vote;
        let seat = evidence.committee.seat(evidence.first.seat);
        Self {
            chain: vote.chain,
            epoch: vote.epoch.get().into(),
            view: vote.view.get().into(),
            seat: u64::from(evidence.first.seat).into(),
            key: seat.map(|seat| seat.key),
            validator: seat.map(|seat| seat.validator.get().into()),
            first: (&evidence.first).into(),
            second: (&evidence.second).into(),
        }
    }
}

/// What a beacon block brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockBodyView {
    /// The proposer's share of the randomness.
    #[schema(value_type = String)]
    pub randao_reveal: SignatureBytes,
    /// At most one per shard.
    pub crosslinks: Vec<CrosslinkView>,
    /// Proofs of equivocation.
    pub evidence: Vec<EvidenceView>,
    /// Proofs that a committee certified two branches.
    pub conflicts: Vec<ConflictView>,
    /// Shards that consumed from void branches.
    pub consumptions: Vec<ConsumptionView>,
    /// Receipts of shards that it consumes.
    pub bundles: Vec<BundleView>,
}

/// A block's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockMessage {
    /// The header.
    #[serde(flatten)]
    pub header: HeaderMessage,
    /// The body.
    pub body: BlockBodyView,
}

impl From<&BeaconBlock> for BlockMessage {
    fn from(block: &BeaconBlock) -> Self {
        let accepted_at = block.header.height.get();
        let body = &block.body;
        let crosslinks = body.crosslinks.iter().map(|link| CrosslinkView::new(link, accepted_at)).collect();
        Self {
            header: (&block.header).into(),
            body: BlockBodyView {
                randao_reveal: body.randao_reveal,
                crosslinks,
                evidence: body.evidence.iter().map(Into::into).collect(),
                conflicts: body.conflicts.iter().map(Into::into).collect(),
                consumptions: body.consumptions.iter().map(Into::into).collect(),
                bundles: body.bundles.iter().map(Into::into).collect(),
            },
        }
    }
}

/// A block and the signature under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockView {
    /// The block.
    pub message: BlockMessage,
    /// The certificate's; zeros where a descendant's certificate covers the block.
    #[schema(value_type = String)]
    pub signature: SignatureBytes,
}

impl From<&SignedBlock> for BlockView {
    fn from(signed: &SignedBlock) -> Self {
        Self { message: (&signed.block).into(), signature: signed.signature.unwrap_or(NO_SIGNATURE) }
    }
}

/// A block, and of which shape it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionedBlock {
    /// Always `atoll`.
    pub version: String,
    /// Always false: what a node shows it has executed.
    pub execution_optimistic: bool,
    /// Whether the block is final.
    pub finalized: bool,
    /// The block.
    pub data: BlockView,
}

impl VersionedBlock {
    /// The view of a block.
    pub fn new(signed: &SignedBlock, finalized: bool) -> Self {
        Self { version: BLOCK_VERSION.into(), execution_optimistic: false, finalized, data: signed.into() }
    }
}
