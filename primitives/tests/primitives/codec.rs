//! Codecs: what is encoded decodes to the same, and nothing else does.

use crate::sample::{Sample, Sampler, every_container};
use crypto::mmr::MmrProof;
use primitives::*;
use proptest::prelude::*;
use std::fmt::Debug;

trait Container: Sample + ssz::Encode + ssz::Decode + PartialEq + Debug {}
impl<T: Sample + ssz::Encode + ssz::Decode + PartialEq + Debug> Container for T {}

fn round_trips<T: Container>(seed: u64) {
    let value: T = Sampler::new(seed, None).sample();
    let bytes = value.as_ssz_bytes();
    assert_eq!(bytes.len(), value.ssz_bytes_len());
    assert_eq!(T::from_ssz_bytes(&bytes), Ok(value));
}

/// What decodes at all is the encoding of what it decodes to: no value has two encodings.
fn decodes_canonically<T: Container>(bytes: &[u8]) {
    // Of a tag the derived decoder reads the first byte; a container never hands it more.
    let is_tag = T::from_ssz_bytes(&[0, 0]).is_ok_and(|value| value.ssz_bytes_len() == 1);
    let bytes = if is_tag { &bytes[..bytes.len().min(1)] } else { bytes };
    if let Ok(value) = T::from_ssz_bytes(bytes) {
        assert_eq!(value.as_ssz_bytes(), bytes);
    }
}

/// A valid encoding with one byte changed, cut short or drawn out.
fn damaged<T: Container>(seed: u64, place: prop::sample::Index, change: u8) -> Vec<u8> {
    let mut bytes = Sampler::new(seed, None).sample::<T>().as_ssz_bytes();
    match (change, bytes.len()) {
        (0..16, _) => bytes.push(change),
        (_, 0) => {}
        (16..32, length) => bytes.truncate(place.index(length)),
        (_, length) => bytes[place.index(length)] ^= change,
    }
    bytes
}

macro_rules! for_each {
    ($($name:ident: $container:ty,)*) => {
        proptest! {
            #[test]
            fn every_container_round_trips(seed: u64) {
                $(round_trips::<$container>(seed);)*
            }

            #[test]
            fn damaged_encodings_decode_canonically_or_not_at_all(
                seed: u64, place: prop::sample::Index, change: u8,
            ) {
                $(decodes_canonically::<$container>(&damaged::<$container>(seed, place, change));)*
            }

            #[test]
            fn arbitrary_bytes_decode_canonically_or_not_at_all(
                bytes in prop::collection::vec(any::<u8>(), 0..600),
            ) {
                $(decodes_canonically::<$container>(&bytes);)*
            }
        }
    };
}

every_container!(for_each);

#[test]
fn an_unknown_tag_is_refused() {
    use ssz::Decode as _;
    assert_eq!(VoteKind::from_ssz_bytes(&[2]), Ok(VoteKind::Finalize));
    assert!(VoteKind::from_ssz_bytes(&[3]).is_err());
    assert!(ShardKind::from_ssz_bytes(&[3]).is_err());
    assert!(ShardStatus::from_ssz_bytes(&[2]).is_err());
    assert!(SourceAncestry::from_ssz_bytes(&[2, 0]).is_err());
}

#[test]
fn lists_beyond_their_limit_are_refused() {
    use ssz::{Decode as _, Encode as _};
    let entry = Sampler::new(1, None).sample::<EpochEntry>();
    let decode = |count| EpochTable::from_ssz_bytes(&vec![entry; count].as_ssz_bytes());
    assert!(decode(EPOCH_ENTRIES_MAX).is_ok());
    assert!(decode(EPOCH_ENTRIES_MAX + 1).is_err());
    let seat = Sampler::new(1, None).sample::<Seat>();
    let decode = |count| Committee::from_ssz_bytes(&vec![seat; count].as_ssz_bytes());
    assert!(decode(SEATS_MAX).is_ok());
    assert!(decode(SEATS_MAX + 1).is_err());
}

#[test]
fn a_chain_is_written_as_beacon_or_a_shard_id() {
    let chain = |text: &str| text.parse::<Chain>();
    assert_eq!(chain("beacon"), Ok(Chain::Beacon));
    assert_eq!(chain("7"), Ok(Chain::Shard(ShardId::new(7))));
    assert_eq!(chain("7").unwrap().to_string(), "7");
    for wrong in ["", "Beacon", "-1", "4294967295", "4294967296", "x"] {
        let error = chain(wrong).unwrap_err().to_string();
        assert_eq!(error, format!("expected `beacon` or a shard id below 4294967295, found `{wrong}`"));
    }
}

#[test]
fn a_chain_in_json_is_its_text() {
    let shard = Chain::Shard(ShardId::new(7));
    assert_eq!(serde_json::to_string(&[Chain::Beacon, shard]).unwrap(), r#"["beacon","7"]"#);
    assert_eq!(serde_json::from_str::<Chain>("\"7\"").unwrap(), shard);
    assert!(serde_json::from_str::<Chain>("7").is_err());
}
