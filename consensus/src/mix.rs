//! The beacon chain's randomness.
//!
//! Every proposer adds its reveal, which it cannot choose; all it can do is withhold its block. So the
//! last *r* proposers before a draw choose among at most 2^r mixes: see [`crate::takeover`].

use crypto::hash::{sha256, sha256_pair};
use primitives::{B256, SignatureBytes};

/// The mix after `reveal`: SHA-256(mix ‖ SHA-256(reveal)).
pub fn mix_reveal(mix: B256, reveal: &SignatureBytes) -> B256 {
    sha256_pair(&mix, &sha256(reveal.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    /// Computed with Python's hashlib.
    #[test]
    fn a_mix_depends_on_the_mix_before_and_on_the_reveal() {
        let (mix, reveal) = (B256::repeat_byte(1), SignatureBytes::new([2; 96]));
        assert_eq!(
            mix_reveal(mix, &reveal),
            b256!("d0c4afe04229705621dc06a108c2ede4af144d821fcf1687a1bf6b760f94f08f")
        );
        assert_ne!(mix_reveal(mix, &reveal), mix_reveal(B256::repeat_byte(3), &reveal));
        assert_ne!(mix_reveal(mix, &reveal), mix_reveal(mix, &SignatureBytes::new([3; 96])));
    }
}
