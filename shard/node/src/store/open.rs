//! Taking a shard up from disk: the newest certified block, and the trie over the state after it.

use super::reader::{Reader, environment};
use super::tables::{Accounts, Slots};
use super::{Commit, Generation, ReadError, ShardStore};
use alloy_primitives::{Address, B256, U256};
use crypto::mmr::Mmr;
use primitives::{Certificate, ChainSpec, Genesis, Height, InboxCursors, ShardBlock, ShardHeader, ShardId};
use shard_state::{
    chain::{Base, ShardState},
    genesis::{genesis_body, genesis_header_of, genesis_state},
    state::{AccountDelta, ChangeSet, MemoryState, SlotDelta},
    trie::StateTrie,
};
use std::sync::Arc;
use storage::{StorageError, Store};

/// Certificates that are looked at for crosslinks not accepted yet.
const CERTIFICATES_MAX: usize = 256;

/// Why the chain on disk cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk, or what is on it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The genesis file names another first header than follows from it.
    #[error(
        "the genesis file says that shard {shard} starts at {expected}, but by its allocations it starts at {found}: \
         it was made by other software, or damaged"
    )]
    GenesisId {
        /// Of this shard.
        shard: ShardId,
        /// In the file.
        expected: B256,
        /// Computed.
        found: B256,
    },
    /// The genesis file has no such shard.
    #[error("the genesis file has no shard {shard}")]
    NoSuchShard {
        /// The shard.
        shard: ShardId,
    },
    /// The chain of another network.
    #[error(
        "the data directory of shard {shard} is of another network: it starts at {found}, the genesis file at {expected}; \
         use another data directory, or the genesis file it was made with"
    )]
    OtherNetwork {
        /// The shard.
        shard: ShardId,
        /// By the genesis file.
        expected: B256,
        /// On disk.
        found: B256,
    },
    /// Something that every commit writes is not there.
    #[error(
        "the database has no {what} of height {height}: it is damaged; delete it and let the node sync anew"
    )]
    Missing {
        /// What.
        what: &'static str,
        /// Where.
        height: Height,
    },
    /// State and header do not belong together.
    #[error(
        "the database does not hold the state of its newest block ({0}): it is damaged; delete it and let the node sync \
         anew"
    )]
    State(#[from] shard_state::chain::OpenError),
}

/// Where a chain goes on.
#[derive(Debug)]
pub struct Resume {
    /// The state after the newest certified block.
    pub state: ShardState,
    /// That block.
    pub head: Arc<ShardBlock>,
    /// How the chain's consensus was last started anew, if it ever was.
    pub generation: Option<Generation>,
    /// Newest headers with a certificate of their own, newest first.
    pub certified: Vec<(ShardHeader, Certificate)>,
    /// How far receipts of other chains are consumed.
    pub cursors: InboxCursors,
}

impl ShardStore {
    /// Takes up the chain on disk; an empty store begins with the genesis block.
    pub fn open(
        store: Store,
        genesis: &Genesis,
        shard: ShardId,
        history_blocks: u64,
    ) -> Result<(Self, Resume), OpenError> {
        let spec = Arc::new(genesis.spec.clone());
        let expected = genesis.shard_genesis_id(shard).ok_or(OpenError::NoSuchShard { shard })?;
        let store = Self { store, spec, history_blocks: history_blocks.max(1) };
        if store.store.last_sequence().is_none() {
            store.begin(genesis, shard, expected)?;
        }
        let reader = store.reader()?;
        let found = reader.id(Height::ZERO)?.unwrap_or_default();
        if expected != found {
            return Err(OpenError::OtherNetwork { shard, expected, found });
        }
        let resume = store.resume(&reader)?;
        Ok((store, resume))
    }

    fn begin(&self, genesis: &Genesis, shard: ShardId, expected: B256) -> Result<(), OpenError> {
        let state = genesis_state(&genesis.allocations);
        let header = genesis_header_of(&self.spec, shard, &state, genesis.timestamp_ms);
        let id = header.id();
        if expected != id {
            return Err(OpenError::GenesisId { shard, expected, found: id });
        }
        let mut nodes = Vec::new();
        Mmr::new().push_with(id, |position, node| nodes.push((position, node)));
        let commit = Commit {
            block: Arc::new(ShardBlock { header, body: genesis_body() }),
            id,
            certificate: None,
            transactions: Vec::new(),
            receipts: Vec::new(),
            change_set: Arc::new(from_nothing(&state)),
            outbox: Default::default(),
            cursors: Default::default(),
            nodes,
        };
        Ok(self.commit(&commit)?)
    }

    fn resume(&self, reader: &Reader) -> Result<Resume, OpenError> {
        let height = reader.head();
        let head = reader.block(height)?.ok_or(OpenError::Missing { what: "block", height })?;
        let base = base(reader, &self.spec, height)?;
        let state = ShardState::open(Arc::clone(&self.spec), base, Arc::new(reader.state()), trie(reader)?)?;
        let cursors = reader.cursors(height)?;
        let mut certified = Vec::new();
        for (height, certificate) in reader.certificates(CERTIFICATES_MAX)? {
            let header = reader.header(height)?.ok_or(OpenError::Missing { what: "header", height })?;
            certified.push((header, certificate));
        }
        Ok(Resume { state, head: Arc::new(head), generation: self.generation()?, certified, cursors })
    }
}

/// The certified block at `height` as what a chain stands on.
pub(super) fn base(reader: &Reader, spec: &ChainSpec, height: Height) -> Result<Base, OpenError> {
    let missing = |what| OpenError::Missing { what, height };
    let block = reader.block(height)?.ok_or_else(|| missing("block"))?;
    let history = Mmr::from_nodes(reader, height.get()).ok_or_else(|| missing("history"))?;
    let environment = environment(spec, &block);
    Ok(Base { header: block.header, history, environment })
}

/// The trie over the state on disk.
fn trie(reader: &Reader) -> Result<StateTrie, StorageError> {
    let mut accounts: Vec<(Address, _, Vec<(B256, U256)>)> = Vec::new();
    let mut slots = reader.snapshot().range::<Slots>(..)?.peekable();
    for entry in reader.snapshot().range::<Accounts>(..)? {
        let (address, account) = entry?;
        let mut own = Vec::new();
        // Both tables are in order of address, and no account without an entry has slots.
        while let Some(slot) =
            slots.next_if(|slot| slot.as_ref().map_or(true, |((owner, _), _)| *owner <= address))
        {
            let ((owner, slot), value) = slot?;
            if owner == address {
                own.push((slot, value));
            }
        }
        accounts.push((address, account.0, own));
    }
    Ok(StateTrie::from_accounts(accounts))
}

/// A whole state as the change from nothing.
fn from_nothing(state: &MemoryState) -> ChangeSet {
    let accounts = state.accounts().map(|(address, account)| {
        let storage =
            state.slots(*address).map(|(slot, after)| SlotDelta { slot, before: U256::ZERO, after });
        AccountDelta { address: *address, before: None, after: Some(*account), storage: storage.collect() }
    });
    ChangeSet::new(accounts.collect(), state.codes().map(|(hash, code)| (*hash, code.clone())).collect())
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Storage(error) => Self::Storage(error),
            ReadError::Receipts(_) => {
                Self::Missing { what: "readable transaction receipts", height: Height::ZERO }
            }
            ReadError::Outbox(_) | ReadError::Proof(_) => {
                Self::Missing { what: "readable outbox", height: Height::ZERO }
            }
            ReadError::NotAvailable { found, .. } => Self::Missing { what: "state", height: found },
        }
    }
}
