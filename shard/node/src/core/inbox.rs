//! What other shards have sent and this one has not consumed yet, as far as it is here.
//!
//! Of each source a bounded run of whole bundles, in order and without gaps from the head's cursor on; what is beyond
//! stays at the source until there is room. Everything here was verified to follow from what is before it.

use primitives::{B256, Bundle, Chain, EpochTable, InboxCursor, InboxCursors, ShardId};
use std::collections::{BTreeMap, VecDeque};
use xshard::{BundleError, bundle};

/// Most bundles of one source.
const BUNDLES_MAX: usize = 64;
/// Most receipts of one source, unless one bundle has more.
const RECEIPTS_MAX: usize = 1 << 14;

/// Bundles that wait, by source.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    shard: ShardId,
    lanes: BTreeMap<ShardId, Waiting>,
}

#[derive(Clone, Debug, Default)]
struct Waiting {
    /// Up to where the head has consumed.
    consumed: Option<InboxCursor>,
    /// Each with the cursor that it leads to.
    bundles: VecDeque<(Bundle, InboxCursor)>,
}

impl Waiting {
    /// Up to where everything is here.
    fn end(&self) -> Option<InboxCursor> {
        self.bundles.back().map(|(_, end)| *end).or(self.consumed)
    }

    fn receipts(&self) -> usize {
        self.bundles.iter().map(|(bundle, _)| bundle.receipts.len()).sum()
    }

    fn has_room(&self) -> bool {
        self.bundles.len() < BUNDLES_MAX && self.receipts() < RECEIPTS_MAX
    }
}

impl Inbox {
    /// Nothing waits for `shard`, which has consumed so far.
    pub(super) fn new(shard: ShardId, cursors: &InboxCursors) -> Self {
        let mut inbox = Self { shard, lanes: BTreeMap::new() };
        inbox.consumed(cursors);
        inbox
    }

    /// Takes a bundle that goes on where those here end, and verifies everything of it but its certificate; one that
    /// brings nothing new is of no use. The ids of what it brings.
    pub(super) fn add(&mut self, whole: Bundle, table: &EpochTable) -> Result<Vec<B256>, BundleError> {
        let Some(source) = whole.lane.source.shard() else { return Ok(Vec::new()) };
        let waiting = self.lanes.entry(source).or_default();
        let cursor = waiting.end();
        let Some(rest) = bundle::narrow(&whole, cursor.as_ref(), usize::MAX) else { return Ok(Vec::new()) };
        if rest.receipts.is_empty() || !waiting.has_room() {
            return Ok(Vec::new());
        }
        let here = Chain::from(self.shard);
        let delivery = bundle::verify(&rest, here, &bundle::Source { table, cursor })?;
        waiting.bundles.push_back((whole, delivery.cursor));
        Ok(delivery.arrivals.into_iter().map(|arrival| arrival.id).collect())
    }

    /// Forgets what the head has consumed.
    pub(super) fn consumed(&mut self, cursors: &InboxCursors) {
        for cursor in cursors.as_slice() {
            let Some(source) = cursor.source.shard() else { continue };
            let waiting = self.lanes.entry(source).or_default();
            waiting.consumed = Some(*cursor);
            while waiting.bundles.front().is_some_and(|(_, end)| end.sequence <= cursor.sequence) {
                waiting.bundles.pop_front();
            }
        }
    }

    /// Forgets a source's bundles: they cannot be consumed.
    pub(super) fn drop_source(&mut self, source: ShardId) {
        if let Some(waiting) = self.lanes.get_mut(&source) {
            waiting.bundles.clear();
        }
    }

    /// Sequence from which more of a source's receipts are of use; `None` while there is no room.
    pub(super) fn wanted(&self, source: ShardId) -> Option<u64> {
        let Some(waiting) = self.lanes.get(&source) else { return Some(0) };
        waiting.has_room().then(|| waiting.end().map_or(0, |end| end.sequence))
    }

