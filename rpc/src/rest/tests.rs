use super::*;
use axum::{http::header, routing::get};
use std::net::Ipv4Addr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn config() -> RestConfig {
    RestConfig::new((Ipv4Addr::LOCALHOST, 0).into())
}

fn router() -> Router {
    let page = get(async || ([(header::CONTENT_TYPE, "text/plain")], "# EOF\n"));
    Router::new().route("/metrics", page)
}

async fn metrics(server: &RestHandle) -> reqwest::Response {
    reqwest::get(format!("http://{}/metrics", server.address())).await.expect("an answer")
}

#[tokio::test]
async fn a_router_is_served() {
    let server = serve_rest(config(), router()).await.expect("a free port");
    let response = metrics(&server).await;
    assert!(response.headers()["content-type"].as_bytes().starts_with(b"text/plain"));
    assert_eq!(response.text().await.expect("text"), "# EOF\n");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let server = serve_rest(config(), router()).await.expect("a free port");
    let again = RestConfig { listen: server.address(), ..config() };
    let error = serve_rest(again, router()).await.expect_err("the port is taken");
    assert!(matches!(error, ServeError::PortTaken { listen } if listen == server.address()));
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let server = serve_rest(config(), router()).await.expect("a free port");
    let listen = server.address();
    timeout(PATIENCE, server.stop()).await.expect("it stops");
    serve_rest(RestConfig { listen, ..config() }, router()).await.expect("the port is free again");
}

#[tokio::test]
async fn connections_over_the_limit_wait_until_one_is_free() {
    let config = RestConfig { max_connections: 1, ..config() };
    let server = serve_rest(config, router()).await.expect("a free port");
    let first = TcpStream::connect(server.address()).await.expect("a connection");
    let mut second = TcpStream::connect(server.address()).await.expect("a place in the queue");
    second.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let early = timeout(Duration::from_millis(200), second.read_u8()).await;
    assert!(early.is_err(), "the first connection holds the only place");
    drop(first);
    let byte = timeout(PATIENCE, second.read_u8()).await.expect("it is served now");
    assert_eq!(byte.expect("an answer"), b'H');
}

#[tokio::test]
async fn bytes_that_are_no_http_end_only_their_own_connection() {
    let server = serve_rest(config(), router()).await.expect("a free port");
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    // The server may hang up before it has read everything.
    let _ = stream.write_all(&[0xff; 4_096]).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server hangs up");
    assert_eq!(metrics(&server).await.status(), 200);
}
