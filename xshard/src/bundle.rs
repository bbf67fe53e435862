//! One lane's receipts from one source block, proven to whoever knows the source's committee.
//!
//! A source makes the whole of what a block sent on a lane ([`Bundle`] with every receipt and no range proof); a
//! destination takes of it what it has room for, from its cursor on ([`narrow`]). [`verify`] then proves, field by
//! field, that the source's committee certified a header at or above the source block, that this block follows from the
//! last one consumed from, that the lane's leaf is in its outbox, and that the receipts are the next ones of the
//! lane. The certificate's signature is left to the caller, who verifies those of a block together.
//!
//! Rules: docs/spec/receipts.md#bundles

mod error;
#[cfg(test)]
mod tests;

pub use error::BundleError;

use crate::{outbox, range};
use consensus::authority::Authority;
use consensus::history::verify_ancestor;
use primitives::{B256, Bundle, Chain, EpochTable, InboxCursor, Lane, OutboxProof, Receipt, ShardHeader};

/// A receipt that was verified, at its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The receipt.
    pub receipt: Receipt,
    /// Its id.
    pub id: B256,
}

/// What a verified bundle brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The lane's cursor once all of it is consumed.
    pub cursor: InboxCursor,
    /// The receipts, in order.
    pub arrivals: Vec<Arrival>,
}

/// What a destination knows of a lane's source.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The source's committees, as the anchor has them.
    pub table: &'a EpochTable,
    /// The lane's cursor; none if nothing was consumed yet.
    pub cursor: Option<InboxCursor>,
}

impl Source<'_> {
    /// Sequence of the next receipt.
    pub fn next_sequence(&self) -> u64 {
        self.cursor.map_or(0, |cursor| cursor.sequence)
    }
}

/// Verifies everything but the certificate's signature, for which [`verify_quorum`] needs the committee.
pub fn verify(bundle: &Bundle, destination: Chain, source: &Source<'_>) -> Result<Delivery, BundleError> {
    check_lane(bundle, destination)?;
    check_certified(bundle, source.table)?;
    let (header, id) = source_header(bundle)?;
    check_continuity(bundle, source.cursor.as_ref(), header, id)?;
    let Bundle { lane, outbox, receipts, range_proof, .. } = bundle;
    let sent = Sent { lane, outbox, receipts, range_proof };
    let arrivals = check_receipts(&sent, source.next_sequence(), header)?;
    let sequence = arrivals.last().map_or(0, |last| last.receipt.sequence.saturating_add(1));
    let ShardHeader { height, epoch, .. } = *header;
    let cursor = InboxCursor { source: bundle.lane.source, height, id, epoch, sequence };
    Ok(Delivery { cursor, arrivals })
}

/// Verifies that `authority`, the committee of the certified header's epoch, certified it.
pub fn verify_quorum(bundle: &Bundle, authority: &Authority) -> Result<(), BundleError> {
    Ok(authority.verify_certificate(&bundle.certified.certificate)?)
}

/// Of everything that a block sent on a lane, the next `count` receipts. `None` if nothing is left of it, or it is not
/// whole.
pub fn narrow(whole: &Bundle, cursor: Option<&InboxCursor>, count: usize) -> Option<Bundle> {
    let next = cursor.map_or(0, |cursor| cursor.sequence);
    let first = usize::try_from(next.checked_sub(whole.outbox.leaf.first_sequence)?).ok()?;
    let count = whole.receipts.len().checked_sub(first)?.min(count);
    let ids: Vec<B256> = whole.receipts.iter().map(Receipt::id).collect();
    let range_proof = range::prove(&ids, first, count)?;
    let (header, _) = source_header(whole).ok()?;
    let is_same = cursor.is_none_or(|cursor| cursor.height == header.height);
    let continuity = if is_same { Vec::new() } else { whole.continuity.clone() };
    let receipts = whole.receipts[first..first + count].to_vec();
    Some(Bundle { continuity, receipts, range_proof, ..whole.clone() })
}

fn check_lane(bundle: &Bundle, destination: Chain) -> Result<(), BundleError> {
    let Bundle { lane, certified, .. } = bundle;
    let source = Chain::Shard(certified.header.shard);
    if lane.source != source {
        return Err(BundleError::Source { expected: source, found: lane.source });
    }
    if lane.destination != destination {
        return Err(BundleError::Destination { expected: destination, found: lane.destination });
    }
    if source == destination {
        return Err(BundleError::SelfLane { found: source });
    }
    Ok(())
}

