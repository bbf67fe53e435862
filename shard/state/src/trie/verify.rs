//! Checks a Merkle proof against a root, without a trie.
//!
//! Total: whatever the bytes are, the answer is a value, the absence of one, or an error. A proof that
//! verifies has no spare nodes, so there is one proof for each key and root.
//!
//! Rules: EIP-1186; Ethereum yellow paper, appendix D.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::{Header, PayloadView};

use super::{
    EMPTY_ROOT,
    hash::{EMPTY_STRING, HASHED_LEN_MIN},
    nibble::{self, LEAF_FLAG, ODD_FLAG, PATH_LEN},
};

/// Why a proof proves nothing. The sender of the proof is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The listed node is not the one that its parent, or the root, names.
    #[error("proof node {index} hashes to {found}, its parent names {expected}")]
    WrongNode { index: usize, expected: B256, found: B256 },
    /// The path goes on, the list does not.
    #[error("proof has {found} nodes, and the path goes on at nibble {depth} with {expected}")]
    Incomplete { found: usize, depth: usize, expected: B256 },
    /// The path ended before the list.
    #[error("proof has {found} nodes, the path ends after {expected}")]
    SpareNodes { expected: usize, found: usize },
    /// The node at this depth is not a node: its hash is right, so nobody's trie has this root.
    #[error("node at nibble {depth} is malformed: {source}")]
    Malformed { depth: usize, source: NodeError },
}

/// Why bytes are not a node of a trie over 32-byte keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Rlp(#[from] alloy_rlp::Error),
    #[error("a node is a list of 2 or 17 items, this is not a list")]
    NotAList,
    #[error("a node is a list of 2 or 17 items, this has {found}")]
    ItemCount { found: usize },
    #[error("{found} bytes follow the node")]
    Trailing { found: usize },
    #[error("the path is not hex-prefix encoded")]
    Path,
    #[error("a path of {found} nibbles where {remaining} remain")]
    PathLen { remaining: usize, found: usize },
    #[error("a child is a hash of 32 bytes or a shorter node, this has {found} bytes")]
    ChildLen { found: usize },
    #[error("a branch holds a value, and keys have one length")]
    BranchValue,
    #[error("a leaf holds no value")]
    EmptyValue,
}

/// The value that `proof` shows under `key` in the trie of this `root`, or that it shows there is none.
pub fn verify_proof(root: B256, key: &B256, proof: &[Bytes]) -> Result<Option<Vec<u8>>, ProofError> {
    if root == EMPTY_ROOT && proof.iter().all(|node| node[..] == [EMPTY_STRING]) && proof.len() <= 1 {
        return Ok(None);
    }
    let mut used = 0;
    let mut depth = 0;
    let mut next = Child::Hash(root);
    let value = loop {
        let node = match next {
            Child::Hash(expected) => {
                let node = listed_node(proof, used, depth, expected)?;
                used += 1;
                node
            }
            Child::Inline(node) => node,
        };
        match step(node, key, depth).map_err(|source| ProofError::Malformed { depth, source })? {
            Step::Down { child, nibbles } => {
                next = child;
                depth += nibbles;
            }
            Step::Value(value) => break Some(value.to_vec()),
            Step::Absent => break None,
        }
    };
    if used < proof.len() {
        return Err(ProofError::SpareNodes { expected: used, found: proof.len() });
    }
    Ok(value)
}

fn listed_node(proof: &[Bytes], index: usize, depth: usize, expected: B256) -> Result<&[u8], ProofError> {
    let node = proof.get(index).ok_or(ProofError::Incomplete { found: proof.len(), depth, expected })?;
    let found = keccak256(node);
    if found != expected {
        return Err(ProofError::WrongNode { index, expected, found });
    }
    Ok(node)
}

/// A child as its parent holds it.
enum Child<'a> {
    Hash(B256),
    Inline(&'a [u8]),
}

