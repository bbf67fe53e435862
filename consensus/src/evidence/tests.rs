use super::*;
use crate::testing::{GENESIS, Members, finalization, with_one_bit_flipped};
use primitives::{Committee, Seat, ShardId, SignedVote};
use ssz::Decode as _;

const CHAIN: Chain = Chain::Shard(ShardId::new(2));
const SEAT: u32 = 1;

fn finalize(id: u8) -> Vote {
    finalization(CHAIN, 5, B256::repeat_byte(id))
}

fn notarize(id: u8) -> Vote {
    Vote { kind: VoteKind::Notarize, ..finalize(id) }
}

fn nullify() -> Vote {
    Vote { kind: VoteKind::Nullify, parent_view: View::ZERO, ..finalize(0) }
}

fn evidence(members: &Members, first: Vote, second: Vote) -> Evidence {
    let (first, second) = (members.sign(first, SEAT), members.sign(second, SEAT));
    Evidence { first, second, committee: members.committee.clone() }
}

/// What becomes of two votes signed by one seat.
fn judge(first: Vote, second: Vote) -> Result<Guilty, EvidenceError> {
    verify_evidence(GENESIS, &evidence(&Members::new(1, 4), first, second))
}

#[test]
fn two_different_votes_of_one_kind_are_guilt() {
    let members = Members::new(1, 4);
    let guilty = Guilty {
        chain: CHAIN,
        epoch: Epoch::new(5),
        committee_root: members.committee.root(),
        seat: *members.committee.seat(SEAT).unwrap(),
        seat_index: SEAT,
    };
    assert_eq!(judge(notarize(1), notarize(2)), Ok(guilty));
    assert_eq!(judge(finalize(1), finalize(2)), Ok(guilty));
    assert_eq!(judge(finalize(1), Vote { parent_view: View::new(1), ..finalize(1) }), Ok(guilty));
}

#[test]
fn a_nullification_and_a_finalization_are_guilt_in_either_order() {
    assert!(judge(nullify(), finalize(1)).is_ok());
    assert!(judge(finalize(1), nullify()).is_ok());
}

#[test]
fn what_an_honest_seat_signs_is_innocent() {
    let innocent =
        |first: Vote, second: Vote| Err(EvidenceError::Innocent { first: first.kind, second: second.kind });
    for (first, second) in [
        (notarize(1), nullify()),
        (nullify(), notarize(1)),
        (notarize(1), finalize(1)),
        (finalize(1), notarize(2)),
    ] {
        assert_eq!(judge(first, second), innocent(first, second));
    }
}

#[test]
fn the_same_vote_twice_is_innocent() {
    for vote in [notarize(1), finalize(1), nullify()] {
        assert_eq!(judge(vote, vote), Err(EvidenceError::SameVote));
    }
}

#[test]
fn votes_of_two_chains_epochs_or_views_exclude_nothing() {
    let vote = finalize(1);
    let expected = EvidenceError::Chains { first: CHAIN, second: Chain::Beacon };
    assert_eq!(judge(vote, Vote { chain: Chain::Beacon, ..finalize(2) }), Err(expected));
    let expected = EvidenceError::Epochs { first: Epoch::new(5), second: Epoch::new(6) };
    assert_eq!(judge(vote, Vote { epoch: Epoch::new(6), ..finalize(2) }), Err(expected));
    let expected = EvidenceError::Views { first: View::new(3), second: View::new(4) };
    assert_eq!(judge(vote, Vote { view: View::new(4), ..finalize(2) }), Err(expected));
}

#[test]
fn votes_of_two_seats_exclude_nothing() {
    let members = Members::new(1, 4);
    let honest = evidence(&members, finalize(1), finalize(2));
    let second = members.sign(finalize(2), 3);
    let expected = EvidenceError::Seats { first: SEAT, second: 3 };
    assert_eq!(verify_evidence(GENESIS, &Evidence { second, ..honest }), Err(expected));
}

#[test]
fn a_signature_of_somebody_else_proves_nothing() {
    let members = Members::new(1, 4);
    let honest = evidence(&members, finalize(1), finalize(2));
    let stolen = |vote| SignedVote { seat: SEAT, ..members.sign(vote, 3) };
    let first = Evidence { first: stolen(finalize(1)), ..honest.clone() };
    let expected = VoteError::Signature { seat: SEAT };
    assert_eq!(verify_evidence(GENESIS, &first), Err(EvidenceError::First(expected)));
    let second = Evidence { second: stolen(finalize(2)), ..honest.clone() };
    assert_eq!(verify_evidence(GENESIS, &second), Err(EvidenceError::Second(expected)));
    let elsewhere = verify_evidence(B256::ZERO, &honest);
    assert_eq!(elsewhere, Err(EvidenceError::First(expected)));
}

#[test]
fn a_committee_out_of_order_without_the_seat_or_with_a_bad_key_proves_nothing() {
    let honest = evidence(&Members::new(1, 4), finalize(1), finalize(2));
    let judge = |seats: Vec<Seat>| {
        let committee = Committee::from_ssz_bytes(&ssz::Encode::as_ssz_bytes(&seats)).unwrap();
        verify_evidence(GENESIS, &Evidence { committee, ..honest.clone() })
    };
    let seats = honest.committee.seats().to_vec();
    assert_eq!(judge(seats.iter().rev().copied().collect()), Err(EvidenceError::Committee));
    assert_eq!(judge(seats[..1].to_vec()), Err(EvidenceError::NoSuchSeat { seats: 1, found: SEAT }));
    let bad = Seat { key: [0xff; 48].into(), ..seats[1] };
    let expected = EvidenceError::Key { seat: SEAT, error: DecompressError::Encoding };
    assert_eq!(judge(vec![seats[0], bad]), Err(expected));
}

/// Other seats may change without making the proof wrong, but then it is of another committee.
#[test]
fn tampered_evidence_is_refused_or_of_another_committee() {
    let members = Members::new(1, 2);
    let honest = evidence(&members, finalize(1), finalize(2));
    for tampered in with_one_bit_flipped(&honest) {
        if let Ok(guilty) = verify_evidence(GENESIS, &tampered) {
            assert_ne!(guilty.committee_root, members.committee.root());
        }
    }
}
