//! Proposing and judging: everything above the certified head.

use super::BeaconCore;
use super::branches::Executed;
use super::step::{Effect, Token};
use beacon_state::operation::randao;
use beacon_state::proposal::{
    Disputes, Proposal, build_block, choose_crosslinks, choose_disputes, choose_evidence,
};
use beacon_state::{
    BeaconChainState, BeaconState, BlockError, CommitteeSource as _, Transition, apply_block,
};
use engine::Context;
use primitives::{B256, BeaconBlock, Chain, SignatureBytes};
use ssz::Encode as _;
use std::sync::Arc;

/// Most requests that wait for a state; the oldest is abandoned for a newer one.
const WAITING_MAX: usize = 64;
/// Bytes of a body beside its lists, at most.
const BODY_BYTES_FIXED: usize = 1024;

/// A request of the engine that may have to wait for the state of its parent.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    Propose { token: Token, context: Context, parent: Arc<BeaconBlock>, now_ms: u64, reveal: SignatureBytes },
    Verify { token: Token, context: Context, parent: Arc<BeaconBlock>, block: Arc<BeaconBlock> },
}

impl Waiting {
    const fn token(&self) -> Token {
        match self {
            Self::Propose { token, .. } | Self::Verify { token, .. } => *token,
        }
    }

    const fn parent(&self) -> &Arc<BeaconBlock> {
        match self {
            Self::Propose { parent, .. } | Self::Verify { parent, .. } => parent,
        }
    }
}

/// Why there is no state above a block.
#[derive(Debug)]
pub(super) enum Unready {
    /// The state below it, or a committee, is not at hand yet.
    Missing,
    /// There will never be one.
    Invalid(BlockError),
}

impl From<BlockError> for Unready {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Committee(_) => Self::Missing,
            error => Self::Invalid(error),
        }
    }
}

impl BeaconCore {
    /// Answers a request now, or keeps it.
    pub(super) fn serve(&mut self, request: Waiting, effects: &mut Vec<Effect>) {
        let token = request.token();
        if request.parent().header.height < self.head.header().height {
            // The height above the parent is decided: whatever the answer, nobody needs it.
            effects.push(Effect::Abandon(token));
            return;
        }
        let above = match self.execute(request.parent(), None) {
            Ok(above) => above,
            Err(Unready::Invalid(error)) => {
                // Nothing valid follows an invalid block.
                effects.push(refusal(&request, error));
                return;
            }
            Err(Unready::Missing) => return self.keep(request, effects),
        };
        match request {
            Waiting::Propose { token, context, now_ms, reveal, .. } => {
                let outcome = self.propose(&above, &context, now_ms, reveal);
                effects.push(Effect::Proposal { token, outcome });
            }
            Waiting::Verify { token, context, parent, block } => match self.judge(&context, &block) {
                Ok(()) => effects.push(Effect::Verdict { token, outcome: Ok(()) }),
                Err(Unready::Invalid(error)) => effects.push(Effect::Verdict { token, outcome: Err(error) }),
                Err(Unready::Missing) => {
                    self.keep(Waiting::Verify { token, context, parent, block }, effects)
                }
            },
        }
    }

