//! A development chain's mutable state, with one owner.
//!
//! Pure but for the store, which is in memory: whoever calls says what time it is. What always holds: the trie stands at
//! the head, the store ends there, and the pool knows the accounts as they are there.

use super::beacon::DevBeacon;
use super::clock::Clock;
use super::genesis::{SHARD, genesis};
use crate::handle::{ChainEvent, SubmitError};
use crate::pool::{AccountState, Pool, PoolLimits, PooledTransaction};
use crate::snapshot::Snapshot;
use crate::store::{Commit, OpenError, RewindError, ShardStore};
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{ChainSpec, Height, SpecError};
use shard_state::{
    account::Account,
    block::{BlockError, BlockLimits, Executed, Incoming, ParentView, propose},
    chain::{AccountProof, Base, ChainView, ProofError, StorageProof},
    fee::next_base_fee,
    genesis::genesis_state,
    state::{AccountDelta, ChangeSet, FlatState as _, Layer, Layered, SlotDelta, StateError},
    transaction::TransactionLimits,
    trie::StateTrie,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use storage::{Durability, MemoryDisk, StorageError, Store};

/// States that stay readable: all that a test ever makes.
const HISTORY_BLOCKS: u64 = 10_000_000;
/// A development chain takes whatever its owner offers, also without a tip.
const POOL: PoolLimits = PoolLimits {
    transactions_max: 200_000,
    bytes_max: 256 << 20,
    account_transactions_max: 4_096,
    account_queued_max: 4_096,
    tip_min: 0,
};
/// The latest time that a block can have, milliseconds: later ones still fit above it.
const TIME_MAX_MS: u64 = u64::MAX / 2;
/// How delegations to code begin (EIP-7702), and how long they are.
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];
const DELEGATION_BYTES: usize = 23;

/// Why a development chain does not do what its owner wants.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// There can be no chain of this id.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The chain cannot be begun.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store cannot go back.
    #[error(transparent)]
    Rewind(#[from] RewindError),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// No block follows.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The layout has no place for a beacon header's parts.
    #[error("no beacon header can be made for the block")]
    Anchor,
    /// Time only goes on.
    #[error("timestamp {found} is not after that of the latest block, {latest}, or too late for any block")]
    Timestamp {
        /// Of the head, seconds.
        latest: u64,
        /// Wanted, seconds.
        found: u64,
    },
    /// What does not exist has no storage.
    #[error("account {address} does not exist: give it code or a balance before storage")]
    NoAccount {
        /// Whose storage was to be set.
        address: Address,
    },
    /// Not code that an account can have.
    #[error("code of account {address} begins like a delegation (EIP-7702) but is none")]
    MalformedCode {
        /// Whose code was to be set.
        address: Address,
    },
    /// The process ends.
    #[error("the development chain has stopped")]
    Stopped,
}

/// What `evm_revert` goes back to.
#[derive(Clone, Debug)]
struct Mark {
    height: Height,
    pool: Vec<PooledTransaction>,
    clock: Clock,
}

/// One development chain.
#[derive(Debug)]
pub(super) struct DevCore {
    spec: Arc<ChainSpec>,
    limits: TransactionLimits,
    store: ShardStore,
    beacon: DevBeacon,
    head: Base,
    id: B256,
    /// The state after the head.
    state: Layered,
    trie: StateTrie,
    /// What each block changed, that of height 1 first.
    changes: Vec<Arc<ChangeSet>>,
    pool: Pool,
    clock: Clock,
    automine: bool,
    impersonated: BTreeSet<Address>,
    marks: BTreeMap<u64, Mark>,
    marks_made: u64,
    /// What happened since somebody last asked.
    events: Vec<ChainEvent>,
    /// What a block could take only since it was last asked for.
    promoted: Vec<PooledTransaction>,
}

