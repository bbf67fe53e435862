//! Bringing the tables up to date with the journal, and pruning it.
//!
//! What always holds: what the tables would have after a power cut, the journal would have too,
//! or they have both been lost to the configured durability together.

use std::sync::{Arc, atomic::Ordering};

use super::Shared;
use crate::{config::Durability, error::StorageError};

impl Shared {
    /// What the flusher's thread does until it is told to stop.
    pub(super) fn run_flusher(self: &Arc<Self>) {
        loop {
            let stop = {
                let mut signal = self.signal.lock();
                while !signal.due && !signal.stop {
                    self.work.wait(&mut signal);
                }
                signal.due = false;
                signal.stop
            };
            let flushed = self.flush();
            if let Err(error) = &flushed {
                tracing::error!(%error, "cannot bring the tables up to date; commits stay in the journal");
            }
            let mut signal = self.signal.lock();
            signal.rounds += 1;
            signal.failed = flushed.err();
            self.progress.notify_all();
            if stop {
                return;
            }
        }
    }

    /// Starts bringing the tables up to date if enough is pending. Without a flusher, does it.
    pub(super) fn flush_if_due(&self) {
        let overlay = self.overlay();
        if overlay.bytes() < self.config.flush_bytes && overlay.len() < self.config.flush_commits {
            return;
        }
        if self.background {
            self.signal.lock().due = true;
            self.work.notify_one();
        } else if let Err(error) = self.flush() {
            tracing::error!(%error, "cannot bring the tables up to date; commits stay in the journal");
        }
    }

    /// Waits until what is pending fits in memory. If the tables cannot be written, fails.
    pub(super) fn await_room(&self) -> Result<(), StorageError> {
        let has_room = || self.overlay().bytes() <= self.config.pending_bytes_max;
        if has_room() {
            return Ok(());
        }
        if !self.background {
            return self.flush();
        }
        let mut signal = self.signal.lock();
        let started = signal.rounds;
        while !has_room() {
            // A round has ended since this began, so its failure is not an old one.
            if signal.rounds > started
                && let Some(error) = &signal.failed
            {
                return Err(error.clone());
            }
            signal.due = true;
            self.work.notify_one();
            self.progress.wait(&mut signal);
        }
        Ok(())
    }

    /// Applies all that is pending to the tables in one step, then prunes the journal.
    pub(super) fn flush(&self) -> Result<(), StorageError> {
        let _flushing = self.flushing.lock();
        let overlay = self.overlay();
        if overlay.len() == 0 {
            return Ok(());
        }
        let position = overlay.position();
        self.tables.apply(&overlay.merged(), position)?;
        {
            let mut overlay = self.overlay.write();
            *overlay = Arc::new(overlay.without(position.number));
        }
        self.prune(position.number)
    }

    /// Deletes the journal's oldest files if neither the tables nor the history need them. The
    /// caller holds `flushing`.
    fn prune(&self, applied: u64) -> Result<(), StorageError> {
        let (needed, files) = {
            let journal = self.journal.lock();
            let last = self.overlay().position().sequence.unwrap_or(0);
            let history = last.saturating_add(1).saturating_sub(self.config.history_records);
            let keep = history.min(self.retain_from.load(Ordering::Relaxed));
            let needed = journal.needed_from(applied, keep);
            if !journal.log().can_prune(needed) {
                return Ok(());
            }
            (needed, journal.log().files())
        };
        if self.config.durability == Durability::Process {
            // The journal first: the tables must not be ahead of it after a power cut.
            files.sync()?;
            self.tables.sync()?;
        }
        self.journal.lock().prune(needed)
    }
}