/// Checks that the certificate is one of the certified header, by the committee that rules its height.
fn check_certified(bundle: &Bundle, table: &EpochTable) -> Result<(), BundleError> {
    let (header, certificate) = (&bundle.certified.header, &bundle.certified.certificate);
    let (expected, found) = (header.id(), certificate.id);
    if expected != found {
        return Err(BundleError::CertifiedId { expected, found });
    }
    let (expected, found) = (header.epoch, certificate.epoch);
    if expected != found {
        return Err(BundleError::CertifiedEpoch { expected, found });
    }
    let expected = table.ruling(header.height).map(|entry| entry.epoch);
    if expected != Some(header.epoch) {
        return Err(BundleError::Epoch { height: header.height, expected, found: header.epoch });
    }
    Ok(())
}

/// The header that sent the receipts, and its id: the certified one, or one that its history contains.
fn source_header(bundle: &Bundle) -> Result<(&ShardHeader, B256), BundleError> {
    let certified = &bundle.certified;
    match &*bundle.ancestor {
        [] => Ok((&certified.header, certified.certificate.id)),
        [ancestor] => {
            let (above, header, id) = (&certified.header, &ancestor.header, ancestor.header.id());
            let (expected, found) = (above.shard, header.shard);
            if expected != found {
                return Err(BundleError::AncestorShard { expected, found });
            }
            verify_ancestor(above.history_root, above.height, header.height, id, &ancestor.proof)
                .map_err(BundleError::Ancestor)?;
            Ok((header, id))
        }
        more => Err(BundleError::Ancestors { found: more.len() }),
    }
}

/// Checks that the source header is the last one consumed from, or follows from it.
fn check_continuity(
    bundle: &Bundle,
    cursor: Option<&InboxCursor>,
    header: &ShardHeader,
    id: B256,
) -> Result<(), BundleError> {
    match (cursor.filter(|cursor| cursor.height != header.height), &*bundle.continuity) {
        (None, []) => match cursor {
            Some(cursor) if cursor.id != id => {
                Err(BundleError::OtherBranch { height: header.height, expected: cursor.id, found: id })
            }
            _ => Ok(()),
        },
        (Some(cursor), [proof]) => {
            verify_ancestor(header.history_root, header.height, cursor.height, cursor.id, proof)
                .map_err(BundleError::Continuity)
        }
        (expected, found) => {
            Err(BundleError::Continuities { expected: usize::from(expected.is_some()), found: found.len() })
        }
    }
}

/// Receipts of one lane with what proves them in a header's outbox.
pub(crate) struct Sent<'a> {
    pub(crate) lane: &'a Lane,
    pub(crate) outbox: &'a OutboxProof,
    pub(crate) receipts: &'a [Receipt],
    pub(crate) range_proof: &'a [B256],
}

/// Checks that the receipts are the next ones of the lane, and that the source header sent them.
pub(crate) fn check_receipts(
    sent: &Sent<'_>,
    next: u64,
    header: &ShardHeader,
) -> Result<Vec<Arrival>, BundleError> {
    let Sent { lane, outbox, receipts, range_proof } = *sent;
    let leaf = &outbox.leaf;
    let (expected, found) = (lane.destination, leaf.destination);
    if expected != found {
        return Err(BundleError::LeafDestination { expected, found });
    }
    if !outbox::verify(outbox, &header.outbox_root) {
        return Err(BundleError::Outbox { height: header.height });
    }
    let Some(first) = receipts.first() else { return Err(BundleError::Empty) };
    if first.sequence != next {
        return Err(BundleError::NotContiguous { lane: *lane, expected: next, found: first.sequence });
    }
    for (receipt, expected) in receipts.iter().zip(next..) {
        if receipt.lane != *lane {
            return Err(BundleError::Lane { expected: *lane, found: receipt.lane });
        }
        if receipt.sequence != expected {
            return Err(BundleError::NotContiguous { lane: *lane, expected, found: receipt.sequence });
        }
    }
    let ids: Vec<B256> = receipts.iter().map(Receipt::id).collect();
    let root = next
        .checked_sub(leaf.first_sequence)
        .and_then(|place| range::root_of(&ids, place, leaf.count, range_proof));
    if root != Some(leaf.root) {
        return Err(BundleError::Range { first: next, count: receipts.len(), lane: *lane });
    }
    let arrival = |(receipt, id): (&Receipt, B256)| Arrival { receipt: receipt.clone(), id };
    Ok(receipts.iter().zip(ids).map(arrival).collect())
}
