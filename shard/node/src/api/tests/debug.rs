//! Traces and encoded blocks.

use super::*;
use alloy_eips::Decodable2718 as _;
use primitives::{ShardBlock, ShardHeader};
use rpc::method::DebugApi;
use rpc::view::{GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult};
use serde_json::{Value, json};
use ssz::Decode as _;

fn options(text: Value) -> rpc::view::TraceOptions {
    let options: GethDebugTracingOptions = serde_json::from_value(text).expect("options as geth takes them");
    options.try_into().expect("a timeout as Go writes it")
}

fn call_options(text: Value) -> rpc::view::TraceCallOptions {
    let options: GethDebugTracingCallOptions =
        serde_json::from_value(text).expect("options as geth takes them");
    options.try_into().expect("a timeout as Go writes it")
}

fn calls() -> Value {
    json!({"tracer": "callTracer"})
}

fn json_of(trace: RpcResult<GethTrace>) -> Value {
    serde_json::to_value(trace.expect("is traced")).expect("a trace is JSON")
}

/// A block with a transfer, a creation, a call that leaves a log and one that reverts.
async fn mixed_block(chain: &TestChain, api: &ShardApi) -> Vec<B256> {
    let emitter = deploy(chain, api, &EMITTER).await;
    let reverter = deploy(chain, api, &REVERTER).await;
    let sender = Sender::new(SHARD);
    let call = |nonce, to| sender.transaction(&key(0), nonce, to, U256::ZERO, creating(&EMITTER));
    let transactions =
        [transfer(1, 0), call(2, None), call(3, Some(emitter)), call(4, Some(reverter)), transfer(0, 5)];
    for transaction in &transactions {
        send(api, transaction).await;
    }
    chain.seal();
    let block = api.block_by_number(Tag::Latest, false).await.expect("readable").expect("known");
    let hashes = block.transactions.as_hashes().expect("hashes").to_vec();
    assert_eq!(hashes.len(), transactions.len());
    hashes
}

#[tokio::test]
async fn each_trace_of_a_block_ends_as_its_receipt_says() {
    let (chain, api) = served();
    let hashes = mixed_block(&chain, &api).await;
    let block = api.trace_block(latest(), options(json!({}))).await.expect("is traced");
    let calls_of_block = api.trace_block(latest(), options(calls())).await.expect("is traced");
    for (index, hash) in hashes.iter().enumerate() {
        let receipt = api.transaction_receipt(*hash).await.expect("readable").expect("mined");
        let single = api.trace_transaction(*hash, options(json!({}))).await.expect("is traced");
        assert_eq!(block[index], TraceResult::Success { result: single.clone(), tx_hash: Some(*hash) });
        let GethTrace::Default(frame) = single else { panic!("{single:?}") };
        assert_eq!((frame.gas, frame.failed), (receipt.gas_used, !receipt.status()));
        let single = api.trace_transaction(*hash, options(calls())).await.expect("is traced");
        assert_eq!(
            calls_of_block[index],
            TraceResult::Success { result: single.clone(), tx_hash: Some(*hash) }
        );
        let GethTrace::CallTracer(frame) = single else { panic!("{single:?}") };
        assert_eq!(frame.gas_used, U256::from(receipt.gas_used));
        assert_eq!(frame.error.is_none(), receipt.status());
    }
}

#[tokio::test]
async fn a_transfer_that_went_around_the_interpreter_is_traced_as_a_call() {
    let (chain, api) = served();
    let hash = send(&api, &transfer(0, 0)).await;
    chain.seal();
    assert_eq!(
        json_of(api.trace_transaction(hash, options(calls())).await),
        json!({
            "from": key(0).address(),
            "gas": "0x5208",
            "gasUsed": "0x5208",
            "to": receiver(),
            "input": "0x",
            "value": "0xde0b6b3a7640000",
            "type": "CALL",
        })
    );
    assert_eq!(
        json_of(api.trace_transaction(hash, options(json!({}))).await),
        json!({"gas": 21_000, "failed": false, "returnValue": "0x", "structLogs": []})
    );
}

#[tokio::test]
async fn a_transaction_sees_what_those_before_it_in_its_block_did() {
    let (chain, api) = served();
    let both = [send(&api, &transfer(0, 0)).await, send(&api, &transfer(0, 1)).await];
    chain.seal();
    let prestate = async |hash| {
        let trace = api.trace_transaction(hash, options(json!({"tracer": "prestateTracer"}))).await;
        json_of(trace)[format!("{}", receiver()).to_lowercase()]["balance"].clone()
    };
    assert_eq!(prestate(both[0]).await, Value::Null, "nobody was there");
    assert_eq!(prestate(both[1]).await, "0xde0b6b3a7640000");
}

