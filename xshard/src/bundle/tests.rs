use super::*;
use crate::testing::{SourceChain, receipt};

use consensus::authority::CertificateError;
use consensus::history::HistoryError;
use primitives::{AncestorHeader, Bytes, Epoch, Height, Lane, ReceiptKind, ShardId, Signers, U256, View};
use ssz::{Decode as _, Encode as _};

const HERE: Chain = Chain::Shard(ShardId::new(1));

/// Shard 0 after three blocks: 3 receipts to shard 1 and 2 to shard 2, nothing, 5 more to shard 1.
struct Fixture {
    source: SourceChain,
    table: EpochTable,
}

const FIRST: Height = Height::new(1);
const SECOND: Height = Height::new(3);
const TOP: Height = Height::new(4);

impl Fixture {
    fn new() -> Self {
        let mut source = SourceChain::new(ShardId::ZERO);
        let lane = |destination, range: std::ops::Range<u64>| {
            range.map(move |sequence| receipt(destination, sequence))
        };
        source.send(lane(1, 0..3).chain(lane(2, 0..2)).collect());
        source.send(Vec::new());
        source.send(lane(1, 3..8).collect());
        source.send(Vec::new());
        let table = source.table();
        Self { source, table }
    }

    fn cursor(&self, height: Height, sequence: u64) -> InboxCursor {
        let header = self.source.header(height);
        let (id, epoch) = (header.id(), header.epoch);
        InboxCursor { source: ShardId::ZERO.into(), height, id, epoch, sequence }
    }

    fn verify(&self, bundle: &Bundle, cursor: Option<InboxCursor>) -> Result<Delivery, BundleError> {
        let delivery = verify(bundle, HERE, &Source { table: &self.table, cursor })?;
        let authority = self.source.members.authority(ShardId::ZERO.into(), 0);
        verify_quorum(bundle, &authority)?;
        Ok(delivery)
    }

    /// The second block's receipts from sequence 4 on, two of them, proven by the top's certificate.
    fn part(&self) -> (Bundle, InboxCursor) {
        let whole = self.source.whole(HERE, SECOND, TOP, Some(FIRST));
        let cursor = self.cursor(FIRST, 3);
        let first = narrow(&whole, Some(&cursor), 1).expect("five are left");
        let cursor = self.verify(&first, Some(cursor)).expect("is the next").cursor;
        (narrow(&whole, Some(&cursor), 2).expect("four are left"), cursor)
    }
}

#[test]
fn receipts_arrive_in_order_whatever_the_portions() {
    let fixture = Fixture::new();
    for portion in 1..6 {
        let (mut cursor, mut arrived) = (None, Vec::new());
        for (height, previous) in [(FIRST, None), (SECOND, Some(FIRST))] {
            let whole = fixture.source.whole(HERE, height, TOP, previous);
            while let Some(bundle) =
                narrow(&whole, cursor.as_ref(), portion).filter(|bundle| !bundle.receipts.is_empty())
            {
                let delivery = fixture.verify(&bundle, cursor).expect("is the next portion");
                arrived.extend(delivery.arrivals.iter().map(|arrival| arrival.receipt.sequence));
                cursor = Some(delivery.cursor);
            }
        }
        assert_eq!(arrived, (0..8).collect::<Vec<_>>());
        assert_eq!(cursor, Some(fixture.cursor(SECOND, 8)));
    }
}

#[test]
fn a_bundle_that_was_consumed_is_refused() {
    let fixture = Fixture::new();
    let bundle = fixture.source.whole(HERE, FIRST, FIRST, None);
    let delivery = fixture.verify(&bundle, None).expect("is the first");
    let lane = bundle.lane;
    let again = fixture.verify(&bundle, Some(delivery.cursor));
    assert_eq!(again, Err(BundleError::NotContiguous { lane, expected: 3, found: 0 }));
}

#[test]
fn a_bundle_that_skips_receipts_is_refused() {
    let fixture = Fixture::new();
    let bundle = fixture.source.whole(HERE, SECOND, SECOND, None);
    let lane = bundle.lane;
    let expected = BundleError::NotContiguous { lane, expected: 0, found: 3 };
    assert_eq!(fixture.verify(&bundle, None), Err(expected));
}

#[test]
fn a_bundle_of_another_branch_is_refused() {
    let fixture = Fixture::new();
    let (bundle, mut cursor) = fixture.part();
    let (expected, found) = (B256::repeat_byte(1), cursor.id);
    cursor.id = expected;
    let height = SECOND;
    assert_eq!(
        fixture.verify(&bundle, Some(cursor)),
        Err(BundleError::OtherBranch { height, expected, found })
    );
    let whole = fixture.source.whole(HERE, SECOND, TOP, Some(FIRST));
    let mut cursor = fixture.cursor(FIRST, 3);
    cursor.id = B256::repeat_byte(1);
    let error = BundleError::Continuity(HistoryError::Path { ancestor: FIRST });
    assert_eq!(fixture.verify(&whole, Some(cursor)), Err(error));
}

