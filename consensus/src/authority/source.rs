//! Where committees come from: beacon state and epoch tables keep their roots only.

use super::Authority;
use primitives::{B256, Chain, Epoch, EpochTable};
use std::sync::Arc;

/// Holds the committees that were drawn.
pub trait CommitteeSource {
    /// The committee of `chain` in `epoch`, if it is at hand.
    fn authority(&self, chain: Chain, epoch: Epoch) -> Option<Arc<Authority>>;
}

/// Why a committee cannot be asked. The sender of a block is not at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitteeError {
    /// The epoch table does not know the epoch.
    #[error("chain {chain}: the epoch table has no epoch {epoch}")]
    NoSuchEpoch {
        /// The chain.
        chain: Chain,
        /// What was asked for.
        epoch: Epoch,
    },
    /// The source does not have it.
    #[error("the committee of chain {chain} in epoch {epoch} is not at hand")]
    Missing {
        /// The chain.
        chain: Chain,
        /// The term.
        epoch: Epoch,
    },
    /// The source has another one.
    #[error(
        "chain {chain}, epoch {epoch}: the epoch table names committee {expected}, the source has {found}"
    )]
    Root {
        /// The chain.
        chain: Chain,
        /// The term.
        epoch: Epoch,
        /// In the epoch table.
        expected: B256,
        /// Of the committee at hand.
        found: B256,
    },
}

/// The committee that `table` names for `epoch`.
pub fn ruling_authority(
    committees: &dyn CommitteeSource,
    chain: Chain,
    table: &EpochTable,
    epoch: Epoch,
) -> Result<Arc<Authority>, CommitteeError> {
    let entry = table.entry(epoch).ok_or(CommitteeError::NoSuchEpoch { chain, epoch })?;
    let authority = committees.authority(chain, epoch).ok_or(CommitteeError::Missing { chain, epoch })?;
    let (expected, found) = (entry.committee_root, authority.committee_root());
    if authority.chain() != chain || authority.epoch() != epoch {
        return Err(CommitteeError::Missing { chain, epoch });
    }
    if expected != found {
        return Err(CommitteeError::Root { chain, epoch, expected, found });
    }
    Ok(authority)
}
