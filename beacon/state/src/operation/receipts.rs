//! Receipts of shards: stake that comes, grows and leaves.
//!
//! A block brings bundles by rising shard id, each proven under the shard's accepted header, and the lane's receipts in
//! order. They are applied last: whoever registers a unit cannot know the randomness of any draw that the unit takes part
//! in. What is wrong with a receipt does not make the block wrong: the receipt is answered, and its value goes back.
//! Whatever may be answered is consumed only while the lane back has room for an answer.
//!
//! One file per kind, each with a check, which gives the reason that the answer names, and an apply.
//!
//! Rules: docs/spec/beacon-state.md#receipts

mod answer;
mod deposit;
mod exit;
mod keys;
mod request;
mod seats;
#[cfg(test)]
mod tests;
mod top_up;

pub use request::Rejection;

use crate::event::Event;
use crate::state::BeaconState;
use keys::Keys;
use primitives::{BeaconBundle, ChainSpec, Receipt, ShardHeader, ShardId};
use request::Request;
use xshard::{Arrival, BundleError, beacon, kind::is_answerable};

/// Why a block cannot bring its bundles; the proposer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptsError {
    /// Not in order.
    #[error("bundles are in rising order of shard: {found} follows {previous}")]
    Order {
        /// The shard before.
        previous: ShardId,
        /// The shard after.
        found: ShardId,
    },
    /// No such shard.
    #[error("there is no shard {shard}")]
    NoSuchShard {
        /// The bundle's.
        shard: ShardId,
    },
    /// The bundle itself.
    #[error("bundle of shard {shard}: {error}")]
    Bundle {
        /// Its shard.
        shard: ShardId,
        /// What is wrong.
        error: BundleError,
    },
    /// More than a block consumes.
    #[error("a block consumes at most {max} receipts")]
    TooManyReceipts {
        /// The limit.
        max: u32,
    },
    /// More seats than a block registers.
    #[error("a block registers at most {max} seats, receipt {sequence} of shard {shard} has {found} more")]
    TooManyRegistrations {
        /// The limit.
        max: u32,
        /// Whose receipt.
        shard: ShardId,
        /// Which one.
        sequence: u64,
        /// Its seats.
        found: u32,
    },
    /// Nothing could be answered.
    #[error("{pending} receipts to shard {shard} are under way, so no more than {max} answers have room")]
    NoRoom {
        /// The shard.
        shard: ShardId,
        /// The limit.
        max: u64,
        /// How many wait.
        pending: u64,
    },
}

/// Verifies a bundle alone, under the header that it was offered with: whatever is accepted with that header, the
/// receipts from its first one on are those of the lane.
pub fn verify(bundle: &BeaconBundle, header: &ShardHeader) -> Result<(), BundleError> {
    let accepted = primitives::AcceptedHeader {
        height: header.height,
        id: header.id(),
        epoch: header.epoch,
        history_root: header.history_root,
        ..Default::default()
    };
    let first = bundle.receipts.first().ok_or(BundleError::Empty)?;
    beacon::verify_bundle(bundle, header.shard, &accepted, first.sequence).map(|_| ())
}

/// The first `count` receipts of a bundle; none if that is nothing, or its proof has not the nodes that it should.
pub fn first(bundle: &BeaconBundle, count: usize) -> Option<BeaconBundle> {
    beacon::narrow(bundle, 0, count)
}

/// Checks that a bundle brings the next receipts of its shard, under the accepted header.
pub(crate) fn check(state: &BeaconState, bundle: &BeaconBundle) -> Result<Vec<Arrival>, ReceiptsError> {
    let shard = bundle.header.shard;
    let no_such_shard = ReceiptsError::NoSuchShard { shard };
    let accepted = state.shard(shard).ok_or(no_such_shard)?.accepted;
    let next = state.lane(shard).ok_or(no_such_shard)?.received();
    beacon::verify_bundle(bundle, shard, &accepted, next)
        .map_err(|error| ReceiptsError::Bundle { shard, error })
}

/// Checks and consumes all bundles of a block.
pub(crate) fn apply(
    spec: &ChainSpec,
    timestamp_ms: u64,
    state: &mut BeaconState,
    bundles: &[BeaconBundle],
    events: &mut Vec<Event>,
) -> Result<(), ReceiptsError> {
    let (mut intake, mut last) = (Intake::new(spec, timestamp_ms), None);
    for bundle in bundles {
        let found = bundle.header.shard;
        if let Some(previous) = last.replace(found).filter(|previous| *previous > found) {
            return Err(ReceiptsError::Order { previous, found });
        }
        let arrivals = check(state, bundle)?;
        intake.consume(state, found, &arrivals, events).map_err(|stopped| stopped.error)?;
    }
    Ok(())
}

/// How much a block may still consume.
#[derive(Clone, Debug)]
pub(crate) struct Limits<'a> {
    spec: &'a ChainSpec,
    timestamp_ms: u64,
    receipts: u32,
    registrations: u32,
}

impl<'a> Limits<'a> {
    /// Of a block with this timestamp, before its first receipt.
    pub(crate) const fn new(spec: &'a ChainSpec, timestamp_ms: u64) -> Self {
        Self { spec, timestamp_ms, receipts: 0, registrations: 0 }
    }

