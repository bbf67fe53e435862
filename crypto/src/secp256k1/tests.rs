use alloy_primitives::{U256, address, hex};
use proptest::prelude::*;

use super::*;

fn key(seed: u64) -> SecretKey {
    SecretKey::from_bytes(&keccak256(&seed.to_be_bytes()).0).unwrap()
}

fn input(seed: u64) -> RecoveryInput {
    let prehash = keccak256(&(!seed).to_be_bytes());
    RecoveryInput::new(prehash, &key(seed).sign(&prehash))
}

fn with_s(mut input: RecoveryInput, s: U256) -> RecoveryInput {
    input.signature[32..].copy_from_slice(&s.to_be_bytes::<32>());
    input
}

fn with_r(mut input: RecoveryInput, r: U256) -> RecoveryInput {
    input.signature[..32].copy_from_slice(&r.to_be_bytes::<32>());
    input
}

/// Private key 1, and the first account of the `test test … junk` mnemonic.
#[test]
fn addresses_of_known_keys_are_the_published_ones() {
    let mut one = [0; 32];
    one[31] = 1;
    assert_eq!(
        SecretKey::from_bytes(&one).unwrap().address(),
        address!("7e5f4552091a69125d5dfcb7b8c2659029395bdf")
    );
    let junk = hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    assert_eq!(
        SecretKey::from_bytes(&junk).unwrap().address(),
        address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
    );
}

/// The example transaction of EIP-155: nonce 9, 20 gwei, 21,000 gas, to 0x35…35, 1 ether, chain 1.
#[test]
fn the_signature_of_eip_155_is_made_and_recovered() {
    let key = SecretKey::from_bytes(&[0x46; 32]).unwrap();
    let prehash = b256!("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    let signature = key.sign(&prehash);
    let r = U256::from_be_bytes(hex!("28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"));
    let s = U256::from_be_bytes(hex!("67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"));
    assert_eq!(signature, Signature::new(r, s, false));
    assert_eq!(
        recover(&RecoveryInput::new(prehash, &signature)),
        Ok(address!("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"))
    );
}

#[test]
fn a_signature_with_the_other_parity_is_of_another_key() {
    let mut input = input(1);
    assert_eq!(recover(&input), Ok(key(1).address()));
    input.y_parity = !input.y_parity;
    assert_ne!(recover(&input), Ok(key(1).address()));
}

#[test]
fn the_high_twin_of_a_signature_is_refused() {
    let order = U256::from_be_bytes(ORDER.0);
    let low = U256::from_be_slice(&input(2).signature[32..]);
    let mut twin = with_s(input(2), order - low);
    twin.y_parity = !twin.y_parity;
    assert_eq!(recover(&twin), Err(RecoverError::HighS { found: B256::from(order - low) }));
}

#[test]
fn the_bound_of_eip_2_is_half_the_order() {
    let half = U256::from_be_bytes(ORDER.0) >> 1;
    assert_eq!(B256::from(half), S_MAX);
    assert!(!matches!(recover(&with_s(input(3), half)), Err(RecoverError::HighS { .. })));
    let above = half + U256::from(1);
    assert_eq!(recover(&with_s(input(3), above)), Err(RecoverError::HighS { found: B256::from(above) }));
}

#[test]
fn scalars_outside_the_order_are_refused() {
    let order = U256::from_be_bytes(ORDER.0);
    for outside in [U256::ZERO, order, U256::MAX] {
        let found = B256::from(outside);
        assert_eq!(recover(&with_r(input(4), outside)), Err(RecoverError::RangeR { found }));
        assert_eq!(recover(&with_s(input(4), outside)), Err(RecoverError::RangeS { found }));
    }
}

/// x = 5 has no y on the curve: 5³ + 7 is not a square.
#[test]
fn a_nonce_that_is_no_point_has_no_key() {
    assert_eq!(recover(&with_r(input(5), U256::from(5))), Err(RecoverError::NoSuchKey));
}

#[test]
fn zero_and_the_order_are_no_secret_keys() {
    assert_eq!(SecretKey::from_bytes(&[0; 32]), Err(SecretKeyError));
    assert_eq!(SecretKey::from_bytes(&ORDER.0), Err(SecretKeyError));
}

#[test]
fn a_secret_key_prints_its_address_only() {
    let text = format!("{:?}", key(6));
    assert_eq!(text, format!("SecretKey({})", key(6).address()));
}

#[test]
fn one_bad_signature_in_a_large_batch_does_not_affect_the_others() {
    let mut inputs: Vec<_> = (0..200).map(input).collect();
    inputs[77] = with_s(inputs[77], U256::ZERO);
    let found = recover_batch(&inputs);
    for (index, found) in found.iter().enumerate() {
        let expected = if index == 77 {
            Err(RecoverError::RangeS { found: B256::ZERO })
        } else {
            Ok(key(index as u64).address())
        };
        assert_eq!(*found, expected, "signature {index}");
    }
    assert_eq!(recover_batch(&[]), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_signature_changed_anywhere_is_not_of_its_signer(seed: u64, bit in 0_usize..512) {
        let mut input = input(seed);
        prop_assert_eq!(recover(&input), Ok(key(seed).address()));
        input.signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(recover(&input), Ok(key(seed).address()));
    }

    #[test]
    fn batches_agree_with_one_by_one_on_any_bytes(signatures: Vec<([u8; 32], [u8; 32], [u8; 32], bool)>) {
        let inputs: Vec<_> = signatures
            .into_iter()
            .map(|(prehash, r, s, y_parity)| {
                let signature = [r, s].concat().try_into().unwrap();
                RecoveryInput { prehash: B256::new(prehash), signature, y_parity }
            })
            .collect();
        prop_assert_eq!(recover_batch(&inputs), inputs.iter().map(recover).collect::<Vec<_>>());
    }
}
