//! Chain specifications.

use primitives::{Chain, ChainSpec, ShardId, SpecError, U256};
use std::num::NonZeroU64;

/// What becomes of the local preset after a change.
fn verify(change: impl Fn(&mut ChainSpec)) -> Result<(), SpecError> {
    let mut spec = ChainSpec::preset("local").unwrap();
    change(&mut spec);
    spec.verify()
}

/// The field that is refused.
fn refused(change: impl Fn(&mut ChainSpec)) -> (&'static str, u64) {
    match verify(change) {
        Err(SpecError::OutOfRange { field, found, .. }) => (field, found),
        other => panic!("expected a value out of range, found {other:?}"),
    }
}

fn nonzero(value: u64) -> NonZeroU64 {
    NonZeroU64::new(value).unwrap()
}

#[test]
fn every_preset_loads() {
    for name in ["local", "mainnet-draft"] {
        let spec = ChainSpec::preset(name).unwrap();
        assert_eq!(spec.name, name);
        assert_eq!(spec.shards.len(), 3);
    }
}

#[test]
fn an_unknown_preset_is_refused_with_those_there_are() {
    let expected = SpecError::UnknownPreset { found: "moon".into(), known: "local, mainnet-draft".into() };
    assert_eq!(ChainSpec::preset("moon"), Err(expected));
}

#[test]
fn an_unknown_a_missing_or_a_zero_value_is_no_specification() {
    let text = toml::to_string(&ChainSpec::preset("local").unwrap()).unwrap();
    assert_eq!(ChainSpec::from_toml(&text), ChainSpec::preset("local"));
    let refused = |text: &str| matches!(ChainSpec::from_toml(text), Err(SpecError::Syntax(_)));
    assert!(refused(&format!("color = 1\n{text}")));
    assert!(refused(&text.replace("drift_ms = 2000\n", "")));
    assert!(refused(&text.replace("stall_heights = 30", "stall_heights = 0")));
    assert!(refused(&text.replace("drift_ms = 2000", "drift_ms = \"2 s\"")));
}

#[test]
fn a_specification_read_from_a_file_is_verified() {
    let text = toml::to_string(&ChainSpec::preset("local").unwrap()).unwrap();
    let error = ChainSpec::from_toml(&text.replace("seats_target = 128", "seats_target = 0")).unwrap_err();
    assert_eq!(error.to_string(), "seats_target must be from 1 to 2048, found 0");
}

#[test]
fn values_below_their_least_are_refused() {
    assert_eq!(refused(|spec| spec.seats_target = 0), ("seats_target", 0));
    assert_eq!(refused(|spec| spec.beacon_epoch_heights = nonzero(3)), ("beacon_epoch_heights", 3));
    assert_eq!(refused(|spec| spec.shard_epoch_heights = nonzero(3)), ("shard_epoch_heights", 3));
    assert_eq!(refused(|spec| spec.crosslinks_max = 0), ("crosslinks_max", 0));
    assert_eq!(refused(|spec| spec.conflicts_max = 0), ("conflicts_max", 0));
    assert_eq!(refused(|spec| spec.consumptions_max = 0), ("consumptions_max", 0));
    assert_eq!(refused(|spec| spec.gas_limit = 4_999_999), ("gas_limit", 4_999_999));
    assert_eq!(refused(|spec| spec.base_fee_initial = 0), ("base_fee_initial", 0));
    assert_eq!(refused(|spec| spec.body_bytes_max = 262_143), ("body_bytes_max", 262_143));
    assert_eq!(refused(|spec| spec.transaction_bytes_max = 1023), ("transaction_bytes_max", 1023));
    assert_eq!(refused(|spec| spec.transactions_max = 0), ("transactions_max", 0));
    assert_eq!(refused(|spec| spec.unit_wei = U256::ZERO), ("unit_wei", 0));
    assert_eq!(refused(|spec| spec.shards.clear()), ("shards", 0));
}

#[test]
fn values_above_their_most_are_refused() {
    assert_eq!(refused(|spec| spec.seats_target = 2049), ("seats_target", 2049));
    assert_eq!(refused(|spec| spec.adversary_permille = 1000), ("adversary_permille", 1000));
    assert_eq!(refused(|spec| spec.trailing_reveals = 65), ("trailing_reveals", 65));
    assert_eq!(refused(|spec| spec.slash_permille = 1001), ("slash_permille", 1001));
    assert_eq!(refused(|spec| spec.crosslinks_max = 1025), ("crosslinks_max", 1025));
    assert_eq!(refused(|spec| spec.conflicts_max = 9), ("conflicts_max", 9));
    assert_eq!(refused(|spec| spec.consumptions_max = 1025), ("consumptions_max", 1025));
    assert_eq!(refused(|spec| spec.gas_limit = u64::MAX), ("gas_limit", u64::MAX));
    assert_eq!(refused(|spec| spec.base_fee_initial = u64::MAX), ("base_fee_initial", u64::MAX));
    assert_eq!(refused(|spec| spec.base_fee_elasticity = nonzero(17)), ("base_fee_elasticity", 17));
    assert_eq!(refused(|spec| spec.body_bytes_max = 1 << 27), ("body_bytes_max", 1 << 27));
    let quarter = 4_194_304 / 4;
    assert_eq!(verify(|spec| spec.transaction_bytes_max = quarter), Ok(()));
    let above = refused(|spec| spec.transaction_bytes_max = quarter + 1);
    assert_eq!(above, ("transaction_bytes_max", u64::from(quarter) + 1));
    assert_eq!(refused(|spec| spec.transactions_max = 1 << 21), ("transactions_max", 1 << 21));
    let many = |spec: &mut ChainSpec| spec.shards = vec![spec.shards[0].clone(); (1 << 16) + 1];
    assert_eq!(refused(many), ("shards", (1 << 16) + 1));
}

#[test]
fn two_shards_of_one_name_are_refused() {
    let rename = |spec: &mut ChainSpec| spec.shards[2].name = "ai".into();
    assert_eq!(verify(rename), Err(SpecError::DuplicateShard("ai".into())));
}

#[test]
fn beacon_and_shards_have_their_own_times() {
    let spec = ChainSpec::preset("local").unwrap();
    let shard = ShardId::new(2);
    assert_eq!((spec.interval_ms(Chain::Beacon), spec.interval_ms(shard.into())), (1000, 500));
    assert_eq!((spec.epoch_heights(Chain::Beacon), spec.epoch_heights(shard.into())), (32, 64));
    assert_eq!(spec.evm_chain_id(shard), 1_337_002);
}
