use super::*;
use alloy_primitives::{Address, B256, U256, address, hex};
use rpc::{Client, ClientError};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FIRST: Address = ACCOUNTS[0].0;
const SECOND: Address = ACCOUNTS[1].0;
const STRANGER: Address = address!("00000000000000000000000000000000000b0b00");
/// Init code of a contract that stores its caller in slot 0 and the time in slot 1, and reverts if it is given data.
const CONTRACT: &str = "0x6010600c60003960106000f336600c57335f5542600155005b5f5ffd";

/// A development chain and a client of it.
struct Dev {
    client: Client,
    _server: ServerHandle,
}

impl Dev {
    async fn new() -> Self {
        Self::with(None).await
    }

    async fn with(block_time: Option<Duration>) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = start(&DevConfig { chain_id: 4_242, listen, block_time }).await.expect("starts");
        let client = Client::new(format!("http://{}", server.address())).expect("a URL");
        Self { client, _server: server }
    }

    async fn try_call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        self.client.call(method, params).await
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn number(&self, method: &str, params: Value) -> u128 {
        let text = self.call(method, params).await;
        let text = text.as_str().expect("a quantity").trim_start_matches("0x").to_owned();
        u128::from_str_radix(&text, 16).expect("hexadecimal")
    }

    async fn refusal(&self, method: &str, params: Value) -> (i64, String) {
        match self.try_call(method, params).await {
            Err(ClientError::Rpc { code, message, .. }) => (code, message),
            other => panic!("{method} was not refused: {other:?}"),
        }
    }

    async fn height(&self) -> u128 {
        self.number("eth_blockNumber", json!([])).await
    }

    async fn balance(&self, address: Address) -> u128 {
        self.number("eth_getBalance", json!([address, "latest"])).await
    }

    async fn nonce(&self, address: Address) -> u128 {
        self.number("eth_getTransactionCount", json!([address, "latest"])).await
    }

    async fn timestamp(&self) -> u64 {
        let block = self.call("eth_getBlockByNumber", json!(["latest", false])).await;
        let text = block["timestamp"].as_str().expect("a quantity").trim_start_matches("0x").to_owned();
        u64::from_str_radix(&text, 16).expect("hexadecimal")
    }

    async fn send(&self, from: Address, to: Address, value: u64) -> Value {
        let value = format!("{value:#x}");
        self.call("eth_sendTransaction", json!([{ "from": from, "to": to, "value": value }])).await
    }

    async fn receipt(&self, hash: &Value) -> Value {
        self.call("eth_getTransactionReceipt", json!([hash])).await
    }

    async fn deploy(&self) -> Value {
        let hash = self.call("eth_sendTransaction", json!([{ "from": FIRST, "data": CONTRACT }])).await;
        self.receipt(&hash).await["contractAddress"].clone()
    }

    async fn slot(&self, contract: &Value, slot: u8) -> U256 {
        let word = self.call("eth_getStorageAt", json!([contract, format!("{slot:#x}"), "latest"])).await;
        word.as_str().and_then(|word| word.parse().ok()).expect("a word")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_has_the_id_that_was_asked_for_and_ten_funded_accounts() {
    let dev = Dev::new().await;
    assert_eq!(dev.number("eth_chainId", json!([])).await, 4_242);
    assert_eq!(dev.call("net_version", json!([])).await, "4242");
    let accounts = dev.call("eth_accounts", json!([])).await;
    assert_eq!(accounts, json!(ACCOUNTS.map(|(address, _)| address)));
    assert_eq!(dev.balance(ACCOUNTS[9].0).await, 10_000 * 10u128.pow(18));
    assert_eq!(dev.height().await, 0);
}

/// What viem and ethers do, call by call.
#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_deploys_calls_and_reads_what_came_of_it() {
    let dev = Dev::new().await;
    let contract = dev.deploy().await;
    assert_eq!(dev.height().await, 1);
    let hash = dev.call("eth_sendTransaction", json!([{ "from": SECOND, "to": contract }])).await;
    let receipt = dev.receipt(&hash).await;
    assert_eq!((&receipt["status"], &receipt["blockNumber"]), (&json!("0x1"), &json!("0x2")));
    assert_eq!(receipt["from"], json!(SECOND));
    assert_eq!(dev.slot(&contract, 0).await, U256::from_be_slice(SECOND.as_slice()));
    let (code, text) = dev.refusal("eth_estimateGas", json!([{ "to": contract, "data": "0x01" }])).await;
    assert_eq!((code, text.starts_with("execution reverted")), (3, true), "{text}");
    let proof = dev.call("eth_getProof", json!([contract, ["0x0"], "latest"])).await;
    assert_eq!(proof["storageProof"][0]["value"], json!(U256::from_be_slice(SECOND.as_slice())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_transaction_is_in_a_block_when_its_hash_is_answered() {
    let dev = Dev::new().await;
    let raw = signed_transfer(4_242, 0);
    let hash = dev.call("eth_sendRawTransaction", json!([raw])).await;
    assert_eq!(dev.receipt(&hash).await["blockNumber"], "0x1");
    assert_eq!(dev.balance(STRANGER).await, 7);
    let (code, text) = dev.refusal("eth_sendRawTransaction", json!([raw])).await;
    assert_eq!((code, text.starts_with("nonce too low")), (-32_000, true), "{text}");
}

/// A transfer of 7 wei by the first account.
fn signed_transfer(chain_id: u64, nonce: u64) -> String {
    use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
    use alloy_eips::Encodable2718 as _;
    let unsigned = TxEip1559 {
        chain_id,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 3_000_000_000,
        to: STRANGER.into(),
        value: U256::from(7),
        ..TxEip1559::default()
    };
    let key = accounts::key_of(&FIRST).expect("known");
    let signature = key.sign(&unsigned.signature_hash());
    hex::encode_prefixed(TxEnvelope::from(unsigned.into_signed(signature)).encoded_2718())
}

#[tokio::test(flavor = "multi_thread")]
async fn reverting_restores_balances_nonces_storage_height_pool_and_clock() {
    let dev = Dev::new().await;
    let contract = dev.deploy().await;
    dev.call("evm_setAutomine", json!([false])).await;
    let waiting = dev.send(FIRST, STRANGER, 1).await;
    let state = dev.call("eth_getBlockByNumber", json!(["latest", false])).await["stateRoot"].clone();
    let snapshot = dev.call("evm_snapshot", json!([])).await;
    assert_eq!(snapshot, "0x1");

    dev.call("evm_increaseTime", json!([100_000])).await;
    dev.call("evm_mine", json!([])).await;
    dev.call("evm_setAutomine", json!([true])).await;
    dev.call("eth_sendTransaction", json!([{ "from": SECOND, "to": contract }])).await;
    dev.call("anvil_setBalance", json!([STRANGER, "0x64"])).await;
    assert_eq!((dev.balance(STRANGER).await, dev.nonce(SECOND).await), (100, 1));
    assert!(dev.height().await > 2);

    assert_eq!(dev.call("evm_revert", json!([snapshot])).await, true);
    assert_eq!((dev.height().await, dev.balance(STRANGER).await, dev.nonce(SECOND).await), (1, 0, 0));
    assert_eq!(dev.slot(&contract, 0).await, U256::ZERO);
    let block = dev.call("eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(block["stateRoot"], state);
    assert_eq!(dev.receipt(&waiting).await, Value::Null);
    assert_eq!(dev.call("eth_getTransactionByHash", json!([waiting])).await["blockNumber"], Value::Null);
    let before = dev.timestamp().await;
    dev.call("evm_mine", json!([])).await;
    assert!(dev.timestamp().await < before + 50_000);
    assert_eq!((dev.balance(STRANGER).await, dev.nonce(FIRST).await), (1, 2));
    assert_eq!(dev.receipt(&waiting).await["blockNumber"], "0x2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_used_up_with_those_after_it() {
    let dev = Dev::new().await;
    let first = dev.call("evm_snapshot", json!([])).await;
    let second = dev.call("evm_snapshot", json!([])).await;
    assert_eq!(dev.call("evm_revert", json!([first])).await, true);
    assert_eq!(dev.call("evm_revert", json!([first])).await, false);
    assert_eq!(dev.call("evm_revert", json!([second])).await, false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverted_chain_goes_on() {
    let dev = Dev::new().await;
    let snapshot = dev.call("evm_snapshot", json!([])).await;
    for value in [1, 2, 3] {
        dev.send(FIRST, STRANGER, value).await;
    }
    dev.call("evm_revert", json!([snapshot])).await;
    let hash = dev.send(FIRST, STRANGER, 9).await;
    assert_eq!(dev.receipt(&hash).await["blockNumber"], "0x1");
    assert_eq!(dev.balance(STRANGER).await, 9);
    let proof = dev.call("eth_getProof", json!([STRANGER, [], "0x0"])).await;
    assert_eq!(proof["balance"], "0x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_automine_blocks_come_when_they_are_asked_for() {
    let dev = Dev::new().await;
    dev.call("evm_setAutomine", json!([false])).await;
    assert_eq!(dev.call("hardhat_getAutomine", json!([])).await, false);
    let hashes = [dev.send(FIRST, STRANGER, 1).await, dev.send(FIRST, STRANGER, 2).await];
    assert_eq!(dev.height().await, 0);
    dev.call("evm_mine", json!([])).await;
    for hash in hashes {
        assert_eq!(dev.receipt(&hash).await["blockNumber"], "0x1");
    }
    dev.send(FIRST, STRANGER, 3).await;
    dev.call("evm_setAutomine", json!([true])).await;
    assert_eq!((dev.height().await, dev.balance(STRANGER).await), (2, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_blocks_are_made_at_once_so_many_seconds_apart() {
    let dev = Dev::new().await;
    dev.call("hardhat_mine", json!(["0x3", "0x3c"])).await;
    let last = dev.timestamp().await;
    assert_eq!(dev.height().await, 3);
    let first = dev.call("eth_getBlockByNumber", json!(["0x1", false])).await;
    assert_eq!(first["timestamp"], format!("{:#x}", last - 120));
    dev.call("anvil_mine", json!([2])).await;
    dev.call("evm_mine", json!([{ "blocks": 2 }])).await;
    assert_eq!(dev.height().await, 7);
    let (code, text) = dev.refusal("anvil_mine", json!([100_001])).await;
    assert_eq!((code, text.as_str()), (-32_602, "at most 100000 blocks are made at once, not 100001"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sets_the_clock() {
    let dev = Dev::new().await;
    let start = dev.timestamp().await;
    assert_eq!(dev.call("evm_increaseTime", json!(["0x3e8"])).await, 1_000);
    dev.call("evm_mine", json!([])).await;
    assert!((start + 1_000..start + 1_100).contains(&dev.timestamp().await));
    let next = start + 5_000;
    dev.call("evm_setNextBlockTimestamp", json!([next])).await;
    let contract = dev.deploy().await;
    assert_eq!(dev.timestamp().await, next);
    dev.call("evm_setNextBlockTimestamp", json!([next + 60])).await;
    dev.call("anvil_setBalance", json!([STRANGER, "0x1"])).await;
    dev.call("eth_sendTransaction", json!([{ "from": FIRST, "to": contract }])).await;
    assert_eq!(dev.slot(&contract, 1).await, U256::from(next + 60));
    dev.call("evm_mine", json!([next + 100])).await;
    assert_eq!(dev.timestamp().await, next + 100);
    let (code, text) = dev.refusal("evm_setNextBlockTimestamp", json!([start])).await;
    assert_eq!(code, -32_602);
    assert!(text.contains("is not after that of the latest block"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sets_balance_nonce_code_and_storage() {
    let dev = Dev::new().await;
    dev.call("hardhat_setBalance", json!([STRANGER, "0xde0b6b3a7640000"])).await;
    dev.call("anvil_setNonce", json!([STRANGER, 41])).await;
    dev.call("anvil_setCode", json!([STRANGER, "0x5f545f5260205ff3"])).await;
    dev.call("hardhat_setStorageAt", json!([STRANGER, "0x0", B256::with_last_byte(77)])).await;
    assert_eq!((dev.balance(STRANGER).await, dev.nonce(STRANGER).await), (10u128.pow(18), 41));
    let output = dev.call("eth_call", json!([{ "to": STRANGER }, "latest"])).await;
    assert_eq!(output, json!(B256::with_last_byte(77)));
    assert_eq!(dev.call("eth_getCode", json!([STRANGER, "latest"])).await, "0x5f545f5260205ff3");
}

/// What is set by hand is part of the state that headers commit to.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_sets_is_proven_against_the_latest_header() {
    let dev = Dev::new().await;
    dev.call("anvil_setBalance", json!([STRANGER, "0x64"])).await;
    let block = dev.call("eth_getBlockByNumber", json!(["latest", false])).await;
    let proof = dev.call("eth_getProof", json!([STRANGER, [], block["number"]])).await;
    let node = proof["accountProof"][0].as_str().expect("a node");
    let root = alloy_primitives::keccak256(hex::decode(node).expect("hexadecimal"));
    assert_eq!((json!(root), &proof["balance"]), (block["stateRoot"].clone(), &json!("0x64")));
    let before = dev.number("eth_getBalance", json!([STRANGER, "0x0"])).await;
    assert_eq!(before, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_of_an_account_that_does_not_exist_is_refused() {
    let dev = Dev::new().await;
    let params = json!([STRANGER, "0x0", B256::with_last_byte(1)]);
    let (code, text) = dev.refusal("anvil_setStorageAt", params).await;
    assert_eq!((code, text.contains("does not exist")), (-32_602, true), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_looks_like_a_delegation_must_be_one() {
    let dev = Dev::new().await;
    let (code, text) = dev.refusal("anvil_setCode", json!([STRANGER, "0xef0100"])).await;
    assert_eq!((code, text.contains("EIP-7702")), (-32_602, true), "{text}");
    assert_eq!(dev.height().await, 0);
}

/// A contract, too, may be spoken for; and the answer stays right when the block is old.
#[tokio::test(flavor = "multi_thread")]
async fn an_impersonated_account_sends_without_its_key() {
    let dev = Dev::new().await;
    let contract = dev.deploy().await;
    let refused = dev.refusal("eth_sendTransaction", json!([{ "from": contract, "to": STRANGER }])).await;
    assert_eq!(refused, (-32_000, "unknown account".into()));
    dev.call("anvil_impersonateAccount", json!([contract])).await;
    dev.call("anvil_setBalance", json!([contract, "0xde0b6b3a7640000"])).await;
    let params = json!([{ "from": contract, "to": STRANGER, "value": "0x5" }]);
    let hash = dev.call("eth_sendTransaction", params.clone()).await;
    assert_eq!(dev.receipt(&hash).await["from"], contract);
    assert_eq!(dev.balance(STRANGER).await, 5);
    dev.call("anvil_mine", json!([80])).await;
    assert_eq!(dev.call("eth_getTransactionByHash", json!([hash])).await["from"], contract);
    dev.call("hardhat_stopImpersonatingAccount", json!([contract])).await;
    assert_eq!(dev.refusal("eth_sendTransaction", params).await.1, "unknown account");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_come_at_an_interval_if_that_is_wanted() {
    let dev = Dev::with(Some(Duration::from_millis(20))).await;
    let hash = dev.send(FIRST, STRANGER, 4).await;
    while dev.receipt(&hash).await.is_null() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    dev.call("evm_setIntervalMining", json!([0])).await;
    let height = dev.height().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(dev.height().await <= height + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_another_chain_is_refused() {
    let dev = Dev::new().await;
    let (code, text) = dev.refusal("eth_sendRawTransaction", json!([signed_transfer(1, 0)])).await;
    assert_eq!((code, text.contains("invalid chain id")), (-32_000, true), "{text}");
}

/// What an owner may do, a node of a network does not know.
#[tokio::test(flavor = "multi_thread")]
async fn a_shard_of_a_network_has_none_of_the_owner_s_methods() {
    let chain = DevChain::start(1, None).expect("starts");
    let api = ShardApi::start(Arc::new(chain.clone()), ApiConfig::default());
    let shard = rpc::method::shard_methods(Arc::clone(&api));
    let owner = Arc::new(DevOwner::new(chain, api));
    let all = rpc::method::dev_methods(shard.clone(), owner);
    let of_all: BTreeSet<&str> = shard.names().collect();
    let own: Vec<&str> = all.names().filter(|name| !of_all.contains(name)).collect();
    for name in ["evm_snapshot", "evm_revert", "anvil_setBalance", "hardhat_mine"] {
        assert!(own.contains(&name), "{name}");
    }
    assert!(own.iter().all(|name| !name.starts_with("eth_")), "{own:?}");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = rpc::serve(ServerConfig::new(listen), shard).await.expect("serves");
    let client = Client::new(format!("http://{}", server.address())).expect("a URL");
    for name in own {
        match client.call::<Value>(name, json!([])).await {
            Err(ClientError::Rpc { code, message, .. }) => {
                assert_eq!(code, -32_601, "{name}");
                assert_eq!(message, format!("the method {name} does not exist/is not available"));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    let accounts: Value = client.call("eth_accounts", json!([])).await.expect("there is such a method");
    assert_eq!(accounts, json!([]));
    let from = json!([{ "from": ACCOUNTS[0].0, "to": ACCOUNTS[1].0 }]);
    let refused = client.call::<Value>("eth_sendTransaction", from).await.expect_err("it has no keys");
    assert!(refused.to_string().contains("unknown account"), "{refused}");
}
