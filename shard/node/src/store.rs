//! A shard chain on disk.
//!
//! One commit per certified block: its change set is the record, from which the block can be undone; everything
//! else goes into tables. What always holds: the store ends at a certified block with everything that follows
//! from it, and the state after each of the last blocks can still be read.

mod lanes;
mod open;
mod reader;
mod receipts;
mod tables;
#[cfg(test)]
mod tests;

pub use open::{OpenError, Resume};
pub use reader::{ReadError, Reader, StateAt, StoredState};
pub use receipts::ReceiptsError;
pub use tables::{Generation, Location, TABLES};

use alloy_primitives::B256;
use primitives::{Certificate, ChainSpec, Height, InboxCursors, ShardBlock, Verified};
use shard_state::{
    chain::Base,
    receipt::TransactionReceipt,
    state::{ChangeSet, ChangeSetError},
    transaction::{Transaction, entry_hashes},
};
use std::sync::Arc;
use storage::{Batch, Durability, Ssz, StorageError, Store, StoreConfig};
use tables::{
    AccountBefore, AccountHistory, Accounts, Bodies, Certificates, Codes, Generations, Headers, Heights, Ids,
    Nodes, OldestState, Receipts, SlotHistory, Slots, StoredAccount, Transactions,
};

use xshard::Outbox;

/// Records that are kept beyond those that history needs.
const RECORDS_SPARE: u64 = 64;
/// Heights whose history one commit drops at most, when fewer are to be kept than before.
const PRUNED_MAX: usize = 4;

/// What follows from one certified block.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The block.
    pub block: Arc<ShardBlock>,
    /// Its id.
    pub id: B256,
    /// Its own certificate, where there is one.
    pub certificate: Option<Certificate>,
    /// What it took in and its transactions, in the form of transactions.
    pub transactions: Vec<Arc<Verified<Transaction>>>,
    /// A receipt for each.
    pub receipts: Vec<TransactionReceipt>,
    /// What it changed.
    pub change_set: Arc<ChangeSet>,
    /// What it sent to other chains.
    pub outbox: Outbox,
    /// How far receipts of other chains are consumed after it.
    pub cursors: InboxCursors,
    /// New nodes of the mountain range over the ids, with their positions.
    pub nodes: Vec<(u64, B256)>,
}

/// A block that was taken back.
#[derive(Clone, Debug)]
pub struct Undone {
    /// The block.
    pub block: Arc<ShardBlock>,
    /// Its id.
    pub id: B256,
    /// Its transaction receipts.
    pub receipts: Vec<TransactionReceipt>,
    /// What it had changed.
    pub change_set: Arc<ChangeSet>,
    /// What it had sent to other chains.
    pub outbox: Outbox,
}

/// Why blocks cannot be taken back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RewindError {
    /// The disk, or what is on it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is on it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An undo record is damaged.
    #[error(
        "the change set of height {height} in the database does not decode: {error}; delete it and sync anew"
    )]
    ChangeSet {
        /// Of the block.
        height: Height,
        /// What is wrong.
        error: ChangeSetError,
    },
    /// More than is kept is to be undone, or something is not there.
    #[error(
        "the database has no {what} of height {height}: it cannot go back that far; delete it and sync anew"
    )]
    Missing {
        /// What.
        what: &'static str,
        /// Where.
        height: Height,
    },
}

/// One shard on disk; clones are handles of the same.
#[derive(Clone, Debug)]
pub struct ShardStore {
    store: Store,
    spec: Arc<ChainSpec>,
    history_blocks: u64,
}

impl ShardStore {
    /// How its store is to be opened.
    pub const fn config(durability: Durability, history_blocks: u64) -> StoreConfig {
        let history_records = history_blocks.saturating_add(RECORDS_SPARE);
        StoreConfig { history_records, ..StoreConfig::new(durability, TABLES) }
    }

    /// Writes what follows from one certified block, as durably as the store is configured.
    pub fn commit(&self, commit: &Commit) -> Result<(), StorageError> {
        let Commit { block, id, certificate, transactions, receipts, change_set, nodes, .. } = commit;
        let height = block.header.height.get();
        let mut batch = Batch::new();
        apply(&mut batch, change_set);
        batch.put::<Headers>(&height, &Ssz(block.header.clone()));
        batch.put::<Bodies>(&height, &Ssz(block.body.clone()));
        batch.put::<Ids>(&height, id);
        batch.put::<Heights>(id, &height);
        batch.put::<Receipts>(&height, &receipts::encode(receipts));
        for (transaction, index) in transactions.iter().zip(0..) {
            batch.put::<Transactions>(&transaction.hash(), &Location { height: block.header.height, index });
        }
        lanes::put(&mut batch, commit);
        for (position, node) in nodes {
            batch.put::<Nodes>(position, node);
        }
        if let Some(certificate) = certificate {
            batch.put::<Certificates>(&height, &Ssz(certificate.clone()));
        }
        if height > 0 {
            remember(&mut batch, height, change_set);
            self.forget(&mut batch, height)?;
        }
        self.store.commit(height, &change_set.encode(), batch)
    }

    /// Drops history that is older than is to be kept.
    fn forget(&self, batch: &mut Batch, height: u64) -> Result<(), StorageError> {
        let mut oldest = self.store.get::<OldestState>(&())?.unwrap_or_default();
        let wanted = height.saturating_sub(self.history_blocks);
        for _ in 0..PRUNED_MAX {
            if oldest >= wanted {
                break;
            }
            oldest += 1;
            // Without the record, what is left of that height is only garbage: it is below all that is read.
            let record = self.store.record(oldest)?;
            if let Some(changes) = record.and_then(|record| ChangeSet::decode(&record).ok()) {
                drop_history(batch, oldest, &changes);
            }
        }
        batch.put::<OldestState>(&(), &oldest);
        Ok(())
    }

