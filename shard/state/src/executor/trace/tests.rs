use alloy_primitives::{Address, Bytes, U256, bytes};
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace, PreStateFrame};
use proptest::prelude::*;
use revm::bytecode::opcode;
use serde_json::{Value, json};

use super::{Stop, TraceError, Tracer, TracerError, TransactionContext, trace_call};
use crate::{
    account::Account,
    executor::{
        BlockExecutor, CallRequest, ExecuteError,
        tests::{Draft, SHARD, draft, environment, party, random_state, signed, signed_to},
    },
    state::MemoryState,
    testing::{Sender, key},
};

const BYTES_MAX: usize = 64 << 20;
/// Calls all the others.
const ROOT: Address = Address::repeat_byte(0xb0);
/// Writes 7 to slot 0, leaves a log of topic 9, returns 42.
const LEAF: Address = Address::repeat_byte(0xb1);
/// Reverts with `Error("no")`.
const REVERTER: Address = Address::repeat_byte(0xb2);
/// Destroys itself in favor of `HEIR`.
const DOOMED: Address = Address::repeat_byte(0xb3);
/// Copies its data to memory until it has no gas.
const GREEDY: Address = Address::repeat_byte(0xb4);
const HEIR: Address = Address::repeat_byte(0xb5);

/// Calls `to` with the four bytes in memory and no more than 100,000 gas, and drops the result.
fn calling(instruction: u8, to: Address, value: Option<u8>) -> Vec<u8> {
    let mut code = vec![0x5f, 0x5f, 0x60, 4, 0x5f];
    code.extend(value.into_iter().flat_map(|wei| [0x60, wei]));
    code.push(0x73);
    code.extend(to);
    code.extend([0x62, 0x01, 0x86, 0xa0, instruction, 0x50]);
    code
}

/// MSTORE(0, 0xaabbccdd…); every kind of call; CREATE of a contract that stops.
fn root() -> Bytes {
    let create = [0x63, 0x60, 0x01, 0x5f, 0xf3, 0x60, 0x80, 0x52, 0x60, 4, 0x60, 0x9c, 0x5f, 0xf0, 0x50];
    [
        vec![0x63, 0xaa, 0xbb, 0xcc, 0xdd, 0x60, 0xe0, 0x1b, 0x5f, 0x52],
        calling(opcode::CALL, LEAF, Some(1)),
        calling(opcode::DELEGATECALL, LEAF, None),
        calling(opcode::STATICCALL, Address::with_last_byte(4), None),
        calling(opcode::CALL, REVERTER, Some(0)),
        create.to_vec(),
        calling(opcode::CALL, DOOMED, Some(0)),
    ]
    .concat()
    .into()
}

/// The random tests' accounts, all rich, and the contracts above.
fn world() -> MemoryState {
    let mut state = random_state(&[(0, 5_000); 7]);
    let contracts = [
        (ROOT, root(), 100),
        (LEAF, bytes!("60075f55602a5f52600960205fa160205ff3"), 0),
        (REVERTER, bytes!("6308c379a060e01b5f5260206004526002602452616e6f60f01b60445260645ffd"), 0),
        (DOOMED, [&[0x73], HEIR.as_slice(), &[0xff]].concat().into(), 5),
        // JUMPDEST, CALLDATACOPY(0, 0, CALLDATASIZE), JUMP(0)
        (GREEDY, bytes!("5b365f5f375f56"), 0),
    ];
    for (address, code, wei) in contracts {
        let code_hash = state.set_code(code);
        state.set_account(address, Account { nonce: 1, balance: U256::from(wei), code_hash });
    }
    state
}

fn options(text: Value) -> GethDebugTracingOptions {
    serde_json::from_value(text).expect("options as geth takes them")
}

fn tracer(text: Value) -> Tracer {
    Tracer::new(options(text), BYTES_MAX, Stop::default()).expect("a tracer that exists")
}

fn calling_root() -> CallRequest {
    CallRequest { from: party(0), to: Some(ROOT), gas: Some(1_000_000), ..CallRequest::default() }
}

fn traced(request: &CallRequest, options: Value) -> Result<Value, TraceError> {
    let trace = trace_call(&world(), &environment(), request, 50_000_000, tracer(options))?;
    Ok(serde_json::to_value(trace).expect("a trace is JSON"))
}

