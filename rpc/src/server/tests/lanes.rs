//! A plain call over HTTP goes another way than one over a WebSocket, and nobody can tell.

use super::*;

const BALANCE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266","latest"]}"#;
const REVERT: &str = r#"{"jsonrpc":"2.0","id":"a","method":"eth_call","params":[{"to":"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"}]}"#;
const BLOCK: &str = r#"{"jsonrpc":"2.0","id":null,"method":"eth_getHeaderByNumber","params":["pending"]}"#;
const CHAIN: &str = r#"{"id":9999999999999999999,"method":"eth_chainId","jsonrpc":"2.0"}"#;

/// Asserts that both answer the same bytes.
async fn alike(server: &ServerHandle, request: &str) -> String {
    let mut socket = web_socket::connect(server.address()).await;
    socket.send_text(request).await;
    let by_socket = timeout(PATIENCE, socket.receive_text()).await.expect("an answer");
    let (status, by_http) = posted(server, request.to_owned()).await;
    assert_eq!((status, &by_http), (200, &by_socket), "{request}");
    by_http
}

#[tokio::test]
async fn a_call_is_answered_alike_over_http_and_over_a_web_socket() {
    let (server, _) = started().await;
    let calls = [
        BALANCE,
        REVERT,
        BLOCK,
        CHAIN,
        r#" {"jsonrpc":"2.0","id":0,"method":"eth_chainId","params":null} "#,
        r#"{"jsonrpc":"2.0","id":7,"method":"eth_chainId","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"eth_chainId","params":[1]}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"eth_getBalance","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"eth_getBalance","params":["0x12"]}"#,
        r#"{"jsonrpc":"2.0","id":"\u0041\n","method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"eth_\u0063hainId"}"#,
        r#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"eth_nothing","extra":1}"#,
        r#"{"jsonrpc":"1.0","id":7,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":7}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"eth_chainId""#,
    ];
    for call in calls {
        alike(&server, call).await;
    }
}

#[tokio::test]
async fn a_batch_is_answered_alike_over_http_and_over_a_web_socket() {
    let (server, _) = started().await;
    let unknown = r#"{"jsonrpc":"2.0","id":7,"method":"eth_nothing"}"#;
    let notification = r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#;
    for batch in [
        format!("[{BALANCE}]"),
        format!("[{BALANCE},{REVERT},{CHAIN}]"),
        format!(" [ {CHAIN} , {unknown} ]"),
        format!("[{notification},{BLOCK}]"),
        format!("[{CHAIN},1]"),
        format!("[{CHAIN},{CHAIN},{CHAIN},{CHAIN}]"),
        "[]".to_owned(),
        format!("[{CHAIN}"),
    ] {
        alike(&server, &batch).await;
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_alike_over_http_and_over_a_web_socket() {
    // As long as the answer to two of the calls.
    let one =
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":"0x1b59"}}"#, 9_999_999_999_999_999_999_u64).len();
    let config = ServerConfig { max_response_bytes: (2 * one + 3) as u32, ..config() };
    let server = serve(config, shard_methods(Arc::new(Fixed::default()))).await.expect("a free port");
    let code = |text: String| {
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["error"]["code"].as_i64()
    };
    assert_eq!(code(alike(&server, BLOCK).await), Some(-32008));
    assert_eq!(code(alike(&server, &format!("[{CHAIN},{CHAIN}]")).await), None);
    assert_eq!(code(alike(&server, &format!("[{CHAIN},{CHAIN},{CHAIN}]")).await), Some(-32011));
}

/// A request takes a place while it is in work, a WebSocket for as long as it lives.
#[tokio::test]
async fn connections_over_the_limit_are_told_to_come_again() {
    let config = ServerConfig { max_connections: 1, ..config() };
    let server = serve(config, shard_methods(Arc::new(Fixed::default()))).await.expect("a free port");
    assert_eq!(posted(&server, BALANCE).await.0, 200);
    let socket = web_socket::connect(server.address()).await;
    assert_eq!(posted(&server, BALANCE).await.0, 429);
    drop(socket);
    let served_again = async {
        while posted(&server, BALANCE).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, served_again).await.expect("the socket's place is free again");
}

/// Who holds connections open keeps others waiting for as long as the server is patient, and no longer.
#[tokio::test]
async fn connections_that_sleep_are_closed() {
    let patience = Patience { first: Duration::from_millis(200), idle: Duration::from_millis(200) };
    let config = ServerConfig { max_connections: 1, ..config() };
    let methods = shard_methods(Arc::new(Fixed::default()));
    let server = serve_with(patience, config, methods).await.expect("a free port");
    let mut sleepers = Vec::new();
    for request in ["", "POST / HT", "GET / HTTP/1.1\r\nhost: x\r\n\r\n", ""] {
        let mut sleeper = TcpStream::connect(server.address()).await.expect("connected");
        sleeper.write_all(request.as_bytes()).await.expect("sent");
        sleepers.push(sleeper);
    }
    // All places are taken.
    let answered = timeout(PATIENCE, posted(&server, BALANCE)).await.expect("there is a place in the end");
    assert_eq!(answered.0, 200);
    for mut sleeper in sleepers {
        let mut answer = Vec::new();
        timeout(PATIENCE, sleeper.read_to_end(&mut answer)).await.expect("closed").expect("in good order");
    }
}

#[tokio::test]
async fn web_pages_are_told_the_same_by_both_lanes() {
    let (mine, other) = ("https://example.org", "https://example.com");
    for cors in [Cors::Off, Cors::Any, Cors::Origins(vec![mine.into()])] {
        let config = ServerConfig { cors: cors.clone(), ..config() };
        let server = serve(config, shard_methods(Arc::new(Fixed::default()))).await.expect("a free port");
        for origin in [None, Some(mine), Some(other)] {
            // The library answers what is no method here.
            let mut told = Vec::new();
            for method in ["eth_chainId", "eth_nothing"] {
                let request = reqwest::Client::new().post(format!("http://{}", server.address()));
                let request = request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method }));
                let request =
                    origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
                let mut headers = request.send().await.expect("an answer").headers().clone();
                headers.remove("date");
                headers.remove("content-length");
                told.push(headers);
            }
            assert_eq!(told[0], told[1], "{cors:?} {origin:?}");
        }
    }
}