impl DevCore {
    /// A chain before its first block.
    pub(super) fn new(chain_id: u64, now_ms: u64, automine: bool) -> Result<Self, DevError> {
        let genesis = genesis(chain_id, now_ms)?;
        let config = ShardStore::config(Durability::Process, HISTORY_BLOCKS);
        let store = Store::memory(&MemoryDisk::new(), config)?;
        let (store, _) = ShardStore::open(store, &genesis, SHARD, HISTORY_BLOCKS)?;
        let head = store.base(Height::ZERO)?;
        Ok(Self {
            limits: TransactionLimits::new(&genesis.spec, SHARD),
            spec: Arc::new(genesis.spec),
            beacon: DevBeacon::new().ok_or(DevError::Anchor)?,
            id: head.header.id(),
            head,
            state: Layered::new(Arc::new(store.reader()?.state())),
            store,
            trie: genesis_state(&genesis.allocations).trie(),
            changes: Vec::new(),
            pool: Pool::new(POOL),
            clock: Clock::default(),
            automine,
            impersonated: BTreeSet::new(),
            marks: BTreeMap::new(),
            marks_made: 0,
            events: Vec::new(),
            promoted: Vec::new(),
        })
    }

    /// What transactions are verified against.
    pub(super) const fn limits(&self) -> &TransactionLimits {
        &self.limits
    }

    /// What waits for a block.
    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What happened since this was last asked.
    pub(super) fn take_events(&mut self) -> Vec<ChainEvent> {
        std::mem::take(&mut self.events)
    }

    /// Transactions that a block could take only since this was last called.
    pub(super) fn take_promoted(&mut self) -> Vec<PooledTransaction> {
        std::mem::take(&mut self.promoted)
    }

    /// What readers may see now.
    pub(super) fn snapshot(&self) -> Result<Snapshot, DevError> {
        let Base { header, environment, .. } = &self.head;
        Ok(Snapshot {
            spec: Arc::clone(&self.spec),
            view: ChainView::new(header.clone(), self.id, *environment, self.state.clone()),
            finalized: header.height,
            pending: None,
            reader: self.store.reader()?,
        })
    }

    /// Takes a transaction into the pool, and makes a block of it if that is how the chain runs.
    pub(super) fn submit(
        &mut self,
        transaction: PooledTransaction,
        now_ms: u64,
    ) -> Result<B256, SubmitError> {
        let hash = transaction.hash();
        let account = self.account(&transaction.sender()).map_err(failed)?;
        let inserted = self.pool.insert(transaction, account_state(account.unwrap_or_default()))?;
        self.promoted.extend(inserted.promoted);
        if self.automine && self.has_executable() {
            self.seal(now_ms).map_err(failed)?;
        }
        Ok(hash)
    }

    /// Makes a block of what waits.
    pub(super) fn seal(&mut self, now_ms: u64) -> Result<Arc<Executed>, DevError> {
        let timestamp_ms = self.clock.tick(now_ms).min(TIME_MAX_MS);
        self.append(ChangeSet::default(), true, timestamp_ms)
    }

    /// Makes blocks whose timestamps are `seconds` apart.
    pub(super) fn mine(&mut self, blocks: u64, seconds: u64, now_ms: u64) -> Result<(), DevError> {
        for number in 0..blocks {
            if number > 0 {
                let next = self.head.header.timestamp_ms.saturating_add(seconds.saturating_mul(1_000));
                self.clock.set_next(next);
            }
            self.seal(now_ms)?;
        }
        Ok(())
    }

    /// Chooses whether there is a block as soon as there is a transaction; what waits gets its block.
    pub(super) fn set_automine(&mut self, automine: bool, now_ms: u64) -> Result<(), DevError> {
        self.automine = automine;
        if automine && self.has_executable() { self.seal(now_ms).map(drop) } else { Ok(()) }
    }

    pub(super) const fn automine(&self) -> bool {
        self.automine
    }

    /// Moves the clock ahead; answers by how many seconds in all.
    pub(super) fn increase_time(&mut self, seconds: u64) -> u64 {
        self.clock.increase(seconds)
    }

    /// Sets the next block's timestamp, seconds.
    pub(super) fn set_next_timestamp(&mut self, seconds: u64) -> Result<(), DevError> {
        let latest_ms = self.head.header.timestamp_ms;
        match seconds.checked_mul(1_000) {
            Some(next) if next > latest_ms && next <= TIME_MAX_MS => self.clock.set_next(next),
            _ => return Err(DevError::Timestamp { latest: latest_ms / 1_000, found: seconds }),
        }
        Ok(())
    }

    /// Lets everyone send from an account.
    pub(super) fn impersonate(&mut self, address: Address) {
        self.impersonated.insert(address);
    }

    /// Ends that.
    pub(super) fn stop_impersonating(&mut self, address: &Address) {
        self.impersonated.remove(address);
    }

