//! What the EVM sees of the block around a transaction.

use alloy_primitives::{Address, B256, U256};
use primitives::{AnchorProof, ChainSpec, ShardHeader};
use revm::{
    context::{BlockEnv, CfgEnv},
    context_interface::block::BlobExcessGasAndPrice,
};

use crate::{portal::PortalRules, rules::Rules};

/// There are no blobs on a shard, so their price never leaves its minimum.
const BLOB_PRICE: BlobExcessGasAndPrice = BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 };

/// What the EVM sees of the block around a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// CHAINID.
    pub chain_id: u64,
    /// NUMBER.
    pub height: u64,
    /// TIMESTAMP, seconds since the Unix epoch; blocks less than a second apart may share it.
    pub timestamp: u64,
    /// PREVRANDAO: the beacon chain's randomness at the anchor.
    pub mix: B256,
    /// COINBASE: the proposing seat's fee recipient.
    pub fee_recipient: Address,
    /// GASLIMIT.
    pub gas_limit: u64,
    /// BASEFEE, wei per gas.
    pub base_fee: u64,
    /// What the Portal knows of the network.
    pub portal: PortalRules,
}

impl Environment {
    /// That of a block, from its header and what it takes from its anchor.
    pub const fn new(spec: &ChainSpec, header: &ShardHeader, mix: B256, fee_recipient: Address) -> Self {
        Self {
            chain_id: spec.evm_chain_id(header.shard),
            height: header.height.get(),
            timestamp: header.timestamp_ms / 1_000,
            mix,
            fee_recipient,
            gas_limit: header.gas_limit,
            base_fee: header.base_fee,
            portal: PortalRules::new(spec, header.shard),
        }
    }

    /// That of a certified block, whose anchor proof needs no verification any more.
    pub const fn certified(spec: &ChainSpec, header: &ShardHeader, anchor: &AnchorProof) -> Self {
        Self::new(spec, header, anchor.mix, anchor.seat.fee_recipient)
    }

    pub(super) fn block(&self) -> BlockEnv {
        BlockEnv {
            number: U256::from(self.height),
            beneficiary: self.fee_recipient,
            timestamp: U256::from(self.timestamp),
            gas_limit: self.gas_limit,
            basefee: self.base_fee,
            difficulty: U256::ZERO,
            prevrandao: Some(self.mix),
            blob_excess_gas_and_price: Some(BLOB_PRICE),
            slot_num: 0,
        }
    }

    pub(super) fn config(&self) -> CfgEnv {
        self.config_under(Rules::SHARD)
    }

    pub(super) fn config_under(&self, rules: Rules) -> CfgEnv {
        CfgEnv::new_with_spec(rules.spec_id()).with_chain_id(self.chain_id)
    }
}
