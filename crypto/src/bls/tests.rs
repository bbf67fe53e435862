use alloy_primitives::{B256, U256, b256, hex};
use proptest::prelude::*;
use ssz::{Decode, Encode};
use tree_hash::TreeHash;

use super::*;
use crate::hash::sha256;

fn key(seed: u64) -> SecretKey {
    SecretKey::derive_master(sha256(&seed.to_be_bytes()).as_slice()).unwrap()
}

fn item(seed: u64) -> BatchItem {
    let message = seed.to_be_bytes().to_vec();
    BatchItem { public_key: key(seed).public_key(), signature: key(seed).sign(&message), message }
}

fn secret(number: &str) -> [u8; 32] {
    number.parse::<U256>().unwrap().to_be_bytes()
}

/// A key and its negative, whose signatures over one message cancel out.
fn opposite_keys() -> (SecretKey, SecretKey) {
    let order = U256::from_be_bytes(hex!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"));
    let opposite = order - U256::from_be_bytes(key(0).to_bytes());
    (key(0), SecretKey::from_bytes(&opposite.to_be_bytes()).unwrap())
}

/// All four test cases of EIP-2333.
#[test]
fn derivation_follows_eip_2333() {
    let cases: [(&[u8], &str, u32, &str); 4] = [
        (
            &hex!(
                "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
            ),
            "6083874454709270928345386274498605044986640685124978867557563392430687146096",
            0,
            "20397789859736650942317412262472558107875392172444076792671091975210932703118",
        ),
        (
            &hex!("3141592653589793238462643383279502884197169399375105820974944592"),
            "29757020647961307431480504535336562678282505419141012933316116377660817309383",
            3_141_592_653,
            "25457201688850691947727629385191704516744796114925897962676248250929345014287",
        ),
        (
            &hex!("0099ff991111002299dd7744ee3355bbdd8844115566cc55663355668888cc00"),
            "27580842291869792442942448775674722299803720648445448686099262467207037398656",
            u32::MAX,
            "29358610794459428860402234341874281240803786294062035874021252734817515685787",
        ),
        (
            &hex!("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"),
            "19022158461524446591288038168518313374041767046816487870552872741050760015818",
            42,
            "31372231650479070279774297061823572166496564838472787488249775572789064611981",
        ),
    ];
    for (seed, master, index, child) in cases {
        let key = SecretKey::derive_master(seed).unwrap();
        assert_eq!(key.to_bytes(), secret(master));
        assert_eq!(key.child(index).to_bytes(), secret(child));
    }
}

#[test]
fn a_path_is_its_children_in_turn() {
    let by_path = key(1).derive_path("m/12381/3600/0/0/4294967295").unwrap();
    let by_child = key(1).child(12381).child(3600).child(0).child(0).child(u32::MAX);
    assert_eq!(by_path.to_bytes(), by_child.to_bytes());
    assert_eq!(key(1).derive_path("m").unwrap().to_bytes(), key(1).to_bytes());
}

#[test]
fn a_malformed_path_names_the_component() {
    for (path, error) in [
        ("", PathError::NoRoot),
        ("12381/3600", PathError::NoRoot),
        ("M/0", PathError::NoRoot),
        ("m/", PathError::BadIndex { position: 1 }),
        ("m/0/1'", PathError::BadIndex { position: 2 }),
        ("m/0/+1", PathError::BadIndex { position: 2 }),
        ("m/0/0/4294967296", PathError::BadIndex { position: 3 }),
    ] {
        assert_eq!(key(1).derive_path(path).unwrap_err(), error, "{path}");
    }
}

#[test]
fn a_short_seed_is_refused() {
    assert!(SecretKey::derive_master(&[1; 32]).is_ok());
    assert_eq!(
        SecretKey::derive_master(&[1; 31]).unwrap_err(),
        SecretKeyError::SeedTooShort { needed: 32, found: 31 }
    );
}

#[test]
fn a_secret_key_outside_the_order_is_refused() {
    let order = hex!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
    assert_eq!(SecretKey::from_bytes(&order).unwrap_err(), SecretKeyError::Range);
    assert_eq!(SecretKey::from_bytes(&[0; 32]).unwrap_err(), SecretKeyError::Range);
    assert_eq!(SecretKey::from_bytes(&key(1).to_bytes()).unwrap().public_key(), key(1).public_key());
}

#[test]
fn a_secret_key_prints_its_public_key_only() {
    assert_eq!(format!("{:?}", key(1)), format!("SecretKey({})", key(1).public_key()));
}

/// Made by commonware-cryptography 2026.10.0, `ops::sign_message::<MinPk>(secret, namespace, b"message")`.
#[test]
fn signatures_are_those_of_the_consensus_engine() {
    let secret = SecretKey::from_bytes(&std::array::from_fn(|i| i as u8 + 1)).unwrap();
    assert_eq!(
        secret.public_key().to_string(),
        "0x96a20bb9485ff6d8950955a629e8043a43775968ac133eb7b19c5f0389a2253676abdd6c86c7b68d38a1b7f6af8650e7"
    );
    let long_namespace = [0x5a; 300];
    for (namespace, expected) in [
        (
            &b"atoll"[..],
            "0xb1e2964489195bba842ab5dbe4c40fd284e843c2e9e1b8ac8cd893631085d3a7d2dbe22743a0a4c4eedd393b2bcda71f09600df21792c49544d64e5523919ba959e182eb275640a4b7541668f079fb01e6b8b0937f511b3e833439de5af766e1",
        ),
        (
            &long_namespace[..],
            "0xaa9d37973108e445ab1b46922eb3bd5ba2d39e2a2c6863f1fc238923b4ddaad425694ff29b47653c6e5c01c97dbdb61a062ae45072fa3f9c469237ffb4986efe793c0ee8924d03f82a1ba6b4348b57c0e2b9bca50234cf2232678a4511fb00e8",
        ),
    ] {
        let message = namespaced(namespace, b"message");
        assert_eq!(secret.sign(&message).to_bytes().to_string(), expected);
        let signature = Signature::from_bytes(&expected.parse().unwrap()).unwrap();
        assert!(secret.public_key().verify(&message, &signature));
    }
}

#[test]
fn a_namespace_is_preceded_by_its_leb128_length() {
    assert_eq!(namespaced(b"", b"ab"), b"\x00ab");
    assert_eq!(namespaced(b"ab", b"c"), b"\x02abc");
    assert_eq!(namespaced(&[7; 127], b"")[..2], [0x7f, 7]);
    assert_eq!(namespaced(&[7; 128], b"")[..3], [0x80, 0x01, 7]);
    assert_eq!(namespaced(&[7; 300], b"")[..3], [0xac, 0x02, 7]);
}

#[test]
fn a_signature_is_of_its_key_and_message_only() {
    let signature = key(1).sign(b"message");
    assert!(key(1).public_key().verify(b"message", &signature));
    assert!(!key(2).public_key().verify(b"message", &signature));
    assert!(!key(1).public_key().verify(b"massage", &signature));
    assert!(!key(1).public_key().verify(b"", &signature));
}

#[test]
fn possession_is_proven_for_ones_own_key_and_by_no_ordinary_signature() {
    let (public_key, proof) = (key(1).public_key(), key(1).prove_possession());
    assert!(verify_possession(&public_key, &proof));
    assert!(!verify_possession(&key(2).public_key(), &proof));
    assert!(!verify_possession(&public_key, &key(1).sign(public_key.to_bytes().as_slice())));
    assert!(!public_key.verify(public_key.to_bytes().as_slice(), &proof));
}

#[test]
fn bytes_that_are_no_checked_point_are_refused() {
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    assert_eq!(PublicKey::from_bytes(&infinity.into()), Err(DecompressError::Infinity));
    assert_eq!(PublicKey::from_bytes(&[0; 48].into()), Err(DecompressError::Encoding));
    assert_eq!(PublicKey::from_bytes(&[0xff; 48].into()), Err(DecompressError::Encoding));

    let mut infinity = [0; 96];
    infinity[0] = 0xc0;
    assert_eq!(Signature::from_bytes(&infinity.into()), Err(DecompressError::Infinity));
    assert_eq!(Signature::from_bytes(&[0; 96].into()), Err(DecompressError::Encoding));
}

/// Small x coordinates: half are of no point, and of the others nearly all are outside the subgroup.
#[test]
fn points_off_the_curve_and_outside_the_subgroup_are_refused() {
    let key_at = |x: u8| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        PublicKey::from_bytes(&bytes.into())
    };
    let signature_at = |x: u8| {
        let mut bytes = [0; 96];
        (bytes[0], bytes[95]) = (0x80, x);
        Signature::from_bytes(&bytes.into())
    };
    let keys: Vec<_> = (1..20).map(key_at).collect();
    assert!(
        keys.contains(&Err(DecompressError::NotOnCurve)) && keys.contains(&Err(DecompressError::NotInGroup))
    );
    let signatures: Vec<_> = (1..20).map(signature_at).collect();
    assert!(
        signatures.contains(&Err(DecompressError::NotOnCurve))
            && signatures.contains(&Err(DecompressError::NotInGroup))
    );
}

