//! What readers see: the chain as it was after one certified block.

use beacon_state::{BeaconChainState, BeaconState};
use primitives::{B256, BeaconBlock, BeaconHeader, Certificate, Chain, Committee, Epoch, Height};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The newest certified block with its state. On the beacon chain, certified is finalized.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The state above the block.
    pub chain: Arc<BeaconChainState>,
    /// The block.
    pub block: Arc<BeaconBlock>,
    /// Its own certificate, where there is one.
    pub certificate: Option<Certificate>,
    /// Every committee that the state names.
    pub committees: BTreeMap<(Chain, Epoch), Arc<Committee>>,
}

impl Snapshot {
    /// The state.
    pub fn state(&self) -> &BeaconState {
        self.chain.state()
    }

    /// The block's header.
    pub fn header(&self) -> &BeaconHeader {
        self.chain.header()
    }

    /// The block's id.
    pub fn id(&self) -> B256 {
        self.chain.id()
    }

    /// The block's height.
    pub fn height(&self) -> Height {
        self.header().height
    }
}
