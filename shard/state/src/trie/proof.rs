//! Merkle proofs as `eth_getProof` returns them.
//!
//! A proof lists the encodings of the nodes from the root towards the key, as far as the trie follows it. A
//! node shorter than 32 bytes is not listed, being part of its parent; the root always is. If the key is
//! there, the last node holds its value; if not, the last node shows where the trie parts from it.
//!
//! Rules: EIP-1186.

use alloy_primitives::{B256, Bytes};

use super::{
    Trie,
    arena::NodeId,
    hash::{HASHED_LEN_MIN, NodeRlp},
    nibble,
};

impl Trie {
    /// The nodes that prove the value under `key`, or that there is none, under the root. An empty trie has none.
    pub fn proof(&self, key: &B256) -> Vec<Bytes> {
        let mut proof = Vec::new();
        let mut node = self.root;
        let mut from = 0;
        while node != NodeId::NONE {
            let (extension, rlp) = self.encodings(node, from);
            if let Some(extension) = extension {
                list(&mut proof, extension);
            }
            let Some(index) = node.as_branch() else {
                list(&mut proof, rlp);
                break;
            };
            let branch = self.arena.branch(index);
            if branch.depth() > from && nibble::first_difference(key, self.arena.any_key(node)) < branch.depth() {
                break;
            }
            list(&mut proof, rlp);
            node = branch.children[nibble::at(key, branch.depth())];
            from = branch.depth() + 1;
        }
        proof
    }
}

fn list(proof: &mut Vec<Bytes>, mut node: NodeRlp) {
    let node = node.finish();
    if proof.is_empty() || node.len() >= HASHED_LEN_MIN {
        proof.push(Bytes::copy_from_slice(node));
    }
}
