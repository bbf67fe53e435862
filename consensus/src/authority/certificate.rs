//! Certificates: a quorum's finalization votes in one signature.

use super::Authority;
use crate::vote::signing_bytes;
use crypto::bls::{
    AggregateError, BatchItem, DecompressError, PublicKey, Signature, aggregate_public_keys, find_invalid,
    verify_batch,
};
use crypto::hash::sha256;
use primitives::{B256, Certificate, Epoch, Vote, VoteKind};
use rayon::prelude::*;
use ssz::Encode as _;

/// Why a certificate does not certify; the sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Another committee's.
    #[error("expected a certificate of epoch {expected}, found one of {found}")]
    Epoch {
        /// The authority's.
        expected: Epoch,
        /// The certificate's.
        found: Epoch,
    },
    /// A bitmap over another committee.
    #[error("the committee has {expected} seats, the signer bitmap speaks of {found}")]
    Seats {
        /// Seats of the committee.
        expected: u32,
        /// Seats of the bitmap.
        found: u32,
    },
    /// Too few or too many bytes, or bits set beyond the last seat.
    #[error("the signer bitmap does not have exactly the bits of its {seats} seats")]
    MalformedSigners {
        /// Seats of the bitmap.
        seats: u32,
    },
    /// Too few signed.
    #[error("a quorum is {expected} signers, found {found}")]
    NoQuorum {
        /// The committee's quorum.
        expected: u32,
        /// Bits set.
        found: u32,
    },
    /// Not a signature at all.
    #[error("the aggregated signature: {0}")]
    SignaturePoint(DecompressError),
    /// The signers' keys cancel out.
    #[error("the signers' keys: {0}")]
    Keys(AggregateError),
    /// Of something or somebody else.
    #[error("the aggregated signature is not that of the signers over this finalization")]
    Signature,
}

impl Authority {
    /// Verifies that a quorum of this committee finalized `certificate.id`.
    pub fn verify_certificate(&self, certificate: &Certificate) -> Result<(), CertificateError> {
        let claim = self.claim(certificate)?;
        if claim.public_key.verify(&claim.message, &claim.signature) {
            Ok(())
        } else {
            Err(CertificateError::Signature)
        }
    }

    /// Checks all but the pairing equation, and returns that.
    fn claim(&self, certificate: &Certificate) -> Result<BatchItem, CertificateError> {
        let Certificate { epoch, view, parent_view, id, signers, signature } = certificate;
        if *epoch != self.epoch {
            return Err(CertificateError::Epoch { expected: self.epoch, found: *epoch });
        }
        let seats = self.committee.len();
        if signers.seats() != seats {
            return Err(CertificateError::Seats { expected: seats, found: signers.seats() });
        }
        if !signers.is_well_formed() {
            return Err(CertificateError::MalformedSigners { seats });
        }
        let (expected, found) = (self.committee.quorum(), signers.count());
        if found < expected {
            return Err(CertificateError::NoQuorum { expected, found });
        }
        let signature = Signature::from_bytes(signature).map_err(CertificateError::SignaturePoint)?;
        let keys: Vec<&PublicKey> = signers.indices().filter_map(|index| self.key(index)).collect();
        let public_key = aggregate_public_keys(&keys).map_err(CertificateError::Keys)?;
        let vote = Vote {
            kind: VoteKind::Finalize,
            chain: self.chain,
            epoch: *epoch,
            view: *view,
            parent_view: *parent_view,
            id: *id,
        };
        Ok(BatchItem { public_key, message: signing_bytes(&self.namespace, &vote), signature })
    }
}

/// Verifies many certificates at half the cost of one by one.
///
/// On failure names every certificate that is wrong, in order, at the cost of verifying each.
pub fn verify_certificates(
    certificates: &[(&Authority, &Certificate)],
) -> Result<(), Vec<(usize, CertificateError)>> {
    let claims: Vec<_> =
        certificates.par_iter().map(|(authority, certificate)| authority.claim(certificate)).collect();
    let (mut errors, mut items, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (place, claim) in claims.into_iter().enumerate() {
        match claim {
            Ok(item) => {
                items.push(item);
                places.push(place);
            }
            Err(error) => errors.push((place, error)),
        }
    }
    if !verify_batch(&items, randomness(certificates).0) {
        let invalid = find_invalid(&items);
        errors.extend(invalid.into_iter().map(|index| (places[index], CertificateError::Signature)));
        errors.sort_unstable_by_key(|(place, _)| *place);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Fiat–Shamir: whoever changes anything in the batch gets other powers.
fn randomness(certificates: &[(&Authority, &Certificate)]) -> B256 {
    let mut bytes = Vec::new();
    for (authority, certificate) in certificates {
        bytes.extend_from_slice(&authority.namespace);
        bytes.extend_from_slice(authority.committee_root.as_slice());
        bytes.extend_from_slice(&(certificate.ssz_bytes_len() as u64).to_le_bytes());
        certificate.ssz_append(&mut bytes);
    }
    sha256(&bytes)
}
