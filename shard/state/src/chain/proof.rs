//! An account with its proof, as `eth_getProof` answers.

use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::Height;

use crate::{account::Account, trie::StateTrie};

/// An account, or its absence, with the trie nodes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// The state is the one after this block.
    pub height: Height,
    /// Root that is proven against.
    pub state_root: B256,
    /// The account.
    pub address: Address,
    /// Its value; empty if it does not exist.
    pub account: Account,
    /// Root of its storage.
    pub storage_root: B256,
    /// Nodes from the state root down.
    pub nodes: Vec<Bytes>,
    /// The slots asked for.
    pub storage: Vec<StorageProof>,
}

/// A slot with the nodes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageProof {
    /// The slot (not hashed).
    pub slot: B256,
    /// Its value.
    pub value: U256,
    /// Nodes from the storage root down.
    pub nodes: Vec<Bytes>,
}

impl AccountProof {
    pub(super) fn new(
        trie: &mut StateTrie,
        height: Height,
        address: &Address,
        account: Account,
        slots: &[B256],
    ) -> Self {
        let state_root = trie.root();
        let (nodes, storage) = trie.account_proof(address, slots);
        let storage = storage.into_iter().map(|(slot, value, nodes)| StorageProof { slot, value, nodes });
        Self {
            height,
            state_root,
            address: *address,
            account,
            storage_root: trie.storage_root(address),
            nodes,
            storage: storage.collect(),
        }
    }
}
