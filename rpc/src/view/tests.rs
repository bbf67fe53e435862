use super::*;
use alloy_consensus::{
    Receipt, ReceiptWithBloom, Signed, TxEip1559, TxEnvelope, TxLegacy, TxType, transaction::Recovered,
};
use alloy_primitives::{Address, B256, Bloom, Bytes, Signature, TxKind, U256};
use primitives::{AnchorRef, Epoch, Height, ShardHeader, ValidatorIndex, View};
use serde_json::{Value, json};

fn shard_header() -> ShardHeader {
    ShardHeader {
        epoch: Epoch::new(3),
        view: View::new(17),
        height: Height::new(300),
        parent: B256::repeat_byte(0x01),
        timestamp_ms: 1_700_000_000_750,
        proposer: ValidatorIndex::new(2),
        anchor: AnchorRef { height: Height::new(150), id: B256::repeat_byte(0x02) },
        state_root: B256::repeat_byte(0x03),
        transactions_root: B256::repeat_byte(0x04),
        transaction_receipts_root: B256::repeat_byte(0x05),
        gas_used: 21_000,
        gas_limit: 500_000_000,
        base_fee: 7,
        ..Default::default()
    }
}

fn facts(header: &ShardHeader) -> BlockFacts<'_> {
    BlockFacts {
        header,
        id: B256::repeat_byte(0xaa),
        fee_recipient: Address::repeat_byte(0x06),
        mix: B256::repeat_byte(0x07),
        size: 1_024,
    }
}

fn signature() -> Signature {
    Signature::new(U256::from(1), U256::from(2), true)
}

fn dynamic_fee() -> Recovered<TxEnvelope> {
    let transaction = TxEip1559 {
        chain_id: 7_001,
        nonce: 4,
        gas_limit: 21_000,
        max_fee_per_gas: 100,
        max_priority_fee_per_gas: 2,
        to: TxKind::Call(Address::repeat_byte(0x22)),
        value: U256::from(1_000),
        ..Default::default()
    };
    let signed = Signed::new_unchecked(transaction, signature(), B256::repeat_byte(0xbb));
    Recovered::new_unchecked(signed.into(), Address::repeat_byte(0x11))
}

fn legacy() -> Recovered<TxEnvelope> {
    let transaction = TxLegacy {
        chain_id: Some(7_001),
        nonce: 5,
        gas_price: 9,
        gas_limit: 60_000,
        to: TxKind::Create,
        value: U256::ZERO,
        input: Bytes::from_static(&[0x60, 0x00]),
    };
    let signed = Signed::new_unchecked(transaction, signature(), B256::repeat_byte(0xcc));
    Recovered::new_unchecked(signed.into(), Address::repeat_byte(0x11))
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("a view is JSON")
}

fn repeated(byte: &str, times: usize) -> String {
    format!("0x{}", byte.repeat(times))
}

fn header_json() -> Value {
    json!({
        "hash": repeated("aa", 32),
        "parentHash": repeated("01", 32),
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "miner": repeated("06", 20),
        "stateRoot": repeated("03", 32),
        "transactionsRoot": repeated("04", 32),
        "receiptsRoot": repeated("05", 32),
        "logsBloom": repeated("00", 256),
        "difficulty": "0x0",
        "number": "0x12c",
        "gasLimit": "0x1dcd6500",
        "gasUsed": "0x5208",
        "timestamp": "0x6553f100",
        "extraData": "0x",
        "mixHash": repeated("07", 32),
        "nonce": "0x0000000000000000",
        "baseFeePerGas": "0x7",
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": repeated("02", 32),
        "size": "0x400",
        "atoll": {
            "timestampMs": "0x18bcfe56aee",
            "epoch": "0x3",
            "view": "0x11",
            "proposer": "0x2",
            "anchor": { "height": "0x96", "id": repeated("02", 32) },
        },
    })
}

#[test]
fn a_shard_header_reads_as_an_ethereum_header_with_what_only_atoll_has() {
    let header = shard_header();
    assert_eq!(json_of(&Header::from(&facts(&header))), header_json());
}

#[test]
fn a_block_with_hashes_adds_them_and_an_empty_list_of_uncles() {
    let header = shard_header();
    let block = block_with_hashes(&facts(&header), vec![B256::repeat_byte(0xbb)]);
    let mut expected = header_json();
    expected["uncles"] = json!([]);
    expected["transactions"] = json!([repeated("bb", 32)]);
    assert_eq!(json_of(&block), expected);
}

#[test]
fn an_empty_block_has_an_empty_list_of_transactions() {
    let header = shard_header();
    assert_eq!(json_of(&block_with_hashes(&facts(&header), Vec::new()))["transactions"], json!([]));
}

