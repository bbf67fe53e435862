//! Public keys and signatures as states and messages hold them: bytes of which nothing is known.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::hex::FromHexError;
use alloy_primitives::{B256, FixedBytes};
use serde::{Deserialize, Serialize};
use ssz_derive::{Decode, Encode};
use tree_hash::{PackedEncoding, TreeHash, TreeHashType};

macro_rules! compressed_point {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        ///
        /// Printed and in JSON 0x-prefixed hexadecimal; in SSZ a vector of bytes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
        #[ssz(struct_behaviour = "transparent")]
        #[serde(transparent)]
        pub struct $name(FixedBytes<$length>);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $length;

            /// Takes the bytes as they are.
            pub const fn new(bytes: [u8; $length]) -> Self {
                Self(FixedBytes::new(bytes))
            }

            /// The bytes.
            pub const fn as_array(&self) -> &[u8; $length] {
                &self.0.0
            }

            /// The bytes.
            pub const fn as_slice(&self) -> &[u8] {
                &self.0.0
            }
        }

        impl From<[u8; $length]> for $name {
            fn from(bytes: [u8; $length]) -> Self {
                Self::new(bytes)
            }
        }

        impl From<$name> for [u8; $length] {
            fn from(bytes: $name) -> Self {
                bytes.0.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                self.as_slice()
            }
        }

        impl FromStr for $name {
            type Err = FromHexError;

            fn from_str(text: &str) -> Result<Self, FromHexError> {
                text.parse().map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl TreeHash for $name {
            fn tree_hash_type() -> TreeHashType {
                TreeHashType::Vector
            }

            fn tree_hash_packed_encoding(&self) -> PackedEncoding {
                unreachable!("only basic types are packed: tree_hash_type says vector")
            }

            fn tree_hash_packing_factor() -> usize {
                unreachable!("only basic types are packed: tree_hash_type says vector")
            }

            fn tree_hash_root(&self) -> B256 {
                self.0.tree_hash_root()
            }
        }
    };
}

compressed_point! {
    /// A public key, compressed and unchecked.
    PublicKeyBytes, 48
}

compressed_point! {
    /// A signature, compressed and unchecked.
    SignatureBytes, 96
}
