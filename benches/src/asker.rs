//! Asks a server the same over one connection again and again, for as little as can be: what is measured is the server.

use std::io;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Larger than any answer that is asked for.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// A connection that stays open, and what is asked over it.
#[derive(Debug)]
pub struct Asker {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Asker {
    /// Connects to a port of this machine; `request` is JSON-RPC.
    pub async fn connect(port: u16, request: &Value) -> io::Result<Self> {
        let body = request.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: request.into_bytes(), answer: vec![0; ANSWER_BYTES_MAX] })
    }

    /// Asks once, and takes the whole answer; one that has no result is an error.
    pub async fn ask(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.request).await?;
        let mut length = 0;
        loop {
            length += match self.stream.read(&mut self.answer[length..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => read,
            };
            let answer = &self.answer[..length];
            if let Some(body) = whole_body(answer) {
                let has_result = body.windows(9).any(|window| window == b"\"result\":");
                return has_result.then_some(()).ok_or_else(|| {
                    io::Error::other(format!("no result in {}", String::from_utf8_lossy(answer)))
                });
            }
        }
    }
}

/// The body of a response, once all of it is there.
fn whole_body(response: &[u8]) -> Option<&[u8]> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = (&response[..end], &response[end + 4..]);
    let lines = head.split(|byte| *byte == b'\n');
    let length = lines.filter_map(|line| {
        let (name, value) = str::from_utf8(line).ok()?.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    (length.sum::<usize>() == body.len()).then_some(body)
}
