//! Validators of the registry.

use crate::beacon::Decimal;
use primitives::{Address, PublicKeyBytes};
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
    /// It has left.
    ExitedUnslashed,
    /// It lost its stake.
    ExitedSlashed,
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
    /// Its stake, gwei.
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
    /// Beacon epoch from which on it is drawn.
    pub activation_epoch: Decimal,
    /// Beacon epoch from which on it is no longer drawn; the largest integer if it stays.
    pub exit_epoch: Decimal,
    /// Beacon epoch from which on its stake may leave; the largest integer if it stays.
    pub withdrawable_epoch: Decimal,
    /// Atoll: units of stake, and so seats it may have in one committee.
    pub units: Decimal,
    /// Atoll: the keys of all its seats.
    #[schema(value_type = Vec<String>)]
    pub seat_keys: Vec<PublicKeyBytes>,
}

impl ValidatorDetail {
    /// A genesis validator of these seats that stays; `units` counts what it was not slashed.
    pub fn active(
        seat_keys: Vec<PublicKeyBytes>,
        withdrawal_address: Address,
        units: u64,
        gwei_per_unit: u64,
        slashed: bool,
    ) -> Self {
        Self {
            pubkey: seat_keys.first().copied().unwrap_or(NO_KEY),
            withdrawal_credentials: withdrawal_credentials(withdrawal_address),
            effective_balance: Decimal(units.saturating_mul(gwei_per_unit)),
            slashed,
            activation_eligibility_epoch: Decimal(0),
            activation_epoch: Decimal(0),
            exit_epoch: Decimal(u64::MAX),
            withdrawable_epoch: Decimal(u64::MAX),
            units: Decimal(units),
            seat_keys,
        }
    }
}

fn withdrawal_credentials(address: Address) -> String {
    let mut bytes = [0u8; 32];
    bytes[0] = 1;
    bytes[12..].copy_from_slice(address.as_slice());
    alloy_primitives::hex::encode_prefixed(bytes)
}
