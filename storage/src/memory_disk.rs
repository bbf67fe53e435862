//! A simulated disk, which loses unsynced writes when it crashes.
//!
//! What always holds: after [`MemoryDisk::crash`] it contains everything that was synced before,
//! and a prefix of what was written since; of the last write kept, only part may be there. Handles
//! from before the crash fail from then on. Nothing depends on time or threads: the same calls
//! with the same seeds give the same disk.

use std::{collections::BTreeMap, io, sync::Arc};

use parking_lot::Mutex;

use crate::tables::{MemoryContent, Position};

/// A simulated disk for one store; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Content>,
    /// What was done since the last sync, oldest first.
    unsynced: Vec<Unsynced>,
    tables: MemoryContent,
    tables_synced: MemoryContent,
    /// Counts crashes: handles of an earlier generation are dead.
    generation: u64,
    opened: bool,
    salts: u64,
    /// Operations left before the power goes; `None`: it stays.
    operations_left: Option<u64>,
    /// Bytes all files together may hold; `None`: no limit.
    capacity: Option<usize>,
}

type Content = Arc<Mutex<Vec<u8>>>;

#[derive(Debug)]
enum Unsynced {
    Created { name: String },
    Written { content: Content, from: usize, to: usize },
}

impl MemoryDisk {
    /// An empty disk without a size limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts the power. Of what was not synced a prefix chosen by `seed` stays, and every open
    /// handle fails from now on; the disk can be opened again.
    pub fn crash(&self, seed: u64) {
        let mut state = self.state.lock();
        state.generation += 1;
        state.opened = false;
        state.operations_left = None;
        state.tables = state.tables_synced.clone();
        let unsynced = std::mem::take(&mut state.unsynced);
        let weight = |change: &Unsynced| match change {
            Unsynced::Created { .. } => 1,
            Unsynced::Written { from, to, .. } => to - from,
        };
        let total: usize = unsynced.iter().map(weight).sum();
        let mut kept = (mix(seed) % (total as u64 + 1)) as usize;
        for change in unsynced {
            let stays = kept.min(weight(&change));
            kept -= stays;
            match change {
                Unsynced::Created { name } if stays == 0 => drop(state.files.remove(&name)),
                Unsynced::Created { .. } => {}
                Unsynced::Written { from, to, .. } if from + stays == to => {}
                Unsynced::Written { content, from, to } => {
                    let mut bytes = content.lock();
                    bytes.truncate(from + stays);
                    // Half of the torn writes leave their full length behind, empty.
                    if stays > 0 && mix(!seed) & 1 == 0 {
                        bytes.resize(to, 0);
                    }
                }
            }
        }
    }

    /// Lets `operations` more writes and syncs succeed; after them everything fails until
    /// [`crash`](Self::crash). This is how a crash in the middle of a commit is simulated.
    pub fn power_off_after(&self, operations: u64) {
        self.state.lock().operations_left = Some(operations);
    }

    /// Limits what all files together may hold; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.state.lock().capacity = bytes;
    }

    /// Takes the disk into use; `None` when it already is.
    pub(crate) fn attach(&self) -> Option<MemoryDirectory> {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.opened, true) {
            return None;
        }
        Some(MemoryDirectory { disk: self.clone(), generation: state.generation })
    }
}

/// Well-spread bits of `seed` (the finalizer of SplitMix64).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The disk as one store sees it, between two crashes.
#[derive(Clone, Debug)]
pub(crate) struct MemoryDirectory {
    disk: MemoryDisk,
    generation: u64,
}

impl MemoryDirectory {
    /// Counts one operation, and runs it if the power is still on.
    fn operate<R>(&self, operation: impl FnOnce(&mut State) -> io::Result<R>) -> io::Result<R> {
        let mut state = self.disk.state.lock();
        if state.generation != self.generation || state.operations_left == Some(0) {
            return Err(io::Error::other("simulated power cut"));
        }
        if let Some(left) = &mut state.operations_left {
            *left -= 1; // not zero: checked above
        }
        operation(&mut state)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.disk.state.lock().files.keys().cloned().collect()
    }

    pub(crate) fn create(&self, name: &str) -> io::Result<MemoryFile> {
        self.operate(|state| {
            let content = Content::default();
            state.files.insert(name.to_owned(), content.clone());
            state.unsynced.push(Unsynced::Created { name: name.to_owned() });
            Ok(MemoryFile { directory: self.clone(), content })
        })
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<MemoryFile> {
        let content = self.disk.state.lock().files.get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(MemoryFile { directory: self.clone(), content })
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        self.operate(|state| state.files.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into()))
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.operate(|state| {
            state.unsynced.retain(|change| matches!(change, Unsynced::Written { .. }));
            Ok(())
        })
    }

    pub(crate) fn salt(&self) -> u64 {
        let mut state = self.disk.state.lock();
        state.salts += 1;
        mix(state.salts)
    }

    /// The tables as they are now.
    pub(crate) fn tables(&self) -> MemoryContent {
        self.disk.state.lock().tables.clone()
    }

    /// Replaces the tables by what `change` makes of them, in one step.
    pub(crate) fn change_tables(
        &self,
        position: Position,
        change: impl FnOnce(&mut MemoryContent),
    ) -> io::Result<()> {
        self.operate(|state| {
            change(&mut state.tables);
            state.tables.position = position;
            Ok(())
        })
    }

    pub(crate) fn sync_tables(&self) -> io::Result<()> {
        self.operate(|state| {
            state.tables_synced = state.tables.clone();
            Ok(())
        })
    }
}

/// Gives the disk back, so that it can be opened again.
#[derive(Debug)]
pub(crate) struct MemoryGuard(pub(crate) MemoryDirectory);

impl Drop for MemoryGuard {
    fn drop(&mut self) {
        let mut state = self.0.disk.state.lock();
        if state.generation == self.0.generation {
            state.opened = false;
        }
    }
}

/// An open file of a simulated disk.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    directory: MemoryDirectory,
    content: Content,
}

impl MemoryFile {
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.content.lock().len() as u64)
    }

    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let content = self.content.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(content.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(crate) fn append_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.directory.operate(|state| {
            let used: usize = state.files.values().map(|content| content.lock().len()).sum();
            let free = state.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used));
            let mut content = self.content.lock();
            let from = content.len();
            if from as u64 != offset {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let written = &bytes[..bytes.len().min(free)];
            content.extend_from_slice(written);
            let to = content.len();
            state.unsynced.push(Unsynced::Written { content: self.content.clone(), from, to });
            if written.len() < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    pub(crate) fn truncate(&self, length: u64) -> io::Result<()> {
        self.directory.operate(|state| {
            let length = usize::try_from(length).map_err(io::Error::other)?;
            self.content.lock().truncate(length);
            state.unsynced.retain_mut(|change| match change {
                Unsynced::Written { content, from, to } if Arc::ptr_eq(content, &self.content) => {
                    *to = length.min(*to);
                    from < to
                }
                _ => true,
            });
            Ok(())
        })
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.directory.operate(|state| {
            state.unsynced.retain(|change| {
                !matches!(change, Unsynced::Written { content, .. } if Arc::ptr_eq(content, &self.content))
            });
            Ok(())
        })
    }
}