fn root_trace(options: Value) -> Value {
    traced(&calling_root(), options).expect("is traced")
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

fn word(number: u64) -> String {
    format!("{number:#066x}")
}

/// A call of the root's, with what every one of them has.
fn inner(kind: &str, to: Address, gas: u64, gas_used: u64) -> Value {
    let (gas, gas_used) = (hex(gas), hex(gas_used));
    json!({"type": kind, "from": ROOT, "to": to, "gas": gas, "gasUsed": gas_used, "input": "0xaabbccdd"})
}

fn with(mut frame: Value, more: Value) -> Value {
    let fields = more.as_object().expect("an object").clone();
    frame.as_object_mut().expect("an object").extend(fields);
    frame
}

fn log(address: Address, index: u64) -> Value {
    json!({
        "address": address,
        "topics": [word(9)],
        "data": word(42),
        "index": hex(index),
        "position": "0x0",
    })
}

const REASON: &str = "0x08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000000026e6f000000000000000000000000000000000000000000000000000000000000";

#[test]
fn the_call_tracer_writes_every_kind_of_call_as_geth_does() {
    let leaf = |kind, gas, value: u64, log| {
        let more = json!({"output": word(42), "value": hex(value), "logs": [log]});
        with(inner(kind, LEAF, gas, 23_135), more)
    };
    let created = ROOT.create(1);
    let destroyed = json!({
        "type": "SELFDESTRUCT", "from": DOOMED, "to": HEIR, "value": "0x5", "gas": "0x0", "gasUsed": "0x0",
        "input": "0x",
    });
    let calls = json!([
        // The stipend is on top of what was asked for.
        leaf("CALL", 102_300, 1, log(LEAF, 0)),
        leaf("DELEGATECALL", 100_000, 0, log(ROOT, 1)),
        with(inner("STATICCALL", Address::with_last_byte(4), 100_000, 18), json!({"output": "0xaabbccdd"})),
        with(
            inner("CALL", REVERTER, 100_000, 64),
            json!({"value": "0x0", "output": REASON, "error": "execution reverted", "revertReason": "no"}),
        ),
        with(
            inner("CREATE", created, 874_545, 208),
            json!({"value": "0x0", "input": "0x60015ff3", "output": "0x00"}),
        ),
        with(inner("CALL", DOOMED, 100_000, 32_603), json!({"value": "0x0", "calls": [destroyed]})),
    ]);
    let root = json!({
        "type": "CALL", "from": party(0), "to": ROOT, "value": "0x0", "gas": "0xf4240", "gasUsed": "0x23e3f",
        "input": "0x",
    });
    let traced = root_trace(json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}}));
    assert_eq!(traced, with(root.clone(), json!({"calls": calls})));
    let top = root_trace(json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}}));
    assert_eq!(top, root);
    let quiet = root_trace(json!({"tracer": "callTracer"}));
    assert_eq!(quiet["calls"][0].get("logs"), None, "logs only if asked for");
}

#[test]
fn a_call_that_fails_at_the_top_says_why_there() {
    let reverter = CallRequest { to: Some(REVERTER), ..calling_root() };
    let traced = |request| traced(request, json!({"tracer": "callTracer"})).expect("is traced");
    let frame = traced(&reverter);
    assert_eq!(
        (&frame["error"], &frame["revertReason"], &frame["output"]),
        (&json!("execution reverted"), &json!("no"), &json!(REASON))
    );
    let greedy = CallRequest { to: Some(GREEDY), gas: Some(30_000), ..calling_root() };
    let frame = traced(&greedy);
    assert_eq!((&frame["error"], &frame["gasUsed"]), (&json!("out of gas"), &json!("0x7530")));
}

#[test]
fn the_prestate_is_what_was_there_of_all_that_is_touched() {
    let balance = json!({"balance": "0x4563918244f40000"});
    let slot = json!({word(0): word(0)});
    let contract = |code: Bytes, balance: u64| json!({"balance": hex(balance), "nonce": 1, "code": code});
    let doomed: Bytes = [&[0x73], HEIR.as_slice(), &[0xff]].concat().into();
    let leaf = contract(bytes!("60075f55602a5f52600960205fa160205ff3"), 0);
    let reverter = contract(bytes!("6308c379a060e01b5f5260206004526002602452616e6f60f01b60445260645ffd"), 0);
    let expected = json!({
        key_of(party(0)): balance,
        key_of(environment().fee_recipient): balance,
        key_of(ROOT): with(contract(root(), 100), json!({"storage": slot})),
        key_of(LEAF): with(leaf, json!({"storage": slot})),
        key_of(REVERTER): reverter,
        key_of(DOOMED): contract(doomed, 5),
    });
    assert_eq!(root_trace(json!({"tracer": "prestateTracer"})), expected);
    let config = json!({"disableCode": true, "disableStorage": true});
    let bare = root_trace(json!({"tracer": "prestateTracer", "tracerConfig": config}));
    assert_eq!(bare[key_of(ROOT)], json!({"balance": "0x64", "nonce": 1}));
}