#[test]
fn a_void_epoch_s_header_is_refused() {
    let mut fixture = Fixture::new();
    let other = consensus::testing::Members::new(9, 4);
    fixture.table = consensus::testing::table(&[(0, &fixture.source.members), (TOP.get(), &other)]);
    let bundle = fixture.source.whole(HERE, FIRST, TOP, None);
    let expected = BundleError::Epoch { height: TOP, expected: Some(Epoch::new(1)), found: Epoch::ZERO };
    assert_eq!(fixture.verify(&bundle, None), Err(expected));
}

#[test]
fn a_certificate_without_a_quorum_is_refused() {
    let fixture = Fixture::new();
    let mut bundle = fixture.source.whole(HERE, FIRST, FIRST, None);
    bundle.certified.certificate.signers = Signers::from_indices(4, 0..2);
    let error = CertificateError::NoQuorum { expected: 3, found: 2 };
    assert_eq!(fixture.verify(&bundle, None), Err(error.into()));
}

/// A change of a bundle, and the name of the error that it must lead to.
type Mutation = (&'static str, fn(&mut Bundle), fn(&BundleError) -> bool);

macro_rules! mutations {
    ($($field:literal: $change:expr => $error:pat,)*) => {
        [$(($field, $change as fn(&mut Bundle), (|error| matches!(error, $error)) as fn(&BundleError) -> bool)),*]
    };
}

/// One mutation of every field, with the error that it must lead to.
fn mutations() -> [Mutation; 39] {
    use BundleError as E;
    const OTHER: B256 = B256::repeat_byte(0xee);
    mutations! {
        "lane.source": |bundle| bundle.lane.source = Chain::Beacon => E::Source { .. },
        "lane.destination": |bundle| bundle.lane.destination = Chain::Beacon => E::Destination { .. },
        "certified.header.shard": |bundle| bundle.certified.header.shard = ShardId::new(3) => E::Source { .. },
        "certified.header.epoch": |bundle| bundle.certified.header.epoch = Epoch::new(1) => E::CertifiedId { .. },
        "certified.header.view": |bundle| bundle.certified.header.view = View::new(9) => E::CertifiedId { .. },
        "certified.header.height": |bundle| bundle.certified.header.height = Height::new(5) => E::CertifiedId { .. },
        "certified.header.outbox_root": |bundle| bundle.certified.header.outbox_root = OTHER => E::CertifiedId { .. },
        "certified.header.history_root": |bundle| bundle.certified.header.history_root = OTHER => E::CertifiedId { .. },
        "certificate.epoch": |bundle| bundle.certified.certificate.epoch = Epoch::new(1) => E::CertifiedEpoch { .. },
        "certificate.view": |bundle| bundle.certified.certificate.view = View::new(9) => E::Certificate(CertificateError::Signature),
        "certificate.parent_view": |bundle| bundle.certified.certificate.parent_view = View::new(9) => E::Certificate(CertificateError::Signature),
        "certificate.id": |bundle| bundle.certified.certificate.id = OTHER => E::CertifiedId { .. },
        "certificate.signers": |bundle| bundle.certified.certificate.signers = Signers::from_indices(4, 1..4) => E::Certificate(CertificateError::Signature),
        "certificate.signers.seats": |bundle| bundle.certified.certificate.signers = Signers::from_indices(5, 0..4) => E::Certificate(CertificateError::Seats { .. }),
        "certificate.signature": |bundle| bundle.certified.certificate.signature = primitives::SignatureBytes::new([0; 96]) => E::Certificate(CertificateError::SignaturePoint(_)),
        "ancestor left out": |bundle| bundle.ancestor.clear() => E::Outbox { .. } | E::Continuities { .. },
        "ancestor twice": |bundle| bundle.ancestor.push(bundle.ancestor[0].clone()) => E::Ancestors { found: 2 },
        "ancestor.shard": |bundle| bundle.ancestor[0].header.shard = ShardId::new(3) => E::AncestorShard { .. },
        "ancestor.height": |bundle| bundle.ancestor[0].header.height = Height::new(2) => E::Ancestor(HistoryError::LeafIndex { .. }),
        "ancestor.outbox_root": |bundle| bundle.ancestor[0].header.outbox_root = OTHER => E::Ancestor(HistoryError::Path { .. }),
        "ancestor.history_root": |bundle| bundle.ancestor[0].header.history_root = OTHER => E::Ancestor(HistoryError::Path { .. }),
        "ancestor.proof.leaf_count": |bundle| bundle.ancestor[0].proof.leaf_count += 1 => E::Ancestor(HistoryError::LeafCount { .. }),
        "ancestor.proof.leaf_index": |bundle| bundle.ancestor[0].proof.leaf_index += 1 => E::Ancestor(HistoryError::LeafIndex { .. }),
        "ancestor.proof.path": |bundle| bundle.ancestor[0].proof.path[0] = OTHER => E::Ancestor(HistoryError::Path { .. }),
        "continuity too many": |bundle| bundle.continuity.push(bundle.ancestor[0].proof.clone()) => E::Continuities { expected: 0, found: 1 },
        "outbox.leaf.destination": |bundle| bundle.outbox.leaf.destination = Chain::Beacon => E::LeafDestination { .. },
        "outbox.leaf.first_sequence": |bundle| bundle.outbox.leaf.first_sequence += 1 => E::Outbox { .. },
        "outbox.leaf.count": |bundle| bundle.outbox.leaf.count += 1 => E::Outbox { .. },
        "outbox.leaf.root": |bundle| bundle.outbox.leaf.root = OTHER => E::Outbox { .. },
        "outbox.index": |bundle| bundle.outbox.index += 1 => E::Outbox { .. },
        "outbox.branch": |bundle| bundle.outbox.branch[0] = OTHER => E::Outbox { .. },
        "receipts left out": |bundle| bundle.receipts.clear() => E::Empty,
        "receipts cut": |bundle| bundle.receipts.truncate(1) => E::Range { .. },
        "receipts reordered": |bundle| bundle.receipts.swap(0, 1) => E::NotContiguous { .. },
        "receipt.lane": |bundle| bundle.receipts[1].lane = Lane { source: bundle.lane.destination, ..bundle.lane } => E::Lane { .. },
        "receipt.sequence": |bundle| bundle.receipts[1].sequence += 1 => E::NotContiguous { .. },
        "range_proof": |bundle| bundle.range_proof[0] = OTHER => E::Range { .. },
        "range_proof too long": |bundle| bundle.range_proof.push(OTHER) => E::Range { .. },
        "range_proof too short": |bundle| bundle.range_proof.truncate(bundle.range_proof.len() - 1) => E::Range { .. },
    }
}

#[test]
fn every_field_that_is_changed_is_refused_by_its_own_error() {
    let fixture = Fixture::new();
    let (bundle, cursor) = fixture.part();
    fixture.verify(&bundle, Some(cursor)).expect("is the next");
    for (field, change, is_expected) in mutations() {
        let mut changed = bundle.clone();
        change(&mut changed);
        assert_ne!(changed, bundle, "{field} did not change");
        let error = fixture.verify(&changed, Some(cursor)).expect_err(field);
        assert!(is_expected(&error), "{field}: {error:?}");
    }
}

#[test]
fn every_field_of_a_receipt_that_is_changed_is_refused() {
    let fixture = Fixture::new();
    let (bundle, cursor) = fixture.part();
    let changes: [fn(&mut Receipt); 6] = [
        |receipt| receipt.kind = ReceiptKind::new(1),
        |receipt| receipt.sender = primitives::Address::ZERO,
        |receipt| receipt.value += U256::ONE,
        |receipt| receipt.gas += 1,
        |receipt| receipt.deadline += 1,
        |receipt| receipt.payload = Bytes::new(),
    ];
    for change in changes {
        let mut changed = bundle.clone();
        change(&mut changed.receipts[1]);
        let expected = BundleError::Range { first: 4, count: 2, lane: bundle.lane };
        assert_eq!(fixture.verify(&changed, Some(cursor)), Err(expected));
    }
}

/// Whatever bit of the encoding flips: it is no bundle any more, or is refused.
#[test]
fn no_bit_of_a_bundle_can_flip() {
    let fixture = Fixture::new();
    let (bundle, cursor) = fixture.part();
    let bytes = bundle.as_ssz_bytes();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        if let Ok(changed) = Bundle::from_ssz_bytes(&changed) {
            assert!(fixture.verify(&changed, Some(cursor)).is_err(), "byte {place}: {changed:?}");
        }
    }
}

#[test]
fn a_header_without_a_certificate_is_proven_by_one_above() {
    let fixture = Fixture::new();
    let bundle = fixture.source.whole(HERE, FIRST, TOP, None);
    assert!(matches!(&*bundle.ancestor, [AncestorHeader { header, .. }] if header.height == FIRST));
    assert_eq!(fixture.verify(&bundle, None).expect("is the first").cursor, fixture.cursor(FIRST, 3));
}

#[test]
fn a_chain_has_no_lane_to_itself() {
    let mut source = SourceChain::new(ShardId::new(1));
    let mut to_itself = receipt(1, 0);
    to_itself.lane.source = HERE;
    let height = source.send(vec![to_itself]);
    let bundle = source.whole(HERE, height, height, None);
    let table = source.table();
    let error = verify(&bundle, HERE, &Source { table: &table, cursor: None });
    assert_eq!(error, Err(BundleError::SelfLane { found: HERE }));
}
