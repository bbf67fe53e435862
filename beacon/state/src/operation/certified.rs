//! A shard header and a certificate of it.

use primitives::{B256, CertifiedShardHeader, Epoch};

/// Why a certificate is not one of the header beside it; the sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertifiedError {
    /// It is of another header.
    #[error("the header is {expected}, its certificate is of {found}")]
    Id {
        /// The header's.
        expected: B256,
        /// The certificate's.
        found: B256,
    },
    /// It is of another term.
    #[error("the header is of epoch {expected}, its certificate of {found}")]
    Epoch {
        /// The header's.
        expected: Epoch,
        /// The certificate's.
        found: Epoch,
    },
}

/// Verifies that the certificate speaks of the header; not its signature.
pub(super) fn verify(certified: &CertifiedShardHeader) -> Result<(), CertifiedError> {
    let CertifiedShardHeader { header, certificate } = certified;
    let (expected, found) = (header.id(), certificate.id);
    if expected != found {
        return Err(CertifiedError::Id { expected, found });
    }
    let (expected, found) = (header.epoch, certificate.epoch);
    if expected != found {
        return Err(CertifiedError::Epoch { expected, found });
    }
    Ok(())
}
