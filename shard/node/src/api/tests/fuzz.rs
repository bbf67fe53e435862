//! Every method of a running server, asked with parameters that are valid, nearly valid, or anything at all.
//!
//! Whatever comes in, what goes out is a result or a refusal with one of the codes that the RPC has, and never a fault
//! of the node's own: a handler that panics is one. `ATOLL_FUZZ_SECONDS` lets it go on for longer, `ATOLL_FUZZ_SEED`
//! repeats a run.

mod parameters;

use super::*;
use parameters::{Known, Parameters};
use rpc::error::{CODES, INTERNAL};
use rpc::method::{Signature, reference};
use rpc::{Client, ClientError, ServerConfig, serve};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Instant;

/// How long it goes on unless told otherwise, seconds.
const SECONDS: u64 = 3;
/// Calls between two blocks.
const CALLS_PER_BLOCK: u64 = 50;
/// Where the chain goes back again: the beacon chain of these tests knows only so many epochs.
const HEIGHT_MAX: u64 = 20;

/// Methods that give nothing whatever is asked: the node holds no keys, and HTTP has no subscriptions.
const ALWAYS_REFUSED: [&str; 5] =
    ["eth_sendTransaction", "eth_signTransaction", "eth_sign", "eth_subscribe", "eth_unsubscribe"];

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// A chain with a contract and transactions, and what there is to ask for.
async fn lived_in(chain: &TestChain, api: &ShardApi) -> Known {
    let emitter = deploy(chain, api, &EMITTER).await;
    let hash = emit(api, emitter).await;
    let id = chain.seal();
    let waiting = send(api, &transfer(1, 0)).await;
    let sender = Sender::new(SHARD);
    let transactions = (0..4).map(|nonce| transfer(2, nonce).encoded().clone());
    let deployment = sender.transaction(&key(3), 0, None, U256::ZERO, creating(&REVERTER));
    Known {
        addresses: vec![emitter, key(0).address(), key(1).address(), receiver(), Address::ZERO],
        blocks: vec![id, B256::ZERO],
        transactions: vec![hash, waiting, B256::repeat_byte(9)],
        encoded: transactions.chain([deployment.encoded().clone()]).collect(),
        filters: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_parameters_bring_a_method_down() {
    let seed = variable("ATOLL_FUZZ_SEED").unwrap_or_else(rand::random);
    let seconds = variable("ATOLL_FUZZ_SECONDS").unwrap_or(SECONDS);
    println!("ATOLL_FUZZ_SEED={seed} repeats this run");
    let (chain, api) = served_with(ApiConfig { call_gas_max: 1_000_000, ..ApiConfig::default() });
    let known = lived_in(&chain, &api).await;
    let config = ServerConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    let server = serve(config, shard_methods(api)).await.expect("a free port");
    let client = Client::new(format!("http://{}", server.address())).expect("a client");
    let mut parameters = Parameters::new(seed, known);
    let methods: Vec<&Signature> = reference().collect();
    let mut answered = BTreeSet::new();
    let (start, mut calls) = (Instant::now(), 0);
    // Each method as it should be asked, of everything that there is, whatever the time.
    let asked_well = (parameters.rounds() * methods.len()) as u64;
    while calls < 2 * asked_well || start.elapsed().as_secs() < seconds {
        let method = methods[calls as usize % methods.len()];
        let params = match calls < asked_well {
            true => parameters.of_round(calls as usize / methods.len()).valid(method),
            false => parameters.mutated(method),
        };
        if let Some(result) = answer(&client, method, &params).await {
            answered.insert(method.name);
            parameters.learn(method, &result);
        }
        calls += 1;
        if calls > asked_well && calls.is_multiple_of(CALLS_PER_BLOCK) {
            match chain.snapshot().height().get() {
                HEIGHT_MAX => chain.undo_above(HEIGHT_MAX - 2),
                _ => {
                    chain.seal();
                }
            }
        }
    }
    let silent: Vec<_> =
        methods.iter().map(|method| method.name).filter(|name| !answered.contains(name)).collect();
    assert_eq!(BTreeSet::from_iter(silent), BTreeSet::from(ALWAYS_REFUSED), "after {calls} calls");
}

/// The result of a call, if there is one; fails on what is neither that nor a refusal.
async fn answer(client: &Client, method: &Signature, params: &Value) -> Option<Value> {
    match client.request(method.name, params).await {
        Ok(result) => Some(result),
        Err(ClientError::Rpc { code, message, .. }) => {
            let is_known = i32::try_from(code).is_ok_and(|code| CODES.contains(&code) && code != INTERNAL);
            assert!(is_known, "{} {params}: {code} {message}", method.name);
            assert!(!message.is_empty(), "{} {params}: {code} says nothing", method.name);
            None
        }
        Err(other) => panic!("{} {params}: {other}", method.name),
    }
}

/// What the test asks comes from the reference alone, so this is what it cannot make up.
#[test]
fn every_kind_of_parameter_has_samples() {
    let known = Known::default();
    let mut parameters = Parameters::new(0, known);
    let kinds: BTreeMap<_, _> =
        reference().flat_map(|method| method.params).map(|param| (param.kind, param)).collect();
    for kind in kinds.keys() {
        parameters.sample(kind);
    }
    assert!(kinds.len() > 10);
}
