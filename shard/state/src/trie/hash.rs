//! Encodings of nodes, the references parents hold of them, and the root.
//!
//! References are computed from the leaves up, only where they are stale, by reading the arena and noting
//! what was found; the notes are written afterwards. So threads share the arena, and a proof can be made of
//! a trie whose root was not asked for yet.
//!
//! Rules: Ethereum yellow paper, appendix D, equations 194–198.

use alloy_primitives::{B256, keccak256};
use rayon::prelude::*;
use smallvec::SmallVec;

use super::{EMPTY_ROOT, Trie, arena::NodeId, nibble};

/// Fewer changed entries than this are hashed sooner than threads wake up.
const PARALLEL_MIN: usize = 512;

/// RLP of an empty string: the reference of a missing child.
pub(super) const EMPTY_STRING: u8 = 0x80;
/// RLP of an empty list.
const EMPTY_LIST: u8 = 0xc0;
/// The longest payload whose length the first byte of an item states by itself.
const SHORT_LEN_MAX: usize = 55;
/// A node at least this long is held by hash.
pub(super) const HASHED_LEN_MIN: usize = 32;
/// RLP header of a hash.
const HASH_HEADER: u8 = EMPTY_STRING + 32;

/// What a parent holds of a node, as RLP: the node itself if that takes less than 32 bytes, or else its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeRef([u8; 33]);

impl NodeRef {
    /// To be computed.
    pub(super) const STALE: Self = Self([0; 33]);

    pub(super) fn set_stale(&mut self) {
        self.0[0] = 0;
    }

    #[inline]
    fn is_stale(&self) -> bool {
        self.0[0] == 0
    }

    #[inline]
    fn new(node: &[u8]) -> Self {
        let mut reference = Self([0; 33]);
        if node.len() < HASHED_LEN_MIN {
            reference.0[..node.len()].copy_from_slice(node);
        } else {
            reference.0[0] = HASH_HEADER;
            reference.0[1..].copy_from_slice(keccak256(node).as_slice());
        }
        reference
    }

    /// The RLP item, of a reference that is not stale.
    #[inline]
    fn as_rlp(&self) -> &[u8] {
        match self.0[0] {
            HASH_HEADER => &self.0,
            list => &self.0[..1 + usize::from(list.saturating_sub(EMPTY_LIST))],
        }
    }

    /// The hash of the node, whatever its length.
    fn hash(&self) -> B256 {
        match &self.0 {
            [HASH_HEADER, hash @ ..] => B256::new(*hash),
            _ => keccak256(self.as_rlp()),
        }
    }
}

/// A list under construction, with room in front for its header. The longest branch needs no allocation.
pub(super) struct NodeRlp(SmallVec<[u8; 544]>);

impl NodeRlp {
    const HEADER_ROOM: usize = 9;

    #[inline]
    fn new() -> Self {
        Self(SmallVec::from_slice(&[0; Self::HEADER_ROOM]))
    }

    #[inline]
    fn push_reference(&mut self, reference: &NodeRef) {
        match reference.0[0] {
            HASH_HEADER => self.0.extend_from_slice(&reference.0),
            _ => self.0.extend_from_slice(reference.as_rlp()),
        }
    }

    #[inline]
    fn push_string(&mut self, bytes: &[u8]) {
        if !matches!(bytes, [byte] if *byte < EMPTY_STRING) {
            let mut room = [0; Self::HEADER_ROOM];
            let start = write_header(&mut room, EMPTY_STRING, bytes.len());
            self.0.extend_from_slice(&room[start..]);
        }
        self.0.extend_from_slice(bytes);
    }

    /// The list with its header.
    #[inline]
    fn finish(&mut self) -> &[u8] {
        let (room, payload) = self.0.split_at_mut(Self::HEADER_ROOM);
        let start = write_header(room, EMPTY_LIST, payload.len());
        &self.0[start..]
    }
}

/// Writes the header of an item at the end of `room`, and returns where it starts.
#[inline]
fn write_header(room: &mut [u8], code: u8, len: usize) -> usize {
    let end = room.len();
    if len <= SHORT_LEN_MAX {
        room[end - 1] = code + len as u8;
        return end - 1;
    }
    let digits = len.to_be_bytes();
    let zeros = (len.leading_zeros() / 8) as usize;
    let count = digits.len() - zeros;
    room[end - count..].copy_from_slice(&digits[zeros..]);
    room[end - count - 1] = code + SHORT_LEN_MAX as u8 + count as u8;
    end - count - 1
}

