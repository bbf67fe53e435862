use crate::layout::committee_branch;
use crate::light::{AnchorError, verify_anchor};
use crate::testing::{Members, State, idle_lanes, table, with_one_bit_flipped};
use primitives::{
    Address, AnchorProof, AnchorRef, B256, Epoch, Height, InboxCursors, Seat, ShardHeader, ShardId,
    ShardRecord, ValidatorIndex,
};

/// The seat that proposes.
const SEAT: u32 = 2;

/// A shard header of epoch 1, whose committee is the second, and its anchor.
fn anchored() -> (ShardHeader, AnchorProof) {
    let committees = [Members::new(1, 4), Members::new(2, 4)];
    let record = |shard| ShardRecord {
        shard: ShardId::new(shard),
        table: table(&[(0, &committees[0]), (64, &committees[1])]),
        ..ShardRecord::default()
    };
    let state = State {
        mix: B256::repeat_byte(9),
        beacon_table: table(&[(0, &Members::new(3, 1))]),
        records: vec![record(0), record(1)],
        cursors: vec![InboxCursors::default(); 2],
        lanes: idle_lanes(2),
    };
    let beacon = state.header(0, 7);
    let proof = state.record_proof(1);
    let anchor = AnchorProof {
        header: beacon.clone(),
        mix: state.mix,
        mix_branch: state.mix_branch(),
        record: proof.record,
        record_branch: proof.branch,
        seat_index: SEAT,
        seat: *committees[1].committee.seat(SEAT).unwrap(),
        seat_branch: committee_branch(&committees[1].committee, SEAT).unwrap(),
    };
    let header = ShardHeader {
        shard: ShardId::new(1),
        epoch: Epoch::new(1),
        height: Height::new(64),
        proposer: anchor.seat.validator,
        anchor: AnchorRef { height: beacon.height, id: beacon.id() },
        ..ShardHeader::default()
    };
    (header, anchor)
}

/// What becomes of a header and its proof after a change.
fn verify(change: impl Fn(&mut ShardHeader, &mut AnchorProof)) -> Result<Address, AnchorError> {
    let (mut header, mut proof) = anchored();
    change(&mut header, &mut proof);
    verify_anchor(&header, &proof).map(|view| view.fee_recipient)
}

#[test]
fn a_proven_anchor_gives_mix_record_and_fee_recipient() {
    let (header, proof) = anchored();
    let view = verify_anchor(&header, &proof).unwrap();
    assert_eq!(view.header, &proof.header);
    assert_eq!((view.mix, view.record), (B256::repeat_byte(9), &proof.record));
    assert_eq!((view.seat, view.fee_recipient), (&proof.seat, proof.seat.fee_recipient));
}

#[test]
fn another_beacon_header_is_refused() {
    let found = anchored().1.header.id();
    let error = verify(|header, _| header.anchor.id = B256::ZERO);
    assert_eq!(error, Err(AnchorError::Id { expected: B256::ZERO, found }));
    let error = verify(|header, _| header.anchor.height = Height::new(8));
    assert_eq!(error, Err(AnchorError::Height { expected: Height::new(8), found: Height::new(7) }));
}

#[test]
fn a_mix_or_record_out_of_another_state_is_refused() {
    assert_eq!(verify(|_, proof| proof.mix = B256::ZERO), Err(AnchorError::Mix));
    assert_eq!(verify(|_, proof| proof.record.early_ends = 1), Err(AnchorError::Record));
}

#[test]
fn the_record_of_another_shard_is_refused() {
    let expected = AnchorError::Shard { expected: ShardId::new(0), found: ShardId::new(1) };
    assert_eq!(verify(|header, _| header.shard = ShardId::new(0)), Err(expected));
    // Nor does the record of shard 1 pass for that of shard 0.
    let error = verify(|header, proof| {
        header.shard = ShardId::new(0);
        proof.record.shard = ShardId::new(0);
    });
    assert_eq!(error, Err(AnchorError::Record));
}

#[test]
fn an_epoch_that_the_anchor_does_not_know_is_refused() {
    let epoch = Epoch::new(2);
    assert_eq!(verify(|header, _| header.epoch = epoch), Err(AnchorError::UnknownEpoch { epoch }));
}

#[test]
fn an_epoch_that_does_not_rule_the_height_is_refused() {
    let (height, found) = (Height::new(63), Epoch::new(1));
    let expected = AnchorError::Epoch { height, expected: Some(Epoch::ZERO), found };
    assert_eq!(verify(|header, _| header.height = height), Err(expected));
    let (height, found) = (Height::new(64), Epoch::ZERO);
    let expected = AnchorError::Epoch { height, expected: Some(Epoch::new(1)), found };
    assert_eq!(verify(|header, _| header.epoch = found), Err(expected));
}

#[test]
fn a_seat_out_of_another_committee_or_place_is_refused() {
    let committees = [Members::new(1, 4).committee, Members::new(2, 4).committee];
    let refused = |index| AnchorError::Seat { index, committee_root: committees[1].root() };
    assert_eq!(verify(|_, proof| proof.seat_index = 1), Err(refused(1)));
    let error = verify(|_, proof| {
        proof.seat = *committees[0].seat(SEAT).unwrap();
        proof.seat_branch = committee_branch(&committees[0], SEAT).unwrap();
    });
    assert_eq!(error, Err(refused(SEAT)));
    let bribed = Address::repeat_byte(0x66);
    let error = verify(|_, proof| proof.seat = Seat { fee_recipient: bribed, ..proof.seat });
    assert_eq!(error, Err(refused(SEAT)));
}

#[test]
fn a_seat_of_somebody_else_is_refused() {
    let found = anchored().1.seat.validator;
    let expected = ValidatorIndex::new(1);
    let error = verify(|header, _| header.proposer = expected);
    assert_eq!(error, Err(AnchorError::Proposer { expected, found }));
}

#[test]
fn every_byte_of_an_anchor_proof_matters() {
    let (header, proof) = anchored();
    for tampered in with_one_bit_flipped(&proof) {
        assert!(verify_anchor(&header, &tampered).is_err(), "{tampered:?}");
    }
}
