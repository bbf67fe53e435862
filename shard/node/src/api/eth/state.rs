//! Accounts as they are after a block.

use crate::api::position::Position;
use crate::api::{ShardApi, error};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::{EIP1186AccountProofResponse, EIP1186StorageProof};
use alloy_serde::JsonStorageKey;
use rpc::RpcError;
use rpc::error::RpcResult;
use rpc::method::StateApi;

/// Most storage keys of one proof, as in geth.
const PROOF_KEYS_MAX: usize = 1_024;

impl StateApi for ShardApi {
    async fn balance(&self, address: Address, block: BlockId) -> RpcResult<U256> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        Ok(view.account(&address).map_err(error::state)?.balance)
    }

    async fn transaction_count(&self, address: Address, block: BlockId) -> RpcResult<u64> {
        let snapshot = self.chain.snapshot();
        let position = Position::by_id(&snapshot, block)?;
        let nonce = position.view(&snapshot)?.account(&address).map_err(error::state)?.nonce;
        if position != Position::Pending {
            return Ok(nonce);
        }
        let pooled = self.chain.nonce_after(address).await;
        Ok(nonce.max(pooled.unwrap_or_default()))
    }

    async fn code(&self, address: Address, block: BlockId) -> RpcResult<Bytes> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        view.code(&address).map_err(error::state)
    }

    async fn storage_at(&self, address: Address, slot: B256, block: BlockId) -> RpcResult<B256> {
        let snapshot = self.chain.snapshot();
        let view = Position::by_id(&snapshot, block)?.view(&snapshot)?;
        Ok(view.storage(&address, &slot).map_err(error::state)?.into())
    }

    async fn proof(
        &self,
        address: Address,
        keys: Vec<JsonStorageKey>,
        block: BlockId,
    ) -> RpcResult<EIP1186AccountProofResponse> {
        if keys.len() > PROOF_KEYS_MAX {
            return Err(RpcError::InvalidParams(format!("too many slots (max {PROOF_KEYS_MAX})")));
        }
        let snapshot = self.chain.snapshot();
        let height = Position::by_id(&snapshot, block)?.certified(&snapshot);
        let slots = keys.iter().map(JsonStorageKey::as_b256).collect();
        let proof = self.chain.prove(address, slots, height).await.map_err(error::query)?;
        let storage = keys.into_iter().zip(proof.storage);
        Ok(EIP1186AccountProofResponse {
            address,
            balance: proof.account.balance,
            code_hash: proof.account.code_hash,
            nonce: proof.account.nonce,
            storage_hash: proof.storage_root,
            account_proof: proof.nodes,
            storage_proof: storage
                .map(|(key, slot)| EIP1186StorageProof { key, value: slot.value, proof: slot.nodes })
                .collect(),
        })
    }
}
