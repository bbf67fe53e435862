//! Derivation of secret keys from one seed.
//!
//! Every step is hardened: a child, or its public key, tells nothing of its parent and siblings.
//!
//! Rules: EIP-2333 (derivation), EIP-2334 (paths)

use blst::min_pk;

use super::secret_key::{SecretKey, SecretKeyError};

/// The shortest seed that EIP-2333 admits, in bytes.
const SEED_LENGTH_MIN: usize = 32;

/// Why text is not a derivation path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("a path starts with `m`, as in m/12381/3600/0/0/0")]
    NoRoot,
    #[error("component {position} of the path is not a number from 0 to 4294967295")]
    BadIndex { position: usize },
}

impl SecretKey {
    /// The master key of a seed of at least 32 bytes.
    pub fn derive_master(seed: &[u8]) -> Result<Self, SecretKeyError> {
        min_pk::SecretKey::derive_master_eip2333(seed)
            .map(Self)
            .map_err(|_| SecretKeyError::SeedTooShort { needed: SEED_LENGTH_MIN, found: seed.len() })
    }

    /// Child `index` of this key.
    pub fn child(&self, index: u32) -> Self {
        Self(self.0.derive_child_eip2333(index))
    }

    /// The key at `path` below this one, as in `m/12381/3600/0/0/0`; `m` is this key itself.
    pub fn derive_path(&self, path: &str) -> Result<Self, PathError> {
        let mut components = path.split('/');
        if components.next() != Some("m") {
            return Err(PathError::NoRoot);
        }
        components.enumerate().try_fold(self.clone(), |key, (i, component)| {
            let index = parse_index(component).ok_or(PathError::BadIndex { position: i + 1 })?;
            Ok(key.child(index))
        })
    }
}

/// Decimal digits only: no sign, no hardening mark.
fn parse_index(component: &str) -> Option<u32> {
    component.bytes().all(|byte| byte.is_ascii_digit()).then(|| component.parse().ok()).flatten()
}