    /// All that waits, by source and in order.
    pub(super) fn bundles(&self) -> Vec<Bundle> {
        self.lanes
            .values()
            .flat_map(|waiting| waiting.bundles.iter().map(|(bundle, _)| bundle.clone()))
            .collect()
    }

    /// How many receipts wait.
    pub(super) fn len(&self) -> usize {
        self.lanes.values().map(Waiting::receipts).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Height;
    use xshard::testing::{SourceChain, receipt};

    const HERE: ShardId = ShardId::new(1);

    struct Fixture {
        table: EpochTable,
        bundles: Vec<Bundle>,
        source: SourceChain,
    }

    /// Blocks of shard 0 that send so many receipts each.
    fn fixture(counts: &[u64]) -> Fixture {
        let (mut source, mut next, mut previous) = (SourceChain::new(ShardId::ZERO), 0, None);
        let mut bundles = Vec::new();
        for count in counts {
            let height =
                source.send((next..next + count).map(|sequence| receipt(HERE.get(), sequence)).collect());
            bundles.push(source.whole(HERE.into(), height, height, previous));
            (next, previous) = (next + count, Some(height));
        }
        Fixture { table: source.table(), bundles, source }
    }

    impl Fixture {
        fn inbox(&self) -> Inbox {
            Inbox::new(HERE, &InboxCursors::default())
        }

        fn add(&self, inbox: &mut Inbox, place: usize) -> Result<bool, BundleError> {
            Ok(!inbox.add(self.bundles[place].clone(), &self.table)?.is_empty())
        }

        fn cursors(&self, height: u64, sequence: u64) -> InboxCursors {
            let (source, height) = (ShardId::ZERO.into(), Height::new(height));
            let header = self.source.header(height);
            let (id, epoch) = (header.id(), header.epoch);
            InboxCursors::new(vec![InboxCursor { source, height, id, epoch, sequence }]).expect("one")
        }
    }

    #[test]
    fn bundles_are_kept_without_gaps_and_dropped_when_consumed() {
        let fixture = fixture(&[2, 3, 1]);
        let mut inbox = fixture.inbox();
        assert_eq!(fixture.add(&mut inbox, 1), Ok(false), "a gap");
        assert_eq!(fixture.add(&mut inbox, 0), Ok(true));
        assert_eq!(fixture.add(&mut inbox, 0), Ok(false), "is here");
        assert_eq!(fixture.add(&mut inbox, 1), Ok(true));
        assert_eq!(inbox.wanted(ShardId::ZERO), Some(5));
        assert_eq!(fixture.add(&mut inbox, 2), Ok(true));
        assert_eq!(inbox.len(), 6);
        inbox.consumed(&fixture.cursors(2, 3));
        assert_eq!(inbox.len(), 4, "the second is only in part consumed");
        inbox.consumed(&fixture.cursors(3, 6));
        assert_eq!((inbox.len(), inbox.wanted(ShardId::ZERO)), (0, Some(6)));
        assert_eq!(fixture.add(&mut inbox, 1), Ok(false), "consumed");
    }

    #[test]
    fn what_has_no_room_stays_where_it_is() {
        let fixture = fixture(&[1; BUNDLES_MAX + 1]);
        let mut inbox = fixture.inbox();
        let taken = (0..=BUNDLES_MAX).filter(|place| fixture.add(&mut inbox, *place) == Ok(true)).count();
        assert_eq!((taken, inbox.wanted(ShardId::ZERO)), (BUNDLES_MAX, None));
        inbox.consumed(&fixture.cursors(1, 1));
        assert_eq!(inbox.wanted(ShardId::ZERO), Some(BUNDLES_MAX as u64));
    }

    #[test]
    fn a_forged_bundle_takes_no_place() {
        let mut fixture = fixture(&[2, 3]);
        let mut inbox = fixture.inbox();
        fixture.bundles[0].receipts[1].value += primitives::U256::ONE;
        assert!(matches!(fixture.add(&mut inbox, 0), Err(BundleError::Range { .. })));
        assert_eq!((inbox.len(), inbox.wanted(ShardId::ZERO)), (0, Some(0)));
    }
}
