//! What blocks have sent to other chains, and bundles of it for whoever asks.

use super::reader::{ReadError, Reader};
use super::tables::{Certificates, Cursors, LaneBlocks, Outboxes, SentReceipts};
use super::{Batch, Commit, StorageError};
use alloy_primitives::B256;
use primitives::{
    AncestorHeader, BeaconBundle, Bundle, CertifiedShardHeader, Chain, Height, InboxCursors, Lane,
    OFFER_BUNDLES_MAX, Receipt, ShardHeader,
};
use ssz::Encode as _;
use storage::Ssz;
use xshard::Outbox;

/// Bytes of bundles in one offer, unless a single one has more.
const OFFER_BYTES: usize = 1 << 19;

/// Notes what a block has sent and how far it has consumed.
pub(super) fn put(batch: &mut Batch, commit: &Commit) {
    let height = commit.block.header.height.get();
    batch.put::<Cursors>(&height, &Ssz(commit.cursors.clone()));
    if commit.outbox.is_empty() {
        return;
    }
    let receipts = commit.outbox.receipts().map(|(_, receipt)| receipt.clone()).collect();
    for (id, _) in commit.outbox.receipts() {
        batch.put::<SentReceipts>(&id, &height);
    }
    batch.put::<Outboxes>(&height, &Ssz(receipts));
    for leaf in commit.outbox.leaves() {
        batch.put::<LaneBlocks>(&(leaf.destination.code(), leaf.first_sequence), &height);
    }
}

/// Takes that back.
pub(super) fn delete(batch: &mut Batch, height: Height, outbox: &Outbox) {
    batch.delete::<Cursors>(&height.get());
    batch.delete::<Outboxes>(&height.get());
    for (id, _) in outbox.receipts() {
        batch.delete::<SentReceipts>(&id);
    }
    for leaf in outbox.leaves() {
        batch.delete::<LaneBlocks>(&(leaf.destination.code(), leaf.first_sequence));
    }
}

impl Reader {
    /// What the block at `height` has sent.
    pub fn outbox(&self, height: Height) -> Result<Outbox, ReadError> {
        let receipts =
            self.snapshot().get::<Outboxes>(&height.get())?.map_or(Vec::new(), |receipts| receipts.0);
        Ok(Outbox::new(receipts)?)
    }

    /// How far the block at `height` had consumed other chains' receipts.
    pub fn cursors(&self, height: Height) -> Result<InboxCursors, StorageError> {
        Ok(self.snapshot().get::<Cursors>(&height.get())?.map(|cursors| cursors.0).unwrap_or_default())
    }

    /// Heights of the newest blocks below `height` that have sent something, newest first.
    pub fn sending_heights_below(&self, height: Height, limit: usize) -> Result<Vec<Height>, StorageError> {
        let entries = self.snapshot().range_reversed::<Outboxes>(..height.get())?.take(limit);
        entries.map(|entry| Ok(Height::new(entry?.0))).collect()
    }

    /// A receipt that was sent, and the height of the block that sent it.
    pub fn sent_receipt(&self, id: &B256) -> Result<Option<(Height, Receipt)>, ReadError> {
        let Some(height) = self.snapshot().get::<SentReceipts>(id)?.map(Height::new) else { return Ok(None) };
        let outbox = self.outbox(height)?;
        let found = outbox.receipts().find(|(sent, _)| sent == id);
        Ok(found.map(|(_, receipt)| (height, receipt.clone())))
    }

    /// Everything that blocks have sent to `destination` from sequence `from` on: for each block one bundle, at most
    /// `limit`, and none that is not certified yet by a block with a certificate of its own.
    pub fn bundles(&self, destination: Chain, from: u64, limit: usize) -> Result<Vec<Bundle>, ReadError> {
        let code = destination.code();
        let Some((_, first)) = self.lane_block(destination, from)? else { return Ok(Vec::new()) };
        let before =
            self.snapshot().range_reversed::<LaneBlocks>((code, 0)..(code, first))?.next().transpose()?;
        let mut previous = before.map(|(_, height)| Height::new(height));
        let mut bundles = Vec::new();
        for entry in self.snapshot().range::<LaneBlocks>((code, first)..=(code, u64::MAX))?.take(limit) {
            let height = Height::new(entry?.1);
            let Some(bundle) = self.whole(destination, height, previous)? else { break };
            bundles.push(bundle);
            previous = Some(height);
        }
        Ok(bundles)
    }

