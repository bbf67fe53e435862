//! The beacon chain's mutable state, with one owner.
//!
//! Pure: no clock, no disk, no network. Whatever happens comes in through [`BeaconCore::step`], whatever is to
//! be done goes out as [`Effect`]s, in order. What always holds:
//!
//! - the head is the newest certified block; blocks above it are executed once and kept until the head
//!   passes them;
//! - a block is refused only if it is invalid whatever else becomes known; where something is missing the
//!   request waits;
//! - what is offered for coming blocks is acceptable above the head, and bounded.

mod ancestries;
mod branches;
mod bundles;
mod candidates;
mod certify;
mod committees;
mod conflicts;
mod execute;
mod gossip;
mod seen;
mod step;
#[cfg(test)]
mod tests;

pub use candidates::CandidateError;
pub use gossip::{GOSSIP_BYTES_MAX, GossipError};
pub use step::{Commit, Effect, Fault, Input, Taken, Token};

use crate::Snapshot;
use beacon_state::BeaconChainState;
use branches::Branches;
use candidates::{CrosslinkPool, EvidencePool};
use committees::Committees;
use conflicts::ConflictPool;
use execute::Waiting;
use gossip::Message;
use primitives::{
    BeaconBlock, Certificate, Chain, ChainSpec, Committee, Conflict, CrosslinkOffer, Epoch, Evidence,
    SignedVote,
};
use std::collections::VecDeque;
use std::sync::Arc;

/// Where a core starts: the newest certified block, as it lies on disk.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The state above the head.
    pub chain: Arc<BeaconChainState>,
    /// The head's block.
    pub block: Arc<BeaconBlock>,
    /// Its own certificate, where there is one.
    pub certificate: Option<Certificate>,
    /// The block below the first height of the epoch that rules above the head.
    pub boundary: Arc<BeaconBlock>,
    /// The committees that the state names.
    pub committees: Vec<(Chain, Epoch, Committee)>,
}

/// How much waits to enter a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolSizes {
    /// Crosslinks.
    pub crosslinks: usize,
    /// Pieces of evidence.
    pub evidence: usize,
    /// Conflicts.
    pub conflicts: usize,
    /// Proposals and verdicts that wait for a parent's state.
    pub waiting: usize,
}

/// The beacon chain, as one node sees it.
#[derive(Debug)]
pub struct BeaconCore {
    spec: ChainSpec,
    /// The state above the newest certified block.
    head: Arc<BeaconChainState>,
    branches: Branches,
    committees: Committees,
    crosslinks: CrosslinkPool,
    evidence: EvidencePool,
    conflicts: ConflictPool,
    waiting: VecDeque<Waiting>,
    /// Whether something was executed that a waiting request may have missed.
    progressed: bool,
}

impl BeaconCore {
    /// Takes up the chain where it was left, and says what the engine must know first.
    pub fn new(spec: ChainSpec, resume: Resume, effects: &mut Vec<Effect>) -> Self {
        let Resume { chain, block, certificate, boundary, committees } = resume;
        let mut core = Self {
            spec,
            committees: Committees::new(chain.state().genesis_hash()),
            head: chain,
            branches: Branches::default(),
            crosslinks: CrosslinkPool::default(),
            evidence: EvidencePool::default(),
            conflicts: ConflictPool::default(),
            waiting: VecDeque::new(),
            progressed: false,
        };
        for (chain, epoch, committee) in committees {
            core.committees.insert(chain, epoch, Arc::new(committee));
        }
        core.announce_all(boundary, effects);
        effects.push(Effect::Publish(core.snapshot(block, certificate)));
        core
    }

    /// The state above the newest certified block.
    pub const fn head(&self) -> &Arc<BeaconChainState> {
        &self.head
    }

    /// How much is held.
    pub fn sizes(&self) -> PoolSizes {
        PoolSizes {
            crosslinks: self.crosslinks.len(),
            evidence: self.evidence.len(),
            conflicts: self.conflicts.len(),
            waiting: self.waiting.len(),
        }
    }

