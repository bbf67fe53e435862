//! What every node of a network must agree on.
//!
//! A specification is read from a preset file, checked once by [`ChainSpec::from_toml`], and part
//! of the genesis hash, so nodes with different ones never speak to each other.

use crate::ShardKind;
use alloy_primitives::U256;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// One shard at genesis; its id is its place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardSpec {
    /// Name used on command lines.
    pub name: String,
    /// What it executes.
    pub kind: ShardKind,
}

/// Protocol constants of one network. Units come last in a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSpec {
    /// Preset's name.
    pub name: String,
    /// A shard's EVM chain id is this plus its shard id.
    pub chain_id_base: u64,
    /// Stake of one unit, wei.
    pub unit_wei: U256,
    /// Seats a committee should have; all units where there are fewer.
    pub seats_target: u32,
    /// Adversary share of the stake, in thousandths, that takeover probabilities assume.
    pub adversary_permille: u32,
    /// Trailing adversarial reveals that takeover probabilities allow for.
    pub trailing_reveals: u32,
    /// Heights in an epoch of the beacon chain.
    pub beacon_epoch_heights: NonZeroU64,
    /// Heights in an epoch of a shard.
    pub shard_epoch_heights: NonZeroU64,
    /// Time between beacon blocks.
    pub beacon_interval_ms: NonZeroU64,
    /// Time between shard blocks.
    pub shard_interval_ms: NonZeroU64,
    /// A header further ahead of a validator's clock keeps its vote pending.
    pub drift_ms: u64,
    /// Beacon heights without a crosslink after which a shard's epoch is ended early.
    pub stall_heights: NonZeroU64,
    /// Most crosslinks in a beacon block.
    pub crosslinks_max: u32,
    /// Most pieces of evidence in a beacon block.
    pub evidence_max: u32,
    /// Most conflicts in a beacon block.
    pub conflicts_max: u32,
    /// Most consumptions of void branches in a beacon block.
    pub consumptions_max: u32,
    /// Thousandths of its units an equivocator loses; at least one unit.
    pub slash_permille: u32,
    /// Gas limit of a shard block.
    pub gas_limit: u64,
    /// Base fee of a shard's first block, wei per gas.
    pub base_fee_initial: u64,
    /// EIP-1559's base-fee change denominator.
    pub base_fee_change_denominator: NonZeroU64,
    /// EIP-1559's elasticity multiplier.
    pub base_fee_elasticity: NonZeroU64,
    /// Most bytes of one encoded transaction.
    pub transaction_bytes_max: u32,
    /// Most transactions in a shard block.
    pub transactions_max: u32,
    /// Most bytes of one encoded block body.
    pub body_bytes_max: u32,
    /// Most receipts of one lane that its destination has not consumed yet, as the source sees it. Answers may be twice
    /// as many, so that there is always room for one.
    pub lane_capacity: u64,
    /// Most bytes of data that a receipt carries.
    pub receipt_data_max: u32,
    /// Most gas of the receipts that a shard block consumes.
    pub inbox_gas_max: u64,
    /// Most bundles in a shard block.
    pub bundles_max: u32,
    /// Most receipts that a beacon block consumes.
    pub beacon_receipts_max: u32,
    /// Most seats that a beacon block registers.
    pub registrations_max: u32,
    /// Beacon heights from an exit until the stake is paid out; so long its units can be punished.
    pub exit_delay_heights: NonZeroU64,
    /// The shards at genesis.
    pub shards: Vec<ShardSpec>,
}

/// Why a specification cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The text is not a specification.
    #[error("not a chain specification: {0}")]
    Syntax(String),
    /// No preset of that name.
    #[error("no preset `{found}`; there are: {known}")]
    UnknownPreset {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// A value breaks a rule.
    #[error("{field} must be {expected}, found {found}")]
    OutOfRange {
        /// The value's name.
        field: &'static str,
        /// The rule.
        expected: &'static str,
        /// The value.
        found: u64,
    },
    /// Two shards of one name.
    #[error("two shards are called `{0}`")]
    DuplicateShard(String),
}

impl ChainSpec {
    const PRESETS: [(&'static str, &'static str); 2] = [
        ("local", include_str!("../presets/local.toml")),
        ("mainnet-draft", include_str!("../presets/mainnet-draft.toml")),
    ];

