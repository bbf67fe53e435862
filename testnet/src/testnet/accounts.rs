//! The ten accounts every Ethereum developer knows: those of the mnemonic
//! `test test test test test test test test test test test junk`, path `m/44'/60'/0'/0/i`.

use alloy_primitives::U256;

/// Address and secret key; the whole world knows them, so they hold value on test networks only.
pub(super) use shard_node::dev::ACCOUNTS;

/// Wei each account starts with on every shard: ten thousand ether.
pub(super) fn balance() -> U256 {
    U256::from(10_000u64) * U256::from(10u64).pow(U256::from(18u64))
}
