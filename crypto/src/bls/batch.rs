//! Many signatures over different messages, verified at half the cost of one by one.
//!
//! Each signature's equation `e(key, H(message)) = e(generator, signature)` is raised to a random power of
//! 128 bits, and the product of all is checked at once, which needs one pairing for each item and one
//! for the sum of the signatures. If any equation is false, the product is true with a
//! probability below 2^-127.
//!
//! The powers are derived from the whole batch (Fiat–Shamir), so that bound holds even against a
//! sender who knows the randomness; it is still given, so that nobody can search ahead of time for
//! a batch that passes.

use blst::min_pk::AggregateSignature;
use blst::{BLST_ERROR, MultiPoint, Pairing, blst_fp12, blst_p2_affine};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::MESSAGE_DOMAIN;
use super::pairing::{CHECK_POINT, HASH_TO_CURVE};
use super::public_key::PublicKey;
use super::signature::Signature;

/// Bits of the random powers.
const POWER_BITS: usize = 128;
const POWER_BYTES: usize = POWER_BITS / 8;
/// blst multiplies Miller loops in groups of eight: fewer items a core would waste what they share.
const ITEMS_PER_CORE_MIN: usize = 8;

/// One claim of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchItem {
    /// A key, or the aggregate of the keys of all who signed.
    pub public_key: PublicKey,
    /// What they signed.
    pub message: Vec<u8>,
    /// A signature, or the aggregate of theirs.
    pub signature: Signature,
}

/// Whether every item's signature is valid. No items are valid.
///
/// When false, [`find_invalid`] tells which are not.
pub fn verify_batch(items: &[BatchItem], randomness: [u8; 32]) -> bool {
    if items.is_empty() {
        return true;
    }
    if let [item] = items {
        return item.public_key.verify(&item.message, &item.signature);
    }
    let powers = powers(items, &randomness);
    let (pairing, sum) = rayon::join(|| pair_keys(items, &powers), || sum_signatures(items, &powers));
    match (pairing, sum) {
        (Some(pairing), Some(sum)) => pairing.finalverify(Some(&sum)),
        _ => false,
    }
}

/// Indices of the items whose signatures are not valid, in rising order.
///
/// Costs one verification for each item, however many are invalid, so that a sender of bad signatures
/// gains nothing by choosing how many.
pub fn find_invalid(items: &[BatchItem]) -> Vec<usize> {
    let valid: Vec<bool> =
        items.par_iter().map(|item| item.public_key.verify(&item.message, &item.signature)).collect();
    valid.iter().enumerate().filter(|(_, valid)| !**valid).map(|(index, _)| index).collect()
}

/// Product of `e(power · key, H(message))` over the items. None if blst refuses an item.
fn pair_keys(items: &[BatchItem], powers: &[[u8; POWER_BYTES]]) -> Option<Pairing<'static>> {
    let share = items.len().div_ceil(rayon::current_num_threads()).max(ITEMS_PER_CORE_MIN);
    items
        .par_chunks(share)
        .zip(powers.par_chunks(share))
        .map(|(items, powers)| {
            let mut pairing = Pairing::new(HASH_TO_CURVE, MESSAGE_DOMAIN);
            for (item, power) in items.iter().zip(powers) {
                let key = item.public_key.point();
                let added = pairing.mul_n_aggregate(
                    key,
                    CHECK_POINT,
                    &(),
                    CHECK_POINT,
                    power,
                    POWER_BITS,
                    &item.message,
                    &[],
                );
                if added != BLST_ERROR::BLST_SUCCESS {
                    return None;
                }
            }
            pairing.commit();
            Some(pairing)
        })
        .reduce_with(|left, right| {
            let (mut left, right) = (left?, right?);
            (left.merge(&right) == BLST_ERROR::BLST_SUCCESS).then_some(left)
        })?
}

/// `e(generator, sum of power · signature)`. None if the sum is infinity, which for valid signatures it
/// is with a probability below 2^-127.
fn sum_signatures(items: &[BatchItem], powers: &[[u8; POWER_BYTES]]) -> Option<blst_fp12> {
    let signatures: Vec<_> = items.iter().map(|item| item.signature.0).collect();
    let sum: AggregateSignature = signatures.mult(powers.as_flattened(), POWER_BITS);
    let sum = Signature(sum.to_signature());
    if *sum.point() == blst_p2_affine::default() {
        return None;
    }
    let mut paired = blst_fp12::default();
    Pairing::aggregated(&mut paired, sum.point());
    Some(paired)
}

/// A nonzero power for each item, little-endian: SHA-256(SHA-256(randomness ‖ items) ‖ index), shortened.
fn powers(items: &[BatchItem], randomness: &[u8; 32]) -> Vec<[u8; POWER_BYTES]> {
    let mut hasher = Sha256::new();
    hasher.update(randomness);
    for item in items {
        hasher.update(item.public_key.to_bytes());
        hasher.update(item.signature.to_bytes());
        hasher.update((item.message.len() as u64).to_le_bytes());
        hasher.update(&item.message);
    }
    let seed = hasher.finalize();
    (0..items.len() as u64).map(|index| power(&seed, index)).collect()
}

fn power(seed: &[u8], index: u64) -> [u8; POWER_BYTES] {
    let digest: [u8; 32] =
        Sha256::new().chain_update(seed).chain_update(index.to_le_bytes()).finalize().into();
    let mut power = [0; POWER_BYTES];
    power.copy_from_slice(&digest[..POWER_BYTES]);
    if power == [0; POWER_BYTES] {
        power[0] = 1;
    }
    power
}
