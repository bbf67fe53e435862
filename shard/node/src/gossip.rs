//! What shard nodes tell each other beside blocks and votes.
//!
//! Encoding: one byte for the kind (0 transactions, 1 a wish for blocks, 2 blocks, 3 a wish for
//! receipts of another shard, 4 such receipts) ‖ SSZ.

use alloy_primitives::Bytes;
use crypto::mmr::MmrProof;
use primitives::{Bundle, Certificate, Height, NodeKey, ShardBlock, ShardId};
use ssz::{Decode, DecodeError, Encode};
use ssz_derive::{Decode, Encode};

const TRANSACTIONS: u8 = 0;
const WANTED: u8 = 1;
const BLOCKS: u8 = 2;
const RECEIPTS_WANTED: u8 = 3;
const RECEIPTS: u8 = 4;

/// Largest message that is read, other than blocks, bytes.
pub(crate) const SMALL_BYTES_MAX: usize = 1 << 19;
/// Bytes beside the bodies of blocks in a message that carries as few as possible: one.
const BLOCK_OVERHEAD_BYTES: usize = 1 << 15;

/// A node that lacks accepted blocks asks another one for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Wanted {
    /// Who is asked: everyone hears it, one answers.
    pub(crate) of: NodeKey,
    /// Lowest height that is lacking.
    pub(crate) from: Height,
    /// Highest height that is of use.
    pub(crate) to: Height,
    /// Height of the accepted header against whose history the answer is to be proven; not below `to`.
    pub(crate) accepted: Height,
}

/// Consecutive blocks, proven by an accepted header above them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Blocks {
    /// Whose wish this answers.
    pub(crate) to: NodeKey,
    /// Height of the accepted header.
    pub(crate) accepted: Height,
    /// The blocks, lowest first; at least one.
    pub(crate) blocks: Vec<ShardBlock>,
    /// That the last of them is an ancestor of the accepted header; not looked at if it is that header.
    pub(crate) proof: MmrProof,
    /// The last one's own certificate, where there is one.
    pub(crate) certificate: Vec<Certificate>,
}

/// A node that does not serve a source asks another one for what it has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ReceiptsWanted {
    /// Who is asked: everyone hears it, one answers.
    pub(crate) of: NodeKey,
    /// Who sent them.
    pub(crate) source: ShardId,
    /// Sequence of the first that is lacking.
    pub(crate) from: u64,
}

/// Receipts of another shard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Receipts {
    /// Whole bundles, in order of their lane.
    pub(crate) bundles: Vec<Bundle>,
}

/// A message between shard nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Transactions(Vec<Bytes>),
    Wanted(Wanted),
    Blocks(Box<Blocks>),
    ReceiptsWanted(ReceiptsWanted),
    Receipts(Box<Receipts>),
}

/// Why a peer's message was of no use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum GossipError {
    #[error("a message of kind {kind} has at most {max} bytes, found {found}")]
    TooLarge { kind: u8, max: usize, found: usize },
    #[error("no message has kind {found:?}")]
    UnknownKind { found: Option<u8> },
    #[error("the message of kind {kind} does not decode: {error:?}")]
    Malformed { kind: u8, error: DecodeError },
}

impl Message {
    /// Reads a peer's message; a block's body has at most `body_bytes_max` bytes.
    pub(crate) fn decode(payload: &[u8], body_bytes_max: usize) -> Result<Self, GossipError> {
        let Some((kind, ssz)) = payload.split_first() else {
            return Err(GossipError::UnknownKind { found: None });
        };
        let (kind, found) = (*kind, payload.len());
        let max = if kind == BLOCKS || kind == RECEIPTS {
            body_bytes_max.saturating_add(BLOCK_OVERHEAD_BYTES)
        } else {
            SMALL_BYTES_MAX
        };
        if found > max {
            return Err(GossipError::TooLarge { kind, max, found });
        }
        match kind {
            TRANSACTIONS => read(kind, ssz).map(Self::Transactions),
            WANTED => read(kind, ssz).map(Self::Wanted),
            BLOCKS => read(kind, ssz).map(|blocks| Self::Blocks(Box::new(blocks))),
            RECEIPTS_WANTED => read(kind, ssz).map(Self::ReceiptsWanted),
            RECEIPTS => read(kind, ssz).map(|receipts| Self::Receipts(Box::new(receipts))),
            found => Err(GossipError::UnknownKind { found: Some(found) }),
        }
    }

