//! Draws of committees.
//!
//! A chain's table always names the committee of the epoch that rules its next height and of the one
//! after, so that the members of a committee know of it one epoch ahead. The beacon chain's epoch E + 1
//! is drawn in its block at E's first height; a shard's, when the crosslink with the last height before
//! E is accepted, or when an early end makes E start. Genesis draws epochs 0 and 1 of every chain.
//!
//! An epoch has the chain's fixed number of heights unless it is ended early; epoch 0 starts at genesis.
//!
//! Rules: docs/spec/beacon-state.md#epochs

use crate::event::Event;
use crate::state::BeaconState;
use consensus::sampling::{committee_seed, draw_committee};
use primitives::{B256, Chain, ChainSpec, Epoch, EpochEntry, EpochTable, Height, Seat};
use std::cell::OnceCell;

#[cfg(test)]
mod tests;

/// Why no committee can be drawn: specification or state are not what their checks leave through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// Nobody to draw, or an impossible target.
    #[error("chain {chain}, epoch {epoch}: no committee of {target} seats can be drawn from {units} units")]
    NoCommittee {
        /// The chain.
        chain: Chain,
        /// The term.
        epoch: Epoch,
        /// Seats it should have.
        target: u32,
        /// Units there are.
        units: usize,
    },
    /// The numbers have come to their end.
    #[error("chain {chain}: no epoch can follow epoch {epoch}, which starts at height {height}")]
    Exhausted {
        /// The chain.
        chain: Chain,
        /// The table's last epoch.
        epoch: Epoch,
        /// Its first height.
        height: Height,
    },
}

/// Draws committees from the validators and the randomness of one moment.
pub(crate) struct Lottery<'a> {
    spec: &'a ChainSpec,
    mix: B256,
    /// Candidates for the beacon chain, and for any shard.
    units: [OnceCell<Vec<Seat>>; 2],
}

impl<'a> Lottery<'a> {
    pub(crate) fn new(spec: &'a ChainSpec, mix: B256) -> Self {
        Self { spec, mix, units: [OnceCell::new(), OnceCell::new()] }
    }

    /// Lets `chain` start another epoch at `first_height`: draws its committee and enters it into the table.
    ///
    /// `state` must have the same validators in every call.
    pub(crate) fn draw(
        &self,
        state: &BeaconState,
        chain: Chain,
        table: &mut EpochTable,
        epoch: Epoch,
        first_height: Height,
        events: &mut Vec<Event>,
    ) -> Result<(), DrawError> {
        let units = self.units[usize::from(chain == Chain::Beacon)].get_or_init(|| state.units(chain));
        let target = self.spec.seats_target;
        let committee = draw_committee(units, target, committee_seed(self.mix, chain, epoch))
            .ok_or(DrawError::NoCommittee { chain, epoch, target, units: units.len() })?;
        let entry = EpochEntry { epoch, first_height, committee_root: committee.root() };
        if !table.push(entry) {
            return Err(DrawError::Exhausted { chain, epoch, height: first_height });
        }
        events.push(Event::Drawn { chain, epoch, first_height, committee });
        Ok(())
    }

    /// Draws the epoch after the table's last one, which lasts its fixed number of heights.
    pub(crate) fn draw_next(
        &self,
        state: &BeaconState,
        chain: Chain,
        table: &mut EpochTable,
        events: &mut Vec<Event>,
    ) -> Result<(), DrawError> {
        let (epoch, first_height) = match table.latest() {
            None => (Epoch::ZERO, Height::ZERO),
            Some(latest) => (latest.epoch.next(), latest.first_height.plus(self.spec.epoch_heights(chain))),
        };
        self.draw(state, chain, table, epoch, first_height, events)
    }
}

/// Draws the beacon chain's next epoch if one starts with the block at the state's height.
pub(crate) fn apply_beacon_start(
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    events: &mut Vec<Event>,
) -> Result<(), DrawError> {
    if state.beacon_table.latest().is_some_and(|latest| latest.first_height == state.height) {
        let mut table = (*state.beacon_table).clone();
        lottery.draw_next(state, Chain::Beacon, &mut table, events)?;
        *state.beacon_table.write() = table;
    }
    Ok(())
}
