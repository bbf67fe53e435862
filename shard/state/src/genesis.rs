//! Where a shard starts: the funded accounts, the system contracts, and the header over them.
//!
//! Rules: docs/spec/shard-block.md#genesis; EIP-2935, EIP-4788 for the contracts.

use alloy_eips::{
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use crypto::mmr::Mmr;
use primitives::{
    Allocation, AnchorProof, BeaconHeader, ChainSpec, InboxCursors, PublicKeyBytes, Seat, ShardBody,
    ShardHeader, ShardId, ShardRecord, ValidatorIndex,
};

use xshard::empty_outbox_root;

use crate::{
    account::Account,
    atomic::{ATOMIC, ATOMIC_CODE},
    portal::{PORTAL, PORTAL_CODE},
    receipt::transactions_root,
    state::{FlatState as _, MemoryState},
};

/// Contracts that every shard has from the start, with their code.
fn system_contracts() -> [(Address, Bytes); 4] {
    [
        (BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE.clone()),
        (HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone()),
        (PORTAL, PORTAL_CODE),
        (ATOMIC, ATOMIC_CODE),
    ]
}

/// The state before the first block. Allocations to one address add up; they saturate.
pub fn genesis_state(allocations: &[Allocation]) -> MemoryState {
    let mut state = MemoryState::new();
    for Allocation { address, balance } in allocations {
        let before = state.account(address).ok().flatten().unwrap_or_default();
        let balance = before.balance.saturating_add(*balance);
        state.set_account(*address, Account { balance, ..before });
    }
    for (address, code) in system_contracts() {
        let before = state.account(&address).ok().flatten().unwrap_or_default();
        let code_hash = state.set_code(code);
        state.set_account(address, Account { nonce: 1, code_hash, ..before });
    }
    state
}

/// The header of height zero. Its id goes into the genesis file, so nothing of it may depend on that.
pub fn genesis_header(
    spec: &ChainSpec,
    shard: ShardId,
    allocations: &[Allocation],
    timestamp_ms: u64,
) -> ShardHeader {
    genesis_header_of(spec, shard, &genesis_state(allocations), timestamp_ms)
}

/// The header over a genesis state that is at hand.
pub fn genesis_header_of(
    spec: &ChainSpec,
    shard: ShardId,
    state: &MemoryState,
    timestamp_ms: u64,
) -> ShardHeader {
    ShardHeader {
        shard,
        timestamp_ms,
        state_root: state.trie().root(),
        transactions_root: transactions_root(&[]),
        transaction_receipts_root: transactions_root(&[]),
        outbox_root: empty_outbox_root(),
        inbox_cursors_root: InboxCursors::default().root(),
        history_root: Mmr::new().root(),
        data_root: genesis_body().root(),
        gas_limit: spec.gas_limit,
        base_fee: spec.base_fee_initial,
        ..ShardHeader::default()
    }
}

/// The body of height zero: nobody proposed it, so everything in it is empty or zero.
pub fn genesis_body() -> ShardBody {
    let seat = Seat {
        key: PublicKeyBytes::new([0; PublicKeyBytes::LENGTH]),
        validator: ValidatorIndex::ZERO,
        node: B256::ZERO,
        fee_recipient: Address::ZERO,
    };
    let anchor = AnchorProof {
        header: BeaconHeader::default(),
        mix: B256::ZERO,
        mix_branch: Vec::new(),
        record: ShardRecord::default(),
        record_branch: Vec::new(),
        seat_index: 0,
        seat,
        seat_branch: Vec::new(),
    };
    ShardBody {
        anchor,
        others: Vec::new(),
        delivery: Vec::new(),
        bundles: Vec::new(),
        transactions: Vec::new(),
    }
}

/// Sum of the allocations: what exists on the shard before its first block. `None` if it does not fit.
pub fn genesis_supply(allocations: &[Allocation]) -> Option<U256> {
    allocations.iter().try_fold(U256::ZERO, |sum, allocation| sum.checked_add(allocation.balance))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::b256;

    use super::*;

    fn allocations() -> [Allocation; 2] {
        [1, 2].map(|byte| Allocation { address: Address::repeat_byte(byte), balance: U256::from(byte) })
    }

    #[test]
    fn every_shard_has_a_genesis_header_of_its_own() {
        let spec = ChainSpec::preset("local").expect("a preset");
        let ids = [0, 1].map(|shard| genesis_header(&spec, ShardId::new(shard), &allocations(), 7).id());
        assert_ne!(ids[0], ids[1]);
    }

    /// Every node of a network computes this id: a change is a new network.
    #[test]
    fn a_genesis_header_has_this_id() {
        let spec = ChainSpec::preset("local").expect("a preset");
        let header = genesis_header(&spec, ShardId::new(1), &allocations(), 1_700_000_000_000);
        let state_root = b256!("1e9cf44c7d01cdfdc4653f9b65e832e7e0b03c5643c5e7668dfb92b429b734fb");
        let id = b256!("91ad0a8df527a7c5508fcce350038f96425c07544b3691fbf20f0ae794da36b1");
        assert_eq!((header.state_root, header.id()), (state_root, id));
    }

    #[test]
    fn the_system_contracts_have_the_code_that_their_eips_publish() {
        let state = genesis_state(&allocations());
        for (address, code) in system_contracts() {
            let account = state.account(&address).expect("in memory").expect("exists");
            assert_eq!(state.code(&account.code_hash).expect("in memory"), Some(code));
            assert_eq!(account.nonce, 1);
        }
    }

    #[test]
    fn allocations_to_one_address_add_up() {
        let [first, _] = allocations();
        let state = genesis_state(&[first, first]);
        assert_eq!(state.supply(), Some(U256::from(2)));
        assert_eq!(genesis_supply(&[first, first]), Some(U256::from(2)));
    }
}
