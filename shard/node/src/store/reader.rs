//! One consistent view of a shard on disk: its blocks, and its state after any recent one.

use super::receipts::{self, ReceiptsError};
use super::tables::{
    AccountHistory, Accounts, Bodies, Certificates, Codes, Headers, Heights, Ids, Location, Nodes,
    OldestState, Receipts, SlotHistory, Slots, Transactions,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use crypto::mmr::{MmrNodes, MmrProof, ProveError, prove};
use primitives::{Certificate, ChainSpec, Height, ShardBlock, ShardHeader};
use shard_state::{
    account::Account,
    chain::ChainView,
    executor::Environment,
    receipt::TransactionReceipt,
    state::{FlatState, Layered, StateError},
};
use std::sync::Arc;
use storage::{Snapshot, StorageError};

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk, or what is on it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is on it.
    #[error(transparent)]
    Receipts(#[from] ReceiptsError),
    /// What is on it.
    #[error(transparent)]
    Outbox(#[from] xshard::OutboxError),
    /// What is on it.
    #[error(transparent)]
    Proof(#[from] ProveError),
    /// The state after that block is not kept any more, or not there yet.
    #[error("historical state not available: height {found}, available are {oldest} to {newest}")]
    NotAvailable {
        /// The lowest.
        oldest: Height,
        /// The highest.
        newest: Height,
        /// Asked for.
        found: Height,
    },
}

/// A shard as it was on disk after one commit; cheap to clone. Keep it for a request, not for longer.
#[derive(Clone, Debug)]
pub struct Reader {
    snapshot: Arc<Snapshot>,
    spec: Arc<ChainSpec>,
}

impl Reader {
    pub(super) fn new(snapshot: Snapshot, spec: Arc<ChainSpec>) -> Self {
        Self { snapshot: Arc::new(snapshot), spec }
    }

    /// Height of the newest block.
    pub fn head(&self) -> Height {
        Height::new(self.snapshot.sequence().unwrap_or_default())
    }

    /// Id of the block at `height`.
    pub fn id(&self, height: Height) -> Result<Option<B256>, StorageError> {
        self.snapshot.get::<Ids>(&height.get())
    }

    /// Height of the block with this id.
    pub fn height(&self, id: &B256) -> Result<Option<Height>, StorageError> {
        Ok(self.snapshot.get::<Heights>(id)?.map(Height::new))
    }

    /// The header at `height`.
    pub fn header(&self, height: Height) -> Result<Option<ShardHeader>, StorageError> {
        Ok(self.snapshot.get::<Headers>(&height.get())?.map(|header| header.0))
    }

    /// The block at `height`.
    pub fn block(&self, height: Height) -> Result<Option<ShardBlock>, StorageError> {
        let (Some(header), Some(body)) = (self.header(height)?, self.snapshot.get::<Bodies>(&height.get())?)
        else {
            return Ok(None);
        };
        Ok(Some(ShardBlock { header, body: body.0 }))
    }

    /// Where a transaction is.
    pub fn location(&self, hash: &B256) -> Result<Option<Location>, StorageError> {
        self.snapshot.get::<Transactions>(hash)
    }

    /// The transaction receipts of the block at `height`, in order.
    pub fn receipts(&self, height: Height) -> Result<Option<Vec<TransactionReceipt>>, ReadError> {
        let bytes = self.snapshot.get::<Receipts>(&height.get())?;
        Ok(bytes.map(|bytes| receipts::decode(&bytes)).transpose()?)
    }

    /// The certificate of the very block at `height`, where there is one.
    pub fn certificate(&self, height: Height) -> Result<Option<Certificate>, StorageError> {
        Ok(self.snapshot.get::<Certificates>(&height.get())?.map(|certificate| certificate.0))
    }

    /// Certificates of the newest blocks that have one, newest first.
    pub fn certificates(&self, limit: usize) -> Result<Vec<(Height, Certificate)>, StorageError> {
        let entries = self.snapshot.range_reversed::<Certificates>(..)?.take(limit);
        entries.map(|entry| entry.map(|(height, certificate)| (Height::new(height), certificate.0))).collect()
    }

    /// That the block at height `ancestor` is an ancestor of the one at `height`, against its history root.
    pub fn history_proof(&self, ancestor: Height, height: Height) -> Result<MmrProof, ProveError> {
        prove(self, ancestor.get(), height.get())
    }

    /// The lowest height whose state can be read.
    pub fn oldest_state(&self) -> Result<Height, StorageError> {
        Ok(Height::new(self.snapshot.get::<OldestState>(&())?.unwrap_or_default()))
    }

    /// The state after the newest block.
    pub fn state(&self) -> StoredState {
        StoredState { snapshot: Arc::clone(&self.snapshot) }
    }

    /// The state after the block at `height`, if it is one of the recent ones.
    pub fn state_at(&self, height: Height) -> Result<StateAt, ReadError> {
        let (oldest, newest) = (self.oldest_state()?, self.head());
        if height < oldest || height > newest {
            return Err(ReadError::NotAvailable { oldest, newest, found: height });
        }
        Ok(StateAt { snapshot: Arc::clone(&self.snapshot), height })
    }

    /// What the EVM saw of the block at `height`; `None` if there is no such block.
    pub fn environment(&self, height: Height) -> Result<Option<Environment>, StorageError> {
        Ok(self.block(height)?.map(|block| environment(&self.spec, &block)))
    }

    /// The chain as it was after the block at `height`; `None` if there is no such block.
    pub fn view_at(&self, height: Height) -> Result<Option<ChainView>, ReadError> {
        let (Some(block), Some(id)) = (self.block(height)?, self.id(height)?) else { return Ok(None) };
        let state = Layered::new(Arc::new(self.state_at(height)?));
        let environment = environment(&self.spec, &block);
        Ok(Some(ChainView::new(block.header, id, environment, state)))
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl MmrNodes for Reader {
    fn node(&self, position: u64) -> Option<B256> {
        self.snapshot.get::<Nodes>(&position).ok().flatten()
    }
}

/// What the EVM saw of a certified block. Genesis has no anchor.
pub(super) fn environment(spec: &ChainSpec, block: &ShardBlock) -> Environment {
    if block.header.height == Height::ZERO {
        Environment::new(spec, &block.header, B256::ZERO, Address::ZERO)
    } else {
        Environment::certified(spec, &block.header, &block.body.anchor)
    }
}

/// The flat state after the newest block.
#[derive(Clone, Debug)]
pub struct StoredState {
    snapshot: Arc<Snapshot>,
}

impl FlatState for StoredState {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        let account = self.snapshot.get::<Accounts>(address).map_err(failed)?;
        Ok(account.map(|account| account.0))
    }

    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        Ok(self.snapshot.get::<Slots>(&(*address, *slot)).map_err(failed)?.unwrap_or_default())
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        self.snapshot.get::<Codes>(hash).map_err(failed)
    }
}

/// The flat state after an older block: what the first later change of a key found there.
#[derive(Clone, Debug)]
pub struct StateAt {
    snapshot: Arc<Snapshot>,
    height: Height,
}

impl FlatState for StateAt {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        let later = (*address, self.height.next().get())..=(*address, u64::MAX);
        let mut changes = self.snapshot.range::<AccountHistory>(later).map_err(failed)?;
        match changes.next().transpose().map_err(failed)? {
            Some((_, before)) => Ok(before.0),
            None => StoredState { snapshot: Arc::clone(&self.snapshot) }.account(address),
        }
    }

    fn storage(&self, address: &Address, slot: &B256) -> Result<U256, StateError> {
        let key = (*address, *slot);
        let later = (key, self.height.next().get())..=(key, u64::MAX);
        let mut changes = self.snapshot.range::<SlotHistory>(later).map_err(failed)?;
        match changes.next().transpose().map_err(failed)? {
            Some((_, before)) => Ok(before),
            None => StoredState { snapshot: Arc::clone(&self.snapshot) }.storage(address, slot),
        }
    }

    fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        self.snapshot.get::<Codes>(hash).map_err(failed)
    }
}

fn failed(error: StorageError) -> StateError {
    StateError::Store(Arc::new(error))
}
