use super::*;
use crate::{
    Client, ClientError,
    error::{CODES, INTERNAL},
    method::{reference, shard_methods},
};
use alloy_primitives::{Address, B256, address};
use serde_json::{Value, json};
use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

mod debug;
mod fixed;
mod lanes;
mod web_socket;

use fixed::Fixed;

const ALICE: Address = address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
const PATIENCE: Duration = Duration::from_secs(10);

fn config() -> ServerConfig {
    ServerConfig {
        max_request_bytes: 64 * 1024,
        batch_max: 3,
        subscriptions_max: 2,
        cors: Cors::Any,
        ..ServerConfig::new((Ipv4Addr::LOCALHOST, 0).into())
    }
}

async fn started() -> (ServerHandle, Client) {
    let server = serve(config(), shard_methods(Arc::new(Fixed::default()))).await.expect("a free port");
    let client = Client::new(format!("http://{}", server.address())).expect("a client");
    (server, client)
}

/// What the server answers to these bytes as the body of an HTTP request.
async fn posted(server: &ServerHandle, body: impl Into<reqwest::Body>) -> (u16, String) {
    let request = reqwest::Client::new().post(format!("http://{}", server.address()));
    let response =
        request.header("content-type", "application/json").body(body).send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("text"))
}

async fn json_posted(server: &ServerHandle, body: impl Into<reqwest::Body>) -> Value {
    let (_, text) = posted(server, body).await;
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

fn error_of(result: Result<Value, ClientError>) -> (i64, String, Option<Value>) {
    match result {
        Err(ClientError::Rpc { code, message, data }) => (code, message, data),
        other => panic!("expected an error, found {other:?}"),
    }
}

#[tokio::test]
async fn results_are_written_as_ethereum_tools_read_them() {
    let (_server, client) = started().await;
    let calls = [
        ("eth_chainId", json!([]), json!("0x1b59")),
        ("eth_blockNumber", json!([]), json!("0xff")),
        ("eth_syncing", json!([]), json!(false)),
        ("eth_accounts", json!([]), json!([])),
        ("eth_gasPrice", json!([]), json!("0x9")),
        ("eth_maxPriorityFeePerGas", json!([]), json!("0x2")),
        (
            "eth_feeHistory",
            json!(["0x1", "latest", [25, 75]]),
            json!({ "oldestBlock": "0x0", "baseFeePerGas": ["0x7", "0x8"], "gasUsedRatio": [0.5] }),
        ),
        ("eth_getBalance", json!([ALICE, "latest"]), json!("0x3e8")),
        ("eth_getBalance", json!([ALICE]), json!("0x3e8")),
        ("eth_getTransactionCount", json!([ALICE, "pending"]), json!("0x2")),
        ("eth_getCode", json!([ALICE, "0x1"]), json!("0x")),
        ("eth_getStorageAt", json!([ALICE, "0x1", "safe"]), json!(B256::with_last_byte(1))),
        ("eth_estimateGas", json!([{ "to": ALICE, "value": "0x1" }]), json!("0x5208")),
        ("eth_sendRawTransaction", json!(["0x00"]), json!(alloy_primitives::keccak256([0]))),
        ("eth_getTransactionByHash", json!([B256::ZERO]), Value::Null),
        ("eth_getTransactionReceipt", json!([B256::ZERO]), Value::Null),
        ("eth_getBlockByNumber", json!(["finalized", true]), Value::Null),
        ("eth_getBlockByHash", json!([B256::ZERO, false]), Value::Null),
        ("eth_getHeaderByNumber", json!(["latest"]), Value::Null),
        ("eth_getHeaderByHash", json!([B256::ZERO]), Value::Null),
        ("eth_getBlockReceipts", json!(["latest"]), Value::Null),
        ("eth_getBlockTransactionCountByNumber", json!(["pending"]), json!("0x11")),
        ("eth_getBlockTransactionCountByHash", json!([B256::ZERO]), Value::Null),
        ("eth_getUncleCountByBlockNumber", json!(["pending"]), json!("0x0")),
        ("eth_getUncleCountByBlockHash", json!([B256::ZERO]), Value::Null),
        ("eth_getUncleByBlockNumberAndIndex", json!(["pending", "0x0"]), Value::Null),
        ("eth_getUncleByBlockHashAndIndex", json!([B256::ZERO, "0x0"]), Value::Null),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x1", "0x0"]), Value::Null),
        ("eth_getTransactionByBlockHashAndIndex", json!([B256::ZERO, "0x0"]), Value::Null),
        ("eth_getRawTransactionByHash", json!([B256::ZERO]), json!("0x")),
        ("eth_getRawTransactionByBlockNumberAndIndex", json!(["0x1", "0x0"]), json!("0x02")),
        ("eth_getRawTransactionByBlockHashAndIndex", json!([B256::ZERO, "0x1"]), json!("0x")),
        ("eth_blobBaseFee", json!([]), json!("0x1")),
        ("eth_newFilter", json!([{ "address": ALICE }]), json!("0x1a")),
        ("eth_newBlockFilter", json!([]), json!("0x1b")),
        ("eth_newPendingTransactionFilter", json!([]), json!("0x1c")),
        ("eth_newPendingTransactionFilter", json!([true]), json!("0x1d")),
        ("eth_getFilterChanges", json!(["0x1b"]), json!([B256::ZERO])),
        ("eth_getFilterLogs", json!(["0x1a"]), json!([])),
        ("eth_uninstallFilter", json!(["0x1b"]), json!(true)),
        ("eth_uninstallFilter", json!(["0x1"]), json!(false)),
        ("txpool_status", json!([]), json!({ "pending": "0xa", "queued": "0x7" })),
        ("txpool_content", json!([]), json!({ "pending": {}, "queued": {} })),
        ("txpool_contentFrom", json!([ALICE]), json!({ "pending": {}, "queued": {} })),
        ("txpool_inspect", json!([]), json!({ "pending": {}, "queued": {} })),
        ("net_version", json!([]), json!("7001")),
        ("net_listening", json!([]), json!(true)),
        ("net_peerCount", json!([]), json!("0x3")),
        ("web3_clientVersion", json!([]), json!("atoll/0.1.0")),
        ("web3_sha3", json!(["0x"]), json!(alloy_primitives::KECCAK256_EMPTY)),
    ];
    for (method, params, expected) in calls {
        let result =
            client.request(method, &params).await.unwrap_or_else(|error| panic!("{method}: {error}"));
        assert_eq!(result, expected, "{method} {params}");
    }
    let proof = client.request("eth_getProof", json!([ALICE, ["0x0"], "latest"])).await.expect("a proof");
    assert_eq!(proof["accountProof"], json!([]));
    let header = client.request("eth_getHeaderByNumber", json!(["pending"])).await.expect("a header");
    assert_eq!(header["atoll"]["epoch"], "0x5");
    let config = client.request("eth_config", json!([])).await.expect("a configuration");
    assert_eq!(config["current"]["chainId"], "0x1b59");
}

/// The reference is made from the lists that the server is made from; this holds for what is added in another way, too.
#[test]
fn every_method_has_its_line_in_the_reference() {
    let served = shard_methods(Arc::new(Fixed::default()));
    let served: BTreeSet<_> = served.names().collect();
    let told: Vec<_> = reference().map(|method| method.name).collect();
    assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), served);
    assert_eq!(told.len(), served.len(), "each is told once");
    for method in reference() {
        assert!(method.about.ends_with('.') && !method.result.is_empty(), "{}", method.name);
    }
}