    /// Counts a receipt of `shard`, if there is room for it; also one that is going to be refused, since refusing it costs
    /// as much. Seats do not count where nobody looks at them: in a receipt that is late or has too many.
    pub(crate) fn take(&mut self, shard: ShardId, receipt: &Receipt) -> Result<(), ReceiptsError> {
        let request = Request::read(self.spec, self.timestamp_ms, receipt);
        self.count(shard, receipt, request.as_ref().map_or(0, Request::registrations))
    }

    fn count(&mut self, shard: ShardId, receipt: &Receipt, found: u32) -> Result<(), ReceiptsError> {
        let max = self.spec.beacon_receipts_max;
        if self.receipts >= max {
            return Err(ReceiptsError::TooManyReceipts { max });
        }
        let (max, sequence) = (self.spec.registrations_max, receipt.sequence);
        let registrations = self.registrations.saturating_add(found);
        if registrations > max {
            return Err(ReceiptsError::TooManyRegistrations { max, shard, sequence, found });
        }
        (self.receipts, self.registrations) = (self.receipts + 1, registrations);
        Ok(())
    }
}

/// Where the consumption of a bundle ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// How many of its receipts were consumed.
    pub(crate) consumed: usize,
    /// Why the next one was not.
    pub(crate) error: ReceiptsError,
}

/// Consumes the receipts of one block.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    limits: Limits<'a>,
    /// What is registered; looked up once a receipt asks.
    keys: Option<Keys>,
}

impl<'a> Intake<'a> {
    /// Of a block with this timestamp.
    pub(crate) const fn new(spec: &'a ChainSpec, timestamp_ms: u64) -> Self {
        Self { limits: Limits::new(spec, timestamp_ms), keys: None }
    }

    /// Consumes checked arrivals of `shard` in order, up to the first for which there is no room.
    pub(crate) fn consume(
        &mut self,
        state: &mut BeaconState,
        shard: ShardId,
        arrivals: &[Arrival],
        events: &mut Vec<Event>,
    ) -> Result<(), Stopped> {
        for (consumed, arrival) in arrivals.iter().enumerate() {
            self.consume_one(state, shard, arrival, events).map_err(|error| Stopped { consumed, error })?;
        }
        Ok(())
    }

    fn consume_one(
        &mut self,
        state: &mut BeaconState,
        shard: ShardId,
        arrival: &Arrival,
        events: &mut Vec<Event>,
    ) -> Result<(), ReceiptsError> {
        let receipt = &arrival.receipt;
        let is_answerable = is_answerable(receipt.kind);
        if is_answerable {
            check_room(self.limits.spec, state, shard)?;
        }
        let request = Request::read(self.limits.spec, self.limits.timestamp_ms, receipt);
        let registrations = request.as_ref().map_or(0, Request::registrations);
        self.limits.count(shard, receipt, registrations)?;
        if let Some(lane) = state.lanes.write(shard.get() as usize) {
            lane.receive();
        }
        let done = request
            .and_then(|request| self.perform(state, shard, receipt, request, events).map_err(Into::into));
        if let Err(rejection) = done {
            if is_answerable {
                answer::send(state, shard, arrival, rejection);
            }
            let (sequence, id) = (receipt.sequence, arrival.id);
            events.push(Event::Refused { shard, sequence, id, rejection });
        }
        Ok(())
    }

    fn perform(
        &mut self,
        state: &mut BeaconState,
        shard: ShardId,
        receipt: &Receipt,
        request: Request,
        events: &mut Vec<Event>,
    ) -> Result<(), xshard::Refusal> {
        let spec = self.limits.spec;
        match request {
            Request::Deposit(deposit) => {
                let keys = self.keys.get_or_insert_with(|| Keys::of(state));
                deposit::check(spec, state, keys, receipt, &deposit)?;
                deposit::apply(state, keys, &deposit, events);
            }
            Request::TopUp(top_up) => {
                let keys = self.keys.get_or_insert_with(|| Keys::of(state));
                top_up::check(spec, state, keys, (shard, receipt), &top_up)?;
                top_up::apply(state, keys, &top_up, events);
            }
            Request::Exit(exit) => {
                let count = exit::check(state, (shard, receipt), &exit)?;
                exit::apply(spec, state, exit.validator, count, events);
            }
        }
        Ok(())
    }
}

/// Checks that the lane back to `shard` has room for one answer more.
pub(crate) fn check_room(spec: &ChainSpec, state: &BeaconState, shard: ShardId) -> Result<(), ReceiptsError> {
    let lane = state.lane(shard).ok_or(ReceiptsError::NoSuchShard { shard })?;
    let (max, pending) = (spec.lane_capacity.saturating_mul(2), lane.pending().len() as u64);
    if pending < max { Ok(()) } else { Err(ReceiptsError::NoRoom { shard, max, pending }) }
}

/// Checks that a receipt of `shard` comes from the account that owns the stake of `validator`.
fn check_owner(
    state: &BeaconState,
    validator: primitives::ValidatorIndex,
    (shard, receipt): (ShardId, &Receipt),
) -> Result<(), xshard::Refusal> {
    let record = state.validator(validator).ok_or(xshard::Refusal::Validator)?;
    let owner = record.withdrawal();
    let is_owner = (owner.shard, owner.address) == (shard, receipt.sender);
    if is_owner { Ok(()) } else { Err(xshard::Refusal::Sender) }
}
