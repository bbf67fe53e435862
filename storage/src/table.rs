//! Typed tables: a name, a key type whose encoding preserves order, and a value type.
//!
//! What always holds: for keys `a` and `b` of one table, `a < b` exactly when the encoding of `a`
//! is before that of `b` as bytes, and no two keys share an encoding. Only the last part of a
//! tuple may have a variable length, which [`FixedKey`] makes a matter of types.

use alloy_primitives::{Address, B256, Bytes, U256};

/// The longest encoded key the tables take, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// One table. Implement it on an empty enum or unit struct, and name it in the store's configuration.
pub trait Table {
    /// Identifies the table on disk; never reused for another type.
    const NAME: &'static str;
    type Key: Key;
    type Value: Value;
}

/// A key of a table with its value.
pub type Row<T> = (<T as Table>::Key, <T as Table>::Value);

/// A key or value read from a table does not have the form its type requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("expected {expected} bytes, found {found}")]
    Length { expected: usize, found: usize },
    #[error("the bytes are not a valid {what}")]
    Invalid { what: &'static str },
}

/// A type that orders as its encoding does.
pub trait Key: Sized {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads exactly what [`encode`](Self::encode) wrote.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// The encoding by itself.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        self.encode(&mut out);
        out
    }
}

/// A key whose encoding always has the same length, so that another can follow it in a tuple.
pub trait FixedKey: Key {
    /// Length of the encoding, in bytes.
    const LENGTH: usize;
}

/// What a table holds under a key.
pub trait Value: Sized {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads exactly what [`encode`](Self::encode) wrote.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::Length { expected: N, found: bytes.len() })
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Key for $integer {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                fixed(bytes).map(Self::from_be_bytes)
            }
        }
        impl FixedKey for $integer {
            const LENGTH: usize = size_of::<$integer>();
        }
        impl Value for $integer {
            fn encode(&self, out: &mut Vec<u8>) {
                Key::encode(self, out);
            }
            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                <Self as Key>::decode(bytes)
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, u128);

macro_rules! byte_arrays {
    ($($array:ty),*) => {$(
        impl Key for $array {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_slice());
            }
            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                fixed(bytes).map(Self::from)
            }
        }
        impl FixedKey for $array {
            const LENGTH: usize = size_of::<$array>();
        }
        impl Value for $array {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_slice());
            }
            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                fixed(bytes).map(Self::from)
            }
        }
    )*};
}
byte_arrays!(B256, Address, [u8; 32], [u8; 48]);

impl Key for U256 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes::<32>());
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        fixed(bytes).map(Self::from_be_bytes::<32>)
    }
}

impl FixedKey for U256 {
    const LENGTH: usize = 32;
}

impl Value for U256 {
    fn encode(&self, out: &mut Vec<u8>) {
        Key::encode(self, out);
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        <Self as Key>::decode(bytes)
    }
}

/// The key of a table with a single entry.
impl Key for () {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(0);
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes {
            [0] => Ok(()),
            [_] => Err(DecodeError::Invalid { what: "unit key" }),
            _ => Err(DecodeError::Length { expected: 1, found: bytes.len() }),
        }
    }
}

/// The value of a table that is a set.
impl Value for () {
    fn encode(&self, _: &mut Vec<u8>) {}
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        fixed::<0>(bytes).map(|_| ())
    }
}

impl Value for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match fixed::<1>(bytes)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(DecodeError::Invalid { what: "boolean" }),
        }
    }
}

macro_rules! byte_strings {
    ($($string:ty),*) => {$(
        impl Key for $string {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self);
            }
            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                Ok(bytes.to_vec().into())
            }
        }
        impl Value for $string {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self);
            }
            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                Ok(bytes.to_vec().into())
            }
        }
    )*};
}
byte_strings!(Vec<u8>, Bytes);

impl<A: FixedKey, B: Key> Key for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (first, rest) = split::<A>(bytes)?;
        Ok((first, B::decode(rest)?))
    }
}

impl<A: FixedKey, B: FixedKey> FixedKey for (A, B) {
    const LENGTH: usize = A::LENGTH + B::LENGTH;
}

impl<A: FixedKey, B: FixedKey, C: Key> Key for (A, B, C) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
        self.2.encode(out);
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (first, rest) = split::<A>(bytes)?;
        let (second, rest) = split::<B>(rest)?;
        Ok((first, second, C::decode(rest)?))
    }
}

impl<A: FixedKey, B: FixedKey, C: FixedKey> FixedKey for (A, B, C) {
    const LENGTH: usize = A::LENGTH + B::LENGTH + C::LENGTH;
}

fn split<A: FixedKey>(bytes: &[u8]) -> Result<(A, &[u8]), DecodeError> {
    let (first, rest) = bytes
        .split_at_checked(A::LENGTH)
        .ok_or(DecodeError::Length { expected: A::LENGTH, found: bytes.len() })?;
    Ok((A::decode(first)?, rest))
}

/// A value in its SSZ encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ssz<T>(pub T);

impl<T: ssz::Encode + ssz::Decode> Value for Ssz<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.ssz_append(out);
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        T::from_ssz_bytes(bytes).map(Self).map_err(|_| DecodeError::Invalid { what: "SSZ encoding" })
    }
}
