//! One shard chain's mutable state: the last certified block, and the blocks above it that are not certified yet.
//!
//! Holds: the trie stands at exactly one block, the tip; every uncertified block that was executed is remembered
//! with its change set, so that going to another branch undoes and redoes changes and executes nothing
//! again. What was proposed or verified here is certified without being executed a second time.
//!
//! **Order of commits.** [`ShardState::certify`] moves a block below the line in memory and returns what to write; the
//! owner writes it in one step, and only then publishes [`ShardState::view`] to readers and acknowledges the block. If
//! the process dies in between, it reopens at the block before, and the certified block is delivered
//! again: nothing was promised. If the write fails the process has to stop, for memory is then ahead of the disk.
//! The flat state below catches up later, when it suits its owner, and [`ShardState::rebase`] tells so; until then
//! the change sets of certified blocks are held in memory.
//!
//! Rules: docs/spec/shard-block.md#branches

mod branch;
mod error;
mod proof;
#[cfg(test)]
mod tests;
mod view;

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::B256;
use consensus::authority::CommitteeSource;
use crypto::mmr::Mmr;
use primitives::{Allocation, ChainSpec, Height, ShardBlock, ShardHeader, ShardId, Verified};

use branch::{Branches, Remembered};
pub use error::{CertifyError, ChainError, OpenError, ProofError, RewindError};
pub use proof::{AccountProof, StorageProof};
pub use view::ChainView;

use crate::{
    block::{self, BlockContext, BlockLimits, Executed, Incoming, Lookup, ParentView, Proposed},
    executor::Environment,
    genesis::{genesis_header_of, genesis_state},
    receipt::TransactionReceipt,
    state::{ChangeSet, FlatState, Layer, LayerStack, Layered, RebaseError},
    transaction::Transaction,
    trie::StateTrie,
};

/// Certified blocks whose changes are kept for proofs of recent states.
pub const PROOF_WINDOW: usize = 128;

/// A certified block, as a chain stands on it.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its header.
    pub header: ShardHeader,
    /// The ids of heights zero up to its parent: what `header.history_root` is the root of.
    pub history: Mmr,
    /// What the EVM saw of it: for calls on the state after it.
    pub environment: Environment,
}

/// A block that was just certified: what its owner has to write.
#[derive(Clone, Debug)]
pub struct Certified {
    /// Header, transactions, transaction receipts and change set.
    pub executed: Arc<Executed>,
    /// The ids of heights zero up to its parent: with it the chain can be opened again.
    pub history: Mmr,
}

impl Certified {
    /// The header.
    pub fn header(&self) -> &ShardHeader {
        &self.executed.header
    }

    /// What the block changed, there and back.
    pub fn change_set(&self) -> &Arc<ChangeSet> {
        &self.executed.change_set
    }

    /// The transactions, in order.
    pub fn transactions(&self) -> &[Arc<Verified<Transaction>>] {
        &self.executed.transactions
    }

    /// A receipt for each transaction.
    pub fn receipts(&self) -> &[TransactionReceipt] {
        &self.executed.receipts
    }
}

/// The pure owner of one chain's mutable state.
#[derive(Debug)]
pub struct ShardState {
    spec: Arc<ChainSpec>,
    base: Base,
    base_id: B256,
    /// The state after the base.
    certified: LayerStack,
    /// The newest certified blocks' changes, oldest first, the base's last.
    recent: VecDeque<Arc<ChangeSet>>,
    branches: Branches,
    trie: StateTrie,
    /// The block that the trie stands at.
    tip: B256,
}

impl ShardState {
    /// A chain that stands on a certified block. `state` and `trie` are the state after it.
    pub fn open(
        spec: Arc<ChainSpec>,
        base: Base,
        state: Arc<dyn FlatState>,
        mut trie: StateTrie,
    ) -> Result<Self, OpenError> {
        check_base(&base, trie.root())?;
        let base_id = base.header.id();
        Ok(Self {
            spec,
            base,
            base_id,
            certified: LayerStack::new(state),
            recent: VecDeque::new(),
            branches: Branches::default(),
            trie,
            tip: base_id,
        })
    }

    /// A chain before its first block, its state in memory.
    pub fn genesis(
        spec: Arc<ChainSpec>,
        shard: ShardId,
        allocations: &[Allocation],
        timestamp_ms: u64,
    ) -> Self {
        let state = genesis_state(allocations);
        let header = genesis_header_of(&spec, shard, &state, timestamp_ms);
        let environment = Environment::new(&spec, &header, B256::ZERO, Default::default());
        let trie = state.trie();
        let base = Base { header, history: Mmr::new(), environment };
        Self::open(spec, base, Arc::new(state), trie)
            .expect("the genesis header is computed from this very state and an empty history")
    }