#[test]
fn the_difference_is_what_changed() {
    let config = json!({"diffMode": true, "disableCode": true});
    let traced = root_trace(json!({"tracer": "prestateTracer", "tracerConfig": config}));
    let written = json!({word(0): word(7)});
    assert_eq!(
        traced["post"],
        json!({
            key_of(party(0)): {"nonce": 1},
            key_of(ROOT): {"balance": "0x63", "nonce": 2, "storage": written},
            key_of(LEAF): {"balance": "0x1", "storage": written},
            key_of(DOOMED): {"balance": "0x0"},
            key_of(HEIR): {"balance": "0x5"},
            key_of(ROOT.create(1)): {"nonce": 1},
        })
    );
    let before = &traced["pre"];
    assert_eq!(before[key_of(DOOMED)], json!({"balance": "0x5", "nonce": 1}));
    assert_eq!(before.get(key_of(ROOT.create(1))), None, "it was not there");
}

/// An address as a key of an object.
fn key_of(address: Address) -> String {
    format!("{address:#x}")
}

#[test]
fn selectors_are_counted_where_code_is_called() {
    assert_eq!(root_trace(json!({"tracer": "4byteTracer"})), json!({"0xaabbccdd-0": 4}));
    assert_eq!(root_trace(json!({"tracer": "noopTracer"})), json!({}));
}

#[test]
fn several_tracers_watch_at_once_whether_or_not_they_are_configured() {
    let config = json!({
        "callTracer": null, "prestateTracer": {"diffMode": true}, "4byteTracer": {}, "noopTracer": null,
        "flatCallTracer": null,
    });
    let traced = root_trace(json!({"tracer": "muxTracer", "tracerConfig": config}));
    assert_eq!(traced["callTracer"], root_trace(json!({"tracer": "callTracer"})));
    let diff = json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}});
    assert_eq!(traced["prestateTracer"], root_trace(diff));
    assert_eq!(traced["4byteTracer"], json!({"0xaabbccdd-0": 4}));
    assert_eq!(traced["noopTracer"], json!({}));
    let frames = traced["flatCallTracer"].as_array().expect("a list");
    let places: Vec<_> = frames.iter().map(|frame| frame["traceAddress"].clone()).collect();
    let expected = [json!([]), json!([0]), json!([1]), json!([2]), json!([3]), json!([4]), json!([4, 0])];
    assert_eq!(places, expected, "calls of precompiles are left out");
}

#[test]
fn steps_are_written_as_geth_does() {
    let leaf = CallRequest { to: Some(LEAF), ..calling_root() };
    let trace = |options| traced(&leaf, options).expect("is traced");
    let all = trace(json!({"enableMemory": true, "enableReturnData": true}));
    assert_eq!(
        (&all["gas"], &all["failed"], &all["returnValue"]),
        (&json!(44_135), &json!(false), &json!(word(42)))
    );
    let steps = all["structLogs"].as_array().expect("a list");
    assert_eq!(steps.len(), 13);
    assert_eq!(
        steps[2],
        json!({
            "pc": 3, "op": "SSTORE", "gas": 978_995, "gasCost": 22_100, "depth": 1, "refund": 0,
            "stack": ["0x7", "0x0"], "memory": [], "returnData": "0x", "storage": {word(0): word(7)},
        })
    );
    assert_eq!((&steps[12]["op"], &steps[12]["memory"]), (&json!("RETURN"), &json!([word(42)])));
    let few = trace(json!({"disableStack": true, "disableStorage": true, "limit": 3}));
    let step = json!({"pc": 3, "op": "SSTORE", "gas": 978_995, "gasCost": 22_100, "depth": 1, "refund": 0});
    assert_eq!(few["structLogs"].as_array().map(Vec::len), Some(3));
    assert_eq!(few["structLogs"][2], step);
    assert_eq!(few["gas"], all["gas"], "what is not written is executed all the same");
    let deep = root_trace(json!({}));
    let depths = deep["structLogs"].as_array().expect("a list").iter().map(|step| step["depth"].as_u64());
    assert_eq!(depths.max(), Some(Some(2)));
}

fn within(request: &CallRequest, options_text: Value, bytes: usize) -> Result<GethTrace, TraceError> {
    let tracer = Tracer::new(options(options_text), bytes, Stop::default()).expect("exists");
    trace_call(&world(), &environment(), request, 50_000_000, tracer)
}

