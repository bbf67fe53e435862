//! The code of the Atomic's account: it asks the native functions what to do, and calls tokens for them.
//!
//! A native function cannot call a contract and go on afterwards. So the code gives its input to the native functions, by a
//! DELEGATECALL to its own address, which only this code can make in its own account; and as long as they want a call,
//! makes that call and gives them its result. So tokens are called by the EVM itself, as the Atomic, with its rules for gas,
//! depth and reverts, and are seen in traces.
//!
//! | to the native functions | |
//! |---|---|
//! | 0 ‖ input | the call begins |
//! | 1 ‖ success ‖ bytes returned ‖ first word returned | a call was made; a word each |
//!
//! | from them | |
//! |---|---|
//! | 0 ‖ output | return it; the first is a word |
//! | address ‖ gas ‖ length ‖ input | call it; a word each, then the input |

use alloy_primitives::{Address, Bytes, U256};

/// A word, bytes.
const WORD: usize = 32;

/// What the native functions want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// That the call returns this.
    Return(Bytes),
    /// That a contract is called.
    Call {
        /// Which.
        to: Address,
        /// With how much gas; what is left of the code's own, but for 1/64, if that is less.
        gas: u64,
        /// With what: at most 160 bytes.
        input: Bytes,
    },
}

/// What came of a call that was wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Called {
    success: bool,
    /// The first word that it returned, if there was one.
    word: Option<U256>,
    /// Whether it returned nothing at all.
    is_silent: bool,
}

impl Wish {
    /// As the code reads it.
    pub(super) fn encode(&self) -> Bytes {
        let mut encoded = Vec::new();
        match self {
            Self::Return(output) => {
                encoded.extend([0; WORD]);
                encoded.extend_from_slice(output);
            }
            Self::Call { to, gas, input } => {
                encoded.extend(to.into_word());
                encoded.extend(U256::from(*gas).to_be_bytes::<WORD>());
                encoded.extend(U256::from(input.len()).to_be_bytes::<WORD>());
                encoded.extend_from_slice(input);
            }
        }
        encoded.into()
    }
}

impl Called {
    /// As the code writes it, without the mark. `None` if it is something else.
    pub(super) fn decode(encoded: &[u8]) -> Option<Self> {
        let (words, rest) = encoded.as_chunks::<WORD>();
        let ([success, returned, word], []) = (words, rest) else { return None };
        let returned = U256::from_be_bytes(*returned);
        let word = (returned >= U256::from(WORD)).then(|| U256::from_be_bytes(*word));
        Some(Self { success: success[WORD - 1] == 1, word, is_silent: returned.is_zero() })
    }

    /// The number that it returned, if it succeeded.
    pub(super) fn number(self) -> Option<U256> {
        self.word.filter(|_| self.success)
    }

    /// Whether a transfer was made: tokens return true, or, those older than the standard, nothing.
    pub(super) fn is_transfer(self) -> bool {
        self.success && (self.is_silent || self.word == Some(U256::ONE))
    }
}

/// The code.
///
/// ```text
///     CALLDATACOPY(1, 0, CALLDATASIZE)
///     push 0, 0, CALLDATASIZE + 1, 0
/// ask (0c):                                 its input is on the stack
///     DELEGATECALL(GAS, ADDRESS, ...)
///     RETURNDATACOPY(0, 0, RETURNDATASIZE)
///     if it failed: REVERT(0, RETURNDATASIZE)
/// done (1a):
///     if MLOAD(0) = 0: RETURN(32, RETURNDATASIZE - 32)
/// call (28):
///     MSTORE(32, CALL(MLOAD(32), MLOAD(0), 0, 96, MLOAD(64), 96, 32))
///     MSTORE(64, RETURNDATASIZE)
///     MSTORE8(31, 1)
///     push 0, 0, 97, 31; jump to ask
/// ```
pub const ATOMIC_CODE: Bytes = Bytes::from_static(&[
    0x36, 0x5f, 0x60, 0x01, 0x37, 0x5f, 0x5f, 0x36, 0x60, 0x01, 0x01, 0x5f, // begin
    0x5b, 0x30, 0x5a, 0xf4, 0x3d, 0x5f, 0x5f, 0x3e, 0x60, 0x1a, 0x57, 0x3d, 0x5f, 0xfd, // ask
    0x5b, 0x5f, 0x51, 0x80, 0x60, 0x28, 0x57, 0x60, 0x20, 0x3d, 0x03, 0x60, 0x20, 0xf3, // done
    0x5b, 0x60, 0x20, 0x60, 0x60, 0x60, 0x40, 0x51, 0x60, 0x60, 0x5f, 0x85, 0x60, 0x20, 0x51,
    0xf1, // call
    0x60, 0x20, 0x52, 0x50, 0x3d, 0x60, 0x40, 0x52, 0x60, 0x01, 0x60, 0x1f, 0x53, // its result
    0x5f, 0x5f, 0x60, 0x61, 0x60, 0x1f, 0x60, 0x0c, 0x56, // again
]);

#[cfg(test)]
mod tests {
    use super::*;

    const JUMPDEST: u8 = 0x5b;

    #[test]
    fn the_code_jumps_to_where_its_listing_says() {
        for place in [0x0c, 0x1a, 0x28] {
            assert_eq!(ATOMIC_CODE[place], JUMPDEST, "{place:x}");
        }
        assert_eq!(ATOMIC_CODE.iter().filter(|byte| **byte == JUMPDEST).count(), 3);
    }

    #[test]
    fn a_result_is_read_as_it_is_written() {
        let result = |success: u8, returned: usize, word: u64| {
            let words = [U256::from(success), U256::from(returned), U256::from(word)];
            Called::decode(&words.map(|word| word.to_be_bytes::<32>()).concat()).expect("three words")
        };
        assert!(result(1, 32, 1).is_transfer());
        assert!(result(1, 0, 7).is_transfer());
        assert!(!result(1, 32, 0).is_transfer());
        assert!(!result(1, 32, 2).is_transfer());
        assert!(!result(1, 31, 1).is_transfer());
        assert!(!result(0, 32, 1).is_transfer());
        assert_eq!(result(1, 32, 9).number(), Some(U256::from(9)));
        assert_eq!(result(1, 31, 9).number(), None);
        assert_eq!(result(0, 32, 9).number(), None);
        assert_eq!(Called::decode(&[0; 97]), None);
    }
}
