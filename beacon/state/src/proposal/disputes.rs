//! Choosing conflicts and consumptions of void branches.
//!
//! All of a block's conflicts come before its consumptions, and a consumption may depend on one before it: so those
//! that are left are looked at again until none of them is void by what was chosen.

use crate::block::disputes::{try_conflict, try_consumption};
use crate::epoch::Lottery;
use crate::state::BeaconState;
use consensus::authority::CommitteeSource;
use primitives::{ChainSpec, Conflict, Consumption, ShardId};
use std::collections::BTreeMap;

/// What a block brings about void branches, and what that leaves to crosslinks.
#[derive(Clone, Debug)]
pub struct Disputes {
    /// By rising shard id.
    pub conflicts: Vec<Conflict>,
    /// Each after what it depends on.
    pub consumptions: Vec<Consumption>,
    /// The state after them, as far as crosslinks look at it: to choose them above.
    pub state: BeaconState,
}

/// Chooses, of what is offered in any order, what a block above `state` may bring.
pub fn choose_disputes<'a>(
    spec: &ChainSpec,
    state: &BeaconState,
    conflicts: impl IntoIterator<Item = &'a Conflict>,
    consumptions: impl IntoIterator<Item = &'a Consumption>,
    committees: &dyn CommitteeSource,
) -> Disputes {
    // The committees drawn here are not those that the block will draw, but nobody asks them.
    let (lottery, mut after) = (Lottery::new(spec, state.mix), state.clone());
    let mut chosen = BTreeMap::<ShardId, Conflict>::new();
    for conflict in conflicts {
        if chosen.len() < spec.conflicts_max as usize
            && try_conflict(spec, &lottery, &mut after, conflict, committees)
        {
            chosen.insert(conflict.first.header.shard, conflict.clone());
        }
    }
    let mut disputes =
        Disputes { conflicts: chosen.into_values().collect(), consumptions: Vec::new(), state: after };
    let mut left: Vec<_> = consumptions.into_iter().collect();
    loop {
        let before = disputes.consumptions.len();
        left.retain(|consumption| {
            let is_chosen = disputes.consumptions.len() < spec.consumptions_max as usize
                && try_consumption(&lottery, &mut disputes.state, consumption, committees);
            if is_chosen {
                disputes.consumptions.push((*consumption).clone());
            }
            !is_chosen
        });
        if disputes.consumptions.len() == before {
            return disputes;
        }
    }
}
