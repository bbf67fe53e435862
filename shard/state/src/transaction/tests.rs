use alloy_consensus::{
    SignableTransaction as _, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxEnvelope, TxLegacy,
};
use alloy_eips::{
    Encodable2718 as _,
    eip2930::{AccessList, AccessListItem},
    eip7702::{Authorization, RecoveredAuthority, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use crypto::secp256k1::RecoverError;
use primitives::ShardId;
use proptest::prelude::*;
use revm::{
    context::TxEnv,
    context_interface::{Transaction as _, cfg::GasParams},
    primitives::hardfork::SpecId,
};

use super::{
    TRANSACTION_GAS_MAX, TransactionError, TransactionLimits, decode, impersonate, intrinsic_gas,
    verify_batch,
};
use crate::rules::Rules;
use crate::testing::{Sender, key, sign, spec};

const SHARD: ShardId = ShardId::new(1);

fn limits() -> TransactionLimits {
    TransactionLimits::new(&spec(), SHARD)
}

fn unsigned() -> TxEip1559 {
    Sender::new(SHARD).unsigned(0, Some(Address::repeat_byte(1)), U256::ONE, Bytes::new())
}

fn verify(envelope: &TxEnvelope) -> Result<Address, TransactionError> {
    let mut verified = verify_batch(vec![envelope.encoded_2718().into()], &limits());
    verified.pop().expect("one for one").map(|transaction| {
        assert_eq!(transaction.hash(), keccak256(transaction.encoded()));
        assert_eq!(transaction.hash(), *transaction.envelope().hash());
        transaction.sender()
    })
}

fn refusal(transaction: TxEip1559) -> TransactionError {
    verify(&sign(transaction, &key(1))).expect_err("is wrong")
}

#[test]
fn the_sender_of_each_supported_type_is_recovered() {
    let (chain_id, gas_limit) = (limits().chain_id, 100_000);
    let to = TxKind::Call(Address::repeat_byte(1));
    let legacy = TxLegacy { chain_id: Some(chain_id), gas_limit, to, ..Default::default() };
    let access = TxEip2930 { chain_id, gas_limit, to, ..Default::default() };
    let authorization = Authorization { chain_id: U256::ZERO, address: Address::ZERO, nonce: 7 };
    let signature = key(2).sign(&authorization.signature_hash());
    let set_code = TxEip7702 {
        chain_id,
        gas_limit,
        to: Address::repeat_byte(1),
        authorization_list: vec![authorization.into_signed(signature)],
        ..Default::default()
    };
    assert_eq!(verify(&sign(legacy, &key(1))), Ok(key(1).address()));
    assert_eq!(verify(&sign(access, &key(1))), Ok(key(1).address()));
    assert_eq!(verify(&sign(unsigned(), &key(1))), Ok(key(1).address()));
    assert_eq!(verify(&sign(set_code, &key(1))), Ok(key(1).address()));
}

#[test]
fn authorities_are_recovered_and_those_that_cannot_be_are_kept_without_one() {
    let authorization = |nonce| Authorization { chain_id: U256::ZERO, address: Address::ZERO, nonce };
    let signed = |nonce, number| {
        let authorization = authorization(nonce);
        let signature = key(number).sign(&authorization.signature_hash());
        authorization.into_signed(signature)
    };
    let list = vec![
        signed(0, 2),
        SignedAuthorization::new_unchecked(authorization(1), 2, U256::ONE, U256::ONE),
        SignedAuthorization::new_unchecked(authorization(2), 0, U256::MAX, U256::ONE),
        signed(3, 4),
    ];
    let transaction = TxEip7702 {
        chain_id: limits().chain_id,
        gas_limit: 200_000,
        authorization_list: list,
        ..Default::default()
    };
    let bytes = |envelope: TxEnvelope| Bytes::from(envelope.encoded_2718());
    let batch = vec![bytes(sign(transaction, &key(1))), bytes(sign(unsigned(), &key(3)))];
    let verified = verify_batch(batch, &limits());
    let [first, second] = &verified[..] else { panic!("two for two") };
    let authorities: Vec<_> = first
        .as_ref()
        .expect("valid")
        .authorizations()
        .iter()
        .map(|authorization| authorization.clone().into_parts().1)
        .collect();
    let expected = [
        RecoveredAuthority::Valid(key(2).address()),
        RecoveredAuthority::Invalid,
        RecoveredAuthority::Invalid,
        RecoveredAuthority::Valid(key(4).address()),
    ];
    assert_eq!(authorities, expected);
    assert_eq!(second.as_ref().expect("valid").sender(), key(3).address());
}

#[test]
fn one_bad_transaction_does_not_affect_the_others() {
    let good = |number| Bytes::from(sign(unsigned(), &key(number)).encoded_2718());
    let mut batch: Vec<Bytes> = (0..300).map(good).collect();
    batch[7] = Bytes::from_static(&[0xff; 40]);
    batch[200] = Bytes::new();
    let verified = verify_batch(batch, &limits());
    for (number, transaction) in (0..).zip(verified) {
        match number {
            7 => assert!(matches!(transaction, Err(TransactionError::Rlp(_)))),
            200 => assert_eq!(transaction.expect_err("empty"), TransactionError::Empty),
            _ => assert_eq!(transaction.expect("valid").sender(), key(number).address()),
        }
    }
}

#[test]
fn another_chain_s_transaction_is_refused_naming_both_chains() {
    let error = refusal(TxEip1559 { chain_id: 1, ..unsigned() });
    assert_eq!(error, TransactionError::ChainId { expected: 1_337_001, found: 1 });
    assert_eq!(error.to_string(), "invalid chain id for signer: have 1 want 1337001");
}

#[test]
fn a_transaction_that_is_valid_on_every_chain_is_refused() {
    let legacy = TxLegacy { gas_limit: 21_000, to: TxKind::Call(Address::ZERO), ..Default::default() };
    assert_eq!(verify(&sign(legacy, &key(1))), Err(TransactionError::Unprotected));
}

#[test]
fn blob_transactions_and_unknown_types_are_refused_naming_the_type() {
    let blob: TxEnvelope = TxEip4844 { chain_id: limits().chain_id, ..Default::default() }
        .into_signed(Signature::test_signature())
        .into();
    let error = verify(&blob).expect_err("blobs are for the beacon chain");
    assert_eq!(error, TransactionError::TypeNotSupported { found: 3 });
    assert!(error.to_string().starts_with("transaction type not supported"));
    for found in [0, 5, 0x7f] {
        let error = decode(vec![found, 0xc0].into(), &limits()).expect_err("no such type");
        assert_eq!(error, TransactionError::TypeNotSupported { found });
    }
}

#[test]
fn the_size_limit_is_inclusive() {
    let mut limits = limits();
    let encoded = Bytes::from(sign(unsigned(), &key(1)).encoded_2718());
    limits.bytes_max = encoded.len() as u32;
    decode(encoded.clone(), &limits).expect("just fits");
    limits.bytes_max -= 1;
    let error = decode(encoded.clone(), &limits).expect_err("one byte too long");
    assert_eq!(error, TransactionError::Oversized { limit: limits.bytes_max, found: encoded.len() });
    assert!(error.to_string().starts_with("oversized data"));
}

#[test]
fn fields_that_no_state_could_make_valid_are_refused() {
    let case = |change: fn(&mut TxEip1559)| {
        let mut transaction = unsigned();
        change(&mut transaction);
        refusal(transaction)
    };
    assert_eq!(case(|tx| tx.nonce = u64::MAX), TransactionError::NonceMax);
    let error = TransactionError::IntrinsicGas { needed: 21_000, found: 20_999 };
    assert_eq!(case(|tx| tx.gas_limit = 20_999), error);
    assert_eq!(error.to_string(), "intrinsic gas too low: gas 20999, minimum needed 21000");
    let error = case(|tx| {
        tx.input = vec![1; 100].into();
        tx.gas_limit = 24_000;
    });
    assert_eq!(error, TransactionError::FloorDataGas { needed: 25_000, found: 24_000 });
    let (limit, found) = (TRANSACTION_GAS_MAX, TRANSACTION_GAS_MAX + 1);
    assert_eq!(
        case(|tx| tx.gas_limit = TRANSACTION_GAS_MAX + 1),
        TransactionError::GasLimitTooHigh { limit, found }
    );
    let error = case(|tx| tx.gas_limit = 500_000_001);
    assert_eq!(error, TransactionError::BlockGasLimit { limit: 500_000_000, found: 500_000_001 });
    let error = case(|tx| (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (1, 2));
    assert_eq!(error, TransactionError::TipAboveFee { tip: 2, fee: 1 });
    assert_eq!(case(|tx| tx.max_fee_per_gas = u128::MAX), TransactionError::CostOverflow);
    assert_eq!(case(|tx| tx.value = U256::MAX), TransactionError::CostOverflow);
    let error = case(|tx| {
        tx.to = TxKind::Create;
        tx.input = vec![0; 49_153].into();
    });
    assert_eq!(error, TransactionError::InitcodeSize { limit: 49_152, found: 49_153 });
    let empty = TxEip7702 { chain_id: limits().chain_id, gas_limit: 100_000, ..Default::default() };
    assert_eq!(verify(&sign(empty, &key(1))), Err(TransactionError::NoAuthorizations));
}

#[test]
fn the_higher_of_two_signatures_has_no_sender() {
    let signature = key(1).sign(&unsigned().signature_hash());
    let order = U256::from_be_bytes(
        *b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xba\xae\xdc\xe6\xaf\x48\xa0\x3b\xbf\xd2\x5e\x8c\xd0\x36\x41\x41",
    );
    let flipped = Signature::new(signature.r(), order - signature.s(), !signature.v());
    let error = verify(&unsigned().into_signed(flipped).into()).expect_err("EIP-2");
    assert!(matches!(error, TransactionError::InvalidSender(RecoverError::HighS { .. })), "{error}");
    assert!(error.to_string().starts_with("invalid sender"));
}

#[test]
fn a_padded_encoding_of_a_transaction_is_refused() {
    let mut encoded = sign(unsigned(), &key(1)).encoded_2718();
    encoded.push(0);
    let error = decode(encoded.into(), &limits()).expect_err("one byte too many");
    assert_eq!(error, TransactionError::Rlp(alloy_rlp::Error::UnexpectedLength));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused_and_never_panic(
        kind in prop::sample::select(vec![1u8, 2, 4, 0xc0, 0xf8, 0xf9]),
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        bytes.insert(0, kind);
        prop_assert!(decode(bytes.into(), &limits()).is_err());
    }

    #[test]
    fn a_damaged_transaction_is_refused_or_is_another_transaction(
        position in any::<prop::sample::Index>(),
        flip in 1u8..,
        is_legacy in any::<bool>(),
    ) {
        let envelope = if is_legacy {
            let to = TxKind::Call(Address::repeat_byte(9));
            let chain_id = Some(limits().chain_id);
            sign(TxLegacy { chain_id, gas_limit: 50_000, to, ..Default::default() }, &key(1))
        } else {
            sign(unsigned(), &key(1))
        };
        let mut bytes = envelope.encoded_2718();
        let position = position.index(bytes.len());
        bytes[position] ^= flip;
        if let Some(Ok(other)) = verify_batch(vec![bytes.clone().into()], &limits()).pop() {
            prop_assert_eq!(other.envelope().encoded_2718(), bytes);
            prop_assert_ne!(other.hash(), *envelope.hash());
            prop_assert_ne!(other.sender(), key(1).address());
        }
    }

    #[test]
    fn intrinsic_gas_is_what_the_evm_takes(
        input in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..300),
        keys in prop::collection::vec(0usize..4, 0..4),
        is_create in any::<bool>(),
    ) {
        let item = |keys: &usize| AccessListItem {
            address: Address::ZERO,
            storage_keys: vec![B256::ZERO; *keys],
        };
        let access_list = AccessList(keys.iter().map(item).collect());
        let to = if is_create { TxKind::Create } else { TxKind::Call(Address::ZERO) };
        let ours = TxEip1559 { to, input: input.clone().into(), access_list: access_list.clone(), ..unsigned() };
        let theirs = TxEnv { tx_type: 2, kind: to, data: input.into(), access_list, ..TxEnv::default() };
        prop_assert_eq!(theirs.authorization_list_len(), 0);
        let expected = GasParams::new_spec(SpecId::OSAKA).initial_tx_gas_for_tx(&theirs, None);
        let found = intrinsic_gas(&ours);
        prop_assert_eq!((found.initial, found.floor), (expected.initial_total_gas(), expected.floor_gas()));
    }
}

/// The cap on a transaction's gas came with Osaka, its floor and type 4 with Prague; a shard has them all.
#[test]
fn older_rules_refuse_what_they_do_not_know_and_nothing_that_came_later() {
    let encoded = |envelope: TxEnvelope| -> Bytes { envelope.encoded_2718().into() };
    let large = encoded(sign(TxEip1559 { gas_limit: TRANSACTION_GAS_MAX + 1, ..unsigned() }, &key(1)));
    let data = Bytes::from(vec![1; 100]);
    let below_floor = encoded(sign(TxEip1559 { gas_limit: 24_000, input: data, ..unsigned() }, &key(1)));
    let under = |rules, encoded: &Bytes| {
        let limits = TransactionLimits::under(rules, limits().chain_id, limits().gas_limit);
        decode(encoded.clone(), &limits).map(|_| ())
    };
    let (limit, found) = (TRANSACTION_GAS_MAX, TRANSACTION_GAS_MAX + 1);
    assert_eq!(under(Rules::Prague, &large), Ok(()));
    assert_eq!(under(Rules::Osaka, &large), Err(TransactionError::GasLimitTooHigh { limit, found }));
    assert_eq!(under(Rules::Cancun, &below_floor), Ok(()));
    let error = TransactionError::FloorDataGas { needed: 25_000, found: 24_000 };
    assert_eq!(under(Rules::Prague, &below_floor), Err(error.clone()));
    assert_eq!(decode(below_floor, &limits()).map(|_| ()), Err(error));
}

#[test]
fn an_impersonated_sender_is_the_one_named_and_is_marked() {
    let encoded: Bytes = sign(unsigned(), &key(1)).encoded_2718().into();
    let somebody = Address::repeat_byte(9);
    let unrecovered = decode(encoded.clone(), &limits()).expect("valid");
    let transaction = impersonate(unrecovered, somebody).expect("without authorizations");
    assert_eq!((transaction.sender(), transaction.is_impersonated()), (somebody, true));
    let signed = verify_batch(vec![encoded], &limits()).pop().expect("one for one").expect("valid");
    assert_eq!((signed.sender(), signed.is_impersonated()), (key(1).address(), false));
}