    pub(super) fn is_impersonated(&self, address: &Address) -> bool {
        self.impersonated.contains(address)
    }

    /// Sets an account's balance.
    pub(super) fn set_balance(&mut self, address: Address, balance: U256) -> Result<(), DevError> {
        let account = self.account(&address)?.unwrap_or_default();
        self.set_account(address, Account { balance, ..account }, Vec::new())
    }

    /// Sets an account's nonce.
    pub(super) fn set_nonce(&mut self, address: Address, nonce: u64) -> Result<(), DevError> {
        let account = self.account(&address)?.unwrap_or_default();
        self.set_account(address, Account { nonce, ..account }, Vec::new())
    }

    /// Sets an account's code.
    pub(super) fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), DevError> {
        let is_delegation = code.starts_with(&DELEGATION) && code.len() == DELEGATION_BYTES;
        if code.starts_with(&DELEGATION[..2]) && !is_delegation {
            return Err(DevError::MalformedCode { address });
        }
        let account = self.account(&address)?.unwrap_or_default();
        let code_hash = alloy_primitives::keccak256(&code);
        let stored = if code.is_empty() { Vec::new() } else { vec![(code_hash, code)] };
        self.set_account(address, Account { code_hash, ..account }, stored)
    }

    /// Sets a slot of an account.
    pub(super) fn set_storage(&mut self, address: Address, slot: B256, after: U256) -> Result<(), DevError> {
        let account = self.account(&address)?.ok_or(DevError::NoAccount { address })?;
        let before = self.state.storage(&address, &slot)?;
        let storage = vec![SlotDelta { slot, before, after }];
        let delta = AccountDelta { address, before: Some(account), after: Some(account), storage };
        self.decree(ChangeSet::new(vec![delta], Vec::new()))
    }

    /// Notes where the chain is; answers the note's number.
    pub(super) fn mark(&mut self) -> u64 {
        let (height, clock) = (self.head.header.height, self.clock);
        let pool =
            self.pool.content().flat_map(|(_, executable, queued)| executable.into_iter().chain(queued));
        let mark = Mark { height, pool: pool.cloned().collect(), clock };
        self.marks_made += 1;
        self.marks.insert(self.marks_made, mark);
        self.marks_made
    }

    /// Goes back to a note; false if there is none of this number. It and all later ones are used up.
    pub(super) fn revert(&mut self, number: u64) -> Result<bool, DevError> {
        let mut later = self.marks.split_off(&number);
        let Some(Mark { height, pool, clock }) = later.remove(&number) else {
            self.marks.append(&mut later);
            return Ok(false);
        };
        self.rewind(height)?;
        self.clock = clock;
        self.pool = Pool::new(POOL);
        for transaction in pool {
            let state = account_state(self.account(&transaction.sender())?.unwrap_or_default());
            // What was in the pool at this very state fits into it again.
            let _ = self.pool.insert(transaction, state);
        }
        Ok(true)
    }

    /// Proves an account and slots of it in the state after `height`.
    pub(super) fn proof(
        &mut self,
        address: &Address,
        slots: &[B256],
        height: Height,
    ) -> Result<AccountProof, ProofError> {
        let newest = self.head.header.height;
        let not_available = ProofError::NotAvailable { oldest: Height::ZERO, newest, found: height };
        let later = self.changes.get(height.get() as usize..).ok_or(not_available)?;
        let state = self.state.rewound(later.iter().rev().map(|changes| &**changes));
        let account = state.account(address)?.unwrap_or_default();
        for changes in later.iter().rev() {
            self.trie.update(&changes.inverse().account_changes());
        }
        let (state_root, storage_root) = (self.trie.root(), self.trie.storage_root(address));
        let (nodes, storage) = self.trie.account_proof(address, slots);
        for changes in later {
            self.trie.update(&changes.account_changes());
        }
        let storage = storage.into_iter().map(|(slot, value, nodes)| StorageProof { slot, value, nodes });
        let storage = storage.collect();
        Ok(AccountProof { height, state_root, address: *address, account, storage_root, nodes, storage })
    }

    fn has_executable(&self) -> bool {
        self.pool.pending(next_base_fee(&self.head.header, &self.spec)).next().is_some()
    }

    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        self.state.account(address)
    }

    fn set_account(
        &mut self,
        address: Address,
        after: Account,
        code: Vec<(B256, Bytes)>,
    ) -> Result<(), DevError> {
        let before = self.account(&address)?;
        let after = Some(after).filter(|account| !account.is_empty());
        let delta = AccountDelta { address, before, after, storage: Vec::new() };
        self.decree(ChangeSet::new(vec![delta], code))
    }

    /// Makes changes that no transaction makes, in a block without transactions as soon after the head as can be, so
    /// that the time which the next block was given is left to it.
    fn decree(&mut self, changes: ChangeSet) -> Result<(), DevError> {
        self.append(changes, false, self.head.header.timestamp_ms.saturating_add(1)).map(drop)
    }

    /// Makes the next block: first what is decreed, then what any block does, then what waits if it is to be taken.
    fn append(
        &mut self,
        decreed: ChangeSet,
        take: bool,
        timestamp_ms: u64,
    ) -> Result<Arc<Executed>, DevError> {
        let context = self.beacon.context(&self.head.header, timestamp_ms).ok_or(DevError::Anchor)?;
        let state = self.state.with(Arc::new(Layer::new([&decreed])));
        let Base { header, history, .. } = &self.head;
        let parent = ParentView { header, id: self.id, history, state: &state };
        let mut pending = self.pool.pending(next_base_fee(header, &self.spec));
        let mut nothing = std::iter::empty();
        let candidates: &mut dyn Iterator<Item = PooledTransaction> =
            if take { &mut pending } else { &mut nothing };
        self.trie.update(&decreed.account_changes());
        let limits = BlockLimits::new(&self.spec);
        let nothing_incoming = Incoming { bundles: &[], committees: None };
        let proposed =
            propose(&self.spec, &parent, &mut self.trie, context, nothing_incoming, candidates, &limits);
        let proposed = match proposed {
            Ok(proposed) => proposed,
            Err(error) => {
                self.trie.update(&decreed.inverse().account_changes());
                return Err(error.into());
            }
        };
        let history = parent.child_history();
        let changes = Arc::new(decreed.then(&proposed.executed.change_set));
        let executed = Arc::new(Executed { change_set: Arc::clone(&changes), ..proposed.executed });
        let (mut after, mut nodes) = (history.clone(), Vec::new());
        after.push_with(executed.id, |position, node| nodes.push((position, node)));
        let committed = self.store.commit(&Commit {
            block: Arc::new(proposed.block),
            id: executed.id,
            certificate: None,
            transactions: executed.transactions.clone(),
            receipts: executed.receipts.clone(),
            change_set: Arc::clone(&changes),
            outbox: executed.outbox.clone(),
            cursors: executed.cursors.clone(),
            nodes,
        });
        if let Err(error) = committed {
            self.trie.update(&changes.inverse().account_changes());
            return Err(error.into());
        }
        let (header, environment) = (executed.header.clone(), executed.environment);
        self.settle(Base { header, history, environment })?;
        self.follow(&changes);
        self.changes.push(changes);
        self.events.push(ChainEvent::Certified(Arc::clone(&executed)));
        Ok(executed)
    }

    /// Takes back every block above `height`.
    fn rewind(&mut self, height: Height) -> Result<(), DevError> {
        if self.head.header.height == height {
            return Ok(());
        }
        for undone in self.store.rewind_to(height)? {
            let inverse = undone.change_set.inverse();
            self.trie.update(&inverse.account_changes());
            self.changes.pop();
            self.events.push(ChainEvent::Undone(Arc::new(undone)));
        }
        self.settle(self.store.base(height)?)
    }

    /// Makes a block the head, which the store ends at.
    fn settle(&mut self, head: Base) -> Result<(), DevError> {
        self.state = Layered::new(Arc::new(self.store.reader()?.state()));
        self.id = head.header.id();
        self.head = head;
        Ok(())
    }

    /// Tells the pool what a block changed.
    fn follow(&mut self, changes: &ChangeSet) {
        let accounts = changes.accounts().iter();
        self.pool.update_accounts(
            accounts.map(|delta| (delta.address, account_state(delta.after.unwrap_or_default()))),
        );
    }
}

const fn account_state(account: Account) -> AccountState {
    AccountState { nonce: account.nonce, balance: account.balance }
}

/// A transaction is in the pool, but the chain cannot go on.
fn failed(error: impl Into<DevError>) -> SubmitError {
    let error = error.into();
    tracing::error!(%error, "no block could be made");
    SubmitError::Stopped
}
