//! Branches in dispute, as a beacon block records them.

use super::super::Decimal;
use primitives::{B256, CertifiedShardHeader, Conflict, Consumption};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A certified shard header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertifiedView {
    /// Its height.
    pub height: Decimal,
    /// Its id.
    #[schema(value_type = String)]
    pub id: B256,
    /// View in which it was certified.
    pub view: Decimal,
    /// How many seats signed.
    pub signers: Decimal,
    /// Of how many.
    pub seats: Decimal,
}

impl From<&CertifiedShardHeader> for CertifiedView {
    fn from(certified: &CertifiedShardHeader) -> Self {
        let CertifiedShardHeader { header, certificate } = certified;
        Self {
            height: header.height.get().into(),
            id: certificate.id,
            view: certificate.view.get().into(),
            signers: u64::from(certificate.signers.count()).into(),
            seats: u64::from(certificate.signers.seats()).into(),
        }
    }
}

/// Two certified headers of one shard and epoch that exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConflictView {
    /// Whose.
    pub shard: Decimal,
    /// The epoch that ends with it.
    pub epoch: Decimal,
    /// One header.
    pub first: CertifiedView,
    /// The other; no lower.
    pub second: CertifiedView,
}

impl From<&Conflict> for ConflictView {
    fn from(conflict: &Conflict) -> Self {
        let header = &conflict.first.header;
        Self {
            shard: u64::from(header.shard.get()).into(),
            epoch: header.epoch.get().into(),
            first: (&conflict.first).into(),
            second: (&conflict.second).into(),
        }
    }
}

/// A shard that consumed from a void branch of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsumptionView {
    /// The consumer.
    pub shard: Decimal,
    /// The epoch that ends with it.
    pub epoch: Decimal,
    /// Its header that consumed.
    pub certified: CertifiedView,
    /// The shard that it consumed from.
    pub source: Decimal,
}

impl From<&Consumption> for ConsumptionView {
    fn from(consumption: &Consumption) -> Self {
        let header = &consumption.certified.header;
        Self {
            shard: u64::from(header.shard.get()).into(),
            epoch: header.epoch.get().into(),
            certified: (&consumption.certified).into(),
            source: u64::from(consumption.source.shard().get()).into(),
        }
    }
}
