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
    arena::NodeKind,
    hash::{Found, HASHED_LEN_MIN, NodeRef},
    nibble,
};

impl Trie {
    /// The nodes that prove the value under `key`, or that there is none, under the root. An empty trie has none.
    pub fn proof(&self, key: &B256) -> Vec<Bytes> {
        let mut proof = Vec::new();
        let mut node = self.root;
        let mut from = 0;
        loop {
            let index = match node.kind() {
                NodeKind::Branch(index) => index,
                NodeKind::Leaf(index) => {
                    list(&mut proof, &self.encode_leaf(index, from));
                    return proof;
                }
                NodeKind::None => return proof,
            };
            let branch = self.arena.branch(index);
            let mut rlp = self.encode_branch(index, &mut Found::new());
            if let Some(mut extension) = self.encode_extension(index, from, &NodeRef::new(rlp.finish())) {
                list(&mut proof, extension.finish());
                if nibble::first_difference(key, self.arena.any_key(node)) < branch.depth() {
                    return proof;
                }
            }
            list(&mut proof, rlp.finish());
            node = branch.children[nibble::at(key, branch.depth())];
            from = branch.depth() + 1;
        }
    }
}

fn list(proof: &mut Vec<Bytes>, node: &[u8]) {
    if proof.is_empty() || node.len() >= HASHED_LEN_MIN {
        proof.push(Bytes::copy_from_slice(node));
    }
}
