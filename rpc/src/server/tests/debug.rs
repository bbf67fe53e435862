//! Traces and simulations over the wire.

use super::*;
use crate::{
    RpcError,
    error::{RpcResult, SimulationReason},
    method::{DebugApi, SimulateApi},
    view::{
        AccessListResult, Block, GethDebugTracingOptions, GethTrace, SimulatedBlock, TraceCallOptions,
        TraceOptions, TraceResult,
    },
};
use alloy_eips::BlockId;
use alloy_primitives::{Bytes, U256};
use alloy_rpc_types_eth::{TransactionRequest, simulate::SimulatePayload, state::StateOverride};

/// Repeats what it was told as the trace of a tracer that there is not.
fn repeated(options: &TraceOptions) -> GethTrace {
    let GethDebugTracingOptions { config, tracer, tracer_config, .. } = &options.tracing;
    GethTrace::JS(json!({
        "tracer": tracer,
        "config": tracer_config,
        "limit": config.limit,
        "milliseconds": options.timeout.map(|timeout| timeout.as_millis()),
    }))
}

impl DebugApi for Fixed {
    async fn trace_transaction(&self, _: B256, options: TraceOptions) -> RpcResult<GethTrace> {
        Ok(repeated(&options))
    }
    async fn trace_call(
        &self,
        _: TransactionRequest,
        block: BlockId,
        options: TraceCallOptions,
    ) -> RpcResult<GethTrace> {
        let header = options.header.and_then(|header| header.number);
        let accounts = options.state.map(|state| state.len());
        Ok(GethTrace::JS(json!({
            "pending": block.is_pending(),
            "number": header,
            "accounts": accounts,
            "index": options.transaction_index,
            "trace": repeated(&options.trace),
        })))
    }
    async fn trace_block(&self, block: BlockId, options: TraceOptions) -> RpcResult<Vec<TraceResult>> {
        let tx_hash = match block {
            BlockId::Hash(hash) => Some(hash.block_hash),
            BlockId::Number(_) => None,
        };
        Ok(vec![TraceResult::Success { result: repeated(&options), tx_hash }])
    }
    async fn raw_header(&self, _: BlockId) -> RpcResult<Bytes> {
        Err(RpcError::HeaderNotFound)
    }
    async fn raw_block(&self, _: BlockId) -> RpcResult<Bytes> {
        Ok(Bytes::from_static(&[1, 2]))
    }
    async fn raw_receipts(&self, _: BlockId) -> RpcResult<Vec<Bytes>> {
        Ok(vec![Bytes::from_static(&[2, 0xc0])])
    }
    async fn raw_transaction(&self, _: B256) -> RpcResult<Bytes> {
        Ok(Bytes::new())
    }
}

impl SimulateApi for Fixed {
    async fn create_access_list(
        &self,
        _: TransactionRequest,
        _: BlockId,
        _: Option<StateOverride>,
    ) -> RpcResult<AccessListResult> {
        Ok(AccessListResult { gas_used: U256::from(21_000), ..Default::default() })
    }
    async fn simulate(&self, payload: SimulatePayload, _: BlockId) -> RpcResult<Vec<SimulatedBlock<Block>>> {
        if payload.validation {
            return Err(SimulationReason::NonceTooLow.because("nonce too low").into());
        }
        Ok(payload.block_state_calls.iter().map(|_| SimulatedBlock::default()).collect())
    }
}

async fn ask(method: &str, params: &str) -> Value {
    let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    let answer = shard_methods(Arc::new(Fixed::default())).ask(&request).await.expect("a request");
    serde_json::from_str(answer.get()).expect("JSON")
}

const HASH: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

#[tokio::test]
async fn trace_options_are_read_as_geth_takes_them() {
    let options = r#"{"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}, "timeout": "2.5s", "reexec": 128, "limit": 7}"#;
    let answer = ask("debug_traceTransaction", &format!(r#"["{HASH}", {options}]"#)).await;
    let expected =
        json!({"tracer": "callTracer", "config": {"onlyTopCall": true}, "limit": 7, "milliseconds": 2_500});
    assert_eq!(answer["result"], expected);
    let bare = ask("debug_traceTransaction", &format!(r#"["{HASH}"]"#)).await;
    assert_eq!(bare["result"], json!({"tracer": null, "config": null, "limit": null, "milliseconds": null}));
    let wrong = ask("debug_traceTransaction", &format!(r#"["{HASH}", {{"timeout": "soon"}}]"#)).await;
    assert_eq!(wrong["error"], json!({"code": -32602, "message": "time: invalid duration \"soon\""}));
}

#[tokio::test]
async fn a_traced_call_takes_a_block_overrides_and_a_place_in_the_block() {
    let options = format!(
        r#"{{"tracer": "noopTracer", "stateOverrides": {{"{ALICE}": {{"balance": "0x1"}}}}, "blockOverrides": {{"number": "0x7"}}, "txIndex": "0x2"}}"#
    );
    let answer = ask("debug_traceCall", &format!(r#"[{{"to": "{ALICE}"}}, "pending", {options}]"#)).await;
    let result = &answer["result"];
    assert_eq!(
        (&result["pending"], &result["number"], &result["accounts"], &result["index"]),
        (&json!(true), &json!("0x7"), &json!(1), &json!(2))
    );
    assert_eq!(result["trace"]["tracer"], "noopTracer");
}

#[tokio::test]
async fn a_traced_block_names_each_transaction_beside_its_trace() {
    let answer = ask("debug_traceBlockByHash", &format!(r#"["{HASH}"]"#)).await;
    assert_eq!(answer["result"][0]["txHash"], HASH);
    assert_eq!(answer["result"][0]["result"]["tracer"], Value::Null);
    let answer = ask("debug_traceBlockByNumber", r#"["latest", null]"#).await;
    assert_eq!(answer["result"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn raw_answers_are_bytes() {
    assert_eq!(ask("debug_getRawBlock", r#"["0x1"]"#).await["result"], "0x0102");
    assert_eq!(ask("debug_getRawReceipts", r#"["latest"]"#).await["result"], json!(["0x02c0"]));
    assert_eq!(ask("debug_getRawTransaction", &format!(r#"["{HASH}"]"#)).await["result"], "0x");
    let missing = ask("debug_getRawHeader", &format!(r#"[{{"blockHash": "{HASH}"}}]"#)).await;
    assert_eq!(missing["error"], json!({"code": -32000, "message": "header not found"}));
}

#[tokio::test]
async fn simulations_are_refused_with_codes_of_their_own() {
    let answer = ask("eth_simulateV1", r#"[{"blockStateCalls": [{}, {"calls": []}]}, "latest"]"#).await;
    assert_eq!(answer["result"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["result"][0]["calls"], json!([]));
    let refused = ask("eth_simulateV1", r#"[{"blockStateCalls": [{}], "validation": true}]"#).await;
    assert_eq!(refused["error"], json!({"code": -38010, "message": "nonce too low"}));
    let listed = ask("eth_createAccessList", &format!(r#"[{{"to": "{ALICE}"}}]"#)).await;
    assert_eq!(listed["result"], json!({"accessList": [], "gasUsed": "0x5208"}));
}