/// Where a node leads.
enum Step<'a> {
    Down { child: Child<'a>, nibbles: usize },
    Value(&'a [u8]),
    Absent,
}

/// Follows `key` from nibble `depth` through one node.
fn step<'a>(node: &'a [u8], key: &B256, depth: usize) -> Result<Step<'a>, NodeError> {
    let mut rest = node;
    let PayloadView::List(items) = Header::decode_raw(&mut rest)? else { return Err(NodeError::NotAList) };
    if !rest.is_empty() {
        return Err(NodeError::Trailing { found: rest.len() });
    }
    match items[..] {
        [path, content] => step_along(path, content, key, depth),
        [.., value] if items.len() == 17 => {
            if value != [EMPTY_STRING] {
                return Err(NodeError::BranchValue);
            }
            if depth >= PATH_LEN {
                return Err(NodeError::PathLen { remaining: 0, found: 1 });
            }
            Ok(match items[nibble::at(key, depth)] {
                [EMPTY_STRING] => Step::Absent,
                item => Step::Down { child: child(item)?, nibbles: 1 },
            })
        }
        _ => Err(NodeError::ItemCount { found: items.len() }),
    }
}

/// Follows `key` through a leaf or an extension.
fn step_along<'a>(
    path: &'a [u8],
    content: &'a [u8],
    key: &B256,
    depth: usize,
) -> Result<Step<'a>, NodeError> {
    let path = Path::decode(path)?;
    let remaining = PATH_LEN - depth;
    let fits = if path.is_leaf { path.len() == remaining } else { (1..remaining).contains(&path.len()) };
    if !fits {
        return Err(NodeError::PathLen { remaining, found: path.len() });
    }
    let follows = (0..path.len()).all(|index| path.at(index) == nibble::at(key, depth + index));
    if path.is_leaf {
        let value = Header::decode_bytes(&mut &content[..], false)?;
        if value.is_empty() {
            return Err(NodeError::EmptyValue);
        }
        return Ok(if follows { Step::Value(value) } else { Step::Absent });
    }
    let child = child(content)?;
    Ok(if follows { Step::Down { child, nibbles: path.len() } } else { Step::Absent })
}

fn child(item: &[u8]) -> Result<Child<'_>, NodeError> {
    match Header::decode_raw(&mut &item[..])? {
        PayloadView::String(hash) => {
            B256::try_from(hash).map(Child::Hash).map_err(|_| NodeError::ChildLen { found: hash.len() })
        }
        PayloadView::List(_) if item.len() < HASHED_LEN_MIN => Ok(Child::Inline(item)),
        PayloadView::List(_) => Err(NodeError::ChildLen { found: item.len() }),
    }
}

/// A hex-prefix path, decoded where it lies.
struct Path<'a> {
    is_leaf: bool,
    /// Whether the first byte holds the first nibble.
    is_odd: bool,
    bytes: &'a [u8],
}

impl<'a> Path<'a> {
    fn decode(item: &'a [u8]) -> Result<Self, NodeError> {
        let bytes = Header::decode_bytes(&mut &item[..], false)?;
        let first = *bytes.first().ok_or(NodeError::Path)?;
        let is_odd = first & ODD_FLAG != 0;
        if first & !(LEAF_FLAG | ODD_FLAG | 0x0f) != 0 || (!is_odd && first & 0x0f != 0) {
            return Err(NodeError::Path);
        }
        Ok(Self { is_leaf: first & LEAF_FLAG != 0, is_odd, bytes })
    }

    fn len(&self) -> usize {
        2 * (self.bytes.len() - 1) + usize::from(self.is_odd) // never empty: decode took the first byte
    }

    /// The nibble at `index`, which is below the length.
    fn at(&self, index: usize) -> usize {
        let position = index + 2 - usize::from(self.is_odd);
        let byte = self.bytes[position / 2];
        usize::from(if position.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
    }
}