#[test]
fn an_aggregate_is_of_exactly_its_signers() {
    let keys: Vec<_> = (0..5).map(|seed| key(seed).public_key()).collect();
    let signatures: Vec<_> = (0..5).map(|seed| key(seed).sign(b"message")).collect();
    let aggregate = aggregate_signatures(&signatures.iter().collect::<Vec<_>>()).unwrap();
    let all: Vec<_> = keys.iter().collect();
    assert!(verify_aggregate(&all, b"message", &aggregate));
    assert!(aggregate_public_keys(&all).unwrap().verify(b"message", &aggregate));
    assert!(!verify_aggregate(&all[1..], b"message", &aggregate));
    assert!(!verify_aggregate(&[&all[..], &all[..1]].concat(), b"message", &aggregate));
    assert!(!verify_aggregate(&all, b"massage", &aggregate));
    assert!(!verify_aggregate(&[], b"message", &aggregate));
}

#[test]
fn a_key_that_signs_twice_counts_twice() {
    let (public_key, signature) = (key(1).public_key(), key(1).sign(b"message"));
    let twice = aggregate_signatures(&[&signature, &signature]).unwrap();
    assert!(verify_aggregate(&[&public_key, &public_key], b"message", &twice));
    assert!(!verify_aggregate(&[&public_key], b"message", &twice));
}