    pub(crate) fn encode(&self) -> Bytes {
        let (kind, mut ssz) = match self {
            Self::Transactions(transactions) => (TRANSACTIONS, transactions.as_ssz_bytes()),
            Self::Wanted(wanted) => (WANTED, wanted.as_ssz_bytes()),
            Self::Blocks(blocks) => (BLOCKS, blocks.as_ssz_bytes()),
            Self::ReceiptsWanted(wanted) => (RECEIPTS_WANTED, wanted.as_ssz_bytes()),
            Self::Receipts(receipts) => (RECEIPTS, receipts.as_ssz_bytes()),
        };
        ssz.insert(0, kind);
        ssz.into()
    }
}

fn read<T: Decode>(kind: u8, ssz: &[u8]) -> Result<T, GossipError> {
    T::from_ssz_bytes(ssz).map_err(|error| GossipError::Malformed { kind, error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::ShardHeader;
    use shard_state::genesis::genesis_body;

    const MAX: usize = 1 << 16;

    fn bundles() -> Vec<Bundle> {
        let mut source = xshard::testing::SourceChain::new(ShardId::ZERO);
        let height = source.send(vec![xshard::testing::receipt(1, 0)]);
        vec![source.whole(ShardId::new(1).into(), height, height, None)]
    }

    fn messages() -> [Message; 5] {
        let block = ShardBlock { header: ShardHeader::default(), body: genesis_body() };
        let blocks = Blocks {
            to: NodeKey::repeat_byte(1),
            accepted: Height::new(9),
            blocks: vec![block.clone(), block],
            proof: MmrProof { leaf_count: 9, leaf_index: 7, path: vec![NodeKey::repeat_byte(2)] },
            certificate: Vec::new(),
        };
        let (from, to, accepted) = (Height::new(1), Height::new(7), Height::new(9));
        [
            Message::Transactions(vec![Bytes::from_static(b"one"), Bytes::new()]),
            Message::Wanted(Wanted { of: NodeKey::repeat_byte(3), from, to, accepted }),
            Message::Blocks(Box::new(blocks)),
            Message::ReceiptsWanted(ReceiptsWanted {
                of: NodeKey::repeat_byte(4),
                source: ShardId::new(2),
                from: 5,
            }),
            Message::Receipts(Box::new(Receipts { bundles: bundles() })),
        ]
    }

    /// What is sent is read back.
    #[test]
    fn messages_read_back_as_they_were_written() {
        for message in messages() {
            assert_eq!(Message::decode(&message.encode(), MAX), Ok(message));
        }
    }

    /// Garbage is refused, and says what it is.
    #[test]
    fn garbage_is_no_message() {
        assert_eq!(Message::decode(&[], MAX), Err(GossipError::UnknownKind { found: None }));
        assert_eq!(Message::decode(&[9], MAX), Err(GossipError::UnknownKind { found: Some(9) }));
        for message in messages() {
            let encoded = message.encode();
            let cut = Message::decode(&encoded[..encoded.len() - 1], MAX);
            assert!(matches!(cut, Err(GossipError::Malformed { .. })), "{cut:?}");
        }
    }

    /// No message is longer than its kind allows.
    #[test]
    fn long_messages_are_not_read() {
        for (kind, max) in [(TRANSACTIONS, SMALL_BYTES_MAX), (BLOCKS, MAX + BLOCK_OVERHEAD_BYTES)] {
            let mut payload = vec![0; max + 1];
            payload[0] = kind;
            assert_eq!(
                Message::decode(&payload, MAX),
                Err(GossipError::TooLarge { kind, max, found: max + 1 })
            );
        }
    }
}