#[tokio::test]
async fn a_block_may_be_named_by_an_eip_1898_object() {
    let (_server, client) = started().await;
    let by_number = client.request("eth_getBalance", json!([ALICE, { "blockNumber": "0x1" }])).await;
    assert_eq!(by_number.expect("a balance"), json!("0x3e8"));
    let by_hash = client.request("eth_getBalance", json!([ALICE, { "blockHash": B256::ZERO }])).await;
    assert_eq!(error_of(by_hash), (-32000, "header not found".into(), None));
}

#[tokio::test]
async fn an_unknown_method_is_named_as_geth_names_it() {
    let (_server, client) = started().await;
    for method in ["eth_foo", "foo_subscribe", ""] {
        let error = error_of(client.request(method, json!([])).await);
        assert_eq!(error, (-32601, format!("the method {method} does not exist/is not available"), None));
    }
}

#[tokio::test]
async fn an_argument_that_cannot_be_read_is_named_by_its_index() {
    let (_server, client) = started().await;
    let (code, message, _) = error_of(client.request("eth_getBalance", json!(["0x12", "latest"])).await);
    assert_eq!(code, -32602);
    assert!(message.starts_with("invalid argument 0: "), "{message}");
    let (code, message, _) = error_of(client.request("eth_getBalance", json!([ALICE, "newest"])).await);
    assert_eq!(code, -32602);
    assert!(message.starts_with("invalid argument 1: "), "{message}");
}

