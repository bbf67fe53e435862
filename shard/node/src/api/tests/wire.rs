use super::*;
use serde_json::{Value, json};

/// The methods, asked in JSON.
#[derive(Debug)]
pub(super) struct Wire(Arc<ShardApi>);

impl Wire {
    pub(super) fn new(api: &Arc<ShardApi>) -> Self {
        Self(Arc::clone(api))
    }

    /// The whole answer to a call with these parameters.
    pub(super) async fn ask(&self, method: &str, params: &str) -> Value {
        let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let methods = shard_methods(Arc::clone(&self.0));
        let answer = methods.ask(&request).await.expect("a request");
        serde_json::from_str(answer.get()).expect("JSON")
    }
}

#[tokio::test]
async fn answers_go_over_the_wire_as_geth_writes_them() {
    let (chain, api) = served();
    send(&api, &transfer(0, 0)).await;
    chain.seal();
    let ask = Wire::new(&api);
    for (method, params, result) in [
        ("eth_chainId", "[]", json!("0x1466a9")),
        ("net_version", "[]", json!("1337001")),
        ("net_peerCount", "[]", json!("0x3")),
        ("net_listening", "[]", json!(true)),
        ("eth_blockNumber", "[]", json!("0x1")),
        ("eth_accounts", "[]", json!([])),
        ("eth_blobBaseFee", "[]", json!("0x1")),
        ("eth_getBlockTransactionCountByNumber", r#"["latest"]"#, json!("0x1")),
        ("eth_getBlockTransactionCountByNumber", r#"["0x9"]"#, json!(null)),
        ("eth_getUncleCountByBlockNumber", r#"["latest"]"#, json!("0x0")),
        ("eth_getUncleCountByBlockNumber", r#"["0x9"]"#, json!(null)),
        ("eth_getUncleByBlockNumberAndIndex", r#"["latest","0x0"]"#, json!(null)),
        ("eth_getRawTransactionByBlockNumberAndIndex", r#"["latest","0x1"]"#, json!("0x")),
        ("eth_getTransactionByBlockNumberAndIndex", r#"["latest","0x1"]"#, json!(null)),
    ] {
        assert_eq!(ask.ask(method, params).await["result"], result, "{method} {params}");
    }
    let version = ask.ask("web3_clientVersion", "[]").await["result"].to_string();
    assert!(version.starts_with("\"atoll/v"), "{version}");
    let block = ask.ask("eth_getBlockByNumber", r#"["latest", true]"#).await;
    assert_eq!(block["result"]["transactions"][0]["blockNumber"], "0x1");
    let hash = &block["result"]["hash"];
    let header = ask.ask("eth_getHeaderByHash", &format!("[{hash}]")).await["result"].take();
    assert_eq!((&header["hash"], &header["size"]), (hash, &block["result"]["size"]));
    assert_eq!(header, ask.ask("eth_getHeaderByNumber", r#"["latest"]"#).await["result"]);
    let config = ask.ask("eth_config", "[]").await["result"].take();
    assert_eq!(config["current"]["chainId"], "0x1466a9");
    assert_eq!(ask.ask("eth_getUncleCountByBlockHash", &format!("[{hash}]")).await["result"], "0x0");
    assert_eq!(ask.ask("eth_getBlockTransactionCountByHash", &format!("[{hash}]")).await["result"], "0x1");
    let place = format!(r#"[{hash},"0x0"]"#);
    let found = ask.ask("eth_getTransactionByBlockHashAndIndex", &place).await["result"].take();
    assert_eq!(found, block["result"]["transactions"][0]);
    let receipts = ask.ask("eth_getBlockReceipts", &format!("[{hash}]")).await["result"].take();
    assert_eq!(receipts[0]["transactionHash"], found["hash"]);
}

/// The node holds no keys, and says so as geth does of an account that it has no key of.
#[tokio::test]
async fn signing_is_left_to_those_who_have_keys() {
    let (_chain, api) = served();
    let ask = Wire::new(&api);
    let request = format!(r#"[{{"from":"{0}","to":"{0}"}}]"#, key(0).address());
    let message = format!(r#"["{}","0x00"]"#, key(0).address());
    for (method, params) in
        [("eth_sendTransaction", &request), ("eth_signTransaction", &request), ("eth_sign", &message)]
    {
        let error = ask.ask(method, params).await["error"].take();
        assert_eq!(error, json!({ "code": -32000, "message": "unknown account" }), "{method}");
    }
}

#[tokio::test]
async fn filter_goes_over_the_wire_as_a_quantity() {
    let (chain, api) = served();
    let ask = Wire::new(&api);
    let id = ask.ask("eth_newBlockFilter", "[]").await["result"].take();
    assert!(id.as_str().is_some_and(|id| id.starts_with("0x") && id.len() <= 34), "{id}");
    let block = chain.seal();
    assert_eq!(ask.ask("eth_getFilterChanges", &format!("[{id}]")).await["result"], json!([block]));
    assert_eq!(ask.ask("eth_getFilterChanges", &format!("[{id}]")).await["result"], json!([]));
    assert_eq!(ask.ask("eth_uninstallFilter", &format!("[{id}]")).await["result"], true);
    let error = ask.ask("eth_getFilterChanges", &format!("[{id}]")).await["error"].take();
    assert_eq!(error, json!({ "code": -32000, "message": "filter not found" }));
}
