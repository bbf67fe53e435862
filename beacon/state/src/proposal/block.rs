//! Putting a block together.

use super::bundles::{BundleSource, consume_bundles};
use crate::block::{BlockError, Transition, apply_operations, epoch_above};
use crate::chain::BeaconChainState;
use crate::operation::randao::RandaoError;
use crate::payout::apply_payouts;
use consensus::authority::{CommitteeSource, ruling_authority};
use primitives::{
    B256, BeaconBlock, BeaconBody, BeaconHeader, Chain, ChainSpec, Conflict, Consumption, Crosslink,
    Evidence, SignatureBytes, View,
};
use ssz::Encode as _;

/// A proposer's share of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// View of the engine.
    pub view: View,
    /// View of the parent within the epoch; zero for the epoch's first block.
    pub parent_view: View,
    /// The proposer's clock, milliseconds since the Unix epoch; moved above the parent's if it is not.
    pub timestamp_ms: u64,
    /// The proposing seat.
    pub leader: u32,
    /// Its signature over `consensus::vote::randao_bytes`.
    pub randao_reveal: SignatureBytes,
    /// As [`super::choose_crosslinks`] returned them.
    pub crosslinks: Vec<Crosslink>,
    /// As [`super::choose_evidence`] returned them.
    pub evidence: Vec<Evidence>,
    /// As [`super::choose_disputes`] returned them.
    pub conflicts: Vec<Conflict>,
    /// As [`super::choose_disputes`] returned them.
    pub consumptions: Vec<Consumption>,
}

/// Builds the block that `proposal` makes above `parent`, with as many of the bundles as there is room for, and what it
/// leads to.
pub fn build_block(
    spec: &ChainSpec,
    parent: &BeaconChainState,
    proposal: Proposal,
    bundles: &dyn BundleSource,
    committees: &dyn CommitteeSource,
) -> Result<(BeaconBlock, Transition), BlockError> {
    let Proposal { view, parent_view, timestamp_ms, leader, .. } = proposal;
    let Proposal { randao_reveal, crosslinks, evidence, conflicts, consumptions, .. } = proposal;
    let epoch = epoch_above(parent)?;
    let authority = ruling_authority(committees, Chain::Beacon, parent.state().beacon_table(), epoch)?;
    let committee = authority.committee();
    let no_such_seat = RandaoError::NoSuchSeat { seats: committee.len(), found: leader };
    let proposer = committee.seat(leader).ok_or(no_such_seat)?.validator;
    let mut body =
        BeaconBody { randao_reveal, crosslinks, evidence, conflicts, consumptions, bundles: Vec::new() };
    let mut header = BeaconHeader {
        epoch,
        view,
        parent_view,
        height: parent.header().height.next(),
        parent: parent.id(),
        timestamp_ms: timestamp_ms.max(parent.header().timestamp_ms.saturating_add(1)),
        proposer,
        state_root: B256::ZERO,
        body_root: B256::ZERO,
        history_root: parent.history().root(),
    };
    let (mut state, mut events) = apply_operations(spec, parent, &header, &body, leader, committees)?;
    let room = (spec.body_bytes_max as usize).saturating_sub(body.ssz_bytes_len());
    body.bundles = consume_bundles(spec, header.timestamp_ms, &mut state, room, bundles, &mut events);
    apply_payouts(spec, &mut state, &mut events);
    (header.state_root, header.body_root) = (state.root(), body.root());
    let chain = BeaconChainState::new(state, header.clone(), parent.history().clone());
    Ok((BeaconBlock { header, body }, Transition { chain, events }))
}