#[tokio::test]
async fn missing_named_and_surplus_arguments_are_refused() {
    let (_server, client) = started().await;
    for (params, message) in [
        (json!([]), "missing value for required argument 0"),
        (json!({ "address": ALICE }), "non-array args"),
        (json!([ALICE, "latest", 1]), "too many arguments, want at most 2"),
    ] {
        let error = error_of(client.request("eth_getBalance", &params).await);
        assert_eq!(error, (-32602, message.into(), None), "{params}");
    }
}

#[tokio::test]
async fn percentiles_that_fall_or_leave_their_range_are_refused() {
    let (_server, client) = started().await;
    for percentiles in [json!([50, 20]), json!([101]), json!([-1])] {
        let (code, message, _) =
            error_of(client.request("eth_feeHistory", json!([1, "latest", percentiles])).await);
        assert_eq!(code, -32602);
        assert!(message.starts_with("invalid reward percentile: #"), "{message}");
    }
}

#[tokio::test]
async fn errors_of_the_node_keep_their_code_text_and_data() {
    let (_server, client) = started().await;
    let call = client.request("eth_call", json!([{ "to": ALICE }, "latest"])).await;
    assert_eq!(error_of(call), (3, "execution reverted".into(), Some(json!("0x0102"))));
    let send = client.request("eth_sendRawTransaction", json!(["0x"])).await;
    assert_eq!(error_of(send), (-32000, "already known".into(), None));
    let logs = client.request("eth_getLogs", json!([{ "fromBlock": "0x0" }])).await;
    assert_eq!(error_of(logs), (-32005, "query exceeds max block range 1000".into(), None));
}

#[tokio::test]
async fn a_batch_is_answered_in_order_with_errors_in_their_place() {
    let (_server, client) = started().await;
    let calls = [("eth_chainId", json!([])), ("eth_foo", json!([])), ("net_version", json!([]))];
    let mut answers = client.batch(&calls).await.expect("a batch").into_iter();
    assert_eq!(answers.next().expect("first").expect("a result"), json!("0x1b59"));
    assert_eq!(error_of(answers.next().expect("second")).0, -32601);
    assert_eq!(answers.next().expect("third").expect("a result"), json!("7001"));
    assert!(answers.next().is_none());
}

#[tokio::test]
async fn a_batch_over_the_limit_is_refused_as_a_whole() {
    let (_server, client) = started().await;
    let calls = vec![("eth_chainId", json!([])); 4];
    let error = client.batch(&calls).await.expect_err("a batch of four where three are allowed");
    let (code, message, data) = error_of(Err(error));
    assert_eq!((code, message.as_str()), (-32010, "The batch request was too large"));
    assert_eq!(data, Some(json!("Exceeded max limit of 3")));
}

#[tokio::test]
async fn notifications_in_a_batch_are_not_answered() {
    let (server, _) = started().await;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId" });
    let notification = json!({ "jsonrpc": "2.0", "method": "eth_chainId" });
    let answer = json_posted(&server, json!([notification, call]).to_string()).await;
    assert_eq!(answer, json!([{ "jsonrpc": "2.0", "id": 1, "result": "0x1b59" }]));
}

