//! How a path names a block or a state.

use primitives::{B256, Height};
use std::{fmt, str::FromStr};

/// A point of the beacon chain: a block, or the state after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BeaconId {
    /// The newest certified block.
    Head,
    /// The first block.
    Genesis,
    /// The newest finalized block.
    Finalized,
    /// As finalized: a certificate is both here.
    Justified,
    /// The block of this height.
    Height(Height),
    /// The block with this id; where a state is asked for, the state with this root.
    Root(B256),
}

/// A text that names no point of the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected head, genesis, finalized, justified, a height or a 0x-prefixed root, found `{found}`")]
pub struct BeaconIdError {
    found: String,
}

impl FromStr for BeaconId {
    type Err = BeaconIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || BeaconIdError { found: text.chars().take(80).collect() };
        match text {
            "head" => Ok(Self::Head),
            "genesis" => Ok(Self::Genesis),
            "finalized" => Ok(Self::Finalized),
            "justified" => Ok(Self::Justified),
            _ if text.starts_with("0x") => text.parse().map(Self::Root).map_err(|_| unknown()),
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map(|height| Self::Height(Height::new(height))).map_err(|_| unknown())
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for BeaconId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("head"),
            Self::Genesis => f.write_str("genesis"),
            Self::Finalized => f.write_str("finalized"),
            Self::Justified => f.write_str("justified"),
            Self::Height(height) => height.fmt(f),
            Self::Root(root) => root.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_it_was_written() {
        let root = BeaconId::Root(B256::repeat_byte(7));
        for id in [
            BeaconId::Head,
            BeaconId::Genesis,
            BeaconId::Finalized,
            BeaconId::Justified,
            BeaconId::Height(Height::new(u64::MAX)),
            root,
        ] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn anything_else_is_refused_and_named() {
        for text in ["", "latest", "-1", "0x12", "18446744073709551616"] {
            let error = text.parse::<BeaconId>().expect_err(text);
            assert!(error.to_string().ends_with(&format!("found `{text}`")), "{error}");
        }
    }
}