    /// Reads and checks a specification.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        let spec: Self = toml::from_str(text).map_err(|error| SpecError::Syntax(error.to_string()))?;
        spec.verify()?;
        Ok(spec)
    }

    /// One of the specifications that come with Atoll.
    pub fn preset(name: &str) -> Result<Self, SpecError> {
        let Some((_, text)) = Self::PRESETS.iter().find(|(known, _)| *known == name) else {
            let known = Self::PRESETS.map(|(known, _)| known).join(", ");
            return Err(SpecError::UnknownPreset { found: name.into(), known });
        };
        Self::from_toml(text)
    }

    /// Checks every relation between the values.
    pub fn verify(&self) -> Result<(), SpecError> {
        let rules = [
            ("seats_target", "from 1 to 2048", u64::from(self.seats_target), 1, 2048),
            ("adversary_permille", "below 1000", u64::from(self.adversary_permille), 0, 999),
            ("trailing_reveals", "at most 64", u64::from(self.trailing_reveals), 0, 64),
            ("slash_permille", "at most 1000", u64::from(self.slash_permille), 0, 1000),
            ("beacon_epoch_heights", "at least 4", self.beacon_epoch_heights.get(), 4, u64::MAX),
            ("shard_epoch_heights", "at least 4", self.shard_epoch_heights.get(), 4, u64::MAX),
            ("crosslinks_max", "from 1 to 1024", u64::from(self.crosslinks_max), 1, 1024),
            // Whatever else a body brings, its conflicts have room.
            ("conflicts_max", "from 1 to 8", u64::from(self.conflicts_max), 1, 8),
            ("consumptions_max", "from 1 to 1024", u64::from(self.consumptions_max), 1, 1024),
            ("gas_limit", "at least 5000000", self.gas_limit, 5_000_000, u64::MAX / 2),
            ("base_fee_initial", "at least 1", self.base_fee_initial, 1, u64::MAX / 2),
            ("base_fee_elasticity", "at most 16", self.base_fee_elasticity.get(), 1, 16),
            // Whatever the beacon chain has for a shard has room in a body.
            ("body_bytes_max", "from 256 KiB to 64 MiB", u64::from(self.body_bytes_max), 1 << 18, 1 << 26),
            (
                "transaction_bytes_max",
                "from 1 KiB to a quarter of body_bytes_max",
                u64::from(self.transaction_bytes_max),
                1 << 10,
                u64::from(self.body_bytes_max / 4),
            ),
            ("transactions_max", "from 1 to 1048576", u64::from(self.transactions_max), 1, 1 << 20),
            ("lane_capacity", "from 1 to 1048576", self.lane_capacity, 1, 1 << 20),
            (
                "receipt_data_max",
                "from 1 KiB to a quarter of body_bytes_max",
                u64::from(self.receipt_data_max),
                1 << 10,
                u64::from(self.body_bytes_max / 4),
            ),
            // One receipt costs no more than the largest transaction that pays for it (EIP-7825).
            ("inbox_gas_max", "at least 16777216", self.inbox_gas_max, 1 << 24, u64::MAX / 2),
            ("bundles_max", "from 1 to 1024", u64::from(self.bundles_max), 1, 1024),
            ("beacon_receipts_max", "from 1 to 4096", u64::from(self.beacon_receipts_max), 1, 4096),
            // A deposit's registrations are a receipt's payload, 144 bytes each.
            (
                "registrations_max",
                "from 1 to what fits into receipt_data_max",
                u64::from(self.registrations_max),
                1,
                u64::from(self.receipt_data_max / 144).min(1024),
            ),
            ("exit_delay_heights", "at most 2^32", self.exit_delay_heights.get(), 1, 1 << 32),
            ("shards", "from 1 to 65536 entries", self.shards.len() as u64, 1, 1 << 16),
        ];
        for (field, expected, found, min, max) in rules {
            if found < min || found > max {
                return Err(SpecError::OutOfRange { field, expected, found });
            }
        }
        if self.unit_wei.is_zero() {
            return Err(SpecError::OutOfRange { field: "unit_wei", expected: "positive", found: 0 });
        }
        let mut names: Vec<_> = self.shards.iter().map(|shard| &shard.name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(SpecError::DuplicateShard(pair[0].clone())),
            None => Ok(()),
        }
    }

    /// The EVM chain id of a shard.
    pub const fn evm_chain_id(&self, shard: crate::ShardId) -> u64 {
        self.chain_id_base.saturating_add(shard.get() as u64)
    }

    /// Heights in an epoch of `chain`.
    pub const fn epoch_heights(&self, chain: crate::Chain) -> u64 {
        match chain {
            crate::Chain::Beacon => self.beacon_epoch_heights.get(),
            crate::Chain::Shard(_) => self.shard_epoch_heights.get(),
        }
    }

    /// Time between blocks of `chain`, milliseconds.
    pub const fn interval_ms(&self, chain: crate::Chain) -> u64 {
        match chain {
            crate::Chain::Beacon => self.beacon_interval_ms.get(),
            crate::Chain::Shard(_) => self.shard_interval_ms.get(),
        }
    }
}
