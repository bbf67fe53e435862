//! A swap between two shards with cast: all or nothing.

use crate::{
    network::{Network, call, wait_until},
    tools,
};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const ATOMIC: &str = "0x41746f6c6c000000000000000000000000000002";
/// Keys and addresses of two accounts that every local network has.
const ALICE: (&str, &str) = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
);
const BOB: (&str, &str) = (
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
);
const AI: u32 = 0;
const DEFI: u32 = 1;
const LEGS: &str = "(uint32,address,address,address,uint256)[]";

/// Alice's token on one shard for Bob's on another: refused without Bob's consent, done with it.
#[test]
fn a_token_is_swapped_for_one_of_another_shard_or_nothing_moves() {
    let Some(cast) = tools::find("cast") else { return };
    let network = Network::start(&[]);
    let user = User { cast, network: &network };
    let [token_a, token_b] = [user.create(AI, ALICE), user.create(DEFI, BOB)];
    user.send(AI, ALICE, &[&token_a, "approve(address,uint256)", ATOMIC, "200"]);
    user.send(DEFI, BOB, &[&token_b, "approve(address,uint256)", ATOMIC, "70"]);
    let (alice, bob) = (ALICE.1, BOB.1);
    let legs = format!("[({AI},{token_a},{alice},{bob},100),({DEFI},{token_b},{bob},{alice},70)]");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let deadline = (now + 600).to_string();
    let open = format!("open({LEGS},uint64,bytes32)");
    let bundle_of = |salt: &str| {
        let function = format!("bundleId(uint32,{LEGS},uint64,bytes32)(bytes32)");
        user.ask(AI, &[ATOMIC, &function, "0", &legs, &deadline, salt])
    };
    let status = |id: &str| user.ask(AI, &[ATOMIC, "bundle(bytes32)(uint8,uint8,uint64)", id]);
    let balances = || {
        let of = |shard, token: &str, owner| user.ask(shard, &[token, "balanceOf(address)(uint256)", owner]);
        [of(AI, &token_a, alice), of(AI, &token_a, bob), of(DEFI, &token_b, alice), of(DEFI, &token_b, bob)]
    };

    // Without consent: everything comes back by itself.
    let salt = format!("0x{:064x}", 1);
    user.send(AI, ALICE, &[ATOMIC, &open, &legs, &deadline, &salt]);
    let id = bundle_of(&salt);
    wait_until("it is aborted", Duration::from_secs(20), || status(&id).starts_with('3'));
    assert_eq!(balances(), ["1000", "0", "0", "1000"]);
    let text = user.refused(AI, ALICE, &[ATOMIC, &open, &legs, &deadline, &salt]);
    assert!(text.contains(&format!("AlreadyOpened({id})")), "{text}");

    let salt = format!("0x{:064x}", 2);
    let consent = format!("consent(uint32,{LEGS},uint64,bytes32)");
    user.send(DEFI, BOB, &[ATOMIC, &consent, "0", &legs, &deadline, &salt]);
    let opened = user.send(AI, ALICE, &[ATOMIC, &open, &legs, &deadline, &salt]);
    let id = bundle_of(&salt);
    wait_until("it is paid out on both shards", Duration::from_secs(20), || {
        balances() == ["900", "100", "70", "930"]
    });
    assert!(status(&id).starts_with('2'), "committed");

    // The receipts between the shards are followed as any other.
    let sent = opened["logs"].as_array().expect("logs").iter().find(|log| log["topics"][0] == sent_topic());
    let prepare = sent.expect("a prepare was sent")["topics"][1].clone();
    let journey = call(&network.client(DEFI, 0), "atoll_getReceipt", json!([prepare]));
    assert_eq!((&journey["kind"], &journey["consumed"]["success"]), (&json!("prepare"), &json!(true)));
    let answer = call(&network.client(AI, 0), "atoll_getReceipt", json!([journey["answer"]]));
    assert_eq!((&answer["kind"], &answer["consumed"]["success"]), (&json!("answer"), &json!(true)));
}

/// The topic of the Portal's `Sent`.
fn sent_topic() -> Value {
    let event = "Sent(bytes32,uint32,address,uint64,uint16,uint256,uint64,uint64,bytes)";
    json!(format!("{:#x}", alloy_primitives::keccak256(event)))
}

/// Somebody with cast.
struct User<'a> {
    cast: PathBuf,
    network: &'a Network,
}

impl User<'_> {
    /// Creates a token with a supply of a thousand; its address.
    fn create(&self, shard: u32, (key, _): (&str, &str)) -> String {
        let build = tools::clients().expect("cast is among them").join("build/Token.json");
        let artifact = std::fs::read_to_string(&build).expect("`tests/clients/install` compiles the token");
        let artifact: Value = serde_json::from_str(&artifact).expect("JSON");
        let code = format!("{}{:064x}", artifact["bytecode"].as_str().expect("code"), 1000);
        let url = self.network.url(shard, 0);
        let arguments = ["send", "--rpc-url", &url, "--private-key", key, "--json", "--create", &code];
        let receipt: Value = serde_json::from_str(&tools::run(&self.cast, &arguments)).expect("JSON");
        receipt["contractAddress"].as_str().expect("created").to_owned()
    }

    fn send(&self, shard: u32, (key, _): (&str, &str), call: &[&str]) -> Value {
        let url = self.network.url(shard, 0);
        let arguments = [&["send", "--rpc-url", &url, "--private-key", key, "--json"], call].concat();
        let receipt: Value = serde_json::from_str(&tools::run(&self.cast, &arguments)).expect("JSON");
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }

    fn ask(&self, shard: u32, call: &[&str]) -> String {
        let url = self.network.url(shard, 0);
        tools::run(&self.cast, &[&["call", "--rpc-url", &url], call].concat())
    }

    /// What cast says of a transaction that is refused.
    fn refused(&self, shard: u32, (key, _): (&str, &str), call: &[&str]) -> String {
        let url = self.network.url(shard, 0);
        let arguments = [&["send", "--rpc-url", &url, "--private-key", key], call].concat();
        let output = Command::new(&self.cast).args(arguments).output().expect("cast starts");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}
