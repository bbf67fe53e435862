//! Aggregates: many signatures over one message as one signature, checked against one key.

use blst::min_pk::{AggregatePublicKey, AggregateSignature};
use blst::{blst_p1_affine, blst_p2_affine};

use super::public_key::PublicKey;
use super::signature::Signature;

/// Why points have no aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
    #[error("an aggregate has at least one part, found none")]
    Empty,
    #[error("the parts cancel out: their sum is infinity")]
    Infinity,
}

/// Sum of public keys, each of which proved possession. A key may occur more than once.
pub fn aggregate_public_keys(keys: &[&PublicKey]) -> Result<PublicKey, AggregateError> {
    let keys: Vec<_> = keys.iter().map(|key| &key.0).collect();
    let sum = AggregatePublicKey::aggregate(&keys, false).map_err(|_| AggregateError::Empty)?.to_public_key();
    // Subgroups are closed under addition, but a key and its negative add up to infinity, and one owner can prove both.
    let sum = PublicKey(sum);
    if *sum.point() == blst_p1_affine::default() { Err(AggregateError::Infinity) } else { Ok(sum) }
}

/// Sum of signatures.
pub fn aggregate_signatures(signatures: &[&Signature]) -> Result<Signature, AggregateError> {
    let signatures: Vec<_> = signatures.iter().map(|signature| &signature.0).collect();
    let sum =
        AggregateSignature::aggregate(&signatures, false).map_err(|_| AggregateError::Empty)?.to_signature();
    let sum = Signature(sum);
    if *sum.point() == blst_p2_affine::default() { Err(AggregateError::Infinity) } else { Ok(sum) }
}

/// Whether every one of `keys` signed `message`, given the aggregate of their signatures. False for no keys.
pub fn verify_aggregate(keys: &[&PublicKey], message: &[u8], signature: &Signature) -> bool {
    aggregate_public_keys(keys).is_ok_and(|key| key.verify(message, signature))
}
