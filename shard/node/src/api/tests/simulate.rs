//! Access lists and simulated blocks.

use super::*;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_rpc_types_eth::simulate::SimulatePayload;
use rpc::error::{SimulationError, SimulationReason};
use rpc::method::SimulateApi;
use rpc::view::{Block, SimulatedBlock};
use serde_json::{Value, json};

/// Returns slot 0.
const READER: &str = "0x5f545f5260205ff3";
/// Sends its value to an account that is nobody's, then reverts if there is data.
const FORWARDER: &str = "0x5f5f5f5f3473000000000000000000000000000000000000aaaa5af136601f57005b5f5ffd";

fn payload(text: Value) -> SimulatePayload {
    serde_json::from_value(text).expect("a payload as geth takes it")
}

async fn simulated(api: &ShardApi, text: Value) -> RpcResult<Vec<SimulatedBlock<Block>>> {
    api.simulate(payload(text), latest()).await
}

fn refused(outcome: RpcResult<Vec<SimulatedBlock<Block>>>) -> (SimulationReason, String) {
    match outcome.expect_err("refused") {
        RpcError::Simulation(SimulationError { reason, detail }) => (reason, detail),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_access_list_names_what_is_touched_and_what_it_costs_with_it() {
    let (chain, api) = served();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    // Calls the emitter, then reads its own slot 5.
    let code =
        [&[0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x73], emitter.as_slice(), &[0x5a, 0xf1, 0x60, 5, 0x54]].concat();
    let caller = deploy(&chain, &api, &code.into()).await;
    let listed = api.create_access_list(calling(caller), latest(), None).await.expect("runs");
    let slot = |number: u64| B256::from(U256::from(number));
    let mut expected = vec![
        AccessListItem { address: emitter, storage_keys: vec![slot(0)] },
        AccessListItem { address: caller, storage_keys: vec![slot(5)] },
    ];
    expected.sort_by_key(|item| item.address);
    assert_eq!((&listed.access_list, &listed.error), (&AccessList(expected), &None));
    let with = TransactionRequest { access_list: Some(listed.access_list.clone()), ..calling(caller) };
    let again = api.create_access_list(with, latest(), None).await.expect("runs");
    assert_eq!(again, listed, "it is a fixed point");
    let reverter = deploy(&chain, &api, &REVERTER).await;
    let failed = api.create_access_list(calling(reverter), latest(), None).await.expect("an answer");
    assert_eq!(
        (failed.error, failed.access_list),
        (Some("execution reverted".into()), AccessList::default())
    );
}

#[tokio::test]
async fn simulated_blocks_stand_on_each_other() {
    let (chain, api) = served();
    chain.seal();
    let emitter = deploy(&chain, &api, &EMITTER).await;
    let blocks = simulated(
        &api,
        json!({"blockStateCalls": [
            {"calls": [{"to": emitter}, {"to": emitter}]},
            {
                "stateOverrides": {format!("{emitter}"): {"code": READER}},
                "blockOverrides": {"number": "0x5"},
                "calls": [{"to": emitter}],
            },
        ]}),
    )
    .await
    .expect("simulated");
    let heights: Vec<u64> = blocks.iter().map(|block| block.inner.header.ethereum.inner.number).collect();
    assert_eq!(heights, [3, 4, 5], "the one between is filled in");
    let parents = blocks.iter().map(|block| block.inner.header.ethereum.inner.parent_hash);
    let ids = blocks.iter().map(|block| block.inner.header.ethereum.hash);
    let below: Vec<B256> = [chain.snapshot().id()].into_iter().chain(ids.clone()).collect();
    assert_eq!(parents.collect::<Vec<_>>(), below[..3]);
    let calls = &blocks[0].calls;
    assert!(calls.iter().all(|call| call.status && call.gas_used > 21_000));
    assert_eq!(
        calls.iter().map(|call| call.logs[0].log_index).collect::<Vec<_>>(),
        [Some(0), Some(1)],
        "logs are numbered through the block"
    );
    assert_eq!(calls[1].logs[0].block_hash, ids.clone().next());
    assert_eq!(calls[1].logs[0].transaction_hash, blocks[0].inner.transactions.as_hashes().map(|all| all[1]));
    assert_eq!(
        blocks[0].inner.header.ethereum.inner.gas_used,
        calls.iter().map(|call| call.gas_used).sum::<u64>()
    );
    assert_eq!(U256::from_be_slice(&blocks[2].calls[0].return_data), U256::from(42));
    assert_eq!(api.storage_at(emitter, B256::ZERO, latest()).await, Ok(B256::ZERO), "nothing happened");
}

#[tokio::test]
async fn calls_that_fail_are_answered_with_geths_codes() {
    let (chain, api) = served();
    let reverter = deploy(&chain, &api, &REVERTER).await;
    let halter = deploy(&chain, &api, &HALTER).await;
    let calls = json!([{"to": reverter}, {"to": halter, "gas": "0x186a0"}]);
    let blocks = simulated(&api, json!({"blockStateCalls": [{"calls": calls}]})).await.expect("simulated");
    let [reverted, halted] = &blocks[0].calls[..] else { panic!("{blocks:?}") };
    let error = reverted.error.as_ref().expect("failed");
    assert_eq!((error.code, error.message.as_str()), (3, "execution reverted"));
    assert_eq!(
        (error.data.as_ref(), &reverted.return_data),
        (Some(&bytes!("deadbeef")), &bytes!("deadbeef"))
    );
    let error = halted.error.as_ref().expect("failed");
    assert_eq!((error.code, error.message.as_str()), (-32015, "invalid jump destination"));
    assert_eq!((halted.gas_used, halted.status), (100_000, false));
}

#[tokio::test]
async fn moved_value_leaves_logs_only_where_it_stays_moved() {
    let (_, api) = served();
    let forwarder = Address::repeat_byte(0xf0);
    let calls = json!([
        {"from": key(0).address(), "to": forwarder, "value": "0x7"},
        {"from": key(0).address(), "to": forwarder, "value": "0x7", "input": "0x01"},
    ]);
    let text = |transfers: bool| {
        json!({
            "blockStateCalls": [{
                "stateOverrides": {format!("{forwarder}"): {"code": FORWARDER}},
                "calls": calls,
            }],
            "traceTransfers": transfers,
        })
    };
    let blocks = simulated(&api, text(true)).await.expect("simulated");
    let [moved, reverted] = &blocks[0].calls[..] else { panic!("{blocks:?}") };
    let parties = |log: &rpc::view::Log| {
        let party = |index: usize| Address::from_word(log.topics()[index]);
        (log.address(), party(1), party(2), U256::from_be_slice(&log.data().data))
    };
    let (emitter, heir) = (Address::repeat_byte(0xee), "0x000000000000000000000000000000000000aaaa");
    let heir: Address = heir.parse().expect("an address");
    assert_eq!(
        moved.logs.iter().map(parties).collect::<Vec<_>>(),
        [(emitter, key(0).address(), forwarder, U256::from(7)), (emitter, forwarder, heir, U256::from(7)),]
    );
    assert_eq!((reverted.status, reverted.logs.len()), (false, 0));
    let silent = simulated(&api, text(false)).await.expect("simulated");
    assert!(silent[0].calls.iter().all(|call| call.logs.is_empty()));
}

#[tokio::test]
async fn validation_holds_calls_to_what_could_be_included() {
    let (chain, api) = served();
    send(&api, &transfer(0, 0)).await;
    chain.seal();
    let from = key(0).address();
    let fee = "0xb2d05e00";
    let with = async |validation: bool, call: Value| {
        simulated(&api, json!({"blockStateCalls": [{"calls": [call]}], "validation": validation})).await
    };
    let good = json!({"from": from, "to": receiver(), "maxFeePerGas": fee, "nonce": "0x1"});
    let blocks = with(true, good).await.expect("could be included");
    let base_fee = blocks[0].inner.header.ethereum.inner.base_fee_per_gas;
    assert_eq!(base_fee, Some(chain.snapshot().next_base_fee()));
    let old = json!({"from": from, "to": receiver(), "maxFeePerGas": fee, "nonce": "0x0"});
    let (reason, words) = refused(with(true, old.clone()).await);
    assert_eq!(reason, SimulationReason::NonceTooLow);
    assert_eq!(words, format!("nonce too low: address {from}, tx: 0 state: 1"));
    let free = with(false, old).await.expect("nobody asks for the nonce");
    assert_eq!(free[0].inner.header.ethereum.inner.base_fee_per_gas, Some(0));
    let early = json!({"from": from, "to": receiver(), "maxFeePerGas": fee, "nonce": "0x9"});
    assert_eq!(refused(with(true, early).await).0, SimulationReason::NonceTooHigh);
    let cheap = json!({"from": from, "to": receiver(), "maxFeePerGas": "0x1"});
    assert_eq!(refused(with(true, cheap).await).0, SimulationReason::FeeTooLow);
    let poor = json!({"from": key(99).address(), "to": receiver(), "value": "0x1"});
    assert_eq!(refused(with(false, poor).await).0, SimulationReason::InsufficientFunds);
    let little = json!({"from": from, "to": receiver(), "gas": "0x5207"});
    assert_eq!(refused(with(false, little).await).0, SimulationReason::IntrinsicGas);
}

#[tokio::test]
async fn full_transactions_carry_what_was_filled_in() {
    let (_, api) = served();
    let from = key(0).address();
    let calls = json!([
        {"from": from, "to": receiver(), "value": "0x5"},
        {"from": from, "input": creating(&EMITTER), "gasPrice": "0x0"},
    ]);
    let text = json!({"blockStateCalls": [{"calls": calls}], "returnFullTransactions": true});
    let blocks = simulated(&api, text).await.expect("simulated");
    let transactions = serde_json::to_value(&blocks[0].inner.transactions).expect("JSON");
    assert_eq!(
        (&transactions[0]["from"], &transactions[0]["nonce"], &transactions[0]["type"]),
        (&json!(from), &json!("0x0"), &json!("0x2"))
    );
    assert_eq!((&transactions[1]["nonce"], &transactions[1]["type"]), (&json!("0x1"), &json!("0x0")));
    assert_eq!(transactions[1]["to"], Value::Null);
    assert_eq!(blocks[0].calls[1].return_data, EMITTER);
}

#[tokio::test]
async fn a_simulation_has_an_order_and_limits_that_are_named() {
    let (chain, api) = served_with(ApiConfig { call_gas_max: 100_000, ..ApiConfig::default() });
    chain.seal();
    let blocks = async |blocks: Value| simulated(&api, json!({"blockStateCalls": blocks})).await;
    assert_eq!(text(blocks(json!([])).await), (-32602, "empty input".into()));
    let (reason, words) = refused(blocks(json!([{"blockOverrides": {"number": "0x1"}}])).await);
    assert_eq!((reason.code(), words.as_str()), (-38020, "block numbers must be in order: 1 <= 1"));
    let (reason, words) = refused(blocks(json!([{"blockOverrides": {"time": "0x0"}}])).await);
    assert_eq!(reason.code(), -38021);
    assert!(words.starts_with("block timestamps must be in order: 0 < "), "{words}");
    let (reason, words) = refused(blocks(json!([{"blockOverrides": {"number": "0x102"}}])).await);
    assert_eq!(reason.code(), -38026);
    assert_eq!(words, "too many blocks: 257 above the base, the limit is 256");
    assert_eq!(blocks(json!([{"blockOverrides": {"number": "0x101"}}])).await.map(|all| all.len()), Ok(256));
    let greedy =
        json!([{"blockOverrides": {"gasLimit": "0xc350"}, "calls": [{"to": receiver(), "gas": "0xc351"}]}]);
    let (reason, words) = refused(blocks(greedy).await);
    assert_eq!(reason.code(), -38015);
    assert_eq!(words, "block gas limit reached: 50001 wanted, 50000 left");
    let many = json!([{"calls": vec![json!({"to": receiver()}); 5]}]);
    let (code, words) = text(blocks(many).await);
    assert_eq!(code, -32005);
    assert_eq!(words, "all calls together may use 100000 gas: simulate fewer of them");
}

#[tokio::test]
async fn a_precompile_moves_and_one_that_is_overridden_is_none() {
    let (_, api) = served();
    let identity = Address::with_last_byte(4);
    let elsewhere = Address::repeat_byte(0x44);
    let call = async |to: Address, overrides: Value| {
        let state = serde_json::from_value(overrides).expect("overrides as geth takes them");
        let request = calling(to).input(bytes!("c0ffee").into());
        api.call(request, latest(), Some(state), None).await
    };
    let moved = json!({format!("{identity}"): {"movePrecompileToAddress": elsewhere, "code": READER}});
    assert_eq!(call(elsewhere, moved.clone()).await, Ok(bytes!("c0ffee")));
    assert_eq!(call(identity, moved).await, Ok(Bytes::from(vec![0; 32])), "its code runs");
    let overridden = json!({format!("{identity}"): {"balance": "0x1"}});
    assert_eq!(call(identity, overridden).await, Ok(Bytes::new()));
    assert_eq!(call(identity, json!({})).await, Ok(bytes!("c0ffee")));

    let refusal = async |overrides: Value| text(call(elsewhere, overrides).await);
    let to_itself = json!({format!("{identity}"): {"movePrecompileToAddress": identity}});
    assert_eq!(refusal(to_itself).await, (-38022, format!("account {identity} cannot be moved to itself")));
    let nothing = json!({format!("{}", receiver()): {"movePrecompileToAddress": elsewhere}});
    assert_eq!(refusal(nothing).await, (-32000, format!("account {} is not a precompile", receiver())));
    let taken = format!("account {elsewhere} is already overridden");
    let twice = json!({
        format!("{identity}"): {"movePrecompileToAddress": elsewhere},
        format!("{}", Address::with_last_byte(2)): {"movePrecompileToAddress": elsewhere},
    });
    assert_eq!(refusal(twice).await, (-38023, taken.clone()));
    let onto = json!({
        format!("{identity}"): {"movePrecompileToAddress": elsewhere},
        format!("{elsewhere}"): {"balance": "0x1"},
    });
    assert_eq!(refusal(onto).await, (-38023, taken));
}
