//! The beacon chain's transition: a block and the state below it determine the state above.
//!
//! Order within a block: reveal, evidence, conflicts, consumptions of void branches, crosslinks by rising shard id, early
//! ends, the beacon chain's own draw, receipts of shards, payouts. So draws use the block's own randomness and never the
//! units that it burned or registered, and no branch of an epoch that is in dispute is accepted.
//!
//! Rules: docs/spec/beacon-state.md#transition

use crate::chain::BeaconChainState;
use crate::early_end;
use crate::epoch::{self, DrawError, Lottery};
use crate::event::Event;
use crate::operation::conflict::ConflictError;
use crate::operation::consumption::ConsumptionError;
use crate::operation::crosslink::joint::{self, RequirementError};
use crate::operation::crosslink::{self, CrosslinkError};
use crate::operation::evidence::{self, EvidenceError};
use crate::operation::randao::{self, RandaoError};
use crate::operation::receipts::{self, ReceiptsError};
use crate::payout::apply_payouts;
use crate::state::BeaconState;
use consensus::authority::{CertificateError, verify_certificates};
use consensus::authority::{CommitteeError, CommitteeSource, ruling_authority};
use primitives::{
    B256, BeaconBlock, BeaconBody, BeaconHeader, Chain, ChainSpec, Crosslink, Epoch, Evidence, Height,
    ShardId,
};

pub(crate) mod disputes;
#[cfg(test)]
mod tests;

/// What a block leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state above the block.
    pub chain: BeaconChainState,
    /// What the block did, in order.
    pub events: Vec<Event>,
}

