//! The file operations the journal is made of, on a real disk or on a simulated one.
//!
//! This is the lower half of the seam between the two backends (the upper one is
//! [`Tables`](crate::tables::Tables)): everything above is shared.

use std::{
    collections::hash_map::RandomState,
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, Hasher},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::{
    error::StorageError,
    memory_disk::{MemoryDirectory, MemoryFile},
};

/// A flat directory of files.
#[derive(Debug)]
pub(crate) enum Directory {
    Real(PathBuf),
    Memory(MemoryDirectory),
}

impl Directory {
    /// Where a file of this name is: for messages.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Real(path) => path.join(name),
            Self::Memory(_) => Path::new("memory").join(name),
        }
    }

    /// The names of all files, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>, StorageError> {
        match self {
            Self::Memory(directory) => Ok(directory.names()),
            Self::Real(path) => {
                let failed = |source| StorageError::io("list", path, source);
                let mut names = Vec::new();
                for entry in fs::read_dir(path).map_err(failed)? {
                    names.extend(entry.map_err(failed)?.file_name().into_string());
                }
                names.sort_unstable();
                Ok(names)
            }
        }
    }

    /// Creates an empty file, replacing one of the same name.
    pub(crate) fn create(&self, name: &str) -> Result<RawFile, StorageError> {
        let path = self.path(name);
        let failed = |source| StorageError::io("create", &path, source);
        let backend = match self {
            Self::Real(_) => {
                let mut options = OpenOptions::new();
                Backend::Real(
                    options.read(true).write(true).create(true).truncate(true).open(&path).map_err(failed)?,
                )
            }
            Self::Memory(directory) => Backend::Memory(directory.create(name).map_err(failed)?),
        };
        Ok(RawFile { path, backend })
    }

    /// Opens an existing file.
    pub(crate) fn open(&self, name: &str) -> Result<RawFile, StorageError> {
        let path = self.path(name);
        let failed = |source| StorageError::io("open", &path, source);
        let backend = match self {
            Self::Real(_) => {
                Backend::Real(OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?)
            }
            Self::Memory(directory) => Backend::Memory(directory.open(name).map_err(failed)?),
        };
        Ok(RawFile { path, backend })
    }

    /// Deletes a file; whoever has it open can still read it.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StorageError> {
        let path = self.path(name);
        match self {
            Self::Real(_) => fs::remove_file(&path),
            Self::Memory(directory) => directory.remove(name),
        }
        .map_err(|source| StorageError::io("remove", path, source))
    }

    /// Makes the creation and removal of files survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        match self {
            Self::Real(path) => File::open(path).and_then(|directory| directory.sync_all()),
            Self::Memory(directory) => directory.sync(),
        }
        .map_err(|source| StorageError::io("sync", self.path(""), source))
    }

    /// Bytes that nobody outside can predict; on a simulated disk they are the same in every run.
    pub(crate) fn salt(&self) -> [u8; 16] {
        let word = || match self {
            Self::Real(_) => RandomState::new().build_hasher().finish(),
            Self::Memory(directory) => directory.salt(),
        };
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&word().to_le_bytes());
        salt[8..].copy_from_slice(&word().to_le_bytes());
        salt
    }
}

/// An open file, which any thread may read while one writes.
#[derive(Debug)]
pub(crate) struct RawFile {
    path: PathBuf,
    backend: Backend,
}

#[derive(Debug)]
enum Backend {
    Real(File),
    Memory(MemoryFile),
}

impl RawFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn length(&self) -> Result<u64, StorageError> {
        match &self.backend {
            Backend::Real(file) => file.metadata().map(|metadata| metadata.len()),
            Backend::Memory(file) => file.length(),
        }
        .map_err(|source| StorageError::io("measure", &self.path, source))
    }

    /// Fills `buffer` from `offset`; the file must hold that many bytes.
    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        match &self.backend {
            Backend::Real(file) => file.read_exact_at(buffer, offset),
            Backend::Memory(file) => file.read_at(offset, buffer),
        }
        .map_err(|source| StorageError::io("read", &self.path, source))
    }

    /// Writes at the end of the file, which is at `offset`. When it fails, part may have been written.
    pub(crate) fn append_at(&self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        match &self.backend {
            Backend::Real(file) => file.write_all_at(bytes, offset),
            Backend::Memory(file) => file.append_at(offset, bytes),
        }
        .map_err(|source| StorageError::io("write", &self.path, source))
    }

    /// Shortens the file.
    pub(crate) fn truncate(&self, length: u64) -> Result<(), StorageError> {
        match &self.backend {
            Backend::Real(file) => file.set_len(length),
            Backend::Memory(file) => file.truncate(length),
        }
        .map_err(|source| StorageError::io("truncate", &self.path, source))
    }

    /// Makes the content survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        match &self.backend {
            Backend::Real(file) => file.sync_data(),
            Backend::Memory(file) => file.sync(),
        }
        .map_err(|source| StorageError::io("sync", &self.path, source))
    }
}
