//! What a block brings about void branches: conflicts, then shards that consumed from what is void.
//!
//! The guilty are slashed before any committee is drawn, so none of them sits in the committees that take over.

use super::BlockError;
use crate::epoch::Lottery;
use crate::event::Event;
use crate::operation::{conflict, consumption};
use crate::state::BeaconState;
use consensus::authority::{
    Authority, CommitteeError, CommitteeSource, ruling_authority, verify_certificates,
};
use primitives::{BeaconBody, CertifiedShardHeader, Chain, ChainSpec, Conflict, Consumption};
use std::sync::Arc;

/// Checks and applies a body's conflicts and consumptions, in order.
pub(super) fn apply(
    spec: &ChainSpec,
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    body: &BeaconBody,
    committees: &dyn CommitteeSource,
    events: &mut Vec<Event>,
) -> Result<(), BlockError> {
    check_limits(spec, body)?;
    let mut certified = Vec::new();
    for conflict in &body.conflicts {
        let shard = conflict.first.header.shard;
        conflict::verify(conflict)
            .and_then(|()| conflict::check(state, conflict))
            .map_err(|error| BlockError::Conflict { shard, error })?;
        let authority = authority(state, &conflict.first, committees)?;
        conflict::apply_slashing(spec, state, conflict, &authority, events);
        certified.push((Arc::clone(&authority), &conflict.first));
        certified.push((authority, &conflict.second));
    }
    for conflict in &body.conflicts {
        conflict::apply(lottery, state, conflict, events)?;
    }
    for consumption in &body.consumptions {
        let shard = consumption.certified.header.shard;
        consumption::verify(consumption)
            .and_then(|()| consumption::check(state, consumption))
            .map_err(|error| BlockError::Consumption { shard, error })?;
        certified.push((authority(state, &consumption.certified, committees)?, &consumption.certified));
        consumption::apply(lottery, state, consumption, events)?;
    }
    check_certificates(&certified)
}

fn check_limits(spec: &ChainSpec, body: &BeaconBody) -> Result<(), BlockError> {
    let (max, found) = (spec.conflicts_max, body.conflicts.len());
    if found > max as usize {
        return Err(BlockError::TooManyConflicts { max, found });
    }
    let (max, found) = (spec.consumptions_max, body.consumptions.len());
    if found > max as usize {
        return Err(BlockError::TooManyConsumptions { max, found });
    }
    let shard = |conflict: &Conflict| conflict.first.header.shard;
    if let Some(pair) = body.conflicts.windows(2).find(|pair| shard(&pair[0]) >= shard(&pair[1])) {
        let (previous, found) = (shard(&pair[0]), shard(&pair[1]));
        return Err(BlockError::ConflictOrder { previous, found });
    }
    Ok(())
}

/// The committee whose certificate a header must bear.
fn authority(
    state: &BeaconState,
    certified: &CertifiedShardHeader,
    committees: &dyn CommitteeSource,
) -> Result<Arc<Authority>, CommitteeError> {
    let (chain, epoch) = (Chain::Shard(certified.header.shard), certified.header.epoch);
    let table = state.table(chain).ok_or(CommitteeError::NoSuchEpoch { chain, epoch })?;
    ruling_authority(committees, chain, table, epoch)
}

/// Verifies all certificates in one batch.
fn check_certificates(certified: &[(Arc<Authority>, &CertifiedShardHeader)]) -> Result<(), BlockError> {
    let pairs: Vec<_> =
        certified.iter().map(|(authority, certified)| (&**authority, &certified.certificate)).collect();
    verify_certificates(&pairs).map_err(|errors| {
        let (place, error) = errors.into_iter().next().expect("a failed batch names a certificate");
        // The place is that of a pair, and there is one for each header.
        BlockError::DisputedCertificate { shard: certified[place].1.header.shard, error }
    })
}

/// Applies `conflict` above `state` if a block may bring it. Whether it did.
pub(crate) fn try_conflict(
    spec: &ChainSpec,
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    conflict: &Conflict,
    committees: &dyn CommitteeSource,
) -> bool {
    let holds = conflict::verify(conflict).is_ok() && conflict::check(state, conflict).is_ok();
    let Some(authority) = authority(state, &conflict.first, committees).ok().filter(|_| holds) else {
        return false;
    };
    let certified = [&conflict.first, &conflict.second].map(|header| (Arc::clone(&authority), header));
    if check_certificates(&certified).is_err() {
        return false;
    }
    conflict::apply_slashing(spec, state, conflict, &authority, &mut Vec::new());
    conflict::apply(lottery, state, conflict, &mut Vec::new()).is_ok()
}

/// As [`try_conflict`], for a consumption.
pub(crate) fn try_consumption(
    lottery: &Lottery<'_>,
    state: &mut BeaconState,
    consumption: &Consumption,
    committees: &dyn CommitteeSource,
) -> bool {
    let holds = consumption::verify(consumption).is_ok() && consumption::check(state, consumption).is_ok();
    let Some(authority) = authority(state, &consumption.certified, committees).ok().filter(|_| holds) else {
        return false;
    };
    check_certificates(&[(authority, &consumption.certified)]).is_ok()
        && consumption::apply(lottery, state, consumption, &mut Vec::new()).is_ok()
}
