//! Receipts between chains, their lanes, and proof of them.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

/// A receipt, and what this shard knows of its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptJourney {
    /// Its id.
    pub id: B256,
    /// The shard that sent it.
    pub source: u32,
    /// The chain that it is for.
    pub destination: u32,
    /// Its number in the lane.
    #[serde(with = "alloy_serde::quantity")]
    pub sequence: u64,
    /// What it is: `transfer`, `call`, `answer`, `deposit`, `top-up`, `exit`, `withdrawal` or `unknown`.
    pub kind: String,
    /// Who sent it.
    pub sender: Address,
    /// Whom it is for.
    pub to: Option<Address>,
    /// Wei that travel with it.
    pub value: U256,
    /// Gas that it may use.
    #[serde(with = "alloy_serde::quantity")]
    pub gas: u64,
    /// Seconds since the Unix epoch after which it bounces; zero is never.
    #[serde(with = "alloy_serde::quantity")]
    pub deadline: u64,
    /// Its block here, if this shard sent it.
    pub sent: Option<Passage>,
    /// Its block here, if this shard consumed it.
    pub consumed: Option<Passage>,
    /// What it was answered with: the id of that receipt, if this shard sent one.
    pub answer: Option<B256>,
    /// Of an answer of the beacon chain, why it refused.
    pub refusal: Option<String>,
}

/// A block that a receipt passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Passage {
    /// Height of the block.
    #[serde(with = "alloy_serde::quantity")]
    pub block_number: u64,
    /// Id of the block.
    pub block_hash: B256,
    /// The transaction that sent it, or its own id.
    pub transaction_hash: B256,
    /// Whether it did what it was to do; always if it was sent.
    pub success: bool,
    /// When the block was proposed, milliseconds since the Unix epoch.
    #[serde(with = "alloy_serde::quantity")]
    pub proposed_ms: u64,
    /// When this node had verified the receipt, if it was watching.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub verified_ms: Option<u64>,
    /// When this node saw the block certified, if it was watching.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub certified_ms: Option<u64>,
    /// Whether a finalized beacon block has recorded it.
    pub finalized: bool,
    /// Once it is finalized, if it was asked for: that this block has the transaction, and what came of it.
    pub proof: Option<InclusionView>,
}

/// What a shard knows of its lanes to and from another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneView {
    /// The other shard.
    pub shard: u32,
    /// Receipts sent there.
    #[serde(with = "alloy_serde::quantity")]
    pub sent: u64,
    /// Of those, how many it is known to have consumed.
    #[serde(with = "alloy_serde::quantity")]
    pub acknowledged: u64,
    /// Of those, how many may still be under way.
    #[serde(with = "alloy_serde::quantity")]
    pub in_flight: u64,
    /// How many may be.
    #[serde(with = "alloy_serde::quantity")]
    pub capacity: u64,
    /// Receipts from there that were consumed here.
    #[serde(with = "alloy_serde::quantity")]
    pub received: u64,
    /// Height of the block there that was consumed from last, if any was.
    #[serde(with = "alloy_serde::quantity::opt")]
    pub consumed_height: Option<u64>,
    /// Id of that block.
    pub consumed_hash: Option<B256>,
}

/// What proves a receipt to whoever knows the source's committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleView {
    /// The receipt's id.
    pub id: B256,
    /// Height of the block that sent it.
    #[serde(with = "alloy_serde::quantity")]
    pub block_number: u64,
    /// Height of the certified block that proves it.
    #[serde(with = "alloy_serde::quantity")]
    pub certified_number: u64,
    /// The bundle with this one receipt, SSZ.
    pub bundle: Bytes,
}

/// What proves a transaction, and what came of it, to whoever follows the beacon chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InclusionView {
    /// The transaction, or the receipt from another chain.
    pub hash: B256,
    /// Height of its block.
    #[serde(with = "alloy_serde::quantity")]
    pub block_number: u64,
    /// Height of the accepted header that proves it.
    #[serde(with = "alloy_serde::quantity")]
    pub accepted_number: u64,
    /// The proof, SSZ.
    pub inclusion: Bytes,
}
