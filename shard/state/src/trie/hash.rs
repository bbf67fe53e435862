//! Encodings of nodes, the references parents hold of them, and the root.
//!
//! References are computed from the leaves up, only where they are stale, by reading the arena and noting
//! what was found; the notes are written afterwards. So threads share the arena, and a proof can be made of
//! a trie whose root was not asked for yet.
//!
//! Rules: Ethereum yellow paper, appendix D.

use alloy_primitives::{B256, keccak256};
use rayon::prelude::*;
use smallvec::SmallVec;

use super::{
    EMPTY_ROOT, Trie,
    arena::{NodeId, NodeKind},
    nibble,
};

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
    /// Of no node: an empty string.
    const EMPTY: Self = {
        let mut bytes = [0; 33];
        bytes[0] = EMPTY_STRING;
        Self(bytes)
    };

    pub(super) fn set_stale(&mut self) {
        self.0[0] = 0;
    }

    #[inline]
    pub(super) fn is_stale(&self) -> bool {
        self.0[0] == 0
    }

    #[inline]
    pub(super) fn new(node: &[u8]) -> Self {
        let mut reference = Self([0; 33]);
        if node.len() < HASHED_LEN_MIN {
            reference.0[..node.len()].copy_from_slice(node);
        } else {
            reference.0[0] = HASH_HEADER;
            reference.0[1..].copy_from_slice(keccak256(node).as_slice());
        }
        reference
    }

    /// Length of the RLP item, of a reference that is not stale.
    #[inline]
    fn len(&self) -> usize {
        match self.0[0] {
            HASH_HEADER => self.0.len(),
            list => 1 + usize::from(list.saturating_sub(EMPTY_LIST)),
        }
    }

    /// The hash of the node, whatever its length.
    fn hash(&self) -> B256 {
        match &self.0 {
            [HASH_HEADER, hash @ ..] => B256::new(*hash),
            _ => keccak256(&self.0[..self.len()]),
        }
    }
}

/// A branch or an extension under construction, with room in front for its header.
pub(super) struct NodeRlp {
    bytes: [u8; Self::HEADER_ROOM + Self::PAYLOAD_LEN_MAX],
    end: usize,
}

impl NodeRlp {
    const HEADER_ROOM: usize = 3;
    /// Sixteen references and an empty value.
    const PAYLOAD_LEN_MAX: usize = 16 * size_of::<NodeRef>() + 1;

    #[inline]
    fn new() -> Self {
        Self { bytes: [0; Self::HEADER_ROOM + Self::PAYLOAD_LEN_MAX], end: Self::HEADER_ROOM }
    }

    #[inline]
    fn push_empty(&mut self) {
        self.bytes[self.end] = EMPTY_STRING;
        self.end += 1;
    }

    /// Copies the longest a reference can be, a copy of fixed length being the fastest, and counts what it is.
    #[inline]
    fn push_reference(&mut self, reference: &NodeRef) {
        self.bytes[self.end..self.end + reference.0.len()].copy_from_slice(&reference.0);
        self.end += reference.len();
    }

    fn push_string(&mut self, string: &[u8]) {
        self.end += write_string(&mut self.bytes[self.end..], string);
    }

    /// The list with its header.
    #[inline]
    pub(super) fn finish(&mut self) -> &[u8] {
        let header = Header::new(EMPTY_LIST, self.end - Self::HEADER_ROOM);
        let start = Self::HEADER_ROOM - header.len;
        self.bytes[start..Self::HEADER_ROOM].copy_from_slice(header.as_slice());
        &self.bytes[start..self.end]
    }
}

/// The first bytes of an RLP item.
struct Header {
    bytes: [u8; 9],
    len: usize,
}

impl Header {
    /// The header of a string or list, as `code` says, of `len` bytes.
    #[inline]
    fn new(code: u8, len: usize) -> Self {
        let mut bytes = [0; 9];
        if len <= SHORT_LEN_MAX {
            bytes[0] = code + len as u8;
            return Self { bytes, len: 1 };
        }
        let zeros = (len.leading_zeros() / 8) as usize;
        let digits = &len.to_be_bytes()[zeros..];
        bytes[0] = code + (SHORT_LEN_MAX + digits.len()) as u8;
        bytes[1..=digits.len()].copy_from_slice(digits);
        Self { bytes, len: 1 + digits.len() }
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Length of `string` as an RLP item.
#[inline]
fn string_len(string: &[u8]) -> usize {
    match string {
        [byte] if *byte < EMPTY_STRING => 1,
        _ => Header::new(EMPTY_STRING, string.len()).len + string.len(),
    }
}

/// Writes `string` as an RLP item at the start of `out`, which has room for it, and returns its length.
#[inline]
fn write_string(out: &mut [u8], string: &[u8]) -> usize {
    let header = match string {
        [byte] if *byte < EMPTY_STRING => 0,
        _ => {
            let header = Header::new(EMPTY_STRING, string.len());
            out[..header.len].copy_from_slice(header.as_slice());
            header.len
        }
    };
    out[header..header + string.len()].copy_from_slice(string);
    header + string.len()
}

/// A leaf's encoding: an account's needs no allocation.
type LeafRlp = SmallVec<[u8; 256]>;

/// References found and not yet written to the arena.
pub(super) type Found = Vec<(NodeId, NodeRef)>;

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
        let stored = self.arena.reference(self.root);
        if stored.is_stale() { self.compute(self.root, 0, &mut Found::new()).hash() } else { stored.hash() }
    }

