//! What an engine must be told about a chain before it can run it.

use crate::Block;
use primitives::{B256, Certificate, Chain, Committee, EpochTable, Height};

/// How much a crash may cost. Reports of measurements say which was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Durability {
    /// What was synced survives a power cut.
    Power,
    /// What was synced is with the operating system: it survives `kill -9`, not a power cut.
    Process,
}

/// One chain, as opened by [`crate::Network::open`].
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// Which chain.
    pub chain: Chain,
    /// Hash of the genesis file: what separates this network's signatures from all others'.
    pub genesis_hash: B256,
    /// Wanted time between blocks, milliseconds.
    pub interval_ms: u64,
    /// How far a block's timestamp may be ahead of the clock, milliseconds.
    pub drift_ms: u64,
    /// Which heights belong to which epoch, as far as it is known; of this generation.
    pub table: EpochTable,
    /// Length of an epoch for which no table says otherwise.
    pub heights_per_epoch: u64,
    /// Largest encoding of a block's body, bytes.
    pub body_bytes_max: usize,
    /// Requests that may wait for the chain's owner.
    pub requests_max: usize,
    /// How many times the chain was ended early. Nothing on disk is shared between two generations,
    /// and opening one deletes all others'.
    pub generation: u64,
    /// Where the chain starts, unless this generation has already got further.
    pub start: Start,
}

/// The block a generation starts above.
#[derive(Clone, Debug)]
pub enum Start {
    /// The block at height zero, which nobody certified.
    Genesis(Block),
    /// The last block the beacon chain accepted before it ended an epoch early.
    Floor {
        /// The block.
        block: Block,
        /// Its own certificate.
        certificate: Certificate,
        /// The committee of the block's epoch.
        committee: Committee,
    },
}

impl Start {
    /// The block.
    pub const fn block(&self) -> &Block {
        match self {
            Self::Genesis(block) | Self::Floor { block, .. } => block,
        }
    }

    /// Its height.
    pub fn height(&self) -> Height {
        self.block().height()
    }
}
