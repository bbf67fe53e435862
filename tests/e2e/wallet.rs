//! A funded account that signs transactions.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use crypto::secp256k1::SecretKey;
use serde_json::Value;

/// The second of the well-known accounts; cast uses the first.
pub(crate) const USER: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
/// The third: what goes on in the background does not disturb the others' nonces.
pub(crate) const LOAD: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

pub(crate) struct Wallet {
    secret: SecretKey,
    chain_id: u64,
    pub(crate) nonce: u64,
}

impl Wallet {
    /// The account of a secret, on the shard whose chain id this is.
    pub(crate) fn new(secret: &str, chain_id: u64) -> Self {
        let bytes: [u8; 32] = hex::decode_to_array(secret).expect("32 bytes");
        Self { secret: SecretKey::from_bytes(&bytes).expect("a key"), chain_id, nonce: 0 }
    }

    /// The next transfer, encoded, with its hash.
    pub(crate) fn transfer(&mut self, to: Address, value: U256) -> (Bytes, B256) {
        let transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: 21_000,
            max_fee_per_gas: 100_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: TxKind::Call(to),
            value,
            ..TxEip1559::default()
        };
        self.nonce += 1;
        let signature = self.secret.sign(&transaction.signature_hash());
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        (envelope.encoded_2718().into(), *envelope.hash())
    }
}

/// Chain id of a shard, as the description says.
pub(crate) fn chain_id(description: &Value, shard: usize) -> u64 {
    description["validators"][0]["shards"][shard]["chainId"].as_u64().expect("a chain id")
}
