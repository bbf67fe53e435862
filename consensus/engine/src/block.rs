//! A block as the engine carries it: either chain's, with its id computed once.
//!
//! A decoded [`Block`] is the only one with its encoding, has the body its header commits to, and is
//! of the expected chain and size. Whether it follows the chain's rules is for others to judge.
//!
//! Encoding: one byte for the kind of chain (0 beacon, 1 shard) ‖ length of the SSZ (big-endian `u32`) ‖ SSZ.

use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error as CodecError, FixedSize as _, Read, ReadExt as _, Write};
use commonware_consensus::{BoundedBlock, Heightable};
use commonware_cryptography::{Digestible, sha256};
use primitives::{B256, BeaconBlock, BeaconHeader, Chain, Epoch, Height, ShardBlock, ShardHeader, View};
use ssz::{Decode, Encode as _};
use std::sync::Arc;

const BEACON: u8 = 0;
const SHARD: u8 = 1;
/// Kind and length before the SSZ.
const PREFIX: usize = u8::SIZE + u32::SIZE;
/// SSZ offset that precedes the one variable part of a block, its body.
const OFFSET: usize = 4;

/// The name a block has inside the consensus library: its id.
pub(crate) type Digest = sha256::Digest;

/// The library's form of an id.
pub(crate) fn digest_of(id: B256) -> Digest {
    Digest::from(id.0)
}

/// The id in the library's form of it.
pub(crate) fn id_of(digest: &Digest) -> B256 {
    B256::from_slice(digest.as_ref())
}

/// A block of either kind of chain, shared and with its id at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    id: B256,
    content: Content,
}

/// What a [`Block`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A block of the beacon chain.
    Beacon(Arc<BeaconBlock>),
    /// A block of a shard chain.
    Shard(Arc<ShardBlock>),
}

/// Reads the same field of whichever header a block has.
macro_rules! header {
    ($block:expr, $field:ident) => {
        match &$block.content {
            Content::Beacon(block) => block.header.$field,
            Content::Shard(block) => block.header.$field,
        }
    };
}

impl Block {
    /// Wraps a block of the beacon chain; its header must commit to its body, or no peer accepts it.
    pub fn beacon(block: impl Into<Arc<BeaconBlock>>) -> Self {
        let block = block.into();
        Self { id: block.header.id(), content: Content::Beacon(block) }
    }

    /// Wraps a block of a shard chain; its header must commit to its body, or no peer accepts it.
    pub fn shard(block: impl Into<Arc<ShardBlock>>) -> Self {
        let block = block.into();
        Self { id: block.header.id(), content: Content::Shard(block) }
    }

    /// The header's id.
    pub const fn id(&self) -> B256 {
        self.id
    }

    /// The block itself.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The block, if it is the beacon chain's.
    pub const fn as_beacon(&self) -> Option<&Arc<BeaconBlock>> {
        match &self.content {
            Content::Beacon(block) => Some(block),
            Content::Shard(_) => None,
        }
    }

    /// The block, if it is a shard's.
    pub const fn as_shard(&self) -> Option<&Arc<ShardBlock>> {
        match &self.content {
            Content::Beacon(_) => None,
            Content::Shard(block) => Some(block),
        }
    }

    /// The chain it claims to be of.
    pub fn chain(&self) -> Chain {
        match &self.content {
            Content::Beacon(_) => Chain::Beacon,
            Content::Shard(block) => Chain::Shard(block.header.shard),
        }
    }

    /// Position in the chain.
    pub fn height(&self) -> Height {
        header!(self, height)
    }

    /// Term of the committee that agrees on it.
    pub fn epoch(&self) -> Epoch {
        header!(self, epoch)
    }

    /// View it was first proposed in.
    pub fn view(&self) -> View {
        header!(self, view)
    }

    /// View of its parent within the epoch; zero for the epoch's first block.
    pub fn parent_view(&self) -> View {
        header!(self, parent_view)
    }

    /// Id of the header below.
    pub fn parent(&self) -> B256 {
        header!(self, parent)
    }

    /// Milliseconds since the Unix epoch.
    pub fn timestamp_ms(&self) -> u64 {
        header!(self, timestamp_ms)
    }

