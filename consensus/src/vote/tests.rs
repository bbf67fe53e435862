use super::*;
use crate::testing::{GENESIS, finalization};
use crypto::bls::SecretKey;
use primitives::{Chain, View};
use std::collections::BTreeSet;

/// Made with the engine itself.
const VOTES: &str = include_str!("../../tests/fixtures/votes.txt");

/// Votes with their bytes and their signatures, in hexadecimal.
fn frozen_votes() -> impl Iterator<Item = (Vote, &'static str, &'static str)> {
    VOTES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<_> = line.split(' ').collect();
        let [kind, chain, epoch, view, parent_view, bytes, signature] = fields[..] else {
            panic!("seven fields in `{line}`")
        };
        let number = |text: &str| text.parse::<u64>().unwrap();
        let kind = match kind {
            "notarize" => VoteKind::Notarize,
            "nullify" => VoteKind::Nullify,
            "finalize" => VoteKind::Finalize,
            other => panic!("no kind of vote: {other}"),
        };
        let vote = Vote {
            kind,
            chain: chain.parse().unwrap(),
            epoch: Epoch::new(number(epoch)),
            view: View::new(number(view)),
            parent_view: View::new(number(parent_view)),
            id: B256::repeat_byte(0xab),
        };
        (vote, bytes, signature)
    })
}

#[test]
fn votes_are_signed_as_the_engine_signs_them() {
    let secret = SecretKey::from_bytes(&[7; 32]).unwrap();
    let votes: Vec<_> = frozen_votes().collect();
    assert_eq!(votes.len(), 24);
    for (vote, bytes, signature) in votes {
        let found = signing_bytes(&crate::namespace(GENESIS, vote.chain), &vote);
        assert_eq!(const_hex::encode(&found), bytes, "{vote:?}");
        assert_eq!(const_hex::encode(secret.sign(&found).to_bytes()), signature, "{vote:?}");
    }
}

#[test]
fn a_nullification_signs_neither_parent_nor_block() {
    let namespace = crate::namespace(GENESIS, Chain::Beacon);
    let vote = Vote { kind: VoteKind::Nullify, ..finalization(Chain::Beacon, 5, B256::repeat_byte(1)) };
    let bare = Vote { parent_view: View::ZERO, id: B256::ZERO, ..vote };
    assert_eq!(signing_bytes(&namespace, &vote), signing_bytes(&namespace, &bare));
}

#[test]
fn every_signed_field_changes_the_bytes() {
    let bytes = |genesis, vote: Vote| signing_bytes(&crate::namespace(genesis, vote.chain), &vote);
    let vote = finalization(Chain::Beacon, 5, B256::repeat_byte(1));
    let changed = [
        vote,
        Vote { kind: VoteKind::Notarize, ..vote },
        Vote { kind: VoteKind::Nullify, ..vote },
        Vote { chain: Chain::from_code(0), ..vote },
        Vote { epoch: Epoch::new(6), ..vote },
        Vote { view: View::new(9), ..vote },
        Vote { parent_view: View::new(9), ..vote },
        Vote { id: B256::repeat_byte(2), ..vote },
    ];
    let mut distinct: BTreeSet<_> = changed.map(|vote| bytes(GENESIS, vote)).into();
    assert_eq!(distinct.len(), changed.len());
    assert!(distinct.insert(bytes(B256::ZERO, vote)));
}

/// 39 bytes of namespace, then both numbers, little-endian.
#[test]
fn a_reveal_is_signed_under_its_own_namespace() {
    let bytes = randao_bytes(GENESIS, Epoch::new(0x0102), Height::new(0x0304));
    let expected = format!("27{}5f52414e44414f02010000000000000403000000000000", "11".repeat(32));
    assert_eq!(const_hex::encode(&bytes), expected);
    assert_ne!(bytes, randao_bytes(B256::ZERO, Epoch::new(0x0102), Height::new(0x0304)));
}
