//! Public keys that were checked.

use std::fmt;
use std::hash::{Hash, Hasher};

use blst::blst_p1_affine;
use blst::min_pk;

use super::bytes::PublicKeyBytes;
use super::signature::Signature;
use super::{DecompressError, MESSAGE_DOMAIN, POSSESSION_DOMAIN, pairing};

/// A point of G1, in the subgroup and not infinity: a key or an aggregate of keys. Kept decompressed (96 bytes).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub(super) min_pk::PublicKey);

impl PublicKey {
    /// Decompresses and checks: the only costly step of a key's life (about 0.1 ms).
    pub fn from_bytes(bytes: &PublicKeyBytes) -> Result<Self, DecompressError> {
        let key = min_pk::PublicKey::uncompress(bytes.as_slice())?;
        key.validate()?;
        Ok(Self(key))
    }

    /// The compressed encoding.
    pub fn to_bytes(&self) -> PublicKeyBytes {
        PublicKeyBytes::new(self.0.compress())
    }

    /// Whether this key (or all of the keys aggregated in it) signed `message`.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        pairing::verify(self, message, signature, MESSAGE_DOMAIN)
    }

    pub(super) fn point(&self) -> &blst_p1_affine {
        (&self.0).into()
    }
}

/// Whether the owner of `public_key` proved to hold its secret. Keys without proof must not be aggregated.
pub fn verify_possession(public_key: &PublicKey, proof: &Signature) -> bool {
    pairing::verify(public_key, public_key.to_bytes().as_slice(), proof, POSSESSION_DOMAIN)
}

impl TryFrom<&PublicKeyBytes> for PublicKey {
    type Error = DecompressError;

    fn try_from(bytes: &PublicKeyBytes) -> Result<Self, DecompressError> {
        Self::from_bytes(bytes)
    }
}

impl From<&PublicKey> for PublicKeyBytes {
    fn from(key: &PublicKey) -> Self {
        key.to_bytes()
    }
}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_bytes().hash(state);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_bytes())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes().fmt(f)
    }
}