/// Why a block does not follow. Its proposer is at fault, except for [`Self::Committee`] with a committee
/// that is not at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It follows another block.
    #[error("the parent is {expected}, the header names {found}")]
    Parent {
        /// Id of the state's header.
        expected: B256,
        /// In the header.
        found: B256,
    },
    /// Not one above.
    #[error("expected height {expected}, found {found}")]
    Height {
        /// One above the parent.
        expected: Height,
        /// In the header.
        found: Height,
    },
    /// Time stands still or runs backwards.
    #[error("the parent's timestamp is {parent} ms, the header's {found} ms is not above it")]
    Timestamp {
        /// The parent's.
        parent: u64,
        /// In the header.
        found: u64,
    },
    /// Another term.
    #[error("height {height} is of epoch {expected}, the header says {found}")]
    Epoch {
        /// The header's height.
        height: Height,
        /// In the epoch table.
        expected: Epoch,
        /// In the header.
        found: Epoch,
    },
    /// Another history.
    #[error("expected history root {expected}, found {found}")]
    HistoryRoot {
        /// Over the ids up to the parent.
        expected: B256,
        /// In the header.
        found: B256,
    },
    /// Another body.
    #[error("the body's root is {expected}, the header says {found}")]
    BodyRoot {
        /// Of the body.
        expected: B256,
        /// In the header.
        found: B256,
    },
    /// The state does not follow.
    #[error("the state above has root {expected}, the header says {found}")]
    StateRoot {
        /// Computed.
        expected: B256,
        /// In the header.
        found: B256,
    },
    /// A committee cannot be asked.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    /// The leader's reveal.
    #[error(transparent)]
    Randao(#[from] RandaoError),
    /// More evidence than allowed.
    #[error("at most {max} pieces of evidence, found {found}")]
    TooMuchEvidence {
        /// The limit.
        max: u32,
        /// How many.
        found: usize,
    },
    /// A piece of evidence.
    #[error("evidence {index}: {error}")]
    Evidence {
        /// Its place.
        index: usize,
        /// What is wrong.
        error: EvidenceError,
    },
    /// More conflicts than allowed.
    #[error("at most {max} conflicts, found {found}")]
    TooManyConflicts {
        /// The limit.
        max: u32,
        /// How many.
        found: usize,
    },
    /// Not in order, or two of one shard.
    #[error("conflicts are in rising order of shard: {found} follows {previous}")]
    ConflictOrder {
        /// The shard before.
        previous: ShardId,
        /// The shard after.
        found: ShardId,
    },
    /// A conflict.
    #[error("conflict of shard {shard}: {error}")]
    Conflict {
        /// Its shard.
        shard: ShardId,
        /// What is wrong.
        error: ConflictError,
    },
    /// More consumptions of void branches than allowed.
    #[error("at most {max} consumptions, found {found}")]
    TooManyConsumptions {
        /// The limit.
        max: u32,
        /// How many.
        found: usize,
    },
    /// A consumption of a void branch.
    #[error("consumption of shard {shard}: {error}")]
    Consumption {
        /// The consumer.
        shard: ShardId,
        /// What is wrong.
        error: ConsumptionError,
    },
    /// A certificate in a conflict or a consumption: the first that is wrong.
    #[error("disputed certificate of shard {shard}: {error}")]
    DisputedCertificate {
        /// Its shard.
        shard: ShardId,
        /// What is wrong.
        error: CertificateError,
    },
    /// More crosslinks than allowed.
    #[error("at most {max} crosslinks, found {found}")]
    TooManyCrosslinks {
        /// The limit.
        max: u32,
        /// How many.
        found: usize,
    },
    /// Not in order, or two of one shard.
    #[error("crosslinks are in rising order of shard: {found} follows {previous}")]
    CrosslinkOrder {
        /// The shard before.
        previous: ShardId,
        /// The shard after.
        found: ShardId,
    },
    /// A crosslink by itself.
    #[error("crosslink of shard {shard}: {error}")]
    Crosslink {
        /// Its shard.
        shard: ShardId,
        /// What is wrong.
        error: CrosslinkError,
    },
    /// A crosslink's requirements.
    #[error("crosslink of shard {shard}: {error}")]
    Requirement {
        /// Its shard.
        shard: ShardId,
        /// What is wrong.
        error: RequirementError,
    },
    /// A crosslink's certificate: the first that is wrong.
    #[error("certificate of shard {shard}: {error}")]
    Certificate {
        /// Its shard.
        shard: ShardId,
        /// What is wrong.
        error: CertificateError,
    },
    /// Receipts of shards.
    #[error(transparent)]
    Receipts(#[from] ReceiptsError),
    /// No committee can be drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
}

/// Checks `block` above `parent` and computes what it leads to. `leader` is the seat that the engine
/// lets propose in the header's view.
///
/// Nothing is trusted but `spec`, `parent` and, within the roots of the epoch tables, `committees`. Left to
/// the caller, who has a clock and an engine: that the timestamp is not ahead, and what the views are.
pub fn apply_block(
    spec: &ChainSpec,
    parent: &BeaconChainState,
    block: &BeaconBlock,
    leader: u32,
    committees: &dyn CommitteeSource,
) -> Result<Transition, BlockError> {
    let BeaconBlock { header, body } = block;
    check_header(parent, header)?;
    let (expected, found) = (body.root(), header.body_root);
    if expected != found {
        return Err(BlockError::BodyRoot { expected, found });
    }
    let (state, events) = apply_body(spec, parent, header, body, leader, committees)?;
    let (expected, found) = (state.root(), header.state_root);
    if expected != found {
        return Err(BlockError::StateRoot { expected, found });
    }
    let chain = BeaconChainState::new(state, header.clone(), parent.history().clone());
    Ok(Transition { chain, events })
}

/// Checks all of a header that does not depend on the body.
fn check_header(parent: &BeaconChainState, header: &BeaconHeader) -> Result<(), BlockError> {
    let (expected, found) = (parent.id(), header.parent);
    if expected != found {
        return Err(BlockError::Parent { expected, found });
    }
    let (expected, found) = (parent.header().height.next(), header.height);
    if expected != found {
        return Err(BlockError::Height { expected, found });
    }
    let (below, found) = (parent.header().timestamp_ms, header.timestamp_ms);
    if found <= below {
        return Err(BlockError::Timestamp { parent: below, found });
    }
    let (expected, found) = (epoch_above(parent)?, header.epoch);
    if expected != found {
        return Err(BlockError::Epoch { height: header.height, expected, found });
    }
    let (expected, found) = (parent.history().root(), header.history_root);
    if expected != found {
        return Err(BlockError::HistoryRoot { expected, found });
    }
    Ok(())
}

/// The epoch of the block above `parent`.
pub(crate) fn epoch_above(parent: &BeaconChainState) -> Result<Epoch, CommitteeError> {
    let entry = parent.state().current_epoch(Chain::Beacon);
    let no_such_epoch = CommitteeError::NoSuchEpoch { chain: Chain::Beacon, epoch: parent.header().epoch };
    entry.map(|entry| entry.epoch).ok_or(no_such_epoch)
}

/// The state above a body; of the header, only height, epoch, proposer and timestamp are read.
fn apply_body(
    spec: &ChainSpec,
    parent: &BeaconChainState,
    header: &BeaconHeader,
    body: &BeaconBody,
    leader: u32,
    committees: &dyn CommitteeSource,
) -> Result<(BeaconState, Vec<Event>), BlockError> {
    let (mut state, mut events) = apply_operations(spec, parent, header, body, leader, committees)?;
    receipts::apply(spec, header.timestamp_ms, &mut state, &body.bundles, &mut events)?;
    apply_payouts(spec, &mut state, &mut events);
    Ok((state, events))
}

/// The state after all that comes before the body's bundles.
pub(crate) fn apply_operations(
    spec: &ChainSpec,
    parent: &BeaconChainState,
    header: &BeaconHeader,
    body: &BeaconBody,
    leader: u32,
    committees: &dyn CommitteeSource,
) -> Result<(BeaconState, Vec<Event>), BlockError> {
    let below = parent.state();
    let authority = ruling_authority(committees, Chain::Beacon, below.beacon_table(), header.epoch)?;
    let (genesis_hash, reveal) = (below.genesis_hash(), &body.randao_reveal);
    randao::verify(genesis_hash, &authority, leader, header.proposer, header.height, reveal)?;

    let (mut state, mut events) = (below.clone(), Vec::new());
    state.height = header.height;
    randao::apply(&mut state, reveal);
    apply_evidence(spec, &mut state, &body.evidence, &mut events)?;
    let lottery = Lottery::new(spec, state.mix);
    disputes::apply(spec, &lottery, &mut state, body, committees, &mut events)?;
    check_crosslinks(spec, &state, &body.crosslinks, committees)?;
    for crosslink in &body.crosslinks {
        crosslink::apply(spec, &lottery, &mut state, crosslink, &mut events)?;
    }
    early_end::apply_stalls(spec, &lottery, &mut state, &mut events)?;
    epoch::apply_beacon_start(&lottery, &mut state, &mut events)?;
    Ok((state, events))
}

fn apply_evidence(
    spec: &ChainSpec,
    state: &mut BeaconState,
    pieces: &[Evidence],
    events: &mut Vec<Event>,
) -> Result<(), BlockError> {
    let (max, found) = (spec.evidence_max, pieces.len());
    if found > max as usize {
        return Err(BlockError::TooMuchEvidence { max, found });
    }
    for (index, piece) in pieces.iter().enumerate() {
        let failed = |error| BlockError::Evidence { index, error };
        let verdict = evidence::verify(state.genesis_hash, piece).map_err(failed)?;
        let penalty = evidence::check(spec, state, &verdict).map_err(failed)?;
        evidence::apply(state, &verdict, penalty, events);
    }
    Ok(())
}

/// Checks a block's crosslinks one by one, then what they require of each other, then all certificates.
fn check_crosslinks(
    spec: &ChainSpec,
    state: &BeaconState,
    crosslinks: &[Crosslink],
    committees: &dyn CommitteeSource,
) -> Result<(), BlockError> {
    let (max, found) = (spec.crosslinks_max, crosslinks.len());
    if found > max as usize {
        return Err(BlockError::TooManyCrosslinks { max, found });
    }
    let unordered = |pair: &&[Crosslink]| pair[0].header.shard >= pair[1].header.shard;
    if let Some(pair) = crosslinks.windows(2).find(unordered) {
        let (previous, found) = (pair[0].header.shard, pair[1].header.shard);
        return Err(BlockError::CrosslinkOrder { previous, found });
    }
    for crosslink in crosslinks {
        crosslink::verify(crosslink)
            .and_then(|()| crosslink::check(spec, state, crosslink))
            .map_err(|error| BlockError::Crosslink { shard: crosslink.header.shard, error })?;
    }
    let heads = joint::heads(crosslinks);
    for crosslink in crosslinks {
        joint::check(state, &heads, crosslink)
            .map_err(|error| BlockError::Requirement { shard: crosslink.header.shard, error })?;
    }
    check_certificates(state, crosslinks, committees)
}

/// Verifies the certificates in one batch.
fn check_certificates(
    state: &BeaconState,
    crosslinks: &[Crosslink],
    committees: &dyn CommitteeSource,
) -> Result<(), BlockError> {
    let mut authorities = Vec::with_capacity(crosslinks.len());
    for crosslink in crosslinks {
        authorities.push(crosslink_authority(state, crosslink, committees)?);
    }
    let pairs: Vec<_> = (authorities.iter().zip(crosslinks))
        .map(|(authority, crosslink)| (&**authority, &crosslink.certificate))
        .collect();
    verify_certificates(&pairs).map_err(|errors| {
        let (place, error) = errors.into_iter().next().expect("a failed batch names a certificate");
        // The place is that of a pair, and there is one for each crosslink.
        BlockError::Certificate { shard: crosslinks[place].header.shard, error }
    })
}

/// The committee whose certificate a crosslink must bear.
pub(crate) fn crosslink_authority(
    state: &BeaconState,
    crosslink: &Crosslink,
    committees: &dyn CommitteeSource,
) -> Result<std::sync::Arc<consensus::authority::Authority>, CommitteeError> {
    let (chain, epoch) = (Chain::Shard(crosslink.header.shard), crosslink.header.epoch);
    let table = state.table(chain).ok_or(CommitteeError::NoSuchEpoch { chain, epoch })?;
    ruling_authority(committees, chain, table, epoch)
}
