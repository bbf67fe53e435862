//! One shard chain's mutable state, with one owner.
//!
//! Pure: no clock, no disk, no network. Whatever happens comes in through [`ShardCore::step`], whatever is to be done
//! goes out as [`Effect`]s, in order. What always holds:
//!
//! - the head is the newest certified block; blocks above it are executed once and kept until the head passes them;
//! - a block is refused only if it is invalid whatever else becomes known; where something is missing, such as the
//!   beacon header it is anchored at, the request waits;
//! - an anchor never falls, and a proposal takes the newest finalized one.

mod anchor;
mod certify;
mod crosslinks;
mod epochs;
mod execute;
mod inbox;
mod step;
#[cfg(test)]
mod tests;

pub use anchor::AnchorRefusal;
pub use step::{EarlyEnd, Effect, Fault, Head, Input, Refusal, Token};

use crate::beacon_view::BeaconView;
use crate::pool::{AccountState, Inserted, Pool, PoolError, PoolLimits, PooledTransaction};
use crate::snapshot::PendingBlock;
use crate::store::Resume;
use alloy_primitives::Address;
use consensus::authority::CommitteeSource as _;
use crosslinks::Crosslinks;
use execute::Waiting;
use inbox::Inbox;
use primitives::{
    B256, Bundle, Chain, ChainSpec, Epoch, Evidence, Height, InboxCursors, PublicKeyBytes, ShardHeader,
    ShardId, ShardRecord, SignedVote,
};
use shard_state::{
    account::Account,
    chain::{AccountProof, Base, ProofError, RewindError, ShardState},
    state::{ChangeSet, FlatState, RebaseError, StateError},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};
use std::sync::Arc;

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Transactions in the pool.
    pub transactions: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Proposals and verdicts that wait for a parent's state, or for a beacon header.
    pub waiting: usize,
    /// Receipts of other shards.
    pub receipts: usize,
}

/// One shard chain, as one node sees it.
#[derive(Debug)]
pub struct ShardCore {
    spec: Arc<ChainSpec>,
    shard: ShardId,
    state: ShardState,
    pool: Pool,
    beacon: Option<Arc<BeaconView>>,
    waiting: VecDeque<Waiting>,
    /// Whether something became known that a waiting request may need.
    progressed: bool,
    crosslinks: Crosslinks,
    inbox: Inbox,
    /// How often an epoch had been ended early when consensus was last started.
    generation: u64,
    /// The newest epoch we take part in.
    entered: Option<Epoch>,
    /// Epochs whose committee the engine knows.
    announced: BTreeSet<Epoch>,
    /// Keys of our seats.
    seats: BTreeSet<PublicKeyBytes>,
}

impl ShardCore {
    /// Takes up the chain where it was left. Nothing happens before the first beacon view.
    pub fn new(resume: Resume, limits: PoolLimits, seats: BTreeSet<PublicKeyBytes>) -> Self {
        let Resume { state, generation, certified, cursors, .. } = resume;
        let inbox = Inbox::new(state.base().header.shard, &cursors);
        Self {
            spec: Arc::clone(state.spec()),
            shard: state.base().header.shard,
            state,
            pool: Pool::new(limits),
            beacon: None,
            waiting: VecDeque::new(),
            progressed: false,
            crosslinks: Crosslinks::new(certified),
            inbox,
            generation: generation.map_or(0, |generation| generation.early_ends),
            entered: None,
            announced: BTreeSet::new(),
            seats,
        }
    }

