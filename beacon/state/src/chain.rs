//! A beacon state with the header that commits to it.

use crate::state::BeaconState;
use crypto::mmr::Mmr;
use primitives::{B256, BeaconHeader};
use ssz::{Decode, DecodeError, Encode};

/// All that the next block's validity depends on: the state, its header, and the ids so far.
///
/// The state's root is the header's, and the history has one leaf for each height up to the header's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeaconChainState {
    state: BeaconState,
    header: BeaconHeader,
    id: B256,
    history: Mmr,
}

impl BeaconChainState {
    /// Sets the header on top of a history that reaches up to its parent.
    pub(crate) fn new(state: BeaconState, header: BeaconHeader, mut history: Mmr) -> Self {
        let id = header.id();
        history.push(id);
        Self { state, header, id, history }
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
            leaf_count: self.history.leaf_count(),
            peaks: self.history.peaks().to_vec(),
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
        let invalid = |what: String| Err(DecodeError::BytesInvalid(what));
        let history = match Mmr::from_parts(leaf_count, peaks) {
            Ok(history) => history,
            Err(error) => return invalid(error.to_string()),
        };
        let (expected, found) = (header.state_root, state.root());
        if expected != found {
            return invalid(format!("the header commits to state {expected}, found {found}"));
        }
        if header.height != state.height() || header.height.get().checked_add(1) != Some(leaf_count) {
            let (state, header) = (state.height(), header.height);
            return invalid(format!("header {header}, state {state} and {leaf_count} leaves do not meet"));
        }
        Ok(Self { id: header.id(), state, header, history })
    }
}
