//! Answers: a receipt that is not done goes back with its value.

use super::Rejection;
use crate::state::BeaconState;
use primitives::{Bytes, ShardId, U256};
use ssz::Encode as _;
use xshard::{Answer, Arrival, Payload};

/// Sends the value of a receipt of `shard` back to its sender, with the reason. The caller has seen to it that there is
/// room.
pub(super) fn send(state: &mut BeaconState, shard: ShardId, arrival: &Arrival, rejection: Rejection) {
    let receipt = &arrival.receipt;
    let data = match rejection {
        Rejection::Refused(refusal) => refusal.as_ssz_bytes().into(),
        Rejection::Unreadable | Rejection::Expired => Bytes::new(),
    };
    let answer = Answer {
        id: arrival.id,
        to: receipt.sender,
        verdict: rejection.verdict(),
        refund: U256::ZERO,
        gas_price: 0,
        data,
    };
    if let Some(lane) = state.lanes.write(shard.get() as usize) {
        lane.send(receipt.value, &Payload::Answer(answer));
    }
}
