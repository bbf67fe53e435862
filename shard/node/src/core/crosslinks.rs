//! Crosslinks: offering certified headers to the beacon chain until it accepts them.
//!
//! A new header is offered by the node that proposed it. When the accepted height does not move, every node offers
//! its best one again. The beacon chain accepts headers of one epoch up to its last height, so the last block of an
//! epoch needs a certificate of its own, and is offered by everyone.

use super::ShardCore;
use super::step::Effect;
use primitives::{Certificate, Epoch, Height, ShardHeader};
use std::collections::BTreeMap;

/// Epochs of which certified headers are kept: the accepted one is in the oldest of them.
const EPOCHS_MAX: usize = 4;
/// Beacon intervals without progress after which every node offers its best header.
const PATIENCE: u64 = 2;

/// Headers with a certificate of their own that may still be accepted.
#[derive(Debug, Default)]
pub(super) struct Crosslinks {
    /// The highest of each epoch.
    best: BTreeMap<Epoch, (ShardHeader, Certificate)>,
    /// What the beacon chain had accepted when it was last looked at, and since when it has not moved or was not
    /// offered anything.
    accepted: Height,
    since_ms: u64,
}

impl Crosslinks {
    pub(super) fn new(certified: Vec<(ShardHeader, Certificate)>) -> Self {
        let mut crosslinks = Self::default();
        for (header, certificate) in certified.into_iter().rev() {
            crosslinks.add(&header, certificate);
        }
        crosslinks
    }

    /// Keeps a header with its own certificate.
    pub(super) fn add(&mut self, header: &ShardHeader, certificate: Certificate) {
        let is_own = certificate.epoch == header.epoch;
        let known = self.best.get(&header.epoch).is_some_and(|(known, _)| known.height >= header.height);
        if is_own && !known {
            self.best.insert(header.epoch, (header.clone(), certificate));
        }
        while self.best.len() > EPOCHS_MAX {
            self.best.pop_first();
        }
    }

    /// Forgets headers that were undone.
    pub(super) fn forget_above(&mut self, height: Height) {
        self.best.retain(|_, (header, _)| header.height <= height);
    }
}

impl ShardCore {
    /// Offers a header that was certified just now, if it is on us to.
    pub(super) fn offer_new(&mut self, header: &ShardHeader, ours: bool, effects: &mut Vec<Effect>) {
        if ours || self.is_boundary(header) {
            self.offer_best(effects);
        }
    }

    /// Offers the last header of the epoch that the beacon chain is at, if it is all that is left of it.
    pub(super) fn offer_boundary(&mut self, effects: &mut Vec<Effect>) {
        if let Some((_, last)) = self.accepting()
            && self.head().height > last
        {
            self.offer_best(effects);
        }
    }

    /// Offers the best header again when nothing was accepted for a while.
    pub(super) fn offer_again(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        let Some(record) = self.record() else { return };
        let accepted = record.accepted.height;
        if self.crosslinks.accepted != accepted || self.crosslinks.since_ms == 0 {
            (self.crosslinks.accepted, self.crosslinks.since_ms) = (accepted, now_ms);
        }
        let patience = self.spec.beacon_interval_ms.get().saturating_mul(PATIENCE);
        if now_ms.saturating_sub(self.crosslinks.since_ms) >= patience && self.head().height > accepted {
            self.crosslinks.since_ms = now_ms;
            self.offer_best(effects);
        }
    }

    /// The own certificate of a block has turned up.
    pub(super) fn certificate(
        &mut self,
        header: ShardHeader,
        certificate: Certificate,
        effects: &mut Vec<Effect>,
    ) {
        self.crosslinks.add(&header, certificate);
        if self.is_boundary(&header) {
            self.offer_best(effects);
        }
    }

    fn offer_best(&self, effects: &mut Vec<Effect>) {
        let (Some(record), Some((epoch, last))) = (self.record(), self.accepting()) else { return };
        let accepted = record.accepted.height;
        let best = self.crosslinks.best.get(&epoch).filter(|(header, _)| header.height > accepted);
        if best.is_none_or(|(header, _)| header.height < last) && self.head().height >= last {
            effects.push(Effect::FindCertificate(last));
        }
        if let Some((header, certificate)) = best {
            effects.push(Effect::Crosslink {
                header: header.clone(),
                certificate: certificate.clone(),
                accepted,
            });
        }
    }

    /// The epoch of which the beacon chain accepts headers next, and its last height.
    fn accepting(&self) -> Option<(Epoch, Height)> {
        let record = self.record()?;
        let epoch = record.table.ruling(record.accepted.height.next())?.epoch;
        let last = record.table.last_height(epoch, self.spec.shard_epoch_heights.get())?;
        Some((epoch, last))
    }

    fn is_boundary(&self, header: &ShardHeader) -> bool {
        let table = self.record().map(|record| &record.table);
        let last =
            table.and_then(|table| table.last_height(header.epoch, self.spec.shard_epoch_heights.get()));
        last == Some(header.height)
    }
}