    fn ssz_len(&self) -> usize {
        match &self.content {
            Content::Beacon(block) => block.ssz_bytes_len(),
            Content::Shard(block) => block.ssz_bytes_len(),
        }
    }

    fn from_ssz(kind: u8, ssz: &[u8], limits: &BlockLimits) -> Result<Self, &'static str> {
        let block = match (kind, limits.chain) {
            (BEACON, Chain::Beacon) => {
                let block: BeaconBlock = canonical(ssz)?;
                committed(ssz, <BeaconHeader as Decode>::ssz_fixed_len(), block.header.body_root)?;
                Self::beacon(block)
            }
            (SHARD, Chain::Shard(_)) => {
                let block: ShardBlock = canonical(ssz)?;
                committed(ssz, <ShardHeader as Decode>::ssz_fixed_len(), block.header.data_root)?;
                Self::shard(block)
            }
            _ => return Err("kind of another chain"),
        };
        if block.chain() == limits.chain { Ok(block) } else { Err("block of another chain") }
    }
}

/// Decodes what encodes to exactly these bytes.
fn canonical<T: Decode + ssz::Encode>(ssz: &[u8]) -> Result<T, &'static str> {
    let value = T::from_ssz_bytes(ssz).map_err(|_| "not the SSZ of a block")?;
    if value.as_ssz_bytes() == ssz { Ok(value) } else { Err("not the canonical SSZ of the block") }
}

/// Whether the body, which is all that follows the header and one offset, is the committed one.
fn committed(ssz: &[u8], header_len: usize, root: B256) -> Result<(), &'static str> {
    match ssz.get(header_len + OFFSET..) {
        Some(body) if crypto::hash::blake3(body) == root => Ok(()),
        _ => Err("body is not the one the header commits to"),
    }
}

/// What a block read from a peer or from disk must fit.
#[derive(Clone, Copy, Debug)]
pub struct BlockLimits {
    /// The chain it must be of.
    pub chain: Chain,
    /// Largest encoding of a body, bytes.
    pub body_bytes_max: usize,
}

impl BlockLimits {
    fn ssz_len_max(&self) -> usize {
        let header = match self.chain {
            Chain::Beacon => <BeaconHeader as Decode>::ssz_fixed_len(),
            Chain::Shard(_) => <ShardHeader as Decode>::ssz_fixed_len(),
        };
        self.body_bytes_max.saturating_add(header + OFFSET)
    }
}

impl Write for Block {
    fn write(&self, buf: &mut impl BufMut) {
        let (kind, ssz) = match &self.content {
            Content::Beacon(block) => (BEACON, block.as_ssz_bytes()),
            Content::Shard(block) => (SHARD, block.as_ssz_bytes()),
        };
        buf.put_u8(kind);
        buf.put_u32(u32::try_from(ssz.len()).expect("the length of a block is bounded far below 4 GiB"));
        buf.put_slice(&ssz);
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        PREFIX + self.ssz_len()
    }
}

impl Read for Block {
    type Cfg = BlockLimits;

    fn read_cfg(buf: &mut impl Buf, limits: &BlockLimits) -> Result<Self, CodecError> {
        let kind = u8::read(buf)?;
        let length = u32::read(buf)? as usize;
        if length > limits.ssz_len_max() {
            return Err(CodecError::InvalidLength(length));
        }
        if buf.remaining() < length {
            return Err(CodecError::EndOfBuffer);
        }
        let mut ssz = vec![0; length];
        buf.copy_to_slice(&mut ssz);
        Self::from_ssz(kind, &ssz, limits).map_err(|reason| CodecError::Invalid("block", reason))
    }
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        digest_of(self.id)
    }
}

impl Heightable for Block {
    fn height(&self) -> commonware_consensus::types::Height {
        commonware_consensus::types::Height::new(Self::height(self).get())
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> Digest {
        digest_of(Self::parent(self))
    }
}

impl BoundedBlock for Block {
    fn max_encode_size(limits: &BlockLimits) -> usize {
        PREFIX + limits.ssz_len_max()
    }
}
