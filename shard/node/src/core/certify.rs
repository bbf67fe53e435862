//! Certified blocks: moving the head.

use super::ShardCore;
use super::step::{Effect, Fault, Token};
use crate::store::Commit;
use primitives::{Certificate, ShardBlock};
use shard_state::chain::{Certified, ChainError};
use std::sync::Arc;

impl ShardCore {
    /// Moves the head to `block`.
    pub(super) fn certify(
        &mut self,
        token: Token,
        block: Arc<ShardBlock>,
        certificate: Option<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        let (height, id) = (block.header.height, block.header.id());
        if height <= self.head().height {
            effects.push(Effect::Compare { token, height, id });
            return;
        }
        let below = self.head().epoch;
        let certified = match self.follow(&block) {
            Ok(certified) => certified,
            Err(fault) => return effects.push(Effect::Halt(fault)),
        };
        self.follow_accounts(&certified.executed.change_set);
        self.inbox.consumed(&certified.executed.cursors);
        let executed = Arc::clone(&certified.executed);
        effects.push(Effect::Commit(Box::new(commit(&block, certified, certificate.clone()))));
        effects.push(Effect::Acknowledge(token));
        if block.header.epoch != below {
            effects.push(Effect::Leave(below));
        }
        self.abandon_late(effects);
        self.hand_over(effects);
        self.progressed = true;
        let mut head = self.published();
        head.certified = Some(executed);
        effects.push(Effect::Publish(Box::new(head)));
        if let Some(certificate) = certificate {
            let ours = self.seats.contains(&block.body.anchor.seat.key);
            self.crosslinks.add(&block.header, certificate);
            self.offer_new(&block.header, ours, effects);
        }
    }

    /// Executes the block above the head if it was not, and takes it as certified.
    fn follow(&mut self, block: &ShardBlock) -> Result<Certified, Fault> {
        let (height, id) = (block.header.height, block.header.id());
        let expected = self.head().height.next();
        if height != expected {
            return Err(Fault::Gap { expected, found: height });
        }
        let (expected, found) = (self.state.base_id(), block.header.parent);
        if expected != found {
            return Err(Fault::OtherBranch { height: self.head().height, expected, found });
        }
        let pool = &self.pool;
        let fault = |error: ChainError| match error.is_invalid() {
            true => Fault::Invalid { height, id, error: Box::new(error) },
            false => Fault::State(Box::new(error)),
        };
        self.state.verify(block, &|hash| pool.lookup(hash).cloned(), None).map_err(fault)?;
        // It was executed just now, on the head: nothing else could make this fail.
        self.state.certify(id).map_err(|_| Fault::OtherBranch { height, expected, found })
    }
}

/// What is to be written of a block.
fn commit(block: &Arc<ShardBlock>, certified: Certified, certificate: Option<Certificate>) -> Commit {
    let Certified { executed, mut history } = certified;
    let mut nodes = Vec::new();
    history.push_with(executed.id, |position, node| nodes.push((position, node)));
    Commit {
        block: Arc::clone(block),
        id: executed.id,
        certificate,
        transactions: executed.transactions.clone(),
        receipts: executed.receipts.clone(),
        change_set: Arc::clone(&executed.change_set),
        outbox: executed.outbox.clone(),
        cursors: executed.cursors.clone(),
        nodes,
    }
}
