//! Why a storage operation was refused or failed.

use std::{io, path::PathBuf, sync::Arc};

use crate::table::DecodeError;

/// Why a storage operation was refused or failed. Nothing was changed, unless the variant says so.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process, or another handle in this one, has the directory open.
    #[error("{path} is in use by another process: stop it, or give this one a directory of its own", path = path.display())]
    Locked { path: PathBuf },

    /// The directory has content but no `FORMAT` file, which creation writes last.
    #[error(
        "{path} holds files but no FORMAT: its creation was interrupted, or it is not a storage directory; \
         delete it, or name an empty one", path = path.display()
    )]
    HalfWritten { path: PathBuf },

    /// The directory was written by another version of this software.
    #[error("{path} has storage format {found}, this program reads {expected}: run the version that wrote it, or start from an empty directory", path = path.display())]
    Version { path: PathBuf, expected: u32, found: u32 },

    /// Bytes on disk are not what was written; `offset` is where the first bad item starts in `file`.
    #[error("{file} is corrupt at byte {offset}: {what}", file = file.display())]
    Corrupt { file: PathBuf, offset: u64, what: Corruption },

    /// The disk has no space left. The operation can be tried again once there is.
    #[error("no space left on the disk of {path}: free some, then try again", path = path.display())]
    Full { path: PathBuf },

    /// The tables have reached the size they were configured for.
    #[error("the tables have reached their maximum of {bytes_max} bytes: raise `map_bytes_max`")]
    TablesFull { bytes_max: usize },

    /// The operating system refused an operation on a file.
    #[error("cannot {verb} {path}: {source}", path = path.display())]
    Io { verb: &'static str, path: PathBuf, source: Arc<io::Error> },

    /// MDBX refused an operation.
    #[error("cannot {verb} the tables: {source}")]
    Tables { verb: &'static str, source: signet_libmdbx::MdbxError },

    /// An earlier write failed in a way that leaves the end of the journal unknown; reopening
    /// finds out. Everything acknowledged before is safe.
    #[error("storage stopped after a failed write: restart to recover ({cause})")]
    Stopped { cause: Arc<StorageError> },

    /// The table was not named in [`StoreConfig::tables`](crate::StoreConfig::tables).
    #[error("table {name} was not declared when the store was opened")]
    UnknownTable { name: Box<str> },

    /// The store keeps this table for itself.
    #[error("table {name} is the store's own: declare another name")]
    ReservedTable { name: &'static str },

    /// A key is empty or longer than the tables accept.
    #[error("a key of table {table} has {found} bytes, the tables take 1 to {max}")]
    KeyLength { table: &'static str, found: usize, max: usize },

    /// A commit is larger than one journal record may be.
    #[error("a commit of {found} bytes exceeds the maximum of {max}")]
    TooLarge { found: usize, max: usize },

    /// A commit does not follow the last one.
    #[error("sequence {found} does not follow: the next one is {expected}")]
    NotNext { expected: u64, found: u64 },

    /// A rewind does not go back.
    #[error("cannot rewind to sequence {to}: the last one is {last:?}")]
    NotBack { to: u64, last: Option<u64> },

    /// The record asked for is no longer kept.
    #[error("record {sequence} is no longer kept: the oldest one is {oldest}")]
    Pruned { sequence: u64, oldest: u64 },

    /// A key or value in a table does not decode as the table's type.
    #[error("table {table}: {source}")]
    Decode { table: &'static str, source: DecodeError },
}

/// What is wrong with bytes on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    #[error("a record that fails its checksum is followed by valid ones")]
    Record,
    #[error("the record that was read fails its checksum")]
    Checksum,
    #[error("the segment header is damaged")]
    SegmentHeader,
    #[error("the segment starts at record {found}, the one before it ends before {expected}")]
    MissingSegment { expected: u64, found: u64 },
    #[error("the tables are at record {tables}, but the journal starts at {journal}")]
    MissingStart { tables: u64, journal: u64 },
    #[error("the tables are at record {tables}, but the journal ends at {journal}")]
    MissingEnd { tables: u64, journal: u64 },
    #[error("commit {found} follows commit {last}")]
    Order { last: u64, found: u64 },
    #[error("the content does not decode")]
    Content,
}

impl StorageError {
    /// Wraps what the operating system answered to `verb` on `path`.
    pub(crate) fn io(verb: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { verb, path, source: Arc::new(source) },
        }
    }
}