#[tokio::test]
async fn text_that_is_no_json_and_json_that_is_no_request_are_refused() {
    let (server, _) = started().await;
    let deep = "[".repeat(30_000);
    for body in ["{\"jsonrpc\":", "\u{0}\u{1}", deep.as_str()] {
        assert_eq!(json_posted(&server, body.to_owned()).await["error"]["code"], -32700);
    }
    for body in ["{\"id\":1}", "[]"] {
        assert_eq!(json_posted(&server, body).await["error"]["code"], -32600, "{body}");
    }
}

#[tokio::test]
async fn arguments_nested_without_end_are_refused() {
    let (server, _) = started().await;
    let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{nested}]}}"#);
    let answer = json_posted(&server, body).await;
    assert!([-32602, -32700].contains(&answer["error"]["code"].as_i64().expect("a code")), "{answer}");
}

/// Bodies that are nearly requests; the same ones each time.
#[tokio::test]
async fn no_body_is_answered_by_a_fault_of_the_server() {
    let (server, client) = started().await;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": [ALICE, "latest"] });
    let bodies = [call.to_string(), json!([call, call]).to_string()];
    // SplitMix64.
    let mut state = 7_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    };
    for _ in 0..400 {
        let mut body = bodies[below(bodies.len())].clone().into_bytes();
        for _ in 0..=below(3) {
            let place = below(body.len());
            match below(5) {
                0 => body.truncate(place.max(1)),
                1 => body.insert(place, below(256) as u8),
                2 => body.rotate_left(place),
                3 => body.extend_from_within(place..),
                _ => body[place] = below(256) as u8,
            }
        }
        let (status, answer) = posted(&server, body.clone()).await;
        assert!(status < 500, "{status} {answer} to {}", String::from_utf8_lossy(&body));
        let code =
            serde_json::from_str::<Value>(&answer).ok().and_then(|answer| answer["error"]["code"].as_i64());
        if let Some(code) = code {
            let is_known = i32::try_from(code).is_ok_and(|code| CODES.contains(&code) && code != INTERNAL);
            assert!(is_known, "{answer} to {}", String::from_utf8_lossy(&body));
        }
    }
    assert_eq!(client.request("eth_chainId", json!([])).await.expect("an answer"), json!("0x1b59"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_server_lives_on() {
    let (server, client) = started().await;
    let (status, _) = posted(&server, vec![b' '; 128 * 1024]).await;
    assert_eq!(status, 413);
    assert_eq!(client.request("eth_chainId", json!([])).await.expect("an answer"), json!("0x1b59"));
}

#[tokio::test]
async fn bytes_that_are_no_http_end_only_their_own_connection() {
    let (server, client) = started().await;
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    let garbage: Vec<u8> = (0..=255).cycle().take(4_096).collect();
    // The server may hang up before it has read everything.
    let _ = stream.write_all(&garbage).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server hangs up");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(client.request("eth_chainId", json!([])).await.expect("an answer"), json!("0x1b59"));
}

#[tokio::test]
async fn web_pages_may_call_where_they_are_allowed_to() {
    let (server, _) = started().await;
    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, format!("http://{}", server.address()))
        .header("origin", "https://example.org")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .expect("an answer");
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn an_origin_that_no_browser_sends_is_refused() {
    for origin in ["*", "example.org"] {
        let config = ServerConfig { cors: Cors::Origins(vec![origin.into()]), ..config() };
        let error = serve(config, shard_methods(Arc::new(Fixed::default()))).await.expect_err("no origin");
        assert!(matches!(&error, ServeError::Origin { origin: found } if found == origin), "{error}");
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let (server, _) = started().await;
    let config = ServerConfig { listen: server.address(), ..config() };
    let error =
        serve(config, shard_methods(Arc::new(Fixed::default()))).await.expect_err("the port is taken");
    assert!(matches!(error, ServeError::PortTaken { listen } if listen == server.address()));
    assert!(error.to_string().contains(&server.address().port().to_string()), "{error}");
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let (server, client) = started().await;
    let listen = server.address();
    // Neither a connection that idles nor one that listens holds it up.
    client.request("eth_chainId", json!([])).await.expect("an answer");
    let mut socket = web_socket::connect(listen).await;
    socket.call("eth_subscribe", json!(["newHeads"])).await;
    timeout(PATIENCE, server.stop()).await.expect("it stops");
    let config = ServerConfig { listen, ..config() };
    serve(config, shard_methods(Arc::new(Fixed::default()))).await.expect("the port is free again");
}

#[tokio::test]
async fn subscriptions_need_a_web_socket() {
    let (_server, client) = started().await;
    let error = error_of(client.request("eth_subscribe", json!(["newHeads"])).await);
    assert_eq!(error, (-32601, "notifications not supported".into(), None));
}

#[tokio::test]
async fn a_subscriber_gets_what_happens_until_it_unsubscribes() {
    let (server, _) = started().await;
    let mut socket = web_socket::connect(server.address()).await;
    let answer = socket.call("eth_subscribe", json!(["newHeads"])).await;
    let id = answer["result"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("0x"), "{id}");
    for epoch in ["0x1", "0x2"] {
        let notification = socket.receive().await;
        assert_eq!(notification["method"], "eth_subscription");
        assert_eq!(notification["params"]["subscription"], json!(id));
        assert_eq!(notification["params"]["result"]["atoll"]["epoch"], epoch);
    }
    assert_eq!(socket.call("eth_unsubscribe", json!([id])).await["result"], true);
    assert_eq!(socket.call("eth_chainId", json!([])).await["result"], "0x1b59");
}

#[tokio::test]
async fn a_subscriber_to_pending_transactions_may_ask_for_all_of_them() {
    let (server, _) = started().await;
    let mut socket = web_socket::connect(server.address()).await;
    for (params, byte) in [
        (json!(["newPendingTransactions"]), 1),
        (json!(["newPendingTransactions", null]), 1),
        (json!(["newPendingTransactions", true]), 2),
    ] {
        let id = socket.call("eth_subscribe", params).await["result"].take();
        assert_eq!(socket.receive().await["params"]["result"], json!(B256::repeat_byte(byte)));
        assert_eq!(socket.call("eth_unsubscribe", json!([id])).await["result"], true);
    }
    socket.call("eth_subscribe", json!(["syncing"])).await;
    assert_eq!(socket.receive().await["params"]["result"], false);
    let wrong = socket.call("eth_subscribe", json!(["newPendingTransactions", "yes"])).await["error"].take();
    assert_eq!(wrong["code"], -32602);
}

#[tokio::test]
async fn an_unknown_subscription_is_refused_by_name() {
    let (server, _) = started().await;
    let mut socket = web_socket::connect(server.address()).await;
    let error = socket.call("eth_subscribe", json!(["foo"])).await["error"].take();
    assert_eq!(error, json!({ "code": -32601, "message": "no \"foo\" subscription in eth namespace" }));
}

#[tokio::test]
async fn more_subscriptions_than_allowed_are_refused() {
    let (server, _) = started().await;
    let mut socket = web_socket::connect(server.address()).await;
    for _ in 0..2 {
        socket.send("eth_subscribe", json!(["newHeads"])).await;
    }
    socket.send("eth_subscribe", json!(["newHeads"])).await;
    let refused = async {
        loop {
            let message = socket.receive().await;
            if message["error"]["code"] == -32006 {
                return;
            }
        }
    };
    timeout(PATIENCE, refused).await.expect("the third is refused");
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_loses_its_subscription_and_holds_up_nobody() {
    let api = Arc::new(Fixed::default());
    let dropped = api.dropped.clone();
    let server = serve(config(), shard_methods(api)).await.expect("a free port");
    let client = Client::new(format!("http://{}", server.address())).expect("a client");
    let mut slow = web_socket::connect(server.address()).await;
    slow.send("eth_subscribe", json!(["logs", {}])).await;
    let others = async {
        for _ in 0..20 {
            client.request("eth_chainId", json!([])).await.expect("an answer");
        }
    };
    timeout(PATIENCE, others).await.expect("others are served");
    timeout(PATIENCE, dropped.notified()).await.expect("the subscription is dropped, for nobody reads");
    // Reading on, it passes over what was buffered, and no more: the stream itself has no end.
    let answer = timeout(PATIENCE, slow.call("eth_chainId", json!([]))).await.expect("an answer");
    assert_eq!(answer["result"], "0x1b59");
}