    /// Goes one block up whose change set was written earlier: how a chain catches up with its own log after it was
    /// opened on a flat state that lags behind. On error nothing has changed.
    pub fn replay(&mut self, block: Base, changes: Arc<ChangeSet>) -> Result<(), OpenError> {
        if block.header.parent != self.base_id {
            return Err(OpenError::Parent { expected: self.base_id, found: block.header.parent });
        }
        self.switch_to(self.base_id);
        let root = self.trie.update(&changes.account_changes());
        if let Err(error) = check_base(&block, root) {
            self.trie.update(&changes.inverse().account_changes());
            return Err(error);
        }
        let id = block.header.id();
        self.branches = Branches::default();
        self.settle(id, block, changes);
        self.tip = id;
        Ok(())
    }

    /// The last certified block.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Id of the last certified block.
    pub fn base_id(&self) -> B256 {
        self.base_id
    }

    /// The rules.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        &self.spec
    }

    /// A block above the base that was proposed or verified here.
    pub fn executed(&self, id: &B256) -> Option<&Arc<Executed>> {
        self.branches.get(id).map(|block| &block.executed)
    }

    /// Builds a block on `parent`, which is the base or was executed here, and remembers it.
    pub fn propose(
        &mut self,
        parent: B256,
        context: BlockContext,
        incoming: Incoming<'_>,
        candidates: &mut dyn Iterator<Item = Arc<Verified<Transaction>>>,
        limits: &BlockLimits,
    ) -> Result<Proposed, ChainError> {
        let on = self.parent(parent)?;
        let proposed =
            block::propose(&self.spec, &on.view(), &mut self.trie, context, incoming, candidates, limits)?;
        self.remember(proposed.executed.clone(), &on);
        Ok(proposed)
    }

    /// Executes a block on its parent, which is the base or was executed here, checks all that it says, and remembers
    /// it. A block that is remembered already, or is the base, is not executed again. Without `committees`, the block's own
    /// certificate vouches for the certificates of what it takes in.
    pub fn verify(
        &mut self,
        block: &ShardBlock,
        lookup: Lookup<'_>,
        committees: Option<&dyn CommitteeSource>,
    ) -> Result<(), ChainError> {
        let id = block.header.id();
        if id == self.base_id || self.branches.get(&id).is_some() {
            return Ok(());
        }
        if block.header.height <= self.base.header.height {
            let (certified, found) = (self.base.header.height, block.header.height);
            return Err(ChainError::BelowCertified { certified, found });
        }
        let on = self.parent(block.header.parent)?;
        let executed = block::execute(&self.spec, &on.view(), &mut self.trie, block, lookup, committees)?;
        self.remember(executed, &on);
        Ok(())
    }

    /// Takes the next block, which was executed here, as certified, and forgets all that does not descend from it.
    pub fn certify(&mut self, id: B256) -> Result<Certified, CertifyError> {
        let Some(block) = self.branches.get(&id) else { return Err(CertifyError::Unknown { id }) };
        if block.executed.header.parent != self.base_id {
            let found = block.executed.header.parent;
            return Err(CertifyError::NotNext { expected: self.base_id, found });
        }
        let Remembered { executed, history, .. } = block.clone();
        if !self.branches.descends(self.tip, id) {
            self.switch_to(id);
        }
        self.branches.keep_above(id);
        let base = Base {
            header: executed.header.clone(),
            history: history.clone(),
            environment: executed.environment,
        };
        self.settle(id, base, executed.change_set.clone());
        Ok(Certified { executed, history })
    }

    /// Tells that `state`, a snapshot, includes every certified block up to `id`, so that their change sets need not be
    /// held in memory any more.
    pub fn rebase(&mut self, id: B256, state: Arc<dyn FlatState>) -> Result<(), RebaseError> {
        self.certified.rebase(id, state)
    }

    /// Certified blocks that the flat state lacks.
    pub fn blocks_above_flat(&self) -> usize {
        self.certified.len()
    }

    /// Goes back to an older certified block: the early end of an epoch. `undo` are the change sets of the blocks above
    /// it, newest first; every uncertified block is forgotten. On error only those are.
    pub fn rewind(&mut self, target: Base, undo: &[Arc<ChangeSet>]) -> Result<(), RewindError> {
        let expected = self.base.header.height.above(target.header.height);
        if target.header.height > self.base.header.height || expected != undo.len() as u64 {
            return Err(RewindError::UndoCount { expected, found: undo.len() });
        }
        self.switch_to(self.base_id);
        self.branches = Branches::default();
        let inverses: Vec<_> = undo.iter().map(|changes| Arc::new(changes.inverse())).collect();
        for changes in &inverses {
            self.trie.update(&changes.account_changes());
        }
        if let Err(error) = check_base(&target, self.trie.root()) {
            for changes in undo.iter().rev() {
                self.trie.update(&changes.account_changes());
            }
            return Err(RewindError::Target(error));
        }
        let id = target.header.id();
        for changes in inverses {
            self.certified.push(id, changes);
        }
        self.recent.truncate(self.recent.len().saturating_sub(undo.len()));
        (self.base, self.base_id, self.tip) = (target, id, id);
        Ok(())
    }

    /// The state after the last certified block, for readers on other threads.
    pub fn view(&self) -> ChainView {
        let Base { header, environment, .. } = &self.base;
        ChainView::new(header.clone(), self.base_id, *environment, self.certified.top())
    }

    /// The state after a block that was executed here, certified or not.
    pub fn view_of(&self, id: &B256) -> Option<ChainView> {
        if *id == self.base_id {
            return Some(self.view());
        }
        let Executed { header, environment, .. } = &*self.branches.get(id)?.executed;
        Some(ChainView::new(header.clone(), *id, *environment, self.state_after(*id)))
    }

    /// The block at the end of the longest branch; the base if there is none above it. What `pending` builds on.
    pub fn best(&self) -> B256 {
        self.branches.best().unwrap_or(self.base_id)
    }

    /// Proves an account and slots of it in the state after `height`: the last certified block, or one of those
    /// before it whose change sets are still held.
    pub fn proof(
        &mut self,
        address: &alloy_primitives::Address,
        slots: &[B256],
        height: Height,
    ) -> Result<AccountProof, ProofError> {
        let newest = self.base.header.height;
        let back = newest.above(height);
        if height > newest || back > self.recent.len() as u64 {
            let oldest = Height::new(newest.get().saturating_sub(self.recent.len() as u64));
            return Err(ProofError::NotAvailable { oldest, newest, found: height });
        }
        self.switch_to(self.base_id);
        let undo: Vec<_> = self.recent.iter().rev().take(back as usize).cloned().collect();
        let state = self.certified.top().rewound(undo.iter().map(|changes| &**changes));
        let account = state.account(address)?.unwrap_or_default();
        for changes in &undo {
            self.trie.update(&changes.inverse().account_changes());
        }
        let proof = AccountProof::new(&mut self.trie, height, address, account, slots);
        for changes in undo.iter().rev() {
            self.trie.update(&changes.account_changes());
        }
        Ok(proof)
    }

    /// The base or a remembered block as a parent, with the trie standing there.
    fn parent(&mut self, id: B256) -> Result<Parent, ChainError> {
        let (header, history) = match self.branches.get(&id) {
            Some(block) => (block.executed.header.clone(), block.history.clone()),
            None if id == self.base_id => (self.base.header.clone(), self.base.history.clone()),
            None => return Err(ChainError::UnknownParent { id }),
        };
        self.switch_to(id);
        Ok(Parent { id, header, history, state: self.state_after(id) })
    }

    fn state_after(&self, id: B256) -> Layered {
        let path = self.branches.path(id);
        path.iter().rev().fold(self.certified.top(), |state, block| state.with(block.layer.clone()))
    }

    fn remember(&mut self, executed: Executed, on: &Parent) {
        self.tip = executed.id;
        let layer = Arc::new(Layer::new([&*executed.change_set]));
        let history = on.view().child_history();
        self.branches.insert(Remembered { executed: Arc::new(executed), history, layer }, self.tip);
    }

    /// Makes the trie stand at a block: back to where the branches part, then up the other one.
    fn switch_to(&mut self, id: B256) {
        if self.tip == id {
            return;
        }
        let (mut down, mut up) = (self.branches.path(self.tip), self.branches.path(id));
        while let (Some(ours), Some(theirs)) = (down.last(), up.last())
            && ours.executed.id == theirs.executed.id
        {
            down.pop();
            up.pop();
        }
        for block in down {
            self.trie.update(&block.executed.change_set.inverse().account_changes());
        }
        for block in up.into_iter().rev() {
            self.trie.update(&block.executed.change_set.account_changes());
        }
        self.tip = id;
    }

    fn settle(&mut self, id: B256, base: Base, changes: Arc<ChangeSet>) {
        self.certified.push(id, changes.clone());
        self.recent.push_back(changes);
        if self.recent.len() > PROOF_WINDOW {
            self.recent.pop_front();
        }
        (self.base, self.base_id) = (base, id);
    }
}

/// A parent taken out of the chain, so that the trie can be borrowed beside it.
struct Parent {
    id: B256,
    header: ShardHeader,
    history: Mmr,
    state: Layered,
}

impl Parent {
    fn view(&self) -> ParentView<'_> {
        ParentView { header: &self.header, id: self.id, history: &self.history, state: &self.state }
    }
}

fn check_base(base: &Base, state_root: B256) -> Result<(), OpenError> {
    let expected = base.header.state_root;
    if expected != state_root {
        return Err(OpenError::StateRoot { expected, found: state_root });
    }
    let (expected, found) = (base.header.height.get(), base.history.leaf_count());
    if expected != found {
        return Err(OpenError::HistoryLength { expected, found });
    }
    let (expected, found) = (base.header.history_root, base.history.root());
    if expected != found {
        return Err(OpenError::HistoryRoot { expected, found });
    }
    Ok(())
}
