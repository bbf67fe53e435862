//! secp256k1 ECDSA: the signatures of users.
//!
//! Signers are recovered in batches everywhere, because recovery is most of what a transaction
//! costs. [`recover_batch`] is the one way in for many: today it spreads the batch over the cores, each
//! calling libsecp256k1; a vector kernel can stand behind the same function, and must give the
//! same results, errors included.
//!
//! Rules: SEC 1 section 4.1.6, EIP-2 (of the two signatures (r, s) and (r, n − s) only the lower is valid).

use std::fmt;

use ::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use ::secp256k1::{Message, PublicKey, SECP256K1};
use alloy_primitives::{Address, B256, Signature, b256};
use rayon::prelude::*;

use crate::hash::keccak256;

/// Order of the group, n.
const ORDER: B256 = b256!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
/// The largest s that EIP-2 admits, n / 2 rounded down.
const S_MAX: B256 = b256!("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
/// Below this many signatures a core, handing work to another costs more than it saves.
const BATCH_PER_CORE_MIN: usize = 8;

/// A signature whose signer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecoveryInput {
    /// What was signed: the hash, not the message.
    pub prehash: B256,
    /// r ‖ s, big-endian.
    pub signature: [u8; 64],
    /// Whether the y coordinate of the nonce's point is odd.
    pub y_parity: bool,
}

impl RecoveryInput {
    /// From a signature as transactions carry it.
    pub fn new(prehash: B256, signature: &Signature) -> Self {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(&signature.as_bytes()[..64]);
        Self { prehash, signature: bytes, y_parity: signature.v() }
    }
}

/// Why a signature has no signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RecoverError {
    #[error("r is not in the range 1 to n - 1, found {found}")]
    RangeR { found: B256 },
    #[error("s is not in the range 1 to n - 1, found {found}")]
    RangeS { found: B256 },
    #[error("s is above n / 2, found {found}: EIP-2 admits only the lower of the two")]
    HighS { found: B256 },
    #[error(
        "no public key has this signature: r is not the x coordinate of a point, or the key would be infinity"
    )]
    NoSuchKey,
}

/// Address of the key that made a signature.
pub fn recover(input: &RecoveryInput) -> Result<Address, RecoverError> {
    check_range(&input.signature)?;
    let id = if input.y_parity { RecoveryId::One } else { RecoveryId::Zero };
    let signature =
        RecoverableSignature::from_compact(&input.signature, id).map_err(|_| RecoverError::NoSuchKey)?;
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(input.prehash.0), &signature)
        .map_err(|_| RecoverError::NoSuchKey)?;
    Ok(address(&key))
}

/// Addresses of the keys that made the signatures, in the order of the inputs; one bad signature does not
/// affect the others. Uses all cores when there is enough to do.
pub fn recover_batch(inputs: &[RecoveryInput]) -> Vec<Result<Address, RecoverError>> {
    if inputs.len() < 2 * BATCH_PER_CORE_MIN {
        return inputs.iter().map(recover).collect();
    }
    inputs.par_iter().with_min_len(BATCH_PER_CORE_MIN).map(recover).collect()
}

/// A user's key, for wallets and tests. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(::secp256k1::SecretKey);

/// Why bytes are not a secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret key is in the range 1 to n - 1")]
pub struct SecretKeyError;

impl SecretKey {
    /// From 32 bytes, big-endian.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SecretKeyError> {
        ::secp256k1::SecretKey::from_byte_array(*bytes).map(Self).map_err(|_| SecretKeyError)
    }

    /// The secret itself, big-endian: for writing it to a keystore.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.secret_bytes()
    }

    /// Signs a hash, with the nonce of RFC 6979: the same hash has always the same signature.
    pub fn sign(&self, prehash: &B256) -> Signature {
        let (id, bytes) =
            SECP256K1.sign_ecdsa_recoverable(Message::from_digest(prehash.0), &self.0).serialize_compact();
        Signature::from_bytes_and_parity(&bytes, id == RecoveryId::One)
    }

    /// The address that [`recover`] finds for this key's signatures.
    pub fn address(&self) -> Address {
        address(&self.0.public_key(SECP256K1))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.address())
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

/// Last 20 bytes of the hash of the key's coordinates.
fn address(key: &PublicKey) -> Address {
    Address::from_word(keccak256(&key.serialize_uncompressed()[1..]))
}

fn check_range(signature: &[u8; 64]) -> Result<(), RecoverError> {
    let (r, s) = (B256::from_slice(&signature[..32]), B256::from_slice(&signature[32..]));
    if r.is_zero() || r >= ORDER {
        return Err(RecoverError::RangeR { found: r });
    }
    if s.is_zero() || s >= ORDER {
        return Err(RecoverError::RangeS { found: s });
    }
    if s > S_MAX {
        return Err(RecoverError::HighS { found: s });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