    /// Adds the certificate of a block that was written without.
    pub fn add_certificate(&self, height: Height, certificate: &Certificate) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        batch.put::<Certificates>(&height.get(), &Ssz(certificate.clone()));
        self.store.write(batch)
    }

    /// The chain as it is now.
    pub fn reader(&self) -> Result<Reader, StorageError> {
        Ok(Reader::new(self.store.snapshot()?, Arc::clone(&self.spec)))
    }

    /// How the chain's consensus was last started anew, if it ever was.
    pub fn generation(&self) -> Result<Option<Generation>, StorageError> {
        Ok(self.store.get::<Generations>(&())?.map(|generation| generation.0))
    }

    /// Takes back every block above the generation's floor, and notes the generation: both or neither.
    /// Returns the blocks, newest first.
    pub fn rewind(&self, generation: &Generation) -> Result<Vec<Undone>, RewindError> {
        let mut batch = Batch::new();
        batch.put::<Generations>(&(), &Ssz(generation.clone()));
        self.rewind_with(generation.floor, batch)
    }

    /// Takes back every block above `height`. Returns the blocks, newest first.
    pub fn rewind_to(&self, height: Height) -> Result<Vec<Undone>, RewindError> {
        self.rewind_with(height, Batch::new())
    }

    fn rewind_with(&self, floor: Height, mut batch: Batch) -> Result<Vec<Undone>, RewindError> {
        let reader = self.reader()?;
        let mut undone = Vec::new();
        let mut height = reader.head();
        while height > floor {
            let block = self.undone(&reader, height)?;
            undo(&mut batch, &block);
            undone.push(block);
            height = height.previous().unwrap_or(floor);
        }
        let oldest = reader.oldest_state()?;
        if oldest > floor {
            return Err(RewindError::Missing { what: "state", height: floor });
        }
        if undone.is_empty() {
            self.store.write(batch)?;
        } else {
            self.store.rewind_to(floor.get(), batch)?;
        }
        Ok(undone)
    }

    fn undone(&self, reader: &Reader, height: Height) -> Result<Undone, RewindError> {
        let missing = |what| RewindError::Missing { what, height };
        let record = self.store.record(height.get())?.ok_or_else(|| missing("undo record"))?;
        let change_set =
            ChangeSet::decode(&record).map_err(|error| RewindError::ChangeSet { height, error })?;
        Ok(Undone {
            block: Arc::new(reader.block(height)?.ok_or_else(|| missing("block"))?),
            id: reader.id(height)?.ok_or_else(|| missing("id"))?,
            receipts: reader.receipts(height)?.ok_or_else(|| missing("transaction receipts"))?,
            change_set: Arc::new(change_set),
            outbox: reader.outbox(height)?,
        })
    }

    /// The certified block at `height` as what a chain stands on.
    pub fn base(&self, height: Height) -> Result<Base, OpenError> {
        open::base(&self.reader()?, &self.spec, height)
    }
}

/// Writes the state after a block over the state before it.
fn apply(batch: &mut Batch, changes: &ChangeSet) {
    for delta in changes.accounts() {
        match delta.after {
            Some(account) => batch.put::<Accounts>(&delta.address, &StoredAccount(account)),
            None => batch.delete::<Accounts>(&delta.address),
        }
        for slot in &delta.storage {
            let key = (delta.address, slot.slot);
            if slot.after.is_zero() {
                batch.delete::<Slots>(&key);
            } else {
                batch.put::<Slots>(&key, &slot.after);
            }
        }
    }
    for (hash, code) in changes.code() {
        batch.put::<Codes>(hash, code);
    }
}

/// Notes what the block at `height` found.
fn remember(batch: &mut Batch, height: u64, changes: &ChangeSet) {
    for delta in changes.accounts() {
        batch.put::<AccountHistory>(&(delta.address, height), &AccountBefore(delta.before));
        for slot in &delta.storage {
            batch.put::<SlotHistory>(&((delta.address, slot.slot), height), &slot.before);
        }
    }
}

fn drop_history(batch: &mut Batch, height: u64, changes: &ChangeSet) {
    for delta in changes.accounts() {
        batch.delete::<AccountHistory>(&(delta.address, height));
        for slot in &delta.storage {
            batch.delete::<SlotHistory>(&((delta.address, slot.slot), height));
        }
    }
}

/// Takes a block back. Nodes of the mountain range stay: the next block at that height writes them anew. So does
/// code, which is named by its hash.
fn undo(batch: &mut Batch, undone: &Undone) {
    let Undone { block, id, change_set, outbox, .. } = undone;
    let height = block.header.height.get();
    apply(batch, &change_set.inverse());
    drop_history(batch, height, change_set);
    for hash in entry_hashes(&block.body) {
        batch.delete::<Transactions>(&hash);
    }
    lanes::delete(batch, block.header.height, outbox);
    batch.delete::<Headers>(&height);
    batch.delete::<Bodies>(&height);
    batch.delete::<Ids>(&height);
    batch.delete::<Heights>(id);
    batch.delete::<Receipts>(&height);
    batch.delete::<Certificates>(&height);
}