    fn refresh(&mut self) {
        if self.is_empty() || !self.arena.reference(self.root).is_stale() {
            return;
        }
        if self.stale_entries >= PARALLEL_MIN && rayon::current_num_threads() > 1 {
            self.refresh_below_root();
        }
        let mut found = Found::with_capacity(self.stale_entries.min(self.len()).saturating_mul(2));
        self.compute(self.root, 0, &mut found);
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
            .filter(|child| **child != NodeId::NONE && self.arena.reference(**child).is_stale())
            .map(|child| {
                let mut found = Found::new();
                self.compute(*child, from, &mut found);
                found
            })
            .collect();
        found.into_iter().for_each(|found| self.write(found));
    }

    /// Computes the references of the nodes that share the first byte of `key`.
    pub(super) fn refresh_under(&mut self, key: &B256) {
        let mut node = self.root;
        for depth in 0..2 {
            match node.as_branch().map(|index| self.arena.branch(index)) {
                Some(branch) if branch.depth() == depth => node = branch.children[nibble::at(key, depth)],
                _ => return,
            }
        }
        if node != NodeId::NONE && self.arena.reference(node).is_stale() {
            let mut found = Found::new();
            self.compute(node, 2, &mut found);
            self.write(found);
        }
    }

    fn write(&mut self, found: Found) {
        for (node, reference) in found {
            self.arena.set_reference(node, reference);
        }
    }

    /// Computes what the parent of `node`, which is stale, holds of it when it leaves off at depth `from`.
    fn compute(&self, node: NodeId, from: usize, found: &mut Found) -> NodeRef {
        let reference = match node.kind() {
            NodeKind::Branch(index) => {
                let branch = NodeRef::new(self.encode_branch(index, found).finish());
                match self.encode_extension(index, from, &branch) {
                    Some(mut extension) => NodeRef::new(extension.finish()),
                    None => branch,
                }
            }
            NodeKind::Leaf(index) => NodeRef::new(&self.encode_leaf(index, from)),
            NodeKind::None => return NodeRef::EMPTY,
        };
        found.push((node, reference));
        reference
    }

    #[inline]
    pub(super) fn encode_branch(&self, index: usize, found: &mut Found) -> NodeRlp {
        let branch = self.arena.branch(index);
        let from = branch.depth() + 1;
        let mut rlp = NodeRlp::new();
        for child in branch.children {
            if child == NodeId::NONE {
                rlp.push_empty();
                continue;
            }
            let stored = self.arena.reference(child);
            if stored.is_stale() {
                rlp.push_reference(&self.compute(child, from, found));
            } else {
                rlp.push_reference(stored);
            }
        }
        rlp.push_empty(); // keys have one length: no entry ends at a branch
        rlp
    }

    /// The extension from depth `from` to a branch, if there is a gap between them.
    #[inline]
    pub(super) fn encode_extension(&self, index: usize, from: usize, reference: &NodeRef) -> Option<NodeRlp> {
        let depth = self.arena.branch(index).depth();
        (depth > from).then(|| {
            let key = self.arena.any_key(NodeId::branch(index));
            let mut rlp = NodeRlp::new();
            rlp.push_string(&nibble::encode_extension_path(key, from, depth));
            rlp.push_reference(reference);
            rlp
        })
    }

    #[inline]
    pub(super) fn encode_leaf(&self, index: usize, from: usize) -> LeafRlp {
        let leaf = self.arena.leaf(index);
        let path = nibble::encode_leaf_path(&leaf.key, from);
        let value = self.arena.value(leaf);
        let len = string_len(&path) + string_len(value);
        let header = Header::new(EMPTY_LIST, len);
        let mut rlp = LeafRlp::from_elem(0, header.len + len);
        rlp[..header.len].copy_from_slice(header.as_slice());
        let path_len = write_string(&mut rlp[header.len..], &path);
        write_string(&mut rlp[header.len + path_len..], value);
        rlp
    }
}