    /// What blocks up to `top` have sent to the beacon chain from sequence `from` on, each proven in the history of the
    /// header there: as many as one offer takes.
    pub fn beacon_bundles(&self, from: u64, top: Height) -> Result<Vec<BeaconBundle>, ReadError> {
        let code = Chain::Beacon.code();
        let Some((_, first)) = self.lane_block(Chain::Beacon, from)? else { return Ok(Vec::new()) };
        let (mut bundles, mut bytes) = (Vec::new(), 0);
        for entry in self.snapshot().range::<LaneBlocks>((code, first)..=(code, u64::MAX))? {
            let height = Height::new(entry?.1);
            let bundle = if height > top { None } else { self.beacon_bundle(from, height, top)? };
            let Some(bundle) = bundle.filter(|_| bundles.len() < OFFER_BUNDLES_MAX) else { break };
            bytes += bundle.ssz_bytes_len();
            if bytes > OFFER_BYTES && !bundles.is_empty() {
                break;
            }
            bundles.push(bundle);
        }
        Ok(bundles)
    }

    /// What the block at `height` sent to the beacon chain, from sequence `from` on.
    fn beacon_bundle(
        &self,
        from: u64,
        height: Height,
        top: Height,
    ) -> Result<Option<BeaconBundle>, ReadError> {
        let (Some(header), sent) = (self.header(height)?, self.outbox(height)?) else { return Ok(None) };
        let lane = sent.lanes().find(|(to, _)| *to == Chain::Beacon);
        let (Some(outbox), Some((_, receipts))) = (sent.proof(Chain::Beacon), lane) else { return Ok(None) };
        let ancestry =
            (height < top).then(|| self.history_proof(height, top)).transpose()?.into_iter().collect();
        let receipts = receipts.to_vec();
        let whole = BeaconBundle { header, ancestry, outbox, receipts, range_proof: Vec::new() };
        Ok(xshard::beacon::narrow(&whole, from, usize::MAX))
    }

    /// The block that sent the receipt of this sequence, if any did, and the first sequence that it sent.
    fn lane_block(&self, destination: Chain, sequence: u64) -> Result<Option<(Height, u64)>, StorageError> {
        let code = destination.code();
        let entry = self.snapshot().range_reversed::<LaneBlocks>((code, 0)..=(code, sequence))?.next();
        Ok(entry.transpose()?.map(|((_, first), height)| (Height::new(height), first)))
    }

    /// All that the block at `height` sent to a chain, for who consumed from `previous` last.
    fn whole(
        &self,
        destination: Chain,
        height: Height,
        previous: Option<Height>,
    ) -> Result<Option<Bundle>, ReadError> {
        let Some(certified) = self.certified_from(height)? else { return Ok(None) };
        let (Some(header), outbox) = (self.header(height)?, self.outbox(height)?) else { return Ok(None) };
        let lane = outbox.lanes().find(|(to, _)| *to == destination);
        let (Some(proof), Some((_, receipts))) = (outbox.proof(destination), lane) else { return Ok(None) };
        let source = Chain::from(header.shard);
        let continuity =
            previous.map(|previous| self.history_proof(previous, height)).transpose()?.into_iter().collect();
        let ancestor = (certified.header.height > height)
            .then(|| self.ancestor(header, certified.header.height))
            .transpose()?;
        Ok(Some(Bundle {
            lane: Lane { source, destination },
            certified,
            ancestor: ancestor.into_iter().collect(),
            continuity,
            outbox: proof,
            receipts: receipts.to_vec(),
            range_proof: Vec::new(),
        }))
    }

    fn ancestor(&self, header: ShardHeader, below: Height) -> Result<AncestorHeader, ReadError> {
        let proof = self.history_proof(header.height, below)?;
        Ok(AncestorHeader { header, proof })
    }

    /// The lowest header from `height` on that has a certificate of its own.
    fn certified_from(&self, height: Height) -> Result<Option<CertifiedShardHeader>, ReadError> {
        for entry in self.snapshot().range::<Certificates>(height.get()..)? {
            let (height, certificate) = entry?;
            // The last header of an epoch may be certified anew by the next: only its own committee speaks for it.
            match self.header(Height::new(height))? {
                Some(header) if header.epoch == certificate.0.epoch => {
                    return Ok(Some(CertifiedShardHeader { header, certificate: certificate.0 }));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}
