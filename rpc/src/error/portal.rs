//! Says what the Portal's errors mean, so that tools that do not know its interface can print them.

use alloy_primitives::{Address, U256};

const WORD: usize = 32;

/// How an argument is written.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Address,
}

use Kind::{Address as A, Number as N};

/// The Portal's errors by selector, as `sdk/solidity/IPortal.sol` declares them.
const ERRORS: [([u8; 4], &str, &[Kind]); 13] = [
    ([0x51, 0x0d, 0x49, 0xef], "LaneFull", &[N, N]),
    ([0x01, 0xd0, 0x4f, 0xf5], "UnknownShard", &[N]),
    ([0x44, 0x65, 0xc2, 0xb2], "SelfLane", &[N]),
    ([0x8e, 0xbd, 0x25, 0x33], "ZeroGas", &[]),
    ([0xb1, 0x15, 0x95, 0x66], "TooMuchGas", &[N, N]),
    ([0x46, 0x34, 0x69, 0x1b], "DataTooLarge", &[N, N]),
    ([0xfd, 0xea, 0x5d, 0xa1], "DeadlinePassed", &[N, N]),
    ([0x64, 0xab, 0x34, 0x66], "NothingToClaim", &[A]),
    ([0x9c, 0xcd, 0x6d, 0x76], "NotDelegated", &[]),
    ([0x15, 0x74, 0xf9, 0xf3], "NotPayable", &[]),
    ([0x8e, 0x77, 0x04, 0xc0], "WrongStake", &[N, N]),
    ([0xd4, 0xbf, 0x25, 0xa2], "WrongSeats", &[N, N]),
    ([0xab, 0x64, 0xa8, 0xa9], "MalformedSeat", &[N]),
];

/// The error with its arguments, if it is one of the Portal's.
pub(super) fn reason(data: &[u8]) -> Option<String> {
    let (selector, arguments) = data.split_first_chunk::<4>()?;
    let (_, name, kinds) = ERRORS.iter().find(|(known, ..)| known == selector)?;
    if arguments.len() != kinds.len() * WORD {
        return None;
    }
    let words = arguments.chunks_exact(WORD).zip(*kinds);
    let words: Vec<_> = words.map(|(word, kind)| text(word, *kind)).collect();
    Some(format!("{name}({})", words.join(", ")))
}

fn text(word: &[u8], kind: Kind) -> String {
    match kind {
        Kind::Number => U256::from_be_slice(word).to_string(),
        Kind::Address => Address::from_slice(&word[12..]).to_string(),
    }
}

/// The names and selectors known here, for whoever holds them against the interface.
#[doc(hidden)]
pub fn known_portal_errors() -> impl Iterator<Item = (&'static str, [u8; 4])> {
    ERRORS.iter().map(|(selector, name, _)| (*name, *selector))
}