#[test]
fn tools_that_know_only_ethereum_read_a_block() {
    let header = shard_header();
    let block = block_with_transactions(&facts(&header), [dynamic_fee(), legacy()]);
    let read: alloy_rpc_types_eth::Block =
        serde_json::from_value(json_of(&block)).expect("an Ethereum block");
    assert_eq!(read.header, block.header.ethereum);
    assert_eq!(read.transactions, block.transactions);
}

#[test]
fn a_mined_transaction_names_its_place_and_pays_base_fee_and_tip() {
    let header = shard_header();
    assert_eq!(
        json_of(&transaction(dynamic_fee(), Some(facts(&header).place(1)))),
        json!({
            "type": "0x2",
            "chainId": "0x1b59",
            "nonce": "0x4",
            "gas": "0x5208",
            "maxFeePerGas": "0x64",
            "maxPriorityFeePerGas": "0x2",
            "gasPrice": "0x9",
            "to": repeated("22", 20),
            "value": "0x3e8",
            "accessList": [],
            "input": "0x",
            "r": "0x1",
            "s": "0x2",
            "v": "0x1",
            "yParity": "0x1",
            "hash": repeated("bb", 32),
            "from": repeated("11", 20),
            "blockHash": repeated("aa", 32),
            "blockNumber": "0x12c",
            "blockTimestamp": "0x6553f100",
            "transactionIndex": "0x1",
        })
    );
}

#[test]
fn a_pending_transaction_has_no_place() {
    let view = json_of(&transaction(legacy(), None));
    for field in ["blockHash", "blockNumber", "transactionIndex"] {
        assert_eq!(view.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!(view["gasPrice"], "0x9");
    assert_eq!(view["v"], "0x36d6", "EIP-155: 2 × chain id + 35 + parity");
    assert_eq!(view["to"], Value::Null);
}

fn receipt_facts(kind: TxType, to: Option<Address>, place: Place) -> ReceiptFacts {
    ReceiptFacts {
        hash: B256::repeat_byte(0xbb),
        kind,
        from: Address::repeat_byte(0x11),
        to,
        nonce: 4,
        gas_used: 21_000,
        effective_gas_price: 9,
        place,
        logs_before: 3,
    }
}

#[test]
fn a_receipt_numbers_its_logs_through_the_block() {
    let header = shard_header();
    let log = alloy_primitives::Log::new_unchecked(
        Address::repeat_byte(0x22),
        vec![B256::repeat_byte(0x33)],
        Bytes::from_static(&[1]),
    );
    let receipt = Receipt { status: true.into(), cumulative_gas_used: 42_000, logs: vec![log.clone(), log] };
    let receipt = ReceiptWithBloom { receipt, logs_bloom: Bloom::ZERO };
    let facts = receipt_facts(TxType::Eip1559, Some(Address::repeat_byte(0x22)), facts(&header).place(1));
    let log = |index: &str| {
        json!({
            "address": repeated("22", 20),
            "topics": [repeated("33", 32)],
            "data": "0x01",
            "blockHash": repeated("aa", 32),
            "blockNumber": "0x12c",
            "blockTimestamp": "0x6553f100",
            "transactionHash": repeated("bb", 32),
            "transactionIndex": "0x1",
            "logIndex": index,
            "removed": false,
        })
    };
    assert_eq!(
        json_of(&transaction_receipt(facts, receipt)),
        json!({
            "type": "0x2",
            "status": "0x1",
            "cumulativeGasUsed": "0xa410",
            "logs": [log("0x3"), log("0x4")],
            "logsBloom": repeated("00", 256),
            "transactionHash": repeated("bb", 32),
            "transactionIndex": "0x1",
            "blockHash": repeated("aa", 32),
            "blockNumber": "0x12c",
            "gasUsed": "0x5208",
            "effectiveGasPrice": "0x9",
            "from": repeated("11", 20),
            "to": repeated("22", 20),
            "contractAddress": null,
        })
    );
}

#[test]
fn the_receipt_of_a_creation_names_the_contract() {
    let header = shard_header();
    let receipt: Receipt = Receipt { status: false.into(), cumulative_gas_used: 1, logs: Vec::new() };
    let receipt = ReceiptWithBloom { receipt, logs_bloom: Bloom::ZERO };
    let view =
        json_of(&transaction_receipt(receipt_facts(TxType::Legacy, None, facts(&header).place(0)), receipt));
    assert_eq!(view["contractAddress"], json!(Address::repeat_byte(0x11).create(4)));
    assert_eq!(view["to"], Value::Null);
    assert_eq!(view["status"], "0x0");
    assert_eq!(view["type"], "0x0");
}

#[test]
fn syncing_is_false_or_three_heights() {
    assert_eq!(json_of(&Syncing::DONE), json!(false));
    assert_eq!(
        json_of(&Syncing::running(0, 10, 255)),
        json!({ "startingBlock": "0x0", "currentBlock": "0xa", "highestBlock": "0xff" })
    );
}
