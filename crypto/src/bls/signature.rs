//! Signatures that were checked to be points; whether anyone signed is another question.

use std::fmt;
use std::hash::{Hash, Hasher};

use blst::blst_p2_affine;
use blst::min_pk;

use super::DecompressError;
use super::bytes::SignatureBytes;

/// A point of G2, in the subgroup and not infinity: a signature or an aggregate of signatures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub(super) min_pk::Signature);

impl Signature {
    /// Decompresses and checks.
    pub fn from_bytes(bytes: &SignatureBytes) -> Result<Self, DecompressError> {
        let signature = min_pk::Signature::uncompress(bytes.as_slice())?;
        signature.validate(true)?;
        Ok(Self(signature))
    }

    /// The compressed encoding.
    pub fn to_bytes(&self) -> SignatureBytes {
        SignatureBytes::new(self.0.compress())
    }

    pub(super) fn point(&self) -> &blst_p2_affine {
        (&self.0).into()
    }
}

impl TryFrom<&SignatureBytes> for Signature {
    type Error = DecompressError;

    fn try_from(bytes: &SignatureBytes) -> Result<Self, DecompressError> {
        Self::from_bytes(bytes)
    }
}

impl From<&Signature> for SignatureBytes {
    fn from(signature: &Signature) -> Self {
        signature.to_bytes()
    }
}

impl Hash for Signature {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_bytes().hash(state);
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", self.to_bytes())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes().fmt(f)
    }
}