#[test]
fn an_aggregate_of_nothing_or_of_opposites_is_refused() {
    assert_eq!(aggregate_public_keys(&[]), Err(AggregateError::Empty));
    assert_eq!(aggregate_signatures(&[]), Err(AggregateError::Empty));
    let (one, other) = opposite_keys();
    assert_eq!(
        aggregate_public_keys(&[&one.public_key(), &other.public_key()]),
        Err(AggregateError::Infinity)
    );
    assert_eq!(
        aggregate_signatures(&[&one.sign(b"message"), &other.sign(b"message")]),
        Err(AggregateError::Infinity)
    );
}

#[test]
fn a_batch_of_valid_signatures_of_any_size_is_valid() {
    let items: Vec<_> = (0..40).map(item).collect();
    for size in [0, 1, 2, 3, 7, 8, 9, 16, 17, 31, 32, 33, 40] {
        assert!(verify_batch(&items[..size], [7; 32]), "{size} items");
    }
    assert!(find_invalid(&items).is_empty());
}

#[test]
fn one_invalid_signature_anywhere_spoils_the_batch_and_is_found() {
    let valid: Vec<_> = (0..9).map(item).collect();
    for bad in 0..9 {
        let mut items = valid.clone();
        items[bad].message.push(0);
        assert!(!verify_batch(&items, [7; 32]), "item {bad}");
        assert_eq!(find_invalid(&items), [bad]);
    }
}

/// Without random powers these two errors would cancel out.
#[test]
fn errors_that_cancel_out_spoil_the_batch() {
    let mut items: Vec<_> = (0..4).map(item).collect();
    let (first, second) = (items[1].signature, items[2].signature);
    (items[1].signature, items[2].signature) = (second, first);
    assert!(!verify_batch(&items, [7; 32]));
    assert_eq!(find_invalid(&items), [1, 2]);
}

#[test]
fn a_batch_takes_aggregates_of_many_signers_and_repeated_items() {
    let items: Vec<_> = (0..3_u64)
        .map(|committee| {
            let message = namespaced(b"chain", &committee.to_be_bytes());
            let members: Vec<_> = (0..4).map(|seat| key(10 * committee + seat)).collect();
            let keys: Vec<_> = members.iter().map(SecretKey::public_key).collect();
            let signatures: Vec<_> = members.iter().map(|member| member.sign(&message)).collect();
            BatchItem {
                public_key: aggregate_public_keys(&keys.iter().collect::<Vec<_>>()).unwrap(),
                signature: aggregate_signatures(&signatures.iter().collect::<Vec<_>>()).unwrap(),
                message,
            }
        })
        .collect();
    assert!(verify_batch(&items, [0; 32]));
    assert!(verify_batch(&[&items[..], &items[..]].concat(), [0; 32]));
}

