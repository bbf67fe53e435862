//! Certified blocks: moving the head, and handing over from one committee to the next.
//!
//! Epoch E + 1 is entered when the last block of E is certified, since that is what it builds on; E is left
//! when the first block of E + 1 is certified, so that members that are late still find E's voters.

use super::BeaconCore;
use super::branches::Executed;
use super::execute::Unready;
use super::step::{Commit, Effect, Fault, Token};
use beacon_state::BeaconChainState;
use beacon_state::light::light_update;
use primitives::{BeaconBlock, Certificate, Chain, Epoch, Height};
use std::sync::Arc;

impl BeaconCore {
    /// Moves the head to `block`.
    pub(super) fn certify(
        &mut self,
        token: Token,
        block: Arc<BeaconBlock>,
        certificate: Option<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        let (height, id) = (block.header.height, block.header.id());
        if height <= self.head.header().height {
            effects.push(Effect::Compare { token, height, id });
            return;
        }
        match self.follow(&block) {
            Ok(executed) => {
                let below = Arc::clone(&self.head);
                self.head = Arc::clone(&executed.chain);
                effects.push(Effect::Commit(Box::new(commit(&below, executed, certificate.clone()))));
                effects.push(Effect::Acknowledge(token));
                self.hand_over(&block, effects);
                self.refresh();
                effects.push(Effect::Publish(self.snapshot(block, certificate)));
            }
            Err(fault) => effects.push(Effect::Halt(fault)),
        }
    }

    /// Executes the block above the head, and takes it from the branches.
    fn follow(&mut self, block: &Arc<BeaconBlock>) -> Result<Executed, Fault> {
        let (height, id) = (block.header.height, block.header.id());
        let expected = self.head.header().height.next();
        if height != expected {
            return Err(Fault::Gap { expected, found: height });
        }
        let (expected, found) = (self.head.id(), block.header.parent);
        if expected != found {
            return Err(Fault::OtherBranch { height: self.head.header().height, expected, found });
        }
        match self.execute(block, None) {
            Ok(_) => self.branches.remove(&id).ok_or(Fault::NoRuler { height }),
            Err(Unready::Missing) => Err(Fault::NoRuler { height }),
            Err(Unready::Invalid(error)) => Err(Fault::Invalid { height, id, error: Box::new(error) }),
        }
    }

    /// Forgets what the new head makes worthless.
    fn refresh(&mut self) {
        let state = self.head.state();
        self.branches.retain_above(self.head.header().height);
        self.committees.forget(state, self.branches.iter().flat_map(|executed| &executed.events));
        self.crosslinks.refresh(&self.spec, state);
        self.evidence.refresh(&self.spec, state);
        self.conflicts.refresh(state);
        self.progressed = true;
    }

    /// Tells the engine all about epochs that it must know at the start.
    pub(super) fn announce_all(&self, boundary: Arc<BeaconBlock>, effects: &mut Vec<Effect>) {
        let state = self.head.state();
        effects.push(Effect::Table(state.beacon_table().clone()));
        for entry in state.beacon_table().entries() {
            if let Some(committee) = self.committees.committee(state, Chain::Beacon, entry.epoch) {
                effects.push(Effect::Committee(entry.epoch, Arc::clone(committee)));
            }
        }
        let height = self.head.header().height.next();
        match state.current_epoch(Chain::Beacon).map(|entry| entry.epoch) {
            Some(epoch) => self.enter(epoch, boundary, effects),
            None => effects.push(Effect::Halt(Fault::NoRuler { height })),
        }
    }

    /// Tells the engine what the new head, `block`, changes about epochs.
    fn hand_over(&self, block: &Arc<BeaconBlock>, effects: &mut Vec<Effect>) {
        let (state, height) = (self.head.state(), block.header.height);
        let table = state.beacon_table();
        let ruling = |height: Height| table.ruling(height).map(|entry| entry.epoch);
        let before = height.previous().and_then(ruling);
        if before != ruling(height) {
            // The first block of its epoch: the next epoch has just been drawn, the one before is over.
            effects.push(Effect::Table(table.clone()));
            let drawn = table.latest().map(|entry| entry.epoch);
            if let Some((epoch, committee)) =
                drawn.and_then(|epoch| Some((epoch, self.committees.committee(state, Chain::Beacon, epoch)?)))
            {
                effects.push(Effect::Committee(epoch, Arc::clone(committee)));
            }
            effects.extend(before.map(Effect::Leave));
        }
        match ruling(height.next()) {
            above if above == ruling(height) => {}
            Some(epoch) => self.enter(epoch, Arc::clone(block), effects),
            None => effects.push(Effect::Halt(Fault::NoRuler { height: height.next() })),
        }
    }

    fn enter(&self, epoch: Epoch, parent: Arc<BeaconBlock>, effects: &mut Vec<Effect>) {
        effects.push(match self.committees.committee(self.head.state(), Chain::Beacon, epoch) {
            Some(committee) => Effect::Enter { epoch, parent, committee: Arc::clone(committee) },
            None => Effect::Halt(Fault::NoRuler { height: self.head.header().height.next() }),
        });
    }
}

/// What is to be written of a block that leads from `below` to `executed`.
fn commit(below: &BeaconChainState, executed: Executed, certificate: Option<Certificate>) -> Commit {
    let Executed { block, chain, events, .. } = executed;
    let (mut history, mut nodes) = (below.history().clone(), Vec::new());
    history.push_with(chain.id(), |position, node| nodes.push((position, node)));
    let light = certificate.clone().map(|certificate| light_update(&chain, certificate));
    Commit { block, certificate, chain, events, light, nodes }
}
