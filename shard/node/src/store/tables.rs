//! The tables of one shard. Their names and types are the format on disk.

use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{Certificate, Committee, EpochTable, Height, InboxCursors, Receipt, ShardBody, ShardHeader};
use shard_state::account::Account;
use ssz_derive::{Decode, Encode};
use storage::{DecodeError, Ssz, Table, Value};

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident($name:literal): $key:ty => $value:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) enum $table {}

            impl Table for $table {
                const NAME: &'static str = $name;
                type Key = $key;
                type Value = $value;
            }
        )*

        /// Every table of a shard's store.
        pub const TABLES: &[&str] = &[$($name),*];
    };
}

tables! {
    /// Accounts after the newest block.
    Accounts("accounts"): Address => StoredAccount;
    /// Storage slots after the newest block; those that are zero are absent.
    Slots("slots"): (Address, B256) => U256;
    /// Code by its hash.
    Codes("codes"): B256 => Bytes;
    /// By account and height: the account before that block, which changed it.
    AccountHistory("account_history"): (Address, u64) => AccountBefore;
    /// By slot and height: its value before that block, which changed it.
    SlotHistory("slot_history"): ((Address, B256), u64) => U256;
    /// The lowest height whose state can be read.
    OldestState("oldest_state"): () => u64;
    /// Headers by height.
    Headers("headers"): u64 => Ssz<ShardHeader>;
    /// Bodies by height.
    Bodies("bodies"): u64 => Ssz<ShardBody>;
    /// Ids by height.
    Ids("ids"): u64 => B256;
    /// Heights by id.
    Heights("heights"): B256 => u64;
    /// Where transactions are, by hash.
    Transactions("transactions"): B256 => Location;
    /// Transaction receipts of a block, by height.
    Receipts("transaction_receipts"): u64 => Bytes;
    /// Receipts that a block has sent to other chains, by height; a block that has sent none has no entry.
    Outboxes("outboxes"): u64 => Ssz<Vec<Receipt>>;
    /// By destination's code and the first sequence that a block sent there: that block's height.
    LaneBlocks("lane_blocks"): (u32, u64) => u64;
    /// By id of a receipt that was sent: height of the block that sent it.
    SentReceipts("sent_receipts"): B256 => u64;
    /// How far receipts of other chains were consumed, by height.
    Cursors("inbox_cursors"): u64 => Ssz<InboxCursors>;
    /// By height: of that very block, where there is one.
    Certificates("certificates"): u64 => Ssz<Certificate>;
    /// Nodes of the mountain range over the ids, by position.
    Nodes("history_nodes"): u64 => B256;
    /// How the chain's consensus was last started anew, if it ever was.
    Generations("generation"): () => Ssz<Generation>;
}

/// An account as it is stored: nonce (8 bytes, big-endian), balance (32), code hash (32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredAccount(pub(crate) Account);

/// Bytes of a stored account.
const ACCOUNT_BYTES: usize = 72;

impl Value for StoredAccount {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.nonce.to_be_bytes());
        out.extend_from_slice(&self.0.balance.to_be_bytes::<32>());
        out.extend_from_slice(self.0.code_hash.as_slice());
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let found = bytes.len();
        let bytes: &[u8; ACCOUNT_BYTES] =
            bytes.try_into().map_err(|_| DecodeError::Length { expected: ACCOUNT_BYTES, found })?;
        let (nonce, rest) = bytes.split_at(8);
        let (balance, code_hash) = rest.split_at(32);
        let mut number = [0; 8];
        number.copy_from_slice(nonce);
        let nonce = u64::from_be_bytes(number);
        let (balance, code_hash) = (U256::from_be_slice(balance), B256::from_slice(code_hash));
        Ok(Self(Account { nonce, balance, code_hash }))
    }
}

/// An account before a block: nothing if it did not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountBefore(pub(crate) Option<Account>);

impl Value for AccountBefore {
    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(account) = self.0 {
            StoredAccount(account).encode(out);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() { Ok(Self(None)) } else { Ok(Self(Some(StoredAccount::decode(bytes)?.0))) }
    }
}

/// A transaction's place in the chain: height (8 bytes, big-endian), index (4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The block.
    pub height: Height,
    /// Its place in the block, from zero.
    pub index: u32,
}

impl Value for Location {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.height.get().to_be_bytes());
        out.extend_from_slice(&self.index.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (height, index) = <(u64, u32) as storage::Key>::decode(bytes)?;
        Ok(Self { height: Height::new(height), index })
    }
}

/// A start of the chain's consensus above a block that the beacon chain had accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Generation {
    /// How often an epoch was ended early, up to this start.
    pub early_ends: u64,
    /// Height of the block it started above; zero is genesis.
    pub floor: Height,
    /// Which heights belong to which epoch, from the floor on.
    pub table: EpochTable,
    /// The committee that certified the floor block; empty if that is genesis.
    pub committee: Committee,
}
