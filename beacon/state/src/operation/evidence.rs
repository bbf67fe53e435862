//! Evidence of equivocation, and what it costs.
//!
//! The guilty validator loses `slash_permille` of the units it has, at least one, and they are in no later
//! draw; committees drawn already stay as they are. Units on their way out count as well until they are paid; the one
//! with the offending key goes first, then those that are drawn. One offence is all that a validator did in one view
//! of one (chain, epoch): it is punished once, however many seats and votes took part.
//!
//! Rules: docs/spec/beacon-state.md#slashing

use crate::event::Event;
use crate::list::List;
use crate::offence::Offence;
use crate::state::BeaconState;
use crate::validator::ValidatorRecord;
use consensus::evidence::{Guilty, verify_evidence};
use primitives::{B256, Chain, ChainSpec, Epoch, Evidence, PublicKeyBytes, ValidatorIndex, View};

#[cfg(test)]
mod tests;

/// Why a piece of evidence has no place in a block; the proposer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// It proves nothing.
    #[error(transparent)]
    Proof(#[from] consensus::evidence::EvidenceError),
    /// No such shard.
    #[error("there is no chain {chain}")]
    NoSuchChain {
        /// The votes' chain.
        chain: Chain,
    },
    /// The epoch was never drawn, or is forgotten.
    #[error("no committee of chain {chain} in epoch {epoch} is remembered")]
    NoSuchEpoch {
        /// The votes' chain.
        chain: Chain,
        /// The votes' epoch.
        epoch: Epoch,
    },
    /// Signed by a committee that nobody drew.
    #[error("chain {chain}, epoch {epoch}: expected committee {expected}, the evidence brings {found}")]
    Committee {
        /// The votes' chain.
        chain: Chain,
        /// The votes' epoch.
        epoch: Epoch,
        /// In the epoch table.
        expected: B256,
        /// In the evidence.
        found: B256,
    },
    /// The same offence twice.
    #[error("validator {validator} was punished for chain {chain}, epoch {epoch}, view {view} already", validator = .0.validator, chain = .0.chain, epoch = .0.epoch, view = .0.view)]
    Punished(Offence),
    /// It has lost everything already, or was paid.
    #[error("validator {validator} has no unit to lose")]
    NothingLeft {
        /// Who.
        validator: ValidatorIndex,
    },
    /// Without it, no committee could be drawn any more.
    #[error("validator {validator} would lose {found} of the {staked} units that are staked")]
    LastUnits {
        /// Who.
        validator: ValidatorIndex,
        /// Units it would lose.
        found: u64,
        /// Units of all.
        staked: u64,
    },
}

/// An offence proven, and the key it was committed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    guilty: Guilty,
    view: View,
}

impl Verdict {
    /// The caller has seen to it that the seat is guilty.
    pub(super) const fn new(guilty: Guilty, view: View) -> Self {
        Self { guilty, view }
    }

    /// What is punished.
    pub const fn offence(&self) -> Offence {
        let Guilty { chain, epoch, seat, .. } = self.guilty;
        Offence { chain, epoch, view: self.view, validator: seat.validator }
    }

    const fn key(&self) -> &PublicKeyBytes {
        &self.guilty.seat.key
    }
}

/// Verifies that a seat of the evidence's own committee is guilty.
pub fn verify(genesis_hash: B256, evidence: &Evidence) -> Result<Verdict, EvidenceError> {
    let guilty = verify_evidence(genesis_hash, evidence)?;
    Ok(Verdict { guilty, view: evidence.first.vote.view })
}

/// Checks that the committee was drawn and the offence is not punished yet. Returns the penalty in units.
pub fn check(spec: &ChainSpec, state: &BeaconState, verdict: &Verdict) -> Result<u64, EvidenceError> {
    let Offence { chain, epoch, validator, .. } = verdict.offence();
    let found = verdict.guilty.committee_root;
    if state.table(chain).is_none() {
        return Err(EvidenceError::NoSuchChain { chain });
    }
    let expected = committee_root(state, chain, epoch).ok_or(EvidenceError::NoSuchEpoch { chain, epoch })?;
    if expected != found {
        return Err(EvidenceError::Committee { chain, epoch, expected, found });
    }
    if state.offences.iter().any(|known| *known == verdict.offence()) {
        return Err(EvidenceError::Punished(verdict.offence()));
    }
    let penalty = state.validator(validator).map_or(0, |record| record.penalty_units(spec.slash_permille));
    if penalty == 0 {
        return Err(EvidenceError::NothingLeft { validator });
    }
    let (found, staked) = (staked_part(state, verdict, penalty), state.stake.staked_units);
    if found >= staked {
        return Err(EvidenceError::LastUnits { validator, found, staked });
    }
    Ok(penalty)
}

/// How many of `penalty` units are drawn ones: all that there are, unless the offending one is on its way out.
fn staked_part(state: &BeaconState, verdict: &Verdict, penalty: u64) -> u64 {
    let validator = verdict.offence().validator;
    let Some(record) = state.validator(validator) else { return 0 };
    let is_exiting = || record.exiting_units() > 0 && state.is_exiting(validator, verdict.key());
    let is_elsewhere = !record.units().contains(verdict.key()) && is_exiting();
    penalty.saturating_sub(u64::from(is_elsewhere)).min(record.units().len() as u64)
}

/// Burns `penalty` units, as [`check`] returned them, and remembers the offence.
pub(crate) fn apply(state: &mut BeaconState, verdict: &Verdict, penalty: u64, events: &mut Vec<Event>) {
    let Offence { chain, epoch, view, validator } = verdict.offence();
    let place = usize::try_from(validator.get()).unwrap_or(usize::MAX);
    let (drawn, height) = (staked_part(state, verdict, penalty), state.height);
    let burn = |record: &mut ValidatorRecord| record.burn(verdict.key(), drawn, height);
    let staked = state.validators.write(place).map_or(0, burn);
    let left = penalty.saturating_sub(staked);
    let exiting = if left > 0 { state.remove_exiting(validator, verdict.key(), left) } else { 0 };
    if let Some(record) = state.validators.write(place) {
        record.burn_exiting(exiting);
    }
    let units = staked.saturating_add(exiting);
    state.stake.staked_units = state.stake.staked_units.saturating_sub(staked);
    state.stake.exiting_units = state.stake.exiting_units.saturating_sub(exiting);
    state.stake.burned_units = state.stake.burned_units.saturating_add(units);
    remember(state, verdict.offence());
    events.push(Event::Slashed { validator, units, chain, epoch, view });
}

/// Enters an offence, and forgets those that nobody can report any more.
fn remember(state: &mut BeaconState, offence: Offence) {
    let reportable = |known: &&Offence| committee_root(state, known.chain, known.epoch).is_some();
    let mut offences: Vec<_> = state.offences.iter().filter(reportable).copied().collect();
    let place = offences.partition_point(|known| *known < offence);
    offences.insert(place, offence);
    state.offences = List::new(offences).expect("each offence cost a unit, and there are fewer units");
}

/// Root of the committee that was drawn for `chain` and `epoch`, whether it ever ruled or not.
fn committee_root(state: &BeaconState, chain: Chain, epoch: Epoch) -> Option<B256> {
    let voided = || {
        let progress = state.progress(chain.shard()?)?;
        progress.voided().iter().find(|entry| entry.epoch == epoch)
    };
    let entry = state.table(chain)?.entry(epoch).or_else(voided)?;
    Some(entry.committee_root)
}
