//! JSON that is being written, and never grows beyond a limit.

use crate::{RpcError, error::RpcResult};
use serde::Serialize;
use std::io;

/// Room for a short answer.
const CAPACITY: usize = 256;

#[derive(Debug)]
pub(crate) struct Page {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Page {
    /// An empty page that takes `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::with_capacity(CAPACITY.min(bytes_max)), bytes_max }
    }

    /// Whether nothing is written yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds bytes as they are.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> RpcResult<Self> {
        match io::Write::write_all(&mut self, bytes) {
            Ok(()) => Ok(self),
            Err(_) => Err(RpcError::ResponseTooLarge { bytes_max: self.bytes_max }),
        }
    }

    /// Adds a value as JSON.
    pub(crate) fn write(mut self, value: &impl Serialize) -> RpcResult<Self> {
        match serde_json::to_writer(&mut self, value) {
            Ok(()) => Ok(self),
            Err(error) if error.is_io() => Err(RpcError::ResponseTooLarge { bytes_max: self.bytes_max }),
            Err(error) => Err(RpcError::Internal(error.to_string())),
        }
    }

    /// What was written.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.bytes_max.saturating_sub(self.bytes.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_as_much_as_it_may_and_no_byte_more() {
        let page = Page::new(9).bytes(b"[").and_then(|page| page.write(&"12345"));
        let page = page.and_then(|page| page.bytes(b"]")).expect("nine bytes");
        assert_eq!(page.bytes(b" ").err(), Some(RpcError::ResponseTooLarge { bytes_max: 9 }));
        let refused = Page::new(9).write(&"12345678").err();
        assert_eq!(refused, Some(RpcError::ResponseTooLarge { bytes_max: 9 }));
    }
}
