//! Which of Ethereum's rules hold.
//!
//! A shard has one set of rules, [`Rules::SHARD`], and whatever makes or checks a block takes those without being asked.
//! The older sets are there so that Ethereum's own tests, which are written for one fork each, can go through the very
//! executor that blocks go through.

use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;
use revm::primitives::hardfork::SpecId;

/// One of Ethereum's sets of rules, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rules {
    /// Transient storage, SELFDESTRUCT in its creating transaction only.
    Cancun,
    /// Delegations of accounts to code, a floor under the price of data, BLS12-381 precompiles.
    Prague,
    /// A cap on a transaction's gas, secp256r1, CLZ, dearer MODEXP.
    Osaka,
}

impl Rules {
    /// Those of every shard.
    pub const SHARD: Self = Self::Osaka;
    /// All, oldest first.
    pub const ALL: [Self; 3] = [Self::Cancun, Self::Prague, Self::Osaka];

    /// The set that Ethereum's tests call so.
    pub fn named(fork: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rules| rules.name() == fork)
    }

    /// What Ethereum's tests call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancun => "Cancun",
            Self::Prague => "Prague",
            Self::Osaka => "Osaka",
        }
    }

    /// Most gas one transaction may have, but for what a block has (EIP-7825).
    pub const fn transaction_gas_max(self) -> u64 {
        match self {
            Self::Cancun | Self::Prague => u64::MAX,
            Self::Osaka => MAX_TX_GAS_LIMIT_OSAKA,
        }
    }

    /// Whether the gas of data has a floor (EIP-7623).
    pub const fn have_data_floor(self) -> bool {
        !matches!(self, Self::Cancun)
    }

    /// Whether there are transactions of this type here; those of type 3 are nowhere.
    pub const fn have_transaction_type(self, kind: u8) -> bool {
        match kind {
            0..=2 => true,
            4 => !matches!(self, Self::Cancun),
            _ => false,
        }
    }

    pub(crate) const fn spec_id(self) -> SpecId {
        match self {
            Self::Cancun => SpecId::CANCUN,
            Self::Prague => SpecId::PRAGUE,
            Self::Osaka => SpecId::OSAKA,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_is_found_by_its_name() {
        assert_eq!(Rules::ALL.map(|rules| Rules::named(rules.name())), Rules::ALL.map(Some));
        assert_eq!(Rules::named("Frontier"), None);
    }

    #[test]
    fn a_shard_has_the_newest() {
        assert_eq!(Rules::ALL.into_iter().max(), Some(Rules::SHARD));
    }
}
