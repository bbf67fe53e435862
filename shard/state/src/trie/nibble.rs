//! Keys as paths of 64 nibbles, and the hex-prefix encoding of a part of one.
//!
//! Rules: Ethereum yellow paper, appendix C.

use alloy_primitives::B256;
use smallvec::SmallVec;

/// Nibbles in a key.
pub(super) const PATH_LEN: usize = 64;

/// Hex-prefix flag of a path that ends in a leaf.
pub(super) const LEAF_FLAG: u8 = 0x20;
/// Hex-prefix flag of a path of odd length, whose first nibble shares the flag's byte.
pub(super) const ODD_FLAG: u8 = 0x10;

/// A hex-prefix path: at most the flag byte and a whole key.
pub(super) type EncodedPath = SmallVec<[u8; 36]>;

/// The nibble of `key` at `depth`, which is below [`PATH_LEN`].
#[inline]
pub(super) fn at(key: &B256, depth: usize) -> usize {
    let byte = key[depth / 2];
    usize::from(if depth.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
}

/// The depth of the first nibble in which the keys differ; [`PATH_LEN`] if they are equal.
pub(super) fn first_difference(a: &B256, b: &B256) -> usize {
    match a.iter().zip(b).position(|(x, y)| x != y) {
        None => PATH_LEN,
        Some(byte) if (a[byte] ^ b[byte]) & 0xf0 != 0 => 2 * byte,
        Some(byte) => 2 * byte + 1,
    }
}

/// Hex-prefix encoding of the nibbles of `key` from `from` to the end, as a leaf holds them.
#[inline]
pub(super) fn encode_leaf_path(key: &B256, from: usize) -> EncodedPath {
    let mut path = EncodedPath::new();
    if from.is_multiple_of(2) {
        path.push(LEAF_FLAG);
    } else {
        path.push(LEAF_FLAG | ODD_FLAG | (key[from / 2] & 0x0f));
    }
    path.extend_from_slice(&key[from.div_ceil(2)..]);
    path
}

/// Hex-prefix encoding of the nibbles of `key` in `from..to`, as an extension holds them.
pub(super) fn encode_extension_path(key: &B256, from: usize, to: usize) -> EncodedPath {
    let mut path = EncodedPath::new();
    let mut next = from;
    if (to - from).is_multiple_of(2) {
        path.push(0);
    } else {
        path.push(ODD_FLAG | at(key, from) as u8);
        next += 1;
    }
    while next < to {
        path.push((at(key, next) as u8) << 4 | at(key, next + 1) as u8);
        next += 2;
    }
    path
}
