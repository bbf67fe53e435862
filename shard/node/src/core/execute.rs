//! Proposing and judging: everything above the certified head.

use super::step::{Effect, Fault, Refusal, Token};
use super::{ShardCore, anchor};
use engine::Context;
use primitives::{Height, ShardBlock};
use shard_state::{
    block::{BlockContext, BlockError, BlockLimits, InboxError, Incoming},
    chain::ChainError,
    fee::next_base_fee,
};
use std::sync::Arc;

/// Most requests that wait; the oldest is abandoned for a newer one.
const WAITING_MAX: usize = 64;

/// A request of the engine that may have to wait.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    Propose { token: Token, context: Context, parent: Arc<ShardBlock>, now_ms: u64 },
    Verify { token: Token, context: Context, parent: Arc<ShardBlock>, block: Arc<ShardBlock> },
}

impl Waiting {
    pub(super) const fn token(&self) -> Token {
        match self {
            Self::Propose { token, .. } | Self::Verify { token, .. } => *token,
        }
    }

    const fn parent(&self) -> &Arc<ShardBlock> {
        match self {
            Self::Propose { parent, .. } | Self::Verify { parent, .. } => parent,
        }
    }

    fn refused(&self, refusal: Refusal) -> Effect {
        match self {
            Self::Propose { token, .. } => Effect::Proposal { token: *token, outcome: Err(refusal) },
            Self::Verify { token, .. } => Effect::Verdict { token: *token, outcome: Err(refusal) },
        }
    }
}

/// Why a request has no answer yet, or never will.
#[derive(Debug)]
enum Unready {
    /// Something is not known yet.
    Missing,
    /// The height is decided: nobody needs an answer.
    Late,
    /// It is wrong for certain.
    Refused(Refusal),
    /// This node failed.
    Failed(ChainError),
}

impl From<ChainError> for Unready {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::UnknownParent { .. } => Self::Missing,
            ChainError::BelowCertified { .. } => Self::Late,
            ChainError::Block(BlockError::Committee(_)) => Self::Missing,
            error if error.is_invalid() => Self::Refused(error.into()),
            error => Self::Failed(error),
        }
    }
}

impl ShardCore {
    /// Answers a request now, or keeps it.
    pub(super) fn serve(&mut self, request: Waiting, effects: &mut Vec<Effect>) {
        let token = request.token();
        let outcome = match &request {
            Waiting::Propose { context, parent, now_ms, .. } => self
                .propose(context, parent, *now_ms)
                .map(|block| Effect::Proposal { token, outcome: Ok(block) }),
            Waiting::Verify { context, parent, block, .. } => {
                self.judge(context, parent, block).map(|()| Effect::Verdict { token, outcome: Ok(()) })
            }
        };
        match outcome {
            Ok(effect) => {
                self.progressed = true;
                effects.push(effect);
                effects.push(Effect::Publish(Box::new(self.published())));
            }
            Err(Unready::Late) => effects.push(Effect::Abandon(token)),
            Err(Unready::Refused(refusal)) => effects.push(request.refused(refusal)),
            Err(Unready::Failed(error)) => effects.push(Effect::Halt(Fault::State(Box::new(error)))),
            Err(Unready::Missing) => self.keep(request, effects),
        }
    }

    /// Tries again what waits, as long as something became known in between.
    pub(super) fn serve_waiting(&mut self, effects: &mut Vec<Effect>) {
        while std::mem::take(&mut self.progressed) && !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            waiting.into_iter().for_each(|request| self.serve(request, effects));
        }
    }

    /// Abandons what waits for a height that is decided.
    pub(super) fn abandon_late(&mut self, effects: &mut Vec<Effect>) {
        let head = self.head().height;
        let late = |request: &Waiting| request.parent().header.height < head;
        effects.extend(
            self.waiting.iter().filter(|request| late(request)).map(|late| Effect::Abandon(late.token())),
        );
        self.waiting.retain(|request| !late(request));
    }

    fn keep(&mut self, request: Waiting, effects: &mut Vec<Effect>) {
        self.waiting.push_back(request);
        if self.waiting.len() > WAITING_MAX {
            effects.extend(self.waiting.pop_front().map(|oldest| Effect::Abandon(oldest.token())));
        }
    }

    /// Builds a block above `parent`, anchored at the newest finalized beacon header.
    fn propose(
        &mut self,
        context: &Context,
        parent: &Arc<ShardBlock>,
        now_ms: u64,
    ) -> Result<Arc<ShardBlock>, Unready> {
        self.execute(parent)?;
        let view = self.beacon.as_ref().ok_or(Unready::Missing)?;
        if parent.header.anchor.height > view.height() {
            return Err(Unready::Missing);
        }
        let anchor = view.anchor(self.shard, context.epoch, context.leader).ok_or(Unready::Missing)?;
        let context = BlockContext {
            epoch: context.epoch,
            view: context.view,
            parent_view: context.parent_view,
            proposer: anchor.seat.validator,
            timestamp_ms: now_ms,
            anchor,
            others: view.records.clone(),
            delivery: view.delivery(self.shard).cloned(),
        };
        let mut candidates = self.pool.pending(next_base_fee(&parent.header, &self.spec));
        let limits = BlockLimits::new(&self.spec);
        let bundles = self.inbox.bundles();
        let incoming = Incoming { bundles: &bundles, committees: None };
        let proposed = self.state.propose(parent.header.id(), context, incoming, &mut candidates, &limits)?;
        for refused in proposed.refused {
            if let InboxError::Bundle { lane, .. } = refused
                && let Some(source) = lane.source.shard()
            {
                self.inbox.drop_source(source);
            }
        }
        Ok(Arc::new(proposed.block))
    }

    /// Whether `block`, proposed in the view of `context`, may be voted for.
    fn judge(
        &mut self,
        context: &Context,
        parent: &Arc<ShardBlock>,
        block: &Arc<ShardBlock>,
    ) -> Result<(), Unready> {
        let (expected, found) = (context.leader, block.body.anchor.seat_index);
        if expected != found {
            return Err(Unready::Refused(Refusal::Leader { expected, found }));
        }
        let view = self.beacon.as_ref().ok_or(Unready::Missing)?;
        match anchor::check(view, &parent.header, &block.header) {
            None => return Err(Unready::Missing),
            Some(Err(refusal)) => return Err(Unready::Refused(refusal.into())),
            Some(Ok(())) => {}
        }
        self.execute(parent)?;
        self.execute(block)
    }

    /// Executes a block, if it was not; its parent was.
    fn execute(&mut self, block: &ShardBlock) -> Result<(), Unready> {
        let id = block.header.id();
        if id == self.state.base_id() {
            return Ok(());
        }
        if block.header.height <= self.head().height || block.header.height == Height::ZERO {
            return Err(Unready::Late);
        }
        let (pool, view) = (&self.pool, self.beacon.as_ref().ok_or(Unready::Missing)?);
        Ok(self.state.verify(block, &|hash| pool.lookup(hash).cloned(), Some(&**view))?)
    }
}
