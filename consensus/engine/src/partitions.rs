//! What one chain has on disk, by name, so that what is no longer needed can be deleted.
//!
//! A generation's partitions start with its name. Those whose names cannot be known in advance (votes of a seat, the
//! archive's caches of an epoch) are noted before they are used: each note is an empty blob, its name the note.

use crate::durability::Runtime;
use commonware_runtime::Error;
use primitives::{Chain, Epoch};

/// The partitions of one generation of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Partitions {
    chain: Chain,
    generation: u64,
}

/// Parts of an archive, as [`crate::archive`] names them, and of the library's caches.
pub(crate) const ARCHIVE_PARTS: [&str; 3] = ["metadata", "key", "value"];
/// The archives of a generation.
pub(crate) const ARCHIVES: [&str; 2] = ["certificates", "blocks"];
/// The library's caches of one epoch.
const CACHES: [&str; 5] = ["verified", "notarized", "certified", "notarizations", "finalizations"];

impl Partitions {
    pub(crate) const fn new(chain: Chain, generation: u64) -> Self {
        Self { chain, generation }
    }

    fn notes(&self) -> String {
        format!("{}-notes", self.chain)
    }

    /// What every partition of this generation starts with.
    pub(crate) fn prefix(&self) -> String {
        Self::generation_prefix(self.chain, self.generation)
    }

    fn generation_prefix(chain: Chain, generation: u64) -> String {
        format!("{chain}-g{generation}")
    }

    /// The votes of one seat.
    pub(crate) fn votes(&self, epoch: Epoch, seat: u32) -> String {
        format!("{}-e{epoch}-s{seat}", self.prefix())
    }

    /// Notes that this generation exists, and deletes all others.
    pub(crate) async fn claim(&self, storage: &impl Runtime) -> Result<(), Error> {
        let mut stale: Vec<Note> = self.read(storage).await?;
        stale.retain(|note| note.generation() != self.generation);
        // A generation's own note goes last: as long as it is there, the deletion is not done.
        stale.sort_by_key(|note| matches!(note, Note::Generation(_)));
        for note in stale {
            self.delete(storage, note).await?;
        }
        self.note(storage, Note::Generation(self.generation)).await
    }

    /// Notes that an epoch's caches may exist.
    pub(crate) async fn note_epoch(&self, storage: &impl Runtime, epoch: Epoch) -> Result<(), Error> {
        self.note(storage, Note::Epoch(self.generation, epoch)).await
    }

    /// Notes that a seat's votes may exist.
    pub(crate) async fn note_votes(
        &self,
        storage: &impl Runtime,
        epoch: Epoch,
        seat: u32,
    ) -> Result<(), Error> {
        self.note(storage, Note::Votes(self.generation, epoch, seat)).await
    }

    /// Deletes the votes of all seats in epochs up to `epoch`.
    pub(crate) async fn forget_votes(&self, storage: &impl Runtime, epoch: Epoch) -> Result<(), Error> {
        for note in self.read(storage).await? {
            if matches!(note, Note::Votes(generation, of, _) if generation == self.generation && of <= epoch)
            {
                self.delete(storage, note).await?;
            }
        }
        Ok(())
    }

    async fn read(&self, storage: &impl Runtime) -> Result<Vec<Note>, Error> {
        match storage.scan(&self.notes()).await {
            Ok(names) => Ok(names.iter().filter_map(|name| Note::parse(name)).collect()),
            Err(Error::PartitionMissing(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn note(&self, storage: &impl Runtime, note: Note) -> Result<(), Error> {
        use commonware_runtime::Blob as _;
        let (blob, _) = storage.open(&self.notes(), note.name().as_bytes()).await?;
        blob.sync().await
    }

    async fn delete(&self, storage: &impl Runtime, note: Note) -> Result<(), Error> {
        for partition in note.partitions(self.chain) {
            match storage.remove(&partition, None).await {
                Ok(()) | Err(Error::PartitionMissing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        storage.remove(&self.notes(), Some(note.name().as_bytes())).await
    }
}

/// Something that may be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Note {
    Generation(u64),
    Epoch(u64, Epoch),
    Votes(u64, Epoch, u32),
}

impl Note {
    const fn generation(self) -> u64 {
        match self {
            Self::Generation(generation) | Self::Epoch(generation, _) | Self::Votes(generation, _, _) => {
                generation
            }
        }
    }

    fn name(self) -> String {
        match self {
            Self::Generation(generation) => format!("{generation}"),
            Self::Epoch(generation, epoch) => format!("{generation}-{epoch}"),
            Self::Votes(generation, epoch, seat) => format!("{generation}-{epoch}-{seat}"),
        }
    }

    fn parse(name: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(name).ok()?.split('-');
        let generation = parts.next()?.parse().ok()?;
        let Some(epoch) = parts.next() else { return Some(Self::Generation(generation)) };
        let epoch = Epoch::new(epoch.parse().ok()?);
        let Some(seat) = parts.next() else { return Some(Self::Epoch(generation, epoch)) };
        Some(Self::Votes(generation, epoch, seat.parse().ok()?))
    }

    fn partitions(self, chain: Chain) -> Vec<String> {
        let prefix = Partitions::generation_prefix(chain, self.generation());
        match self {
            Self::Generation(_) => {
                let archives = ARCHIVES
                    .iter()
                    .flat_map(|archive| ARCHIVE_PARTS.map(|part| format!("{prefix}-{archive}-{part}")));
                let library =
                    ["application-metadata", "cache-metadata"].map(|part| format!("{prefix}-{part}"));
                archives.chain(library).collect()
            }
            Self::Epoch(_, epoch) => {
                let caches = CACHES.iter();
                caches
                    .flat_map(|cache| {
                        ARCHIVE_PARTS.map(|part| format!("{prefix}-cache-cache-{epoch}-{cache}-{part}"))
                    })
                    .collect()
            }
            Self::Votes(_, epoch, seat) => vec![Partitions::new(chain, self.generation()).votes(epoch, seat)],
        }
    }
}
