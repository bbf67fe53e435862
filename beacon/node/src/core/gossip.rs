//! What beacon nodes tell each other beside blocks and votes.
//!
//! Encoding: one byte for the kind (0 crosslink offer, 1 evidence, 2 conflict) ‖ SSZ.

use super::CandidateError;
use beacon_state::operation::receipts;
use bytes::Bytes;
use primitives::{Conflict, CrosslinkOffer, Evidence};
use ssz::{Decode, DecodeError, Encode};

const CROSSLINK: u8 = 0;
const EVIDENCE: u8 = 1;
const CONFLICT: u8 = 2;
/// Bytes that an element of variable size takes beside its own.
const OFFSET_BYTES: usize = 4;

/// Largest message, bytes: above a piece of evidence with the largest committee, and an offer with as many cursors
/// and ancestries as there can be. An offer's receipts are passed on as far as there is room: the next ones come with the
/// next offer.
pub const GOSSIP_BYTES_MAX: usize = 1 << 19;

/// Why a peer's message was of no use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GossipError {
    /// Too long.
    #[error("a message has at most {max} bytes, found {found}")]
    TooLarge {
        /// The limit.
        max: usize,
        /// Its length.
        found: usize,
    },
    /// No such kind.
    #[error("no message has kind {found:?}")]
    UnknownKind {
        /// Its first byte, if it has one.
        found: Option<u8>,
    },
    /// Not the SSZ of its kind.
    #[error("the message of kind {kind} does not decode: {error:?}")]
    Malformed {
        /// Its kind.
        kind: u8,
        /// What is wrong.
        error: DecodeError,
    },
    /// Read, and refused.
    #[error(transparent)]
    Refused(#[from] CandidateError),
}

/// A message between beacon nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Crosslink(CrosslinkOffer),
    Evidence(Evidence),
    Conflict(Conflict),
}

impl Message {
    pub(super) fn decode(payload: &[u8]) -> Result<Self, GossipError> {
        let found = payload.len();
        if found > GOSSIP_BYTES_MAX {
            return Err(GossipError::TooLarge { max: GOSSIP_BYTES_MAX, found });
        }
        match payload.split_first() {
            Some((&CROSSLINK, ssz)) => read(CROSSLINK, ssz).map(Self::Crosslink),
            Some((&EVIDENCE, ssz)) => read(EVIDENCE, ssz).map(Self::Evidence),
            Some((&CONFLICT, ssz)) => read(CONFLICT, ssz).map(Self::Conflict),
            other => Err(GossipError::UnknownKind { found: other.map(|(kind, _)| *kind) }),
        }
    }
}

/// The message that carries a crosslink, its ancestries and as many of its next receipts as it has room for.
pub(super) fn crosslink_message(offer: &CrosslinkOffer) -> Bytes {
    match shortened(offer) {
        Some(shorter) => write(CROSSLINK, &shorter),
        None => write(CROSSLINK, offer),
    }
}

/// The offer with fewer receipts; none if it has room with all of them.
fn shortened(offer: &CrosslinkOffer) -> Option<CrosslinkOffer> {
    if offer.ssz_bytes_len() < GOSSIP_BYTES_MAX {
        return None;
    }
    let mut shorter = CrosslinkOffer { bundles: Vec::new(), ..offer.clone() };
    let mut room = GOSSIP_BYTES_MAX.saturating_sub(1 + shorter.ssz_bytes_len());
    for bundle in &offer.bundles {
        let (mut count, mut part) = (bundle.receipts.len(), Some(bundle.clone()));
        while let Some(bytes) = part.as_ref().map(|part| OFFSET_BYTES + part.ssz_bytes_len()) {
            if let Some(left) = room.checked_sub(bytes) {
                room = left;
                break;
            }
            count /= 2;
            part = receipts::first(bundle, count);
        }
        let is_whole = part.as_ref() == Some(bundle);
        shorter.bundles.extend(part);
        if !is_whole {
            break;
        }
    }
    Some(shorter)
}

/// The message that carries evidence.
pub(super) fn evidence_message(evidence: &Evidence) -> Bytes {
    write(EVIDENCE, evidence)
}

/// The message that carries a conflict.
pub(super) fn conflict_message(conflict: &Conflict) -> Bytes {
    write(CONFLICT, conflict)
}

fn read<T: Decode>(kind: u8, ssz: &[u8]) -> Result<T, GossipError> {
    T::from_ssz_bytes(ssz).map_err(|error| GossipError::Malformed { kind, error })
}

fn write(kind: u8, value: &impl Encode) -> Bytes {
    let mut payload = Vec::with_capacity(1 + value.ssz_bytes_len());
    payload.push(kind);
    value.ssz_append(&mut payload);
    payload.into()
}
