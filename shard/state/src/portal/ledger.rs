//! The Portal's storage: what it knows of each lane, and what it holds for owners who refused it.
//!
//! Slot = tag (top byte) ‖ zeros ‖ the chain's code (4 bytes) or the owner's address (20 bytes).
//!
//! | tag | value |
//! |---|---|
//! | 1, by destination | places reserved (8 bytes) ‖ receipts acknowledged (8 bytes) ‖ receipts sent (8 bytes) |
//! | 2, by source | epoch (8 bytes) and height (8 bytes) of the header consumed from ‖ receipts received (8 bytes) |
//! | 3, by source | id of the header consumed from |
//! | 4, by owner | wei held |

use alloy_primitives::{Address, B256, U256};
use primitives::{Chain, Epoch, Height, InboxCursor, InboxCursors, ShardId};
use xshard::LaneCounters;

use super::PORTAL;
use crate::state::{FlatState, MemoryState, PendingState, StateError};

const OUTGOING: u8 = 1;
const INCOMING: u8 = 2;
const INCOMING_ID: u8 = 3;
const CLAIM: u8 = 4;

/// The Portal's slots, wherever they are.
pub(crate) trait Slots {
    type Error;

    fn slot(&mut self, key: U256) -> Result<U256, Self::Error>;
    fn set_slot(&mut self, key: U256, value: U256) -> Result<(), Self::Error>;
}

impl Slots for PendingState<'_> {
    type Error = StateError;

    fn slot(&mut self, key: U256) -> Result<U256, StateError> {
        PendingState::slot(self, &PORTAL, key)
    }

    fn set_slot(&mut self, key: U256, value: U256) -> Result<(), StateError> {
        PendingState::write_slot(self, &PORTAL, key, value)
    }
}

/// Reads alone.
struct Reading<'a>(&'a dyn FlatState);

impl Slots for Reading<'_> {
    type Error = StateError;

    fn slot(&mut self, key: U256) -> Result<U256, StateError> {
        self.0.storage(&PORTAL, &B256::from(key))
    }

    fn set_slot(&mut self, _: U256, _: U256) -> Result<(), StateError> {
        Ok(())
    }
}

/// What a shard knows of its lanes to and from one other chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneState {
    /// The other chain.
    pub chain: Chain,
    /// What was sent there.
    pub outgoing: LaneCounters,
    /// What was consumed from there; `None` if nothing was.
    pub incoming: Option<InboxCursor>,
}

/// The lanes to and from every other shard, and then the beacon chain, in a certified state.
pub fn lanes(state: &dyn FlatState, shard: ShardId, shards: u32) -> Result<Vec<LaneState>, StateError> {
    let mut slots = Reading(state);
    let others = (0..shards).map(ShardId::new).filter(|other| *other != shard);
    others
        .map(Chain::from)
        .chain([Chain::Beacon])
        .map(|chain| {
            let (outgoing, incoming) = (outgoing(&mut slots, chain)?, cursor(&mut slots, chain)?);
            Ok(LaneState { chain, outgoing, incoming })
        })
        .collect()
}

/// All that is held for owners, wei.
pub fn held(state: &MemoryState) -> U256 {
    let claims = state.slots(PORTAL).filter(|(slot, _)| slot[0] == CLAIM);
    claims.fold(U256::ZERO, |sum, (_, wei)| sum.saturating_add(wei))
}

/// What was sent to a chain.
pub(crate) fn outgoing<S: Slots>(slots: &mut S, destination: Chain) -> Result<LaneCounters, S::Error> {
    let [sent, acknowledged, reserved, _] = slots.slot(chain_key(OUTGOING, destination))?.into_limbs();
    Ok(LaneCounters { sent, acknowledged, reserved })
}

/// Notes what was sent to a chain, and what is reserved.
pub(crate) fn set_outgoing<S: Slots>(
    slots: &mut S,
    destination: Chain,
    lane: LaneCounters,
) -> Result<(), S::Error> {
    let LaneCounters { sent, acknowledged, reserved } = lane;
    slots.set_slot(chain_key(OUTGOING, destination), U256::from_limbs([sent, acknowledged, reserved, 0]))
}

/// How far a chain's receipts were consumed; `None` if none were.
pub(crate) fn cursor<S: Slots>(slots: &mut S, source: Chain) -> Result<Option<InboxCursor>, S::Error> {
    let [sequence, height, epoch, _] = slots.slot(chain_key(INCOMING, source))?.into_limbs();
    if sequence == 0 {
        return Ok(None);
    }
    let id = B256::from(slots.slot(chain_key(INCOMING_ID, source))?);
    Ok(Some(InboxCursor { source, height: Height::new(height), id, epoch: Epoch::new(epoch), sequence }))
}

/// Notes how far a chain's receipts were consumed.
pub(crate) fn set_cursor<S: Slots>(slots: &mut S, cursor: &InboxCursor) -> Result<(), S::Error> {
    let InboxCursor { height, epoch, sequence, .. } = *cursor;
    let packed = U256::from_limbs([sequence, height.get(), epoch.get(), 0]);
    slots.set_slot(chain_key(INCOMING, cursor.source), packed)?;
    slots.set_slot(chain_key(INCOMING_ID, cursor.source), U256::from_be_bytes(cursor.id.0))
}

/// Notes how many of a chain's receipts were consumed; the header consumed from stays.
pub(crate) fn set_received<S: Slots>(slots: &mut S, source: Chain, received: u64) -> Result<(), S::Error> {
    let key = chain_key(INCOMING, source);
    let [_, height, epoch, _] = slots.slot(key)?.into_limbs();
    slots.set_slot(key, U256::from_limbs([received, height, epoch, 0]))
}

/// Every cursor that there is.
pub(crate) fn cursors<S: Slots>(slots: &mut S, shards: u32) -> Result<InboxCursors, S::Error> {
    let mut cursors = Vec::new();
    for source in (0..shards).map(|shard| ShardId::new(shard).into()).chain([Chain::Beacon]) {
        cursors.extend(cursor(slots, source)?);
    }
    Ok(InboxCursors::new(cursors).unwrap_or_default())
}

/// What is held for an owner, wei.
pub(crate) fn claimable<S: Slots>(slots: &mut S, owner: Address) -> Result<U256, S::Error> {
    slots.slot(owner_key(owner))
}

/// Notes what is held for an owner, wei.
pub(crate) fn set_claimable<S: Slots>(slots: &mut S, owner: Address, wei: U256) -> Result<(), S::Error> {
    slots.set_slot(owner_key(owner), wei)
}

fn chain_key(tag: u8, chain: Chain) -> U256 {
    tagged(tag) | U256::from(chain.code())
}

fn owner_key(owner: Address) -> U256 {
    tagged(CLAIM) | U256::from_be_bytes(owner.into_word().0)
}

fn tagged(tag: u8) -> U256 {
    U256::from(tag) << 248
}
