//! Secret keys: signing and proving possession.

use std::fmt;

use blst::min_pk;

use super::bytes::PublicKeyBytes;
use super::public_key::PublicKey;
use super::signature::Signature;
use super::{MESSAGE_DOMAIN, POSSESSION_DOMAIN};

/// A validator's secret: a nonzero scalar. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct SecretKey(pub(super) min_pk::SecretKey);

/// Why bytes do not give a secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    #[error("a secret key is a number from 1 to the order of the group minus 1")]
    Range,
    #[error("a seed has at least {needed} bytes, found {found}")]
    SeedTooShort { needed: usize, found: usize },
}

impl SecretKey {
    /// From 32 bytes, big-endian.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SecretKeyError> {
        min_pk::SecretKey::from_bytes(bytes).map(Self).map_err(|_| SecretKeyError::Range)
    }

    /// The secret itself, big-endian: for writing it to a keystore. Wiping the copy is the caller's.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.sk_to_pk())
    }

    /// Signs `message`; deterministic. What must not be mistaken for another kind of message is
    /// [`super::namespaced`] first.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message, MESSAGE_DOMAIN, &[]))
    }

    /// Proves to [`super::verify_possession`] that this secret is held.
    pub fn prove_possession(&self) -> Signature {
        let key: PublicKeyBytes = self.public_key().to_bytes();
        Signature(self.0.sign(key.as_slice(), POSSESSION_DOMAIN, &[]))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public_key())
    }
}
