//! The pairing equation of one signature, on the calling thread.

use blst::{BLST_ERROR, Pairing};

use super::public_key::PublicKey;
use super::signature::Signature;

/// Hash to the curve (random oracle), not encode.
pub(super) const HASH_TO_CURVE: bool = true;
/// Points were checked when they were made.
pub(super) const CHECK_POINT: bool = false;

/// Whether `e(key, H(message)) = e(generator, signature)`, under `domain`.
pub(super) fn verify(key: &PublicKey, message: &[u8], signature: &Signature, domain: &[u8]) -> bool {
    let mut pairing = Pairing::new(HASH_TO_CURVE, domain);
    let added = pairing.aggregate(key.point(), CHECK_POINT, signature.point(), CHECK_POINT, message, &[]);
    pairing.commit();
    added == BLST_ERROR::BLST_SUCCESS && pairing.finalverify(None)
}
