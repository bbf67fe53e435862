//! Lanes between the beacon chain and shards.

use super::super::Decimal;
use primitives::{B256, BeaconBundle, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The beacon chain's end of the lanes between it and a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneView {
    /// The shard.
    pub shard: Decimal,
    /// How many of the shard's receipts were consumed.
    pub received: Decimal,
    /// Sequence of the first receipt to the shard that it is not known to have consumed.
    pub first_pending: Decimal,
    /// How many such receipts there are.
    pub pending: Decimal,
}

/// Receipts of a shard that a beacon block consumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleView {
    /// Whose.
    pub shard: Decimal,
    /// Height of the shard's block that sent them.
    pub height: Decimal,
    /// Sequence of the first.
    pub first_sequence: Decimal,
    /// How many.
    pub count: Decimal,
    /// Their ids, in order.
    #[schema(value_type = Vec<String>)]
    pub receipts: Vec<B256>,
}

impl From<&BeaconBundle> for BundleView {
    fn from(bundle: &BeaconBundle) -> Self {
        let BeaconBundle { header, receipts, .. } = bundle;
        Self {
            shard: u64::from(header.shard.get()).into(),
            height: header.height.get().into(),
            first_sequence: receipts.first().map_or(0, |receipt| receipt.sequence).into(),
            count: (receipts.len() as u64).into(),
            receipts: receipts.iter().map(Receipt::id).collect(),
        }
    }
}
