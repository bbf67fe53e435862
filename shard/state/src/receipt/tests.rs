use alloy_consensus::ReceiptEnvelope;
use alloy_eips::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};
use primitives::ShardId;

use super::{
    TransactionReceipt, logs_bloom, transaction_branch, transaction_receipts_root, transactions_root,
    verify_transaction_branch,
};
use crate::{
    executor::Outcome,
    testing::{Sender, key},
};

fn receipt(logs: Vec<Log>) -> TransactionReceipt {
    let transaction = Sender::new(ShardId::ZERO).transaction(&key(1), 0, None, U256::ZERO, Bytes::new());
    let outcome = Outcome { success: true, gas_used: 5, logs };
    TransactionReceipt::new(&transaction, outcome, 12)
}

#[test]
fn every_transaction_is_proven_by_its_branch_and_no_other() {
    let hashes: Vec<B256> = (0u8..11).map(|number| keccak256([number])).collect();
    let root = transactions_root(&hashes);
    for (index, hash) in (0u64..).zip(&hashes) {
        let branch = transaction_branch(&hashes, index).expect("there is such a transaction");
        assert!(verify_transaction_branch(hash, index, &branch, &root));
        assert!(!verify_transaction_branch(hash, index ^ 1, &branch, &root));
        assert!(!verify_transaction_branch(&B256::ZERO, index, &branch, &root));
        assert!(!verify_transaction_branch(hash, index | 1 << 20, &branch, &root));
    }
    assert_eq!(transaction_branch(&hashes, 11), None);
}

#[test]
fn the_root_is_that_of_an_ssz_list() {
    use ssz_types::{VariableList, typenum::U1048576};
    use tree_hash::TreeHash as _;
    for count in [0, 1, 2, 7] {
        let hashes: Vec<B256> = (0u8..count).map(|number| keccak256([number])).collect();
        let list = VariableList::<B256, U1048576>::new(hashes.clone()).expect("fits");
        assert_eq!(transactions_root(&hashes), list.tree_hash_root());
    }
}

#[test]
fn a_receipt_is_committed_to_as_ethereum_encodes_it() {
    let receipt = receipt(vec![Log::new_unchecked(Address::ZERO, vec![B256::ZERO], Bytes::new())]);
    let encoded = receipt.envelope.encoded_2718();
    assert_eq!(encoded[0], 2, "the type of its transaction");
    let decoded = ReceiptEnvelope::decode_2718_exact(&encoded).expect("was just encoded");
    assert_eq!(decoded, receipt.envelope);
    assert_eq!((decoded.cumulative_gas_used(), decoded.status()), (12, true));
    assert_eq!(transaction_receipts_root(&[receipt]), transactions_root(&[keccak256(encoded)]));
}

#[test]
fn the_union_of_blooms_has_every_log() {
    let log = |byte| Log::new_unchecked(Address::repeat_byte(byte), Vec::new(), Bytes::new());
    let bloom = logs_bloom(&[receipt(vec![log(1)]), receipt(Vec::new()), receipt(vec![log(2), log(3)])]);
    for byte in 1..4 {
        assert!(bloom.contains_log(&log(byte)));
    }
    assert!(!bloom.contains_log(&log(4)));
}
