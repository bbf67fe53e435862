//! The bytes that seats sign.
//!
//! A vote's bytes are those of the BFT engine (commonware simplex with BLS multisignatures), so that
//! evidence and certificates are verified here without it. No two statements share their bytes: each
//! kind has its own namespace, and a namespace is preceded by its length.
//!
//! Rules: docs/spec/consensus.md#votes

use crypto::bls::namespaced;
use primitives::{B256, Epoch, Height, Vote, VoteKind};

const NOTARIZE_SUFFIX: &[u8] = b"_NOTARIZE";
const NULLIFY_SUFFIX: &[u8] = b"_NULLIFY";
const FINALIZE_SUFFIX: &[u8] = b"_FINALIZE";
const RANDAO_SUFFIX: &[u8] = b"_RANDAO";

/// Longest LEB128 encoding of a `u64`.
const VARINT_BYTES_MAX: usize = 10;

/// What a seat signs to cast `vote` in the chain of this [`crate::namespace`].
///
/// `vote.chain` is not looked at: the namespace says which chain it is. A nullification's parent view
/// and id are not signed.
pub fn signing_bytes(namespace: &[u8], vote: &Vote) -> Vec<u8> {
    let mut message = Vec::with_capacity(3 * VARINT_BYTES_MAX + B256::len_bytes());
    write_varint(vote.epoch.get(), &mut message);
    write_varint(vote.view.get(), &mut message);
    let suffix = match vote.kind {
        VoteKind::Notarize => NOTARIZE_SUFFIX,
        VoteKind::Nullify => NULLIFY_SUFFIX,
        VoteKind::Finalize => FINALIZE_SUFFIX,
    };
    if vote.kind != VoteKind::Nullify {
        write_varint(vote.parent_view.get(), &mut message);
        message.extend_from_slice(vote.id.as_slice());
    }
    namespaced(&[namespace, suffix].concat(), &message)
}

/// What a proposing seat signs to reveal its share of the beacon chain's randomness at `height`.
///
/// BLS signatures are unique, so the proposer chooses nothing but whether to reveal.
pub fn randao_bytes(genesis_hash: B256, epoch: Epoch, height: Height) -> Vec<u8> {
    let namespace = [genesis_hash.as_slice(), RANDAO_SUFFIX].concat();
    let message = [epoch.get().to_le_bytes(), height.get().to_le_bytes()].concat();
    namespaced(&namespace, &message)
}

/// Unsigned LEB128.
fn write_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests;
