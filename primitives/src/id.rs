//! Identifiers: newtypes over integers, so that a height is never taken for an epoch.

use serde::{Deserialize, Serialize};
use ssz::{Decode, DecodeError, Encode};
use std::fmt;
use tree_hash::{Hash256, PackedEncoding, TreeHash, TreeHashType};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($int);

        impl $name {
            /// The first one.
            pub const ZERO: Self = Self(0);

            /// Wraps an integer.
            pub const fn new(value: $int) -> Self {
                Self(value)
            }

            /// The integer inside.
            pub const fn get(self) -> $int {
                self.0
            }

            /// The one after this; the last one is its own successor.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// The one before this, if there is one.
            #[must_use]
            pub const fn previous(self) -> Option<Self> {
                match self.0.checked_sub(1) {
                    Some(value) => Some(Self(value)),
                    None => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl Encode for $name {
            fn is_ssz_fixed_len() -> bool {
                true
            }
            fn ssz_fixed_len() -> usize {
                <$int as Encode>::ssz_fixed_len()
            }
            fn ssz_bytes_len(&self) -> usize {
                self.0.ssz_bytes_len()
            }
            fn ssz_append(&self, buf: &mut Vec<u8>) {
                self.0.ssz_append(buf);
            }
        }

        impl Decode for $name {
            fn is_ssz_fixed_len() -> bool {
                true
            }
            fn ssz_fixed_len() -> usize {
                <$int as Decode>::ssz_fixed_len()
            }
            fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
                <$int as Decode>::from_ssz_bytes(bytes).map(Self)
            }
        }

        impl TreeHash for $name {
            fn tree_hash_type() -> TreeHashType {
                <$int as TreeHash>::tree_hash_type()
            }
            fn tree_hash_packed_encoding(&self) -> PackedEncoding {
                self.0.tree_hash_packed_encoding()
            }
            fn tree_hash_packing_factor() -> usize {
                <$int as TreeHash>::tree_hash_packing_factor()
            }
            fn tree_hash_root(&self) -> Hash256 {
                self.0.tree_hash_root()
            }
        }
    };
}

id! {
    /// Index of a shard in the registry; never reused.
    ShardId(u32)
}
id! {
    /// Position of a block in its chain; genesis is height zero.
    Height(u64)
}
id! {
    /// Term of one committee of one chain; numbers never repeat.
    Epoch(u64)
}
id! {
    /// Attempt of an epoch's committee to agree on one more block; starts at one in every epoch.
    View(u64)
}
id! {
    /// Position of a validator in the beacon chain's registry; never reused.
    ValidatorIndex(u64)
}

impl Height {
    /// This height moved up by `blocks`; stops at the largest height.
    #[must_use]
    pub const fn plus(self, blocks: u64) -> Self {
        Self(self.0.saturating_add(blocks))
    }

    /// How many blocks `self` is above `other`; zero when it is not above.
    #[must_use]
    pub const fn above(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }
}
