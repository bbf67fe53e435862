//! Answer of `eth_config` (EIP-7910): by which rules the chain runs.

use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip4788::BEACON_ROOTS_ADDRESS,
    eip7840::BlobParams,
    eip7910::{EthConfig, EthForkConfig, SystemContract},
};
use alloy_primitives::{Address, B256, Bytes};

/// Precompiles of Osaka, from address 1 on without a gap.
const PRECOMPILES: [&str; 17] = [
    "ECREC",
    "SHA256",
    "RIPEMD160",
    "ID",
    "MODEXP",
    "BN254_ADD",
    "BN254_MUL",
    "BN254_PAIRING",
    "BLAKE2F",
    "KZG_POINT_EVALUATION",
    "BLS12_G1ADD",
    "BLS12_G1MSM",
    "BLS12_G2ADD",
    "BLS12_G2MSM",
    "BLS12_PAIRING_CHECK",
    "BLS12_MAP_FP_TO_G1",
    "BLS12_MAP_FP2_TO_G2",
];
/// The precompile of EIP-7951, and where it is.
const P256_VERIFY: (&str, u64) = ("P256VERIFY", 0x100);

/// The rules of a shard: Osaka's from genesis on, without blobs and without what serves deposits and withdrawals, which
/// are the beacon chain's.
pub fn chain_config(chain_id: u64, genesis: B256) -> EthConfig {
    let precompiles = (1..).zip(PRECOMPILES).map(|(number, name)| (name, number)).chain([P256_VERIFY]);
    let precompiles = precompiles.map(|(name, number)| (name.to_owned(), at(number)));
    let current = EthForkConfig {
        activation_time: 0,
        blob_schedule: BlobParams {
            target_blob_count: 0,
            max_blob_count: 0,
            max_blobs_per_tx: 0,
            ..BlobParams::osaka()
        },
        chain_id,
        fork_id: Bytes::copy_from_slice(&crc32(&genesis.0).to_be_bytes()),
        precompiles: precompiles.collect(),
        system_contracts: [
            (SystemContract::BeaconRoots, BEACON_ROOTS_ADDRESS),
            (SystemContract::HistoryStorage, HISTORY_STORAGE_ADDRESS),
        ]
        .into(),
    };
    EthConfig { current, next: None, last: None }
}

fn at(number: u64) -> Address {
    Address::left_padding_from(&number.to_be_bytes())
}

/// The checksum that EIP-2124 identifies forks by (IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let step = |rest: u32, _| if rest & 1 == 1 { (rest >> 1) ^ POLYNOMIAL } else { rest >> 1 };
    !bytes.iter().fold(u32::MAX, |rest, byte| (0..8).fold(rest ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    /// EIP-2124 gives this one for Ethereum's own genesis.
    #[test]
    fn fork_id_is_the_checksum_of_the_genesis_hash() {
        let genesis = b256!("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
        assert_eq!(chain_config(1, genesis).current.fork_id, Bytes::from_static(&[0xfc, 0x64, 0xec, 0x04]));
    }

    #[test]
    fn rules_are_written_as_eip_7910_wants_them() {
        let config = serde_json::to_value(chain_config(7_001, B256::ZERO)).expect("a view is JSON");
        let current = &config["current"];
        assert_eq!((&current["chainId"], &current["activationTime"]), (&"0x1b59".into(), &0.into()));
        assert_eq!(current["precompiles"]["BLS12_MAP_FP2_TO_G2"], serde_json::json!(at(0x11)));
        assert_eq!(current["precompiles"]["P256VERIFY"], serde_json::json!(at(0x100)));
        assert_eq!(current["blobSchedule"]["max"], 0);
        assert_eq!(current["systemContracts"].as_object().map(serde_json::Map::len), Some(2));
        assert_eq!((&config["next"], &config["last"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    }
}