    /// Tries again what waits, as long as something was executed in between.
    pub(super) fn serve_waiting(&mut self, effects: &mut Vec<Effect>) {
        while std::mem::take(&mut self.progressed) && !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            waiting.into_iter().for_each(|request| self.serve(request, effects));
        }
    }

    fn keep(&mut self, request: Waiting, effects: &mut Vec<Effect>) {
        self.waiting.push_back(request);
        if self.waiting.len() > WAITING_MAX {
            effects.extend(self.waiting.pop_front().map(|oldest| Effect::Abandon(oldest.token())));
        }
    }

    /// Whether `block` is valid in the view of `context`.
    fn judge(&mut self, context: &Context, block: &Arc<BeaconBlock>) -> Result<(), Unready> {
        // A block that is proposed again, at the end of an epoch, keeps its first view and leader.
        let leader = (block.header.view == context.view).then_some(context.leader);
        self.execute(block, leader).map(|_| ())
    }

    /// The state above `block`, which is executed if it was not. `leader` is the seat it was proposed from,
    /// if the engine said so.
    pub(super) fn execute(
        &mut self,
        block: &Arc<BeaconBlock>,
        leader: Option<u32>,
    ) -> Result<Arc<BeaconChainState>, Unready> {
        let id = block.header.id();
        if id == self.head.id() {
            return Ok(Arc::clone(&self.head));
        }
        let known = self.branches.get(&id);
        if let Some(known) = known.filter(|known| leader.is_none_or(|leader| leader == known.leader)) {
            return Ok(Arc::clone(&known.chain));
        }
        let below = self.executed(&block.header.parent).ok_or(Unready::Missing)?;
        let committees = self.committees.of(below.state());
        let leader = leader.unwrap_or_else(|| self.leader_of(&below, block));
        let transition = apply_block(&self.spec, &below, block, leader, &committees)?;
        Ok(self.remember(Arc::clone(block), leader, transition))
    }

    /// The state above the block with this id, if it was executed.
    fn executed(&self, id: &B256) -> Option<Arc<BeaconChainState>> {
        if *id == self.head.id() {
            return Some(Arc::clone(&self.head));
        }
        self.branches.get(id).map(|known| Arc::clone(&known.chain))
    }

    fn remember(
        &mut self,
        block: Arc<BeaconBlock>,
        leader: u32,
        transition: Transition,
    ) -> Arc<BeaconChainState> {
        let Transition { chain, events } = transition;
        self.committees.learn(&events);
        let chain = Arc::new(chain);
        self.branches.insert(Executed { block, leader, chain: Arc::clone(&chain), events });
        self.progressed = true;
        chain
    }

    /// The seat that a block was proposed from, where the engine does not say: that of its proposer's seats
    /// which made the reveal. Any seat if none did; the block is invalid then.
    fn leader_of(&self, below: &BeaconChainState, block: &BeaconBlock) -> u32 {
        let header = &block.header;
        let Some(authority) = self.committees.of(below.state()).authority(Chain::Beacon, header.epoch) else {
            return 0;
        };
        let seats = (0..).zip(authority.committee().seats());
        let own: Vec<u32> =
            seats.filter(|(_, seat)| seat.validator == header.proposer).map(|(index, _)| index).collect();
        if own.len() > 1 {
            let (hash, reveal) = (below.state().genesis_hash(), &block.body.randao_reveal);
            let made = |seat: &&u32| {
                randao::verify(hash, &authority, **seat, header.proposer, header.height, reveal).is_ok()
            };
            if let Some(seat) = own.iter().find(made) {
                return *seat;
            }
        }
        own.first().copied().unwrap_or(0)
    }

    /// Builds a block above `below`, with all that is acceptable there.
    fn propose(
        &mut self,
        below: &BeaconChainState,
        context: &Context,
        now_ms: u64,
        reveal: SignatureBytes,
    ) -> Result<Arc<BeaconBlock>, BlockError> {
        let state = below.state();
        let expected = state.current_epoch(Chain::Beacon).map(|entry| entry.epoch);
        if let Some(expected) = expected.filter(|expected| *expected != context.epoch) {
            let (height, found) = (below.header().height.next(), context.epoch);
            return Err(BlockError::Epoch { height, expected, found });
        }
        let committees = self.committees.of(state);
        let disputes = self.disputes(state);
        let candidates = self.crosslinks.candidates();
        let crosslinks =
            choose_crosslinks(&self.spec, &disputes.state, candidates, &committees, &self.crosslinks);
        let Disputes { conflicts, consumptions, .. } = disputes;
        let evidence = choose_evidence(&self.spec, state, self.evidence.iter());
        let mut proposal = Proposal {
            view: context.view,
            parent_view: context.parent_view,
            timestamp_ms: now_ms,
            leader: context.leader,
            randao_reveal: reveal,
            crosslinks,
            evidence,
            conflicts,
            consumptions,
        };
        fit(self.spec.body_bytes_max as usize, &mut proposal);
        let (block, transition) = build_block(&self.spec, below, proposal, &self.crosslinks, &committees)?;
        let block = Arc::new(block);
        self.remember(Arc::clone(&block), context.leader, transition);
        Ok(block)
    }

    /// The conflicts above `state`, and every shard that is known to have consumed from what they make void, or from
    /// what is void already.
    fn disputes(&self, state: &BeaconState) -> Disputes {
        let committees = self.committees.of(state);
        let mut consumptions = Vec::new();
        loop {
            let conflicts = self.conflicts.iter();
            let disputes = choose_disputes(&self.spec, state, conflicts, &consumptions, &committees);
            // Who consumed from a consumer is found once that one is taken back; each shard at most once.
            let found = self.crosslinks.seen().consumptions(&disputes.state);
            if found.is_empty() || disputes.consumptions.len() < consumptions.len() {
                return disputes;
            }
            consumptions.extend(found);
        }
    }
}

/// Leaves out what a body has no room for: evidence first, then consumptions of void branches, from the end, as those may
/// depend on ones before. Crosslinks may need each other, so they go together, and last. Conflicts always have room. What
/// shards sent is no part of this: it is chosen last, for the room that is left.
fn fit(body_bytes_max: usize, proposal: &mut Proposal) {
    let room = body_bytes_max.saturating_sub(BODY_BYTES_FIXED + proposal.conflicts.ssz_bytes_len());
    let Proposal { crosslinks, evidence, consumptions, .. } = proposal;
    while crosslinks.ssz_bytes_len() + evidence.ssz_bytes_len() + consumptions.ssz_bytes_len() > room {
        if evidence.pop().is_none() && consumptions.pop().is_none() {
            crosslinks.clear();
            return;
        }
    }
}

fn refusal(request: &Waiting, error: BlockError) -> Effect {
    match request {
        Waiting::Propose { token, .. } => Effect::Proposal { token: *token, outcome: Err(error) },
        Waiting::Verify { token, .. } => Effect::Verdict { token: *token, outcome: Err(error) },
    }
}
