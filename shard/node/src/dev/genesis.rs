//! Where a development chain starts: the `local` specification with one shard of its own chain id and one endless epoch.

use super::accounts::ACCOUNTS;
use alloy_primitives::U256;
use primitives::{Allocation, ChainSpec, Genesis, ShardId, ShardKind, ShardSpec, SpecError};
use shard_state::genesis::genesis_header;
use std::num::NonZeroU64;

/// The one shard.
pub(super) const SHARD: ShardId = ShardId::ZERO;
/// What each known account starts with.
pub(super) const ETHER_EACH: u64 = 10_000;
const WEI_PER_ETHER: u64 = 1_000_000_000_000_000_000;

/// The genesis file that such a chain would have. Nobody agrees on it, so it has no validators.
pub(super) fn genesis(chain_id: u64, timestamp_ms: u64) -> Result<Genesis, SpecError> {
    let spec = ChainSpec {
        name: "dev".into(),
        chain_id_base: chain_id,
        shard_epoch_heights: NonZeroU64::MAX,
        shards: vec![ShardSpec { name: "dev".into(), kind: ShardKind::Defi }],
        ..ChainSpec::preset("local")?
    };
    spec.verify()?;
    let balance = U256::from(ETHER_EACH) * U256::from(WEI_PER_ETHER);
    let allocations: Vec<_> =
        ACCOUNTS.iter().map(|(address, _)| Allocation { address: *address, balance }).collect();
    let shard_ids = vec![genesis_header(&spec, SHARD, &allocations, timestamp_ms).id()];
    Ok(Genesis { spec, timestamp_ms, validators: Vec::new(), allocations, shard_ids })
}
