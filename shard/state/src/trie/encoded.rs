//! What the leaves of the two levels hold: an account, and a slot's value, as RLP without allocation.
//!
//! Rules: Ethereum yellow paper, section 4.1.

use alloy_primitives::{B256, U256};

use crate::account::Account;

/// RLP of an empty string, and so of zero; longer strings add their length.
const STRING: u8 = 0x80;
/// RLP header of a 32-byte hash.
const HASH_HEADER: u8 = STRING + 32;
/// First byte of a list longer than 55 bytes whose length takes one byte. An account always is: two hashes.
const LONG_LIST: u8 = 0xf8;

/// Header, nonce, balance, storage root, code hash.
const ACCOUNT_LEN_MAX: usize = 2 + 9 + 33 + 33 + 33;
const SLOT_LEN_MAX: usize = 33;

/// `[nonce, balance, storage root, code hash]`.
pub(super) type EncodedAccount = Encoded<ACCOUNT_LEN_MAX>;

/// A slot's value without its leading zeros; nothing for zero, which deletes the slot.
pub(super) type EncodedSlot = Encoded<SLOT_LEN_MAX>;

/// At most `MAX` bytes, held in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoded<const MAX: usize> {
    bytes: [u8; MAX],
    len: u8,
}

impl<const MAX: usize> Encoded<MAX> {
    const EMPTY: Self = Self { bytes: [0; MAX], len: 0 };

    /// Appends bytes that the caller has made room for in `MAX`.
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }

    /// Appends a number, given as big-endian bytes of which there are at most 32.
    #[inline]
    fn push_number(&mut self, number: &[u8]) {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let digits = &number[zeros..];
        if !matches!(digits, [0..STRING]) {
            self.push(&[STRING + digits.len() as u8]);
        }
        self.push(digits);
    }
}

impl EncodedAccount {
    pub(super) fn account(account: &Account, storage_root: &B256) -> Self {
        let mut rlp = Self::EMPTY;
        rlp.push(&[LONG_LIST, 0]);
        rlp.push_number(&account.nonce.to_be_bytes());
        rlp.push_number(&account.balance.to_be_bytes::<32>());
        for hash in [storage_root, &account.code_hash] {
            rlp.push(&[HASH_HEADER]);
            rlp.push(hash.as_slice());
        }
        rlp.bytes[1] = rlp.len - 2;
        rlp
    }
}

impl EncodedSlot {
    pub(super) fn slot(value: &U256) -> Self {
        let mut rlp = Self::EMPTY;
        if !value.is_zero() {
            rlp.push_number(&value.to_be_bytes::<32>());
        }
        rlp
    }
}

impl<const MAX: usize> AsRef<[u8]> for Encoded<MAX> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The value that an [`EncodedSlot`] holds.
pub(super) fn decode_slot(rlp: &[u8]) -> U256 {
    let digits = match rlp {
        [header, digits @ ..] if *header >= STRING => digits,
        digit => digit,
    };
    U256::from_be_slice(digits) // at most 32: no longer value is written
}

#[cfg(test)]
mod tests {
    use alloy_rlp::Encodable;
    use alloy_trie::TrieAccount;
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = U256> {
        (any::<[u64; 4]>(), 0usize..=256)
            .prop_map(|(limbs, shift)| U256::from_limbs(limbs).checked_shr(shift).unwrap_or_default())
    }

    proptest! {
        /// An account is encoded as alloy-trie encodes it.
        #[test]
        fn account_is_encoded_as_ethereum_does(nonce: u64, shift in 0u32..64, balance in number(), root: [u8; 32], code: [u8; 32]) {
            let account = Account { nonce: nonce >> shift, balance, code_hash: code.into() };
            let expected = TrieAccount { nonce: nonce >> shift, balance, storage_root: root.into(), code_hash: code.into() };
            let encoded = EncodedAccount::account(&account, &root.into());
            prop_assert_eq!(encoded.as_ref(), alloy_rlp::encode(expected));
        }

        /// A slot's value is encoded as RLP encodes numbers, and read back.
        #[test]
        fn slot_round_trips(value in number()) {
            let encoded = EncodedSlot::slot(&value);
            let mut expected = Vec::new();
            if !value.is_zero() {
                value.encode(&mut expected);
            }
            prop_assert_eq!(encoded.as_ref(), expected);
            prop_assert_eq!(decode_slot(encoded.as_ref()), value);
        }
    }
}