/// References found and not yet written to the arena.
type Found = Vec<(NodeId, NodeRef)>;

impl Trie {
    /// The root, after computing what the changes since the last call made stale.
    pub fn root(&mut self) -> B256 {
        self.refresh();
        self.current_root()
    }

    /// The root, keeping nothing of what was computed for it.
    pub(super) fn current_root(&self) -> B256 {
        if self.is_empty() {
            return EMPTY_ROOT;
        }
        self.reference(self.root, 0, &mut Found::new()).hash()
    }

    fn refresh(&mut self) {
        if self.stale_entries == 0 || self.is_empty() {
            return;
        }
        if self.stale_entries >= PARALLEL_MIN && rayon::current_num_threads() > 1 {
            self.refresh_below_root();
        }
        let mut found = Found::with_capacity(self.stale_entries.saturating_mul(2));
        self.reference(self.root, 0, &mut found);
        self.write(found);
        self.stale_entries = 0;
    }

    /// Computes the references of the root's children, each on the thread that is free.
    fn refresh_below_root(&mut self) {
        let Some(index) = self.root.as_branch() else { return };
        let branch = self.arena.branch(index);
        let from = branch.depth() + 1;
        let found: Vec<Found> = branch
            .children
            .par_iter()
            .filter(|child| **child != NodeId::NONE)
            .map(|child| {
                let mut found = Found::new();
                self.reference(*child, from, &mut found);
                found
            })
            .collect();
        found.into_iter().for_each(|found| self.write(found));
    }

    fn write(&mut self, found: Found) {
        for (node, reference) in found {
            self.arena.set_reference(node, reference);
        }
    }

    /// What the parent of `node` holds of it when it leaves off at depth `from`.
    pub(super) fn reference(&self, node: NodeId, from: usize, found: &mut Found) -> NodeRef {
        let stored = self.arena.reference(node);
        if !stored.is_stale() {
            return *stored;
        }
        let reference = match node.as_branch() {
            Some(index) => {
                let branch = NodeRef::new(self.encode_branch(index, found).finish());
                match self.encode_extension(index, from, &branch) {
                    Some(mut extension) => NodeRef::new(extension.finish()),
                    None => branch,
                }
            }
            None => NodeRef::new(self.encode_leaf(node, from).finish()),
        };
        found.push((node, reference));
        reference
    }

    fn encode_branch(&self, index: usize, found: &mut Found) -> NodeRlp {
        let branch = self.arena.branch(index);
        let from = branch.depth() + 1;
        let mut rlp = NodeRlp::new();
        for child in branch.children {
            if child == NodeId::NONE {
                rlp.0.push(EMPTY_STRING);
                continue;
            }
            let stored = self.arena.reference(child);
            if stored.is_stale() {
                rlp.push_reference(&self.reference(child, from, found));
            } else {
                rlp.push_reference(stored);
            }
        }
        rlp.0.push(EMPTY_STRING); // keys have one length: no entry ends at a branch
        rlp
    }

    /// The extension from depth `from` to a branch, if there is a gap between them.
    fn encode_extension(&self, branch: usize, from: usize, reference: &NodeRef) -> Option<NodeRlp> {
        let depth = self.arena.branch(branch).depth();
        (depth > from).then(|| {
            let mut rlp = NodeRlp::new();
            rlp.push_string(&nibble::encode_extension_path(self.arena.any_key(NodeId::branch(branch)), from, depth));
            rlp.push_reference(reference);
            rlp
        })
    }

    fn encode_leaf(&self, node: NodeId, from: usize) -> NodeRlp {
        let mut rlp = NodeRlp::new();
        if let Some(index) = node.as_leaf() {
            let leaf = self.arena.leaf(index);
            rlp.push_string(&nibble::encode_leaf_path(&leaf.key, from));
            rlp.push_string(self.arena.value(leaf));
        }
        rlp
    }

    /// The encodings `eth_getProof` lists for `node`: an extension, if there is one, and the node.
    pub(super) fn encodings(&self, node: NodeId, from: usize) -> (Option<NodeRlp>, NodeRlp) {
        match node.as_branch() {
            Some(index) => {
                let mut branch = self.encode_branch(index, &mut Found::new());
                let reference = NodeRef::new(branch.finish());
                (self.encode_extension(index, from, &reference), branch)
            }
            None => (None, self.encode_leaf(node, from)),
        }
    }
}