#[tokio::test]
async fn a_traced_call_runs_on_overridden_state_or_inside_a_block() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let call = Sender::new(SHARD).transaction(&key(0), 1, Some(emitter), U256::ZERO, Bytes::new());
    send(&api, &call).await;
    chain.seal();
    // Returns slot 0.
    let reader = "0x5f545f5260205ff3";
    let traced = async |more: Value| {
        let mut text = json!({
            "tracer": "callTracer",
            "stateOverrides": {format!("{emitter}"): {"code": reader}},
        });
        text.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        api.trace_call(calling(emitter), latest(), call_options(text)).await
    };
    let output = async |more| json_of(traced(more).await)["output"].clone();
    assert_eq!(output(json!({})).await, format!("0x{:064x}", 42));
    assert_eq!(output(json!({"txIndex": "0x0"})).await, format!("0x{:064x}", 0));
    assert_eq!(output(json!({"txIndex": "0x1"})).await, format!("0x{:064x}", 42));
    assert_eq!(
        text(traced(json!({"txIndex": "0x2"})).await),
        (-32000, "transaction index 2 out of range, the block has 1".into())
    );
    let number = json!({"blockOverrides": {"number": "0x4d"}, "tracer": "callTracer"});
    let request = TransactionRequest::default().input(NUMBER.into());
    let trace = json_of(api.trace_call(request, latest(), call_options(number)).await);
    assert_eq!(trace["output"], format!("0x{:064x}", 0x4d));
}

#[tokio::test]
async fn what_cannot_be_traced_says_why() {
    let (chain, api) = served();
    let hash = send(&api, &transfer(0, 0)).await;
    for _ in 0..6 {
        chain.seal();
    }
    let missing = api.trace_transaction(B256::repeat_byte(9), options(json!({}))).await;
    assert_eq!(text(missing), (-32000, "transaction not found".into()));
    let genesis = api.trace_block(BlockId::number(0), options(json!({}))).await;
    assert_eq!(text(genesis), (-32000, "genesis is not traceable".into()));
    let above = api.trace_block(BlockId::number(7), options(json!({}))).await;
    assert_eq!(above, Err(RpcError::HeaderNotFound));
    let old = api.trace_transaction(hash, options(json!({}))).await;
    assert_eq!(old, Err(RpcError::StateNotAvailable { height: 0, oldest: 2, newest: 6 }));
    let program = api.trace_block(latest(), options(json!({"tracer": "{step: function() {}}"}))).await;
    let (code, words) = text(program);
    assert_eq!(code, -32000);
    assert!(
        words.starts_with("tracer not found: `{step: function() {}}` is none of callTracer, "),
        "{words}"
    );
}

#[tokio::test]
async fn a_trace_ends_at_its_budget_and_at_its_timeout() {
    let (chain, api) = served_with(ApiConfig { trace_bytes_max: 10_000, ..ApiConfig::default() });
    // An endless loop.
    let looper = deploy(&chain, &api, &bytes!("5b5f56")).await;
    let traced = async |request: TransactionRequest, text: Value| {
        api.trace_call(request, latest(), call_options(text)).await
    };
    let (code, words) = text(traced(calling(looper), json!({})).await);
    assert_eq!(code, -32005);
    assert!(words.starts_with("the trace holds more than 10000 bytes: "), "{words}");
    let few = json_of(traced(calling(looper).gas_limit(100_000), json!({"limit": 5})).await);
    assert_eq!((few["structLogs"].as_array().map(Vec::len), &few["failed"]), (Some(5), &json!(true)));
    let late = traced(calling(looper), json!({"tracer": "4byteTracer", "timeout": "1ms"})).await;
    assert_eq!(text(late), (-32000, "execution aborted (timeout = 0.001s)".into()));
}

#[tokio::test]
async fn the_pending_block_is_traced_on_the_head() {
    let (chain, api) = served();
    let empty = api.trace_block(Tag::Pending.into(), options(calls())).await;
    assert_eq!(empty, Ok(Vec::new()));
    let hash = send(&api, &transfer(0, 0)).await;
    chain.propose();
    let traces = api.trace_block(Tag::Pending.into(), options(calls())).await.expect("is traced");
    assert_eq!(traces.iter().map(TraceResult::tx_hash).collect::<Vec<_>>(), [Some(hash)]);
}

#[tokio::test]
async fn raw_blocks_are_the_shards_own_containers() {
    let (chain, api) = served();
    let hashes = mixed_block(&chain, &api).await;
    let snapshot = chain.snapshot();
    let header = api.raw_header(latest()).await.expect("known");
    let header = ShardHeader::from_ssz_bytes(&header).expect("SSZ");
    assert_eq!((&header, header.id()), (snapshot.header(), snapshot.id()));
    let block = api.raw_block(BlockId::hash(snapshot.id())).await.expect("known");
    let block = ShardBlock::from_ssz_bytes(&block).expect("SSZ");
    assert_eq!((block.header, block.body.transactions.len()), (header, hashes.len()));
    for (hash, encoded) in hashes.iter().zip(&block.body.transactions) {
        assert_eq!(DebugApi::raw_transaction(&*api, *hash).await.as_ref(), Ok(encoded));
    }
    let receipts = api.raw_receipts(latest()).await.expect("known");
    let statuses = receipts.iter().map(|encoded| {
        let receipt = alloy_consensus::ReceiptEnvelope::decode_2718_exact(encoded);
        receipt.expect("EIP-2718").status()
    });
    assert_eq!(statuses.collect::<Vec<_>>(), [true, true, true, false, true]);
    assert_eq!(api.raw_block(BlockId::number(9)).await, Err(RpcError::HeaderNotFound));
    assert_eq!(text(api.raw_block(Tag::Pending.into()).await).1, "pending block is not available");
    let pooled = transfer(2, 0);
    let hash = send(&api, &pooled).await;
    assert_eq!(DebugApi::raw_transaction(&*api, hash).await.as_ref(), Ok(pooled.encoded()));
    assert_eq!(DebugApi::raw_transaction(&*api, B256::repeat_byte(9)).await, Ok(Bytes::new()));
}