#[test]
fn a_trace_beyond_its_budget_is_refused_and_the_limit_named() {
    let greedy = CallRequest { to: Some(GREEDY), input: vec![1; 8_192].into(), ..calling_root() };
    let too_large = |bytes| Err(TraceError::TooLarge { limit: bytes });
    for text in [json!({}), json!({"enableMemory": true, "disableStack": true})] {
        assert_eq!(within(&greedy, text, 40_000), too_large(40_000));
    }
    // Seven frames, with their data and what they return.
    assert_eq!(within(&calling_root(), json!({"tracer": "callTracer"}), 2_000), too_large(2_000));
    assert!(within(&calling_root(), json!({"tracer": "callTracer"}), 20_000).is_ok());
    assert!(within(&greedy, json!({"tracer": "4byteTracer"}), 0).is_ok(), "it holds nothing that grows");
    assert!(within(&greedy, json!({"limit": 10}), 40_000).is_ok(), "what is not recorded is not weighed");
    let words = TraceError::TooLarge { limit: 7 }.to_string();
    assert!(words.starts_with("the trace holds more than 7 bytes: "), "{words}");
}

#[test]
fn a_trace_that_is_called_off_ends() {
    let stop = Stop::default();
    let tracer = Tracer::new(options(json!({"tracer": "callTracer"})), BYTES_MAX, stop.clone());
    stop.stop();
    let ended = trace_call(&world(), &environment(), &calling_root(), 50_000_000, tracer.expect("exists"));
    assert_eq!(ended, Err(TraceError::Stopped));
    assert_eq!(TraceError::Stopped.to_string(), "execution timeout");
}

#[test]
fn tracers_that_there_are_not_are_refused() {
    let refused = |text| Tracer::new(options(text), BYTES_MAX, Stop::default()).expect_err("no such tracer");
    let program = "x".repeat(1_000);
    assert_eq!(refused(json!({"tracer": program})), TracerError::Unknown { name: "x".repeat(64) });
    let config = refused(json!({"tracer": "callTracer", "tracerConfig": {"withLog": 7}}));
    assert_eq!(config.to_string(), "invalid tracerConfig of callTracer");
    let mux = refused(json!({"tracer": "muxTracer", "tracerConfig": {"callTracer": {"withLog": 7}}}));
    assert_eq!(mux.to_string(), "invalid tracerConfig of muxTracer");
}

#[test]
fn a_refused_transaction_leaves_the_traced_block_as_it_was() {
    let state = world();
    let executor = BlockExecutor::resume(&state, environment());
    let mut executor = executor.with_tracer(tracer(json!({"tracer": "callTracer"})));
    let early = Sender::new(SHARD).transfer(&key(0), 3, HEIR, U256::ONE);
    let refused = executor.trace(&early, TransactionContext::default());
    assert!(matches!(refused, Err(TraceError::Execute(ExecuteError::Inclusion(_)))), "{refused:?}");
    assert_eq!((executor.gas_used(), executor.close().0.is_empty()), (0, true));
}

/// A transfer or a call of the contracts, the latter with this much gas.
fn drafts() -> impl Strategy<Value = Vec<(Draft, Option<u64>)>> {
    prop::collection::vec((draft(), prop::option::of(21_000u64..400_000)), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever watches: the receipts are those of the block unwatched, each trace ends as its receipt says, and the
    /// block leaves behind what it leaves behind.
    #[test]
    fn a_traced_block_ends_as_its_receipts_say(drafts in drafts()) {
        let state = world();
        let mut unwatched = BlockExecutor::resume(&state, environment());
        let traced = |text| BlockExecutor::resume(&state, environment()).with_tracer(tracer(text));
        let mut steps = traced(json!({"disableStack": true}));
        let mut calls = traced(json!({"tracer": "callTracer"}));
        let mut difference = traced(json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}));
        for (draft, gas) in &drafts {
            let transaction = match gas {
                None => signed(draft),
                Some(gas) => signed_to(draft, ROOT, *gas),
            };
            let context = TransactionContext::default;
            let step = steps.trace(&transaction, context());
            let call = calls.trace(&transaction, context());
            let change = difference.trace(&transaction, context());
            match unwatched.execute(&transaction) {
                Err(error) => prop_assert_eq!(step, Err(TraceError::Execute(error))),
                Ok(receipt) => {
                    let Ok(GethTrace::Default(step)) = step else { panic!("{step:?}") };
                    prop_assert_eq!((step.gas, step.failed), (receipt.gas_used, !receipt.success()));
                    let Ok(GethTrace::CallTracer(call)) = call else { panic!("{call:?}") };
                    prop_assert_eq!(call.gas_used, U256::from(receipt.gas_used));
                    prop_assert_eq!((call.error.is_none(), call.output.unwrap_or_default()), (receipt.success(), step.return_value));
                    let Ok(GethTrace::PreStateTracer(PreStateFrame::Diff(change))) = change else { panic!("{change:?}") };
                    prop_assert!(change.post.contains_key(&transaction.sender()), "its nonce at least");
                }
            }
        }
        let expected = unwatched.close();
        prop_assert_eq!(steps.close(), expected.clone());
        prop_assert_eq!(calls.close(), expected.clone());
        prop_assert_eq!(difference.close(), expected);
    }
}
