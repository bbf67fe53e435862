use super::*;

const SEAT: PublicKeyBytes = PublicKeyBytes::new([7; 48]);

fn vote(kind: VoteKind, view: u64, id: u8) -> Vote {
    let id = if kind == VoteKind::Nullify { B256::ZERO } else { B256::repeat_byte(id) };
    Vote {
        kind,
        chain: Chain::Beacon,
        epoch: Epoch::new(1),
        view: View::new(view),
        parent_view: View::ZERO,
        id,
    }
}

fn contradiction(view: u64, earlier: VoteKind) -> Result<(), Refusal> {
    Err(Refusal::Contradiction { epoch: Epoch::new(1), view: View::new(view), earlier })
}

/// What an honest engine says in one view is permitted, twice as well as once.
#[test]
fn honest_votes_are_permitted() {
    let mut protection = Protection::in_memory();
    for _ in 0..2 {
        assert_eq!(protection.permit(&SEAT, &vote(VoteKind::Notarize, 3, 1)), Ok(()));
        assert_eq!(protection.permit(&SEAT, &vote(VoteKind::Finalize, 3, 1)), Ok(()));
        assert_eq!(protection.permit(&SEAT, &vote(VoteKind::Notarize, 4, 2)), Ok(()));
        assert_eq!(protection.permit(&SEAT, &vote(VoteKind::Nullify, 4, 0)), Ok(()));
    }
}

/// Each pair of votes that would be evidence is refused, in both orders.
#[test]
fn contradictions_are_refused() {
    let pairs = [
        (vote(VoteKind::Notarize, 1, 1), vote(VoteKind::Notarize, 1, 2)),
        (vote(VoteKind::Finalize, 1, 1), vote(VoteKind::Finalize, 1, 2)),
        (vote(VoteKind::Nullify, 1, 0), vote(VoteKind::Finalize, 1, 1)),
    ];
    for (first, second) in pairs {
        for (earlier, later) in [(first, second), (second, first)] {
            let mut protection = Protection::in_memory();
            assert_eq!(protection.permit(&SEAT, &earlier), Ok(()));
            assert_eq!(protection.permit(&SEAT, &later), contradiction(1, earlier.kind));
        }
    }
}

/// The file outlives the process.
#[test]
fn reopened_file_still_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("votes");
    Protection::open(&path, false).unwrap().permit(&SEAT, &vote(VoteKind::Notarize, 1, 1)).unwrap();
    let mut again = Protection::open(&path, false).unwrap();
    let refusal = again.permit(&SEAT, &vote(VoteKind::Notarize, 1, 2));
    assert_eq!(refusal, contradiction(1, VoteKind::Notarize));
}

/// A record that was being written when the process died is dropped; one before it stays.
#[test]
fn torn_record_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("votes");
    {
        let mut protection = Protection::open(&path, false).unwrap();
        protection.permit(&SEAT, &vote(VoteKind::Notarize, 1, 1)).unwrap();
        protection.permit(&SEAT, &vote(VoteKind::Notarize, 2, 1)).unwrap();
    }
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let mut again = Protection::open(&path, false).unwrap();
    assert_eq!(again.permit(&SEAT, &vote(VoteKind::Notarize, 2, 2)), Ok(()));
    assert_eq!(again.permit(&SEAT, &vote(VoteKind::Notarize, 1, 2)), contradiction(1, VoteKind::Notarize));
}

/// Damage in the middle is not taken for a fresh start.
#[test]
fn damaged_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("votes");
    Protection::open(&path, false).unwrap().permit(&SEAT, &vote(VoteKind::Notarize, 1, 1)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(Protection::open(&path, false), Err(ProtectionError::Damaged { index: 0, .. })));
}

/// Two processes never sign with the same memory.
#[test]
fn second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("votes");
    let _first = Protection::open(&path, false).unwrap();
    assert!(matches!(Protection::open(&path, false), Err(ProtectionError::Locked(_))));
}

/// Memory is bounded, and what was forgotten is not guessed.
#[test]
fn forgotten_views_are_refused() {
    let mut protection = Protection::in_memory();
    for view in 1..=2 * VIEWS_KEPT {
        protection.permit(&SEAT, &vote(VoteKind::Notarize, view, 1)).unwrap();
    }
    let refusal = protection.permit(&SEAT, &vote(VoteKind::Notarize, 1, 1));
    assert!(matches!(refusal, Err(Refusal::Forgotten { .. })), "{refusal:?}");
    assert!(
        protection
            .seats
            .values()
            .all(|epochs| epochs.values().all(|views| views.len() <= VIEWS_KEPT as usize))
    );
}
