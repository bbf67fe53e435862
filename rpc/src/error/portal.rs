//! Says what the errors of the Portal and of the Atomic mean, so that tools that do not know their interfaces can print
//! them. An error that both declare is one.

use alloy_primitives::{Address, B256, U256};

const WORD: usize = 32;

/// How an argument is written.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Address,
    Hash,
}

use Kind::{Address as A, Hash as H, Number as N};

/// The errors by selector, as `sdk/solidity/IPortal.sol` and `sdk/solidity/IAtomic.sol` declare them.
const ERRORS: [([u8; 4], &str, &[Kind]); 28] = [
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
    ([0x91, 0x88, 0xd1, 0x26], "LegCount", &[N, N, N]),
    ([0x3b, 0x2b, 0xce, 0xc5], "ZeroAmount", &[N]),
    ([0x73, 0x2d, 0x20, 0xaf], "BadToken", &[A]),
    ([0x7a, 0x1e, 0xb9, 0xc0], "DeadlineAhead", &[N, N]),
    ([0xde, 0x5d, 0x1a, 0x9f], "AlreadyOpened", &[H]),
    ([0x09, 0xb9, 0xbf, 0xa8], "NotOpen", &[H, N]),
    ([0x1a, 0x59, 0x9f, 0x0c], "NoLeg", &[A]),
    ([0x20, 0xb9, 0xb3, 0x40], "NotParty", &[A]),
    ([0x70, 0x15, 0xfd, 0xa0], "NoConsent", &[H, N, A]),
    ([0xb3, 0xe0, 0x9f, 0xee], "BalanceTooLow", &[A, N, N]),
    ([0xf3, 0xb7, 0x38, 0x69], "TokenRefused", &[A, A, N]),
    ([0xc7, 0x88, 0x66, 0xc3], "WrongAmount", &[A, N, N]),
    ([0xb7, 0x6b, 0x8f, 0x4b], "NoEscrow", &[H, N]),
    ([0xdf, 0xd9, 0xd9, 0xe8], "Undecided", &[H, N]),
    ([0xb5, 0xdf, 0xd9, 0xe5], "Reentered", &[]),
];

/// The error with its arguments, if it is one of theirs.
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
        Kind::Hash => B256::from_slice(word).to_string(),
        Kind::Address => Address::from_slice(&word[12..]).to_string(),
    }
}

/// The names and selectors known here, for whoever holds them against the interfaces.
#[doc(hidden)]
pub fn known_contract_errors() -> impl Iterator<Item = (&'static str, [u8; 4])> {
    ERRORS.iter().map(|(selector, name, _)| (*name, *selector))
}
