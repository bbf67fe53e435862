//! A beacon state with the header that commits to it.

use crate::state::BeaconState;
use crypto::mmr::Mmr;
use primitives::{B256, BeaconHeader};
use ssz::{Decode, DecodeError, Encode};

#[cfg(test)]
mod tests;

/// All that the next block's validity depends on: the state, its header, and the ids so far.
///
/// The header commits to all of it: to the state by its state root, to the ids below by its history root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeaconChainState {
    state: BeaconState,
    header: BeaconHeader,
    id: B256,
    /// Over the ids below the header.
    below: Mmr,
    /// Over the ids below and the header's own.
    history: Mmr,
}

impl BeaconChainState {
    /// Sets the header on top of a history that reaches up to its parent.
    pub(crate) fn new(state: BeaconState, header: BeaconHeader, below: Mmr) -> Self {
        let id = header.id();
        let mut history = below.clone();
        history.push(id);
        Self { state, header, id, below, history }
    }

    /// The state after the header's block.
    pub const fn state(&self) -> &BeaconState {
        &self.state
    }

    /// The header.
    pub const fn header(&self) -> &BeaconHeader {
        &self.header
    }

    /// The header's id.
    pub const fn id(&self) -> B256 {
        self.id
    }

    /// The range over the ids of heights zero up to the header's own: what the next header commits to.
    pub const fn history(&self) -> &Mmr {
        &self.history
    }
}

impl Encode for BeaconChainState {
    fn is_ssz_fixed_len() -> bool {
        false
    }
    fn ssz_bytes_len(&self) -> usize {
        self.stored().ssz_bytes_len()
    }
    fn ssz_append(&self, buf: &mut Vec<u8>) {
        self.stored().ssz_append(buf);
    }
}

impl BeaconChainState {
    fn stored(&self) -> Stored<'_> {
        Stored {
            state: &self.state,
            header: &self.header,
            leaf_count: self.below.leaf_count(),
            peaks: self.below.peaks().to_vec(),
        }
    }
}

/// The encoded form.
#[derive(ssz_derive::Encode)]
struct Stored<'a> {
    state: &'a BeaconState,
    header: &'a BeaconHeader,
    leaf_count: u64,
    peaks: Vec<B256>,
}

/// The decoded form, before it is checked.
#[derive(ssz_derive::Decode)]
struct Loaded {
    state: BeaconState,
    header: BeaconHeader,
    leaf_count: u64,
    peaks: Vec<B256>,
}

impl Decode for BeaconChainState {
    fn is_ssz_fixed_len() -> bool {
        false
    }

    fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let Loaded { state, header, leaf_count, peaks } = Loaded::from_ssz_bytes(bytes)?;
        let below = Mmr::from_parts(leaf_count, peaks)
            .map_err(|error| DecodeError::BytesInvalid(error.to_string()))?;
        check_committed("state", header.state_root, state.root())?;
        check_committed("history", header.history_root, below.root())?;
        if (header.height, header.height.get()) != (state.height(), leaf_count) {
            let (header, state) = (header.height, state.height());
            let error = format!("header {header}, state {state} and {leaf_count} ids below do not meet");
            return Err(DecodeError::BytesInvalid(error));
        }
        Ok(Self::new(state, header, below))
    }
}

fn check_committed(what: &str, expected: B256, found: B256) -> Result<(), DecodeError> {
    if expected == found {
        return Ok(());
    }
    Err(DecodeError::BytesInvalid(format!("the header commits to {what} {expected}, found {found}")))
}
