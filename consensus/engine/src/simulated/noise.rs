//! A node that talks nonsense: random bytes on every physical channel, some of them shaped almost like messages.

use crate::{
    lines::{CHANNELS, number},
    node_key::NodeId,
};
use bytes::{BufMut as _, Bytes, BytesMut};
use commonware_codec::{Encode as _, varint::UInt};
use commonware_p2p::{Recipients, Sender};
use commonware_runtime::{Clock, deterministic};
use primitives::{Chain, Epoch};
use rand_core::Rng as _;
use std::time::Duration;

/// Between two rounds of messages.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest random part of a message, bytes.
const RANDOM_BYTES_MAX: u32 = 2_048;
/// Seats that are named, of this node and of others.
const SEATS: u16 = 8;

/// Sends on all channels until the simulation ends.
pub(super) async fn run<S: Sender<PublicKey = NodeId>>(
    mut context: deterministic::Context,
    mut senders: [S; CHANNELS as usize],
    (chain, epoch): (Chain, Epoch),
) {
    let line = number(chain, u32::try_from(epoch.get()).unwrap_or(u32::MAX));
    loop {
        for sender in &mut senders {
            let message = message(&mut context, line);
            sender.send(Recipients::All, message, true);
        }
        context.sleep(PAUSE).await;
    }
}

/// Random bytes: as they are, on the line of the chain, or there in the name of a seat.
fn message(context: &mut deterministic::Context, line: u64) -> Bytes {
    let mut bytes = BytesMut::new();
    let shape = context.next_u32() % 3;
    if shape > 0 {
        bytes.put(UInt(line).encode());
    }
    if shape > 1 {
        bytes.put_u16(context.next_u32() as u16 % SEATS);
        bytes.put_u16(0);
    }
    let mut random = vec![0; (context.next_u32() % RANDOM_BYTES_MAX) as usize];
    context.fill_bytes(&mut random);
    bytes.put_slice(&random);
    bytes.freeze()
}
