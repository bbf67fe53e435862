//! Every key that is registered: looked up once for all receipts of a block.

use crate::state::BeaconState;
use primitives::{Chain, NodeKey, PublicKeyBytes, ShardId};
use std::collections::BTreeSet;

/// Seat keys of units that are staked or on their way out, and the node keys of all validators, also of those that have
/// left: their index stays theirs.
#[derive(Debug)]
pub(super) struct Keys {
    seats: BTreeSet<PublicKeyBytes>,
    nodes: BTreeSet<NodeKey>,
}

impl Keys {
    pub(super) fn of(state: &BeaconState) -> Self {
        let staked = state.validators().flat_map(|record| record.units()).copied();
        let exiting = state.exits().map(|unit| unit.key);
        let node_keys = |record: &crate::ValidatorRecord| {
            [record.node(Chain::Beacon), record.node(Chain::Shard(ShardId::ZERO))]
        };
        Self {
            seats: staked.chain(exiting).collect(),
            nodes: state.validators().flat_map(node_keys).collect(),
        }
    }

    pub(super) fn has_seat(&self, key: &PublicKeyBytes) -> bool {
        self.seats.contains(key)
    }

    pub(super) fn has_node(&self, key: &NodeKey) -> bool {
        self.nodes.contains(key)
    }

    pub(super) fn add_seats(&mut self, keys: impl IntoIterator<Item = PublicKeyBytes>) {
        self.seats.extend(keys);
    }

    pub(super) fn add_nodes(&mut self, keys: [NodeKey; 2]) {
        self.nodes.extend(keys);
    }
}
