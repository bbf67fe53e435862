use super::*;
use crate::testing::{GENESIS, Members, finalization, with_one_bit_flipped};
use primitives::{Certificate, Seat, ShardId, SignatureBytes, Signers, View};
use ssz::Decode as _;

const CHAIN: Chain = Chain::Shard(ShardId::new(2));
const ID: B256 = B256::repeat_byte(0xab);

/// The point at infinity, compressed.
fn infinity() -> SignatureBytes {
    let mut bytes = [0; 96];
    bytes[0] = 0xc0;
    SignatureBytes::new(bytes)
}

fn signers_from_parts(seats: u32, bits: &[u8]) -> Signers {
    Signers::from_ssz_bytes(&[&seats.to_le_bytes()[..], &8u32.to_le_bytes(), bits].concat()).unwrap()
}

#[test]
fn a_certificate_of_a_quorum_or_more_verifies() {
    for seats in [1, 2, 3, 4, 7, 10] {
        let members = Members::new(1, seats);
        let authority = members.authority(CHAIN, 5);
        for signers in authority.quorum()..=seats {
            assert_eq!(authority.verify_certificate(&members.certify(CHAIN, 5, ID, signers)), Ok(()));
        }
    }
}

#[test]
fn a_certificate_of_one_less_than_a_quorum_is_refused() {
    let members = Members::new(1, 7);
    let certificate = members.certify(CHAIN, 5, ID, 4);
    let expected = CertificateError::NoQuorum { expected: 5, found: 4 };
    assert_eq!(members.authority(CHAIN, 5).verify_certificate(&certificate), Err(expected));
}

#[test]
fn a_certificate_of_another_epoch_is_refused() {
    let members = Members::new(1, 4);
    let expected = CertificateError::Epoch { expected: Epoch::new(6), found: Epoch::new(5) };
    let certificate = members.certify(CHAIN, 5, ID, 3);
    assert_eq!(members.authority(CHAIN, 6).verify_certificate(&certificate), Err(expected));
    let relabelled = Certificate { epoch: Epoch::new(6), ..certificate };
    let expected = CertificateError::Signature;
    assert_eq!(members.authority(CHAIN, 6).verify_certificate(&relabelled), Err(expected));
}

#[test]
fn a_certificate_of_another_chain_network_or_kind_of_vote_is_refused() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    let certificate = members.certify(CHAIN, 5, ID, 3);
    let expected = Err(CertificateError::Signature);
    assert_eq!(members.authority(Chain::Beacon, 5).verify_certificate(&certificate), expected);
    let elsewhere =
        Authority::new(members.committee.clone(), CHAIN, Epoch::new(5), B256::repeat_byte(0x22)).unwrap();
    assert_eq!(elsewhere.verify_certificate(&certificate), expected);
    let notarization = Vote { kind: VoteKind::Notarize, ..finalization(CHAIN, 5, ID) };
    assert_eq!(authority.verify_certificate(&members.aggregate(notarization, 3)), expected);
    assert_eq!(authority.verify_certificate(&certificate), Ok(()));
}

#[test]
fn a_bitmap_of_another_size_is_refused() {
    let members = Members::new(1, 4);
    let signers = Signers::from_indices(5, 0..3);
    let certificate = Certificate { signers, ..members.certify(CHAIN, 5, ID, 3) };
    let expected = CertificateError::Seats { expected: 4, found: 5 };
    assert_eq!(members.authority(CHAIN, 5).verify_certificate(&certificate), Err(expected));
}

#[test]
fn a_bitmap_with_bits_beyond_the_last_seat_or_bytes_too_many_is_refused() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    let certificate = members.certify(CHAIN, 5, ID, 3);
    let with_bits = |bits| Certificate { signers: signers_from_parts(4, bits), ..certificate.clone() };
    assert_eq!(authority.verify_certificate(&with_bits(&[0b0111])), Ok(()));
    for bits in [&[0b1_0111][..], &[0b0111, 0], &[]] {
        let expected = CertificateError::MalformedSigners { seats: 4 };
        assert_eq!(authority.verify_certificate(&with_bits(bits)), Err(expected));
    }
}

#[test]
fn a_bitmap_that_names_somebody_else_is_refused() {
    let members = Members::new(1, 4);
    let signers = Signers::from_indices(4, 1..4);
    let certificate = Certificate { signers, ..members.certify(CHAIN, 5, ID, 3) };
    let expected = CertificateError::Signature;
    assert_eq!(members.authority(CHAIN, 5).verify_certificate(&certificate), Err(expected));
}

#[test]
fn a_signature_that_is_no_point_or_infinity_is_refused() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    let with = |signature| Certificate { signature, ..members.certify(CHAIN, 5, ID, 3) };
    let verify = |signature| authority.verify_certificate(&with(signature));
    let zero = SignatureBytes::new([0; 96]);
    assert_eq!(verify(zero), Err(CertificateError::SignaturePoint(DecompressError::Encoding)));
    assert_eq!(verify(infinity()), Err(CertificateError::SignaturePoint(DecompressError::Infinity)));
}

#[test]
fn every_byte_of_a_certificate_matters() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    for tampered in with_one_bit_flipped(&members.certify(CHAIN, 5, ID, 3)) {
        assert!(authority.verify_certificate(&tampered).is_err(), "{tampered:?}");
    }
}

#[test]
fn a_batch_of_certificates_of_several_committees_verifies() {
    let (one, two) = (Members::new(1, 4), Members::new(2, 7));
    let (shard, beacon) = (one.authority(CHAIN, 5), two.authority(Chain::Beacon, 9));
    let certificates = [one.certify(CHAIN, 5, ID, 3), two.certify(Chain::Beacon, 9, ID, 6)];
    assert_eq!(verify_certificates(&[]), Ok(()));
    assert_eq!(verify_certificates(&[(&shard, &certificates[0])]), Ok(()));
    assert_eq!(verify_certificates(&[(&shard, &certificates[0]), (&beacon, &certificates[1])]), Ok(()));
}

