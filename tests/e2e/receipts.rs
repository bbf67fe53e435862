//! What users do between shards: `atoll xsend`, and a contract call by cast that bounces.

use crate::{
    network::{Network, atoll, block_on, call, quantity, wait_until},
    tools,
};
use alloy_primitives::{B256, Bytes};
use consensus::light::LightClient;
use primitives::{Genesis, Inclusion, ShardId, Unverified};
use rpc::beacon::BeaconClient;
use serde_json::{Value, json};
use shard_state::journey;
use ssz::{Decode as _, Encode as _};
use std::{process::Command, time::Duration};

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const TO: &str = "0x00000000000000000000000000000000000a7012";
const PORTAL: &str = "0x41746f6c6c000000000000000000000000000001";
const AI: u32 = 0;
const DEFI: u32 = 1;
const NFT: u32 = 2;

/// One command moves value to every other shard, and tells the stages.
#[test]
fn xsend_moves_value_between_all_shards_and_tells_the_stages() {
    let network = Network::start(&[]);
    let names = ["ai", "defi", "nft"];
    let lanes = [(AI, DEFI), (DEFI, NFT), (NFT, AI), (DEFI, AI)];
    let mut last = (Value::Null, 0, 0);
    for (from, to) in lanes {
        let output = Command::new(atoll())
            .args(["xsend", "--from", names[from as usize], "--to", names[to as usize], "--key", KEY])
            .args(["--to-address", TO, "--value", "0.5ether", "--watch", "--json", "--data-dir"])
            .arg(network.data_dir())
            .output()
            .expect("atoll starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).expect("text");
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        let stages: Vec<_> = lines.iter().filter_map(|line| line["stage"].as_str()).collect();
        assert_eq!(stages, ["included", "certified", "verified", "credited", "finalized"]);
        let times = lines.last().expect("the last line has all times");
        let time = |stage: &str| times[stage].as_u64().unwrap_or_else(|| panic!("{stage} in {times}"));
        assert!(time("certified_ms") <= time("verified_ms"), "{times}");
        assert!(time("verified_ms") <= time("credited_ms"), "{times}");
        assert!(time("credited_ms") <= time("finalized_ms"), "{times}");

        // Every validator's node tells the same.
        let journey = |shard: u32, validator| {
            call(&network.client(shard, validator), "atoll_getReceipt", json!([times["id"]]))
        };
        for validator in 0..4 {
            wait_until("every node has the receipt", Duration::from_secs(10), || {
                journey(to, validator)["consumed"]["success"] == true
            });
            assert_eq!(journey(from, validator)["sent"]["blockHash"], journey(from, 0)["sent"]["blockHash"]);
        }
        let shown = call(&network.client(to, 0), "eth_getTransactionByHash", json!([times["id"]]));
        assert_eq!((&shown["to"], &shown["hash"]), (&json!(TO), &times["id"]));
        let tracer = json!([times["id"], { "tracer": "callTracer" }]);
        let traced = call(&network.client(to, 2), "debug_traceTransaction", tracer);
        assert_eq!((&traced["to"], &traced["value"]), (&shown["to"], &shown["value"]));
        last = (times["id"].clone(), from, to);
    }
    let half = 500_000_000_000_000_000;
    for (shard, expected) in [(AI, 2 * half), (DEFI, half), (NFT, half)] {
        let balance = call(&network.client(shard, 1), "eth_getBalance", json!([TO, "latest"]));
        assert_eq!(quantity(&balance), expected, "shard {shard}");
    }
    // The lane knows, once the beacon chain has recorded it, that all has arrived.
    wait_until("the source is shown that all has arrived", Duration::from_secs(20), || {
        let lane = call(&network.client(DEFI, 0), "atoll_getLane", json!([format!("0x{NFT:x}")]));
        quantity(&lane["inFlight"]) == 0 && quantity(&lane["sent"]) == 1
    });
    if let Some(cast) = tools::find("cast") {
        let id = last.0.as_str().expect("an id");
        let trace = tools::run(&cast, &["run", "--rpc-url", &network.url(last.2, 3), id]);
        assert!(trace.contains("Transaction successfully executed"), "{trace}");
    }
    a_stranger_verifies_the_journey(&network, &last);
}

/// From the genesis file, updates of the beacon chain and two answers of nodes that nobody trusts.
fn a_stranger_verifies_the_journey(network: &Network, (id, from, to): &(Value, u32, u32)) {
    let genesis = std::fs::read_to_string(network.data_dir().join("genesis.json")).expect("a genesis file");
    let genesis = Genesis::from_json(&genesis).expect("is valid");
    let mut client = LightClient::from_file(&genesis).expect("draws committees");
    let beacon = BeaconClient::new(network.beacon(2)).expect("an address");
    let mut bytes = 0;
    // One update leads to the newest header of an epoch at most.
    while let Some(update) =
        block_on(beacon.light_update(client.header().height, Duration::ZERO)).expect("answers")
    {
        bytes = update.ssz_bytes_len();
        client.update(Unverified::new(update)).expect("is certified");
        for (chain, epoch, _) in client.missing() {
            let committee = block_on(beacon.committee(chain, epoch)).expect("is known");
            client.committee(chain, epoch, Unverified::new(committee)).expect("is that of the table");
        }
    }
    let mut half = |shard: u32, hash: &Value| {
        let accepted = client.record(ShardId::new(shard)).expect("is registered").accepted.height;
        let params = json!([hash, format!("0x{:x}", accepted.get())]);
        let answer = call(&network.client(shard, 3), "atoll_getInclusion", params);
        let encoded: Bytes = serde_json::from_value(answer["inclusion"].clone()).expect("is finalized");
        bytes += encoded.len();
        Unverified::new(Inclusion::from_ssz_bytes(&encoded).expect("decodes"))
    };
    let sent_by =
        call(&network.client(*from, 0), "atoll_getReceipt", json!([id]))["sent"]["transactionHash"].clone();
    let (sent, consumed) = (half(*from, &sent_by), half(*to, id));
    let id: B256 = serde_json::from_value(id.clone()).expect("an id");
    let journey = journey::verify(&client, id, sent, consumed).expect("the journey is proven");
    assert_eq!((json!(journey.sent_by), journey.success), (sent_by, true));
    assert!(bytes < 24 << 10, "{bytes} bytes");
}

/// A wallet that knows nothing of Atoll gets its money back, and reads why something cannot be sent.
#[test]
fn what_bounces_comes_back_and_what_cannot_be_sent_says_why() {
    let Some(cast) = tools::find("cast") else { return };
    let network = Network::start(&[]);
    let url = network.url(DEFI, 0);
    let call_of = "callWithAnswer(uint32,address,bytes,uint64,uint64,uint64)";
    let arguments =
        ["send", "--rpc-url", &url, "--private-key", KEY, "--json", "--value", "1ether", PORTAL, call_of];
    let receipt = tools::run(&cast, &[&arguments[..], &["2", TO, "0x01", "100000", "0", "0"]].concat());
    let receipt: Value = serde_json::from_str(&receipt).expect("cast prints JSON");
    let id = receipt["logs"][0]["topics"][1].clone();
    let there = network.client(NFT, 0);
    wait_until("it bounces", Duration::from_secs(10), || {
        call(&there, "atoll_getReceipt", json!([id]))["consumed"]["success"] == false
    });
    let answer = call(&there, "atoll_getReceipt", json!([id]))["answer"].clone();
    let here = network.client(DEFI, 0);
    wait_until("its value comes back", Duration::from_secs(10), || {
        call(&here, "atoll_getReceipt", json!([answer]))["consumed"]["success"] == true
    });
    let came_back = call(&here, "atoll_getReceipt", json!([answer]));
    assert!(quantity(&came_back["value"]) > 1_000_000_000_000_000_000, "value and gas: {came_back}");

    let refused = |arguments: &[&str]| {
        let common = ["send", "--rpc-url", &url, "--private-key", KEY, PORTAL];
        let output = Command::new(&cast).args(common).args(arguments).output().expect("cast starts");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let transfer = "transfer(uint32,address)";
    for (arguments, reason) in [
        (&[transfer, "1", TO][..], "SelfLane(1)"),
        (&[transfer, "9", TO][..], "UnknownShard(9)"),
        (&["call(uint32,address,bytes,uint64,uint64)", "2", TO, "0x", "0", "0"][..], "ZeroGas()"),
        (&["call(uint32,address,bytes,uint64,uint64)", "2", TO, "0x", "9", "1"][..], "DeadlinePassed(1, "),
    ] {
        let text = refused(arguments);
        assert!(text.contains(reason), "{text}");
    }
    let error = block_on(here.request("atoll_getLane", json!(["0x9"]))).unwrap_err();
    assert!(error.to_string().contains("lanes to shards 0 to 2"), "{error}");
}
