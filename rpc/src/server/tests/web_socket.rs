//! As much of a WebSocket client as the tests need: whole text messages of JSON.

use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;

pub(super) struct Socket {
    stream: TcpStream,
    next_id: u64,
}

pub(super) async fn connect(address: SocketAddr) -> Socket {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the answer's head"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    Socket { stream, next_id: 1 }
}

impl Socket {
    pub(super) async fn send(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send_text(
            &json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string(),
        )
        .await;
        id
    }

    pub(super) async fn send_text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).expect("a short message");
        let mut frame = vec![TEXT, MASKED | 126];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]); // a mask of zeros changes nothing
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await.expect("sent");
    }

    /// Sends a call and returns its answer, passing over notifications.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        loop {
            let message = self.receive().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    pub(super) async fn receive(&mut self) -> Value {
        serde_json::from_str(&self.receive_text().await).expect("JSON")
    }

    pub(super) async fn receive_text(&mut self) -> String {
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).await.expect("a frame");
            let length = match head[1] {
                126 => u64::from(self.stream.read_u16().await.expect("a length")),
                127 => self.stream.read_u64().await.expect("a length"),
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).expect("it fits")];
            self.stream.read_exact(&mut payload).await.expect("a payload");
            if head[0] == TEXT {
                return String::from_utf8(payload).expect("text");
            }
        }
    }
}
