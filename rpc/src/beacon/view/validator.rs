//! Validators of the registry.

use crate::beacon::Decimal;
use primitives::{Address, PublicKeyBytes, ShardId};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::ToSchema;

/// What a validator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValidatorStatus {
    /// Its stake waits to take part.
    PendingQueued,
    /// Its units are drawn.
    ActiveOngoing,
    /// Its units are drawn until it leaves.
    ActiveExiting,
    /// It lost stake, and what is left is still drawn.
    ActiveSlashed,
    /// None of its units is drawn any more, and none is paid yet.
    ExitedUnslashed,
    /// The same, and it lost stake.
    ExitedSlashed,
    /// Its stake is due and about to be paid.
    WithdrawalPossible,
    /// Nothing is left of its stake here.
    WithdrawalDone,
}

/// A text that names no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no validator status `{found}`")]
pub struct StatusError {
    found: String,
}

impl FromStr for ValidatorStatus {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use serde::de::{
            IntoDeserializer as _,
            value::{Error, StrDeserializer},
        };
        let deserializer: StrDeserializer<'_, Error> = text.into_deserializer();
        Self::deserialize(deserializer).map_err(|_| StatusError { found: text.chars().take(40).collect() })
    }
}

/// Stands where a validator has no seat.
const NO_KEY: PublicKeyBytes = PublicKeyBytes::new([0; PublicKeyBytes::LENGTH]);

/// One validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorView {
    /// Its place in the registry.
    pub index: Decimal,
    /// Its stake, gwei: what is drawn and what is on its way out.
    pub balance: Decimal,
    /// What it may do.
    pub status: ValidatorStatus,
    /// The rest.
    pub validator: ValidatorDetail,
}

/// What the registry says of a validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorDetail {
    /// Its first seat key.
    #[schema(value_type = String)]
    pub pubkey: PublicKeyBytes,
    /// 0x01, eleven zero bytes, and the withdrawal address.
    pub withdrawal_credentials: String,
    /// The stake that is drawn, gwei.
    pub effective_balance: Decimal,
    /// Whether it ever lost stake.
    pub slashed: bool,
    /// Beacon epoch in which its stake became known.
    pub activation_eligibility_epoch: Decimal,
    /// Beacon epoch from which on its units take part in draws.
    pub activation_epoch: Decimal,
    /// Beacon epoch in which its last unit left the draws; the largest integer if one stays.
    pub exit_epoch: Decimal,
    /// Beacon epoch from which on all of its stake may leave; the largest integer if one unit stays.
    pub withdrawable_epoch: Decimal,
    /// Atoll: units of stake, and so seats it may have in one committee.
    pub units: Decimal,
    /// Atoll: the keys of all its seats.
    #[schema(value_type = Vec<String>)]
    pub seat_keys: Vec<PublicKeyBytes>,
    /// Atoll: units that left the draws and are not paid yet.
    pub exiting_units: Decimal,
    /// Atoll: units that offences cost.
    pub burned_units: Decimal,
    /// Atoll: the shard of the account that owns the stake.
    pub withdrawal_shard: Decimal,
}

/// What a registry entry says of a validator, for its view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorEntry {
    /// Keys of the units that are drawn.
    pub seat_keys: Vec<PublicKeyBytes>,
    /// Units that left the draws and are not paid yet.
    pub exiting_units: u64,
    /// Units that offences cost.
    pub burned_units: u64,
    /// Shard of the account that owns the stake.
    pub withdrawal_shard: ShardId,
    /// Its address there.
    pub withdrawal_address: Address,
    /// Beacon epoch in which it was registered.
    pub registered: u64,
    /// Beacon epochs in which its last unit left the draws and from which on all is due; none if a unit stays.
    pub left: Option<(u64, u64)>,
}

impl ValidatorDetail {
    /// The view of an entry.
    pub fn new(entry: ValidatorEntry, gwei_per_unit: u64) -> Self {
        let ValidatorEntry { seat_keys, exiting_units, burned_units, .. } = entry;
        let (exit_epoch, withdrawable_epoch) = entry.left.unwrap_or((u64::MAX, u64::MAX));
        let units = seat_keys.len() as u64;
        Self {
            pubkey: seat_keys.first().copied().unwrap_or(NO_KEY),
            withdrawal_credentials: withdrawal_credentials(entry.withdrawal_address),
            effective_balance: Decimal(units.saturating_mul(gwei_per_unit)),
            slashed: burned_units > 0,
            activation_eligibility_epoch: Decimal(entry.registered),
            activation_epoch: Decimal(entry.registered),
            exit_epoch: Decimal(exit_epoch),
            withdrawable_epoch: Decimal(withdrawable_epoch),
            units: Decimal(units),
            seat_keys,
            exiting_units: Decimal(exiting_units),
            burned_units: Decimal(burned_units),
            withdrawal_shard: Decimal(entry.withdrawal_shard.get().into()),
        }
    }
}

fn withdrawal_credentials(address: Address) -> String {
    let mut bytes = [0u8; 32];
    bytes[0] = 1;
    bytes[12..].copy_from_slice(address.as_slice());
    alloy_primitives::hex::encode_prefixed(bytes)
}