    /// Takes in what happened, and appends what is to be done to `effects`.
    pub fn step(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Propose { token, context, parent, now_ms, reveal } => {
                self.serve(Waiting::Propose { token, context, parent, now_ms, reveal }, effects);
            }
            Input::Verify { token, context, parent, block } => {
                self.serve(Waiting::Verify { token, context, parent, block }, effects);
            }
            Input::Certified { token, block, certificate } => {
                self.certify(token, block, certificate, effects)
            }
            Input::Crosslink { token, offer } => {
                let outcome = self.take_crosslink(offer.into_unverified(), Some(effects));
                effects.push(Effect::Submitted { token, outcome });
            }
            Input::Evidence { token, evidence } => {
                let outcome = self.take_evidence(evidence.into_unverified(), Some(effects));
                effects.push(Effect::Submitted { token, outcome });
            }
            Input::Conflict { token, conflict } => {
                let outcome = self.take_conflict(conflict.into_unverified(), Some(effects));
                effects.push(Effect::Submitted { token, outcome });
            }
            Input::Equivocation { first, second } => self.accuse(first, second, effects),
            Input::Gossip { from, payload } => {
                if let Err(error) = self.hear(&payload) {
                    effects.push(Effect::Dropped { from, error });
                }
            }
        }
        self.take_found_conflicts(effects);
        self.serve_waiting(effects);
    }

    /// Takes a peer's message. It is not passed on: whoever had it first sent it to all.
    fn hear(&mut self, payload: &[u8]) -> Result<Taken, GossipError> {
        let taken = match Message::decode(payload)? {
            Message::Crosslink(offer) => self.take_crosslink(offer, None),
            Message::Evidence(evidence) => self.take_evidence(evidence, None),
            Message::Conflict(conflict) => self.take_conflict(conflict, None),
        };
        Ok(taken?)
    }

    /// Takes an offer; one that brings anything new is passed on to the peers if there are `effects` to do so.
    fn take_crosslink(
        &mut self,
        offer: CrosslinkOffer,
        effects: Option<&mut Vec<Effect>>,
    ) -> Result<Taken, CandidateError> {
        let payload = effects.is_some().then(|| gossip::crosslink_message(&offer));
        let taken = self.crosslinks.insert(&self.spec, self.head.state(), &self.committees, offer)?;
        pass_on(taken, payload, effects);
        Ok(taken)
    }

    /// As [`Self::take_crosslink`].
    fn take_evidence(
        &mut self,
        evidence: Evidence,
        effects: Option<&mut Vec<Effect>>,
    ) -> Result<Taken, CandidateError> {
        let payload = effects.is_some().then(|| gossip::evidence_message(&evidence));
        let taken = self.evidence.insert(&self.spec, self.head.state(), evidence)?;
        pass_on(taken, payload, effects);
        Ok(taken)
    }

    /// As [`Self::take_crosslink`].
    fn take_conflict(
        &mut self,
        conflict: Conflict,
        effects: Option<&mut Vec<Effect>>,
    ) -> Result<Taken, CandidateError> {
        let payload = effects.is_some().then(|| gossip::conflict_message(&conflict));
        let taken = self.conflicts.insert(self.head.state(), &self.committees, conflict)?;
        pass_on(taken, payload, effects);
        Ok(taken)
    }

    /// Takes the conflicts that the crosslinks offered so far show, and passes them on: others may have been offered
    /// one of the branches only.
    fn take_found_conflicts(&mut self, effects: &mut Vec<Effect>) {
        for conflict in self.crosslinks.take_conflicts() {
            // Refused is only what no longer ends anything: there is nobody to tell.
            let _ = self.take_conflict(conflict, Some(effects));
        }
    }

    /// Makes evidence of two votes that our engine saw. What cannot be proven above the head is no offence here.
    fn accuse(&mut self, first: SignedVote, second: SignedVote, effects: &mut Vec<Effect>) {
        let (chain, epoch) = (first.vote.chain, first.vote.epoch);
        if let Some(committee) = self.committees.committee(self.head.state(), chain, epoch) {
            let evidence = Evidence { first, second, committee: (**committee).clone() };
            // Refused is only what is punished already or proves nothing: there is nobody to tell.
            let _ = self.take_evidence(evidence, Some(effects));
        }
    }

    /// What readers see.
    fn snapshot(&self, block: Arc<BeaconBlock>, certificate: Option<Certificate>) -> Arc<Snapshot> {
        let committees = self.committees.named(self.head.state());
        Arc::new(Snapshot { chain: Arc::clone(&self.head), block, certificate, committees })
    }
}

/// Gossips what is new.
fn pass_on(taken: Taken, payload: Option<bytes::Bytes>, effects: Option<&mut Vec<Effect>>) {
    if let (Taken::New, Some(payload), Some(effects)) = (taken, payload, effects) {
        effects.push(Effect::Gossip(payload));
    }
}