#[test]
fn a_batch_names_every_wrong_certificate_in_order() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    let good = members.certify(CHAIN, 5, ID, 3);
    let forged = Certificate { id: B256::ZERO, ..good.clone() };
    let few = members.certify(CHAIN, 5, ID, 2);
    let batch = [&forged, &good, &few, &good, &forged].map(|certificate| (&authority, certificate));
    let no_quorum = CertificateError::NoQuorum { expected: 3, found: 2 };
    let (first, last) = ((0, CertificateError::Signature), (4, CertificateError::Signature));
    assert_eq!(verify_certificates(&batch), Err(vec![first, (2, no_quorum), last]));
}

/// Their sum is right, so a batch without random powers would let them pass.
#[test]
fn a_batch_with_two_signatures_exchanged_is_refused() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    let (mut one, mut two) = (members.certify(CHAIN, 5, ID, 3), members.certify(CHAIN, 5, B256::ZERO, 3));
    assert_eq!(verify_certificates(&[(&authority, &one), (&authority, &two)]), Ok(()));
    std::mem::swap(&mut one.signature, &mut two.signature);
    let expected = vec![(0, CertificateError::Signature), (1, CertificateError::Signature)];
    assert_eq!(verify_certificates(&[(&authority, &one), (&authority, &two)]), Err(expected));
}

#[test]
fn a_vote_verifies_for_the_seat_that_signed_it() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    let finalize = finalization(CHAIN, 5, ID);
    let notarize = Vote { kind: VoteKind::Notarize, ..finalize };
    let nullify = Vote { kind: VoteKind::Nullify, parent_view: View::ZERO, id: B256::ZERO, ..finalize };
    for vote in [finalize, notarize, nullify] {
        let signed = members.sign(vote, 2);
        assert_eq!(authority.verify_vote(&signed), Ok(()));
        let stolen = SignedVote { seat: 1, ..signed };
        assert_eq!(authority.verify_vote(&stolen), Err(VoteError::Signature { seat: 1 }));
        for tampered in with_one_bit_flipped(&signed) {
            assert!(authority.verify_vote(&tampered).is_err(), "{tampered:?}");
        }
    }
}

#[test]
fn a_vote_of_another_chain_epoch_or_seat_is_refused() {
    let members = Members::new(1, 4);
    let signed = members.sign(finalization(CHAIN, 5, ID), 2);
    let verify = |chain, epoch, signed| members.authority(chain, epoch).verify_vote(&signed);
    let expected = VoteError::Chain { expected: Chain::Beacon, found: CHAIN };
    assert_eq!(verify(Chain::Beacon, 5, signed), Err(expected));
    let expected = VoteError::Epoch { expected: Epoch::new(6), found: Epoch::new(5) };
    assert_eq!(verify(CHAIN, 6, signed), Err(expected));
    let expected = VoteError::NoSuchSeat { seats: 4, found: 4 };
    assert_eq!(verify(CHAIN, 5, SignedVote { seat: 4, ..signed }), Err(expected));
}

#[test]
fn a_vote_without_a_point_for_signature_is_refused() {
    let members = Members::new(1, 4);
    let signed = SignedVote { signature: infinity(), ..members.sign(finalization(CHAIN, 5, ID), 2) };
    let expected = VoteError::SignaturePoint { seat: 2, error: DecompressError::Infinity };
    assert_eq!(members.authority(CHAIN, 5).verify_vote(&signed), Err(expected));
}

#[test]
fn a_nullification_that_names_a_block_is_refused() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5);
    let vote = Vote { kind: VoteKind::Nullify, ..finalization(CHAIN, 5, ID) };
    assert_eq!(authority.verify_vote(&members.sign(vote, 0)), Err(VoteError::NullifyNamesBlock));
    let vote = Vote { id: B256::ZERO, ..vote };
    assert_eq!(authority.verify_vote(&members.sign(vote, 0)), Err(VoteError::NullifyNamesBlock));
}

#[test]
fn a_committee_of_nobody_out_of_order_or_with_a_bad_key_has_no_authority() {
    let new = |committee| Authority::new(committee, CHAIN, Epoch::ZERO, GENESIS).map(|_| ());
    assert_eq!(new(Committee::default()), Err(AuthorityError::Empty));
    let members = Members::new(1, 4);
    let mut seats: Vec<Seat> = members.committee.seats().to_vec();
    seats.reverse();
    let unordered = Committee::from_ssz_bytes(&ssz::Encode::as_ssz_bytes(&seats)).unwrap();
    assert_eq!(new(unordered), Err(AuthorityError::NotWellFormed));
    seats[0].key = [0xff; 48].into();
    let error = new(Committee::new(seats).unwrap());
    assert_eq!(error, Err(AuthorityError::Key { seat: 3, error: DecompressError::Encoding }));
}

#[test]
fn a_reappointed_committee_speaks_for_its_new_term_alone() {
    let members = Members::new(1, 4);
    let authority = members.authority(CHAIN, 5).reappointed(Chain::Beacon, Epoch::new(6));
    assert_eq!(authority.verify_certificate(&members.certify(Chain::Beacon, 6, ID, 3)), Ok(()));
    let expected = CertificateError::Epoch { expected: Epoch::new(6), found: Epoch::new(5) };
    assert_eq!(authority.verify_certificate(&members.certify(CHAIN, 5, ID, 3)), Err(expected));
}