#[test]
fn items_whose_signatures_are_opposite_do_not_cancel_out() {
    let (one, other) = opposite_keys();
    let signed = |key: &SecretKey| BatchItem {
        public_key: key.public_key(),
        message: b"message".to_vec(),
        signature: key.sign(b"message"),
    };
    assert!(verify_batch(&[signed(&one), signed(&other)], [7; 32]));
    let mut swapped = [signed(&one), signed(&other)];
    (swapped[0].signature, swapped[1].signature) = (swapped[1].signature, swapped[0].signature);
    assert!(!verify_batch(&swapped, [7; 32]));
}

#[test]
fn bytes_are_hexadecimal_in_text_and_json() {
    let bytes = PublicKeyBytes::new(std::array::from_fn(|i| i as u8));
    let text = format!("0x{}", hex::encode(bytes));
    assert_eq!(format!("{bytes:?}"), text);
    assert_eq!(bytes.to_string(), text);
    assert_eq!(text.parse(), Ok(bytes));
    assert!(text[..96].parse::<PublicKeyBytes>().is_err());
    assert!(text.parse::<SignatureBytes>().is_err());
    assert_eq!(serde_json::to_string(&bytes).unwrap(), format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<PublicKeyBytes>(&format!("\"{text}\"")).unwrap(), bytes);
    assert!(serde_json::from_str::<SignatureBytes>(&format!("\"{text}\"")).is_err());
}

/// The roots are those of the vectors of `Bytes48` and `Bytes96` of zeros and of 0xff in the SSZ libraries.
#[test]
fn bytes_are_ssz_vectors() {
    let key = PublicKeyBytes::new([0xff; 48]);
    assert_eq!(key.as_ssz_bytes(), vec![0xff; 48]);
    assert_eq!(PublicKeyBytes::from_ssz_bytes(&[0xff; 48]), Ok(key));
    assert!(PublicKeyBytes::from_ssz_bytes(&[0xff; 47]).is_err());
    assert!(PublicKeyBytes::from_ssz_bytes(&[0xff; 49]).is_err());
    assert!(<PublicKeyBytes as Encode>::is_ssz_fixed_len() && <SignatureBytes as Decode>::is_ssz_fixed_len());
    assert_eq!(
        key.tree_hash_root(),
        b256!("1e3915ef9ca4ed8619d472b72fb1833448756054b4de9acb439da54dff7166aa")
    );
    let chunks = [B256::repeat_byte(1), B256::repeat_byte(2), B256::repeat_byte(3)];
    let signature = SignatureBytes::new(chunks.map(|chunk| chunk.0).concat().try_into().unwrap());
    assert_eq!(signature.tree_hash_root(), crate::merkle::merkle_root(&chunks, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_signature_changed_anywhere_is_refused(seed: u64, bit in 0_usize..768) {
        let mut bytes: [u8; 96] = key(seed).sign(b"message").to_bytes().into();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(signature) = Signature::from_bytes(&bytes.into()) {
            prop_assert!(!key(seed).public_key().verify(b"message", &signature));
        }
    }

    #[test]
    fn points_survive_compression(seed: u64) {
        let (public_key, signature) = (key(seed).public_key(), key(seed).sign(b"message"));
        prop_assert_eq!(PublicKey::from_bytes(&public_key.to_bytes()), Ok(public_key));
        prop_assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
    }

    #[test]
    fn no_bytes_panic(key: [u8; 32], rest: [u8; 16], signature: [[u8; 32]; 3], flags in 0_u8..8) {
        let mut public_key: [u8; 48] = [&key[..], &rest[..]].concat().try_into().unwrap();
        let mut signature: [u8; 96] = signature.concat().try_into().unwrap();
        public_key[0] = public_key[0] & 0x1f | flags << 5;
        signature[0] = signature[0] & 0x1f | flags << 5;
        // Random bytes are in the subgroup with a probability below 2^-120.
        prop_assert!(PublicKey::from_bytes(&public_key.into()).is_err());
        prop_assert!(Signature::from_bytes(&signature.into()).is_err());
    }

    #[test]
    fn the_invalid_items_are_found_whichever_they_are(spoiled in proptest::collection::vec(any::<bool>(), 1..12), randomness: [u8; 32]) {
        let items: Vec<_> = spoiled
            .iter()
            .zip(0..)
            .map(|(spoiled, seed)| if *spoiled { BatchItem { signature: key(seed + 1).sign(b"other"), ..item(seed) } } else { item(seed) })
            .collect();
        let bad: Vec<_> = (0..items.len()).filter(|index| spoiled[*index]).collect();
        prop_assert_eq!(verify_batch(&items, randomness), bad.is_empty());
        prop_assert_eq!(find_invalid(&items), bad);
    }
}
