//! BLS12-381 signatures of validators: public keys of 48 bytes in G1, signatures of 96 bytes in G2.
//!
//! A [`PublicKey`] or a [`Signature`] is a checked point: on the curve, in the right subgroup and not
//! infinity; each check is made once, where the bytes are decompressed. [`PublicKeyBytes`] and
//! [`SignatureBytes`] are what states and messages hold: nothing is known of them.
//!
//! Aggregating keys is safe only if each key's owner has proven to hold its secret
//! ([`verify_possession`]); whoever registers a key sees to that.
//!
//! The consensus engine signs with the same ciphersuite; a message it signs under a namespace is
//! [`namespaced`] here, byte for byte.
//!
//! Rules: draft-irtf-cfrg-bls-signature-05 (ciphersuite `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_`),
//! RFC 9380, EIP-2333 and EIP-2334 (derivation of keys).

mod aggregate;
mod batch;
mod bytes;
mod derivation;
mod namespace;
mod pairing;
mod public_key;
mod secret_key;
mod signature;
#[cfg(test)]
mod tests;

pub use aggregate::{AggregateError, aggregate_public_keys, aggregate_signatures, verify_aggregate};
pub use batch::{BatchItem, find_invalid, verify_batch};
pub use bytes::{PublicKeyBytes, SignatureBytes};
pub use derivation::PathError;
pub use namespace::namespaced;
pub use public_key::{PublicKey, verify_possession};
pub use secret_key::{SecretKey, SecretKeyError};
pub use signature::Signature;

/// Domain of signatures over messages.
const MESSAGE_DOMAIN: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
/// Domain of proofs of possession.
const POSSESSION_DOMAIN: &[u8] = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// Why bytes are not a checked point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecompressError {
    #[error("not the compressed encoding of a point")]
    Encoding,
    #[error("the x coordinate is of no point on the curve")]
    NotOnCurve,
    #[error("the point is not in the prime-order subgroup")]
    NotInGroup,
    #[error("the point is infinity")]
    Infinity,
}

impl From<blst::BLST_ERROR> for DecompressError {
    fn from(error: blst::BLST_ERROR) -> Self {
        match error {
            blst::BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Self::NotOnCurve,
            blst::BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Self::NotInGroup,
            blst::BLST_ERROR::BLST_PK_IS_INFINITY => Self::Infinity,
            _ => Self::Encoding,
        }
    }
}
