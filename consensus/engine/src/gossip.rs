//! The messages of a chain's gossip channel: one byte for the kind ‖ content.
//!
//! Kinds: 0, what the application sent; 1, a finalization, for those who only follow.

use crate::{block::Digest, scheme::SeatScheme};
use bytes::{BufMut as _, Bytes, BytesMut};
use commonware_codec::{Decode as _, EncodeSize as _, Write as _};
use commonware_consensus::simplex::types::Finalization;

const APPLICATION: u8 = 0;
const NEWS: u8 = 1;

/// A message that was received.
#[derive(Debug)]
pub(crate) enum Message {
    Application(Bytes),
    News(Finalization<SeatScheme, Digest>),
}

/// The application's payload as a message.
pub(crate) fn application(payload: &Bytes) -> Bytes {
    let mut message = BytesMut::with_capacity(1 + payload.len());
    message.put_u8(APPLICATION);
    message.put_slice(payload);
    message.freeze()
}

/// A finalization as a message.
pub(crate) fn news(finalization: &Finalization<SeatScheme, Digest>) -> Bytes {
    let mut message = BytesMut::with_capacity(1 + finalization.encode_size());
    message.put_u8(NEWS);
    finalization.write(&mut message);
    message.freeze()
}

/// Reads a message; `None` if it is none.
pub(crate) fn read(mut message: Bytes) -> Option<Message> {
    if message.is_empty() {
        return None;
    }
    let content = message.split_off(1);
    match message.first() {
        Some(&APPLICATION) => Some(Message::Application(content)),
        Some(&NEWS) => Finalization::decode_cfg(content, &primitives::SEATS_MAX).ok().map(Message::News),
        _ => None,
    }
}
