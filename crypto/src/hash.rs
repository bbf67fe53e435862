//! The hash functions of the protocol.
//!
//! Keccak-256 is the hash of everything that Ethereum tooling reads (transactions, addresses, the
//! state trie); SHA-256 that of SSZ and of signatures; BLAKE3 that of bulk data.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

/// Keccak-256 as Ethereum uses it (the original padding, not FIPS 202).
#[inline]
pub fn keccak256(bytes: &[u8]) -> B256 {
    alloy_primitives::keccak256(bytes)
}

/// SHA-256 (FIPS 180-4).
#[inline]
pub fn sha256(bytes: &[u8]) -> B256 {
    B256::new(Sha256::digest(bytes).into())
}

/// SHA-256 of two nodes side by side: the inner node of every Merkle tree in [`crate::merkle`].
#[inline]
pub fn sha256_pair(left: &B256, right: &B256) -> B256 {
    let mut block = [0; 64];
    block[..32].copy_from_slice(left.as_slice());
    block[32..].copy_from_slice(right.as_slice());
    sha256(&block)
}

/// BLAKE3 with its default 32 byte output.
#[inline]
pub fn blake3(bytes: &[u8]) -> B256 {
    B256::new(*::blake3::hash(bytes).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    /// Published digests of the empty string.
    #[test]
    fn digests_of_the_empty_string_are_the_published_ones() {
        assert_eq!(keccak256(b""), b256!("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"));
        assert_eq!(sha256(b""), b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        assert_eq!(blake3(b""), b256!("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"));
    }

    #[test]
    fn digests_of_abc_are_the_published_ones() {
        assert_eq!(
            keccak256(b"abc"),
            b256!("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")
        );
        assert_eq!(sha256(b"abc"), b256!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert_eq!(blake3(b"abc"), b256!("6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"));
    }

    #[test]
    fn a_pair_hashes_as_its_concatenation_and_in_order() {
        let (left, right) = (B256::repeat_byte(1), B256::repeat_byte(2));
        assert_eq!(sha256_pair(&left, &right), sha256(&[left.0, right.0].concat()));
        assert_ne!(sha256_pair(&left, &right), sha256_pair(&right, &left));
    }
}
