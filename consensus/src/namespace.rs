//! What binds a signature to one chain of one network.

use primitives::{B256, Chain};

/// Prefix of everything that the seats of `chain` sign: genesis hash ‖ the chain's code, little-endian.
///
/// 36 bytes for every chain, so no chain's namespace is a prefix of another's.
pub fn namespace(genesis_hash: B256, chain: Chain) -> Vec<u8> {
    [genesis_hash.as_slice(), &chain.code().to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::ShardId;

    #[test]
    fn a_namespace_is_the_genesis_hash_and_the_chain_code() {
        let genesis = B256::repeat_byte(7);
        let shard = namespace(genesis, Chain::Shard(ShardId::new(0x0102_0304)));
        assert_eq!(shard[..32], [7; 32]);
        assert_eq!(shard[32..], [4, 3, 2, 1]);
        assert_eq!(namespace(genesis, Chain::Beacon)[32..], [0xff; 4]);
    }
}