    /// Takes in what happened.
    pub fn step(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Propose { token, context, parent, now_ms } => {
                self.serve(Waiting::Propose { token, context, parent, now_ms }, effects);
            }
            Input::Verify { token, context, parent, block } => {
                self.serve(Waiting::Verify { token, context, parent, block }, effects);
            }
            Input::Certified { token, block, certificate } => {
                self.certify(token, block, certificate, effects)
            }
            Input::Certificate { header, certificate } => self.certificate(header, certificate, effects),
            Input::Beacon(view) => self.see(view, effects),
            Input::Transactions { token, transactions } => match self.insert_all(transactions) {
                Ok(outcomes) => effects.push(Effect::Pooled { token, outcomes }),
                Err(error) => effects.push(halt(error)),
            },
            Input::Equivocation { first, second } => self.accuse(first, second, effects),
            Input::Bundles { bundles, certified } => self.take_bundles(bundles, certified, effects),
            Input::Tick { now_ms } => self.offer_again(now_ms, effects),
        }
        self.serve_waiting(effects);
    }

    /// The newest certified header.
    pub fn head(&self) -> &ShardHeader {
        &self.state.base().header
    }

    /// Its id.
    pub fn head_id(&self) -> B256 {
        self.state.base_id()
    }

    /// What waits for a block.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// How often an epoch had been ended early when consensus was last started.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Sequence from which more of a source's receipts are of use; `None` while there is no room.
    pub fn wanted(&self, source: ShardId) -> Option<u64> {
        self.inbox.wanted(source)
    }

    /// How much waits.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            transactions: self.pool.len(),
            bytes: self.pool.bytes(),
            waiting: self.waiting.len(),
            receipts: self.inbox.len(),
        }
    }

    /// What readers may see now.
    pub fn published(&self) -> Head {
        let best = self.state.best();
        let pending = self.state.executed(&best).cloned().zip(self.state.view_of(&best));
        let finalized = self.record().map_or(Height::ZERO, |record| record.accepted.height);
        Head {
            view: self.state.view(),
            pending: pending.map(|(executed, view)| PendingBlock { executed, view }),
            finalized: finalized.min(self.head().height),
            certified: None,
        }
    }

    /// Proves an account and slots of it in a recent state.
    pub fn proof(
        &mut self,
        address: &Address,
        slots: &[B256],
        height: Height,
    ) -> Result<AccountProof, ProofError> {
        self.state.proof(address, slots, height)
    }

    /// Reads the state from the store again, which includes every block up to `id`.
    pub fn rebase(&mut self, id: B256, state: Arc<dyn FlatState>) -> Result<(), RebaseError> {
        self.state.rebase(id, state)
    }

    /// Goes back to `target` after the store has: `undo` are the change sets of the blocks above it, newest first,
    /// and `transactions` are theirs, which wait again.
    pub fn rewind(
        &mut self,
        target: Base,
        undo: &[Arc<ChangeSet>],
        transactions: Vec<PooledTransaction>,
        cursors: &InboxCursors,
        generation: u64,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RewindError> {
        self.state.rewind(target, undo)?;
        self.generation = generation;
        self.inbox = Inbox::new(self.shard, cursors);
        self.entered = None;
        self.announced.clear();
        self.crosslinks.forget_above(self.state.base().header.height);
        effects.extend(self.waiting.drain(..).map(|request| Effect::Abandon(request.token())));
        for changes in undo {
            self.follow_accounts(&changes.inverse());
        }
        // What cannot go back into the pool is gone, as after any other eviction.
        if let Err(error) = self.insert_all(transactions) {
            effects.push(halt(error));
        }
        self.hand_over(effects);
        effects.push(Effect::Publish(Box::new(self.published())));
        Ok(())
    }

    /// The newest finalized record of this shard.
    fn record(&self) -> Option<&ShardRecord> {
        self.beacon.as_ref()?.record(self.shard)
    }

    /// Offers transactions to the pool, against the certified state of their senders.
    fn insert_all(
        &mut self,
        transactions: Vec<PooledTransaction>,
    ) -> Result<Vec<Result<Inserted, PoolError>>, StateError> {
        let view = self.state.view();
        let mut senders = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            let state = match senders.entry(transaction.sender()) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => {
                    *unknown.insert(account_state(view.account(&transaction.sender())?))
                }
            };
            outcomes.push(self.pool.insert(transaction, state));
        }
        Ok(outcomes)
    }

    /// Tells the pool what a block changed.
    fn follow_accounts(&mut self, changes: &ChangeSet) {
        let accounts = changes.accounts().iter();
        self.pool.update_accounts(
            accounts.map(|delta| (delta.address, account_state(delta.after.unwrap_or_default()))),
        );
    }

    /// Keeps what other shards have sent until a block consumes it.
    fn take_bundles(&mut self, bundles: Vec<Bundle>, certified: bool, effects: &mut Vec<Effect>) {
        let Some(view) = &self.beacon else { return };
        for bundle in bundles {
            let Some(record) = bundle.lane.source.shard().and_then(|source| view.record(source)) else {
                continue;
            };
            // What is here already, or does not go on from it, costs nothing.
            let is_news = self
                .inbox
                .wanted(record.shard)
                .is_some_and(|next| bundle.receipts.last().is_some_and(|last| last.sequence >= next));
            if !is_news {
                continue;
            }
            let authority = view.authority(bundle.lane.source, bundle.certified.certificate.epoch);
            let quorum = match authority {
                _ if certified => Ok(()),
                Some(authority) => xshard::bundle::verify_quorum(&bundle, &authority),
                None => continue,
            };
            let lane = bundle.lane;
            effects.push(match quorum.and_then(|()| self.inbox.add(bundle, &record.table)) {
                Ok(ids) => Effect::Arrived(ids),
                Err(error) => Effect::BundleRefused { lane, error },
            });
        }
    }

    /// Makes evidence of two votes, if the committee they were given in is known.
    fn accuse(&self, first: SignedVote, second: SignedVote, effects: &mut Vec<Effect>) {
        let committee = self.beacon.as_ref().and_then(|view| view.committee(self.shard, first.vote.epoch));
        if let (Chain::Shard(_), Some(committee)) = (first.vote.chain, committee) {
            let evidence = Evidence { first, second, committee: (**committee).clone() };
            effects.push(Effect::Evidence(Box::new(evidence)));
        }
    }
}

/// What the pool needs to know of a sender.
const fn account_state(account: Account) -> AccountState {
    AccountState { nonce: account.nonce, balance: account.balance }
}

/// The state below us failed: nothing can be judged any more.
fn halt(error: StateError) -> Effect {
    let error = shard_state::block::BlockError::State(error);
    Effect::Halt(Fault::State(Box::new(error.into())))
}
