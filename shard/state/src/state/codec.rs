//! The stored form of a change set: compact, canonical, bounded when read.
//!
//! ```text
//! change set = version byte, count, accounts, count, code
//! account    = address[20], flags, [before], [after], [count, slots]
//! before/after (each if its flag is set) = nonce, balance, [code hash[32]]
//! slot       = key[32], before, after
//! code       = length, bytes (its hash is computed when read)
//! ```
//! Counts, lengths and nonces are LEB128 in the fewest bytes; a 256-bit number is a length byte and as many
//! big-endian bytes, the first not zero. Everything that is not exactly what encoding gives is refused.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};

use super::change_set::{AccountDelta, ChangeSet, SlotDelta};
use crate::account::Account;

/// First byte of the encoding.
const VERSION: u8 = 1;

const BEFORE: u8 = 1;
const BEFORE_CODE: u8 = 1 << 1;
const AFTER: u8 = 1 << 2;
const AFTER_CODE: u8 = 1 << 3;
const STORAGE: u8 = 1 << 4;
const FLAGS: u8 = BEFORE | BEFORE_CODE | AFTER | AFTER_CODE | STORAGE;

/// Why bytes are not a change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeSetError {
    /// Written by another version.
    #[error("expected change set version {VERSION}, found {found}")]
    Version {
        /// The first byte.
        found: u8,
    },
    /// The bytes end too early.
    #[error("{needed} more bytes are needed at offset {offset}")]
    Truncated {
        /// Where reading stopped.
        offset: usize,
        /// What is missing.
        needed: usize,
    },
    /// The bytes go on after the end.
    #[error("{found} bytes follow the change set")]
    Trailing {
        /// How many.
        found: usize,
    },
    /// A number that is not written in its shortest form, or is too large.
    #[error("the number at offset {offset} is not in its shortest form or too large")]
    Number {
        /// Where it starts.
        offset: usize,
    },
    /// A flag byte with meaningless bits.
    #[error("the flags {found:#04x} at offset {offset} have no meaning")]
    Flags {
        /// Where they are.
        offset: usize,
        /// What they are.
        found: u8,
    },
    /// Entries out of order, repeated, or that change nothing.
    #[error("entries are not in order, or change nothing")]
    NotCanonical,
}

impl ChangeSet {
    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.accounts().len() * 96);
        out.push(VERSION);
        put_number(&mut out, self.accounts().len() as u64);
        for account in self.accounts() {
            put_account_delta(&mut out, account);
        }
        put_number(&mut out, self.code().len() as u64);
        for (_, code) in self.code() {
            put_number(&mut out, code.len() as u64);
            out.extend_from_slice(code);
        }
        out
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, ChangeSetError> {
        let mut reader = Reader { bytes, offset: 0 };
        match reader.byte()? {
            VERSION => {}
            found => return Err(ChangeSetError::Version { found }),
        }
        // Capacity is never taken from a count: each entry must first be there.
        let mut accounts = Vec::new();
        for _ in 0..reader.number()? {
            accounts.push(reader.account_delta()?);
        }
        let mut code = Vec::new();
        for _ in 0..reader.number()? {
            let length = reader.number()?;
            let bytes = Bytes::copy_from_slice(reader.take(usize::try_from(length).unwrap_or(usize::MAX))?);
            code.push((keccak256(&bytes), bytes));
        }
        match bytes.len() - reader.offset {
            0 => Self::from_canonical(accounts, code).ok_or(ChangeSetError::NotCanonical),
            found => Err(ChangeSetError::Trailing { found }),
        }
    }
}

fn put_account_delta(out: &mut Vec<u8>, delta: &AccountDelta) {
    out.extend_from_slice(delta.address.as_slice());
    let flags = |account: &Option<Account>, present: u8, code: u8| match account {
        None => 0,
        Some(account) if account.code_hash == KECCAK256_EMPTY => present,
        Some(_) => present | code,
    };
    let storage = if delta.storage.is_empty() { 0 } else { STORAGE };
    out.push(flags(&delta.before, BEFORE, BEFORE_CODE) | flags(&delta.after, AFTER, AFTER_CODE) | storage);
    for account in [&delta.before, &delta.after].into_iter().flatten() {
        put_number(out, account.nonce);
        put_wide(out, &account.balance);
        if account.code_hash != KECCAK256_EMPTY {
            out.extend_from_slice(account.code_hash.as_slice());
        }
    }
    if !delta.storage.is_empty() {
        put_number(out, delta.storage.len() as u64);
        for slot in &delta.storage {
            out.extend_from_slice(slot.slot.as_slice());
            put_wide(out, &slot.before);
            put_wide(out, &slot.after);
        }
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_wide(out: &mut Vec<u8>, number: &U256) {
    let length = number.byte_len();
    out.push(length as u8);
    out.extend_from_slice(&number.to_be_bytes::<32>()[32 - length..]);
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], ChangeSetError> {
        let rest = &self.bytes[self.offset..];
        match rest.get(..length) {
            Some(taken) => {
                self.offset += length;
                Ok(taken)
            }
            None => Err(ChangeSetError::Truncated { offset: self.offset, needed: length - rest.len() }),
        }
    }

    fn byte(&mut self) -> Result<u8, ChangeSetError> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number(&mut self) -> Result<u64, ChangeSetError> {
        let offset = self.offset;
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (shift == 63 && bits > 1) || (byte == 0 && shift > 0) {
                return Err(ChangeSetError::Number { offset });
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(ChangeSetError::Number { offset })
    }

    fn wide(&mut self) -> Result<U256, ChangeSetError> {
        let offset = self.offset;
        let length = self.byte()?;
        if length > 32 {
            return Err(ChangeSetError::Number { offset });
        }
        let bytes = self.take(usize::from(length))?;
        if bytes.first() == Some(&0) {
            return Err(ChangeSetError::Number { offset });
        }
        Ok(U256::from_be_slice(bytes))
    }

    fn account(&mut self, has_code: bool) -> Result<Account, ChangeSetError> {
        let (nonce, balance) = (self.number()?, self.wide()?);
        let code_hash = if has_code { B256::from_slice(self.take(32)?) } else { KECCAK256_EMPTY };
        if has_code && code_hash == KECCAK256_EMPTY {
            return Err(ChangeSetError::NotCanonical);
        }
        Ok(Account { nonce, balance, code_hash })
    }

    fn account_delta(&mut self) -> Result<AccountDelta, ChangeSetError> {
        let address = Address::from_slice(self.take(20)?);
        let offset = self.offset;
        let flags = self.byte()?;
        let has = |flag: u8| flags & flag != 0;
        if flags & !FLAGS != 0 || (has(BEFORE_CODE) && !has(BEFORE)) || (has(AFTER_CODE) && !has(AFTER)) {
            return Err(ChangeSetError::Flags { offset, found: flags });
        }
        let before = has(BEFORE).then(|| self.account(has(BEFORE_CODE))).transpose()?;
        let after = has(AFTER).then(|| self.account(has(AFTER_CODE))).transpose()?;
        let mut storage = Vec::new();
        if has(STORAGE) {
            for _ in 0..self.number()? {
                let slot = B256::from_slice(self.take(32)?);
                storage.push(SlotDelta { slot, before: self.wide()?, after: self.wide()? });
            }
            if storage.is_empty() {
                return Err(ChangeSetError::NotCanonical);
            }
        }
        Ok(AccountDelta { address, before, after, storage })
    }
}
