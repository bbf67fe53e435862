//! Committees and their signer bitmaps.

use crate::sample::Sampler;
use primitives::{Committee, Seat, Signers};
use ssz::{Decode as _, Encode as _};

fn seats(count: u64) -> Vec<Seat> {
    Sampler::new(3, Some(count)).sample()
}

#[test]
fn a_committee_orders_its_seats_by_key() {
    let committee = Committee::new(seats(9)).unwrap();
    assert!(committee.is_well_formed());
    assert!(committee.seats().windows(2).all(|pair| pair[0].key < pair[1].key));
    for (seat, index) in committee.seats().iter().zip(0..) {
        assert_eq!((committee.seat(index), committee.index_of(&seat.key)), (Some(seat), Some(index)));
    }
    assert_eq!(committee.seat(9), None);
    assert_eq!(committee.index_of(&[0; 48].into()), None);
}

#[test]
fn a_committee_has_no_key_twice_and_no_more_seats_than_its_limit() {
    let twice = [seats(2), seats(1)].concat();
    assert_eq!(Committee::new(twice), None);
    assert!(Committee::new(seats(2048)).is_some());
    assert_eq!(Committee::new(seats(2049)), None);
}

#[test]
fn a_decoded_committee_out_of_order_is_not_well_formed() {
    let mut seats = Committee::new(seats(3)).unwrap().seats().to_vec();
    let decode = |seats: &[Seat]| Committee::from_ssz_bytes(&seats.to_vec().as_ssz_bytes()).unwrap();
    assert!(decode(&seats).is_well_formed());
    seats.swap(1, 2);
    assert!(!decode(&seats).is_well_formed());
    assert!(!decode(&[seats[0], seats[0]]).is_well_formed());
}

/// Three of four, five of seven: any two quorums share more than a third of the seats.
#[test]
fn a_quorum_is_all_but_a_third() {
    let quorums = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (128, 86)];
    for (count, quorum) in quorums {
        assert_eq!(Committee::new(seats(count)).unwrap().quorum(), quorum, "{count} seats");
    }
}

#[test]
fn a_bitmap_gives_back_the_indices_it_was_made_of() {
    let signers = Signers::from_indices(10, [9, 0, 3, 3, 10, 99]);
    assert_eq!(signers.indices().collect::<Vec<_>>(), [0, 3, 9]);
    assert_eq!((signers.seats(), signers.count()), (10, 3));
    assert!(signers.is_well_formed());
}

#[test]
fn a_decoded_bitmap_of_another_size_is_not_well_formed() {
    let decode = |seats: u32, bits: &[u8]| {
        Signers::from_ssz_bytes(&[&seats.to_le_bytes()[..], &8u32.to_le_bytes(), bits].concat()).unwrap()
    };
    assert!(decode(10, &[0xff, 0b11]).is_well_formed());
    assert!(!decode(10, &[0xff, 0b111]).is_well_formed());
    assert!(!decode(10, &[0xff]).is_well_formed());
    assert!(!decode(10, &[0xff, 0, 0]).is_well_formed());
    assert!(decode(16, &[0xff, 0xff]).is_well_formed());
    assert!(decode(0, &[]).is_well_formed());
    assert!(!decode(2049, &[0; 257]).is_well_formed());
    // A claimed size costs nothing.
    assert_eq!(decode(u32::MAX, &[0b10]).indices().collect::<Vec<_>>(), [1]);
}
