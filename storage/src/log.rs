//! The journal: an append-only log of records in segment files.
//!
//! A record is a header (mark, length, number, checksum) and a payload; records are numbered
//! without gaps, and a segment file is named by the number of its first one. What always holds:
//! - A record is written by one sequential write, and is part of the log when that write is
//!   complete. A torn one can only be the last, and opening the log removes it.
//! - Opening refuses anything else that is wrong (a bad record before a good one, a missing file)
//!   and names file and offset. Files that were finished, and hold nothing to replay, are
//!   followed from header to header; their payloads are verified when read.
//! - The mark and the checksum are keyed by random bytes of the segment, so that nobody who
//!   chooses a payload can make part of it look like a record.

mod segment;

use std::{collections::VecDeque, sync::Arc};

use segment::{RECORD_HEADER_BYTES, Scan, Segment};

use crate::{
    config::Durability,
    disk::{Directory, RawFile},
    error::{Corruption, StorageError},
};

/// The largest payload of a record, in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1 << 30;
/// The write buffer shrinks to this between records, in bytes.
const BUFFER_BYTES_KEPT: usize = 16 << 20;

/// The journal: an append-only log of numbered records in segment files.
#[derive(Debug)]
pub(crate) struct ChangeLog {
    directory: Arc<Directory>,
    durability: Durability,
    segment_bytes: u64,
    segments: VecDeque<Arc<Segment>>,
    /// Length of the last segment.
    end: u64,
    records: VecDeque<Location>,
    /// The number the next record gets; the first one ever is 1.
    next: u64,
    buffer: Vec<u8>,
    /// Set when the end of the last segment is no longer known.
    stopped: Option<Arc<StorageError>>,
}

/// Where a record is; it stays readable when the log drops it.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    segment: Arc<Segment>,
    number: u64,
    offset: u64,
    length: u32,
}

impl ChangeLog {
    /// Opens the log and removes a torn last record; also returns how many bytes that took.
    /// Payloads from record `verify_from` on are verified.
    pub(crate) fn open(
        directory: Directory,
        durability: Durability,
        segment_bytes: u64,
        verify_from: u64,
    ) -> Result<(Self, u64), StorageError> {
        let mut log = Self {
            directory: Arc::new(directory),
            durability,
            segment_bytes,
            segments: VecDeque::new(),
            end: 0,
            records: VecDeque::new(),
            next: 1,
            buffer: Vec::new(),
            stopped: None,
        };
        let mut firsts: Vec<u64> =
            log.directory.names()?.iter().filter_map(|name| segment::first_of(name)).collect();
        let mut cut = 0;
        if let Some(&last) = firsts.last() {
            let file = log.directory.open(&segment::name_of(last))?;
            if Segment::is_torn(&file)? {
                cut += file.length()?;
                log.directory.remove(&segment::name_of(last))?;
                firsts.pop();
            }
        }
        for (index, &first) in firsts.iter().enumerate() {
            let following = firsts.get(index + 1);
            let verify = following.is_none_or(|&following| following > verify_from);
            cut += log.open_segment(first, verify, following.is_none())?;
        }
        if durability == Durability::Power
            && let Some(last) = log.segments.back()
        {
            // A killed process may have left a whole record that the disk does not have yet.
            last.file().sync()?;
            log.directory.sync()?;
        }
        Ok((log, cut))
    }

    fn open_segment(&mut self, first: u64, verify: bool, last: bool) -> Result<u64, StorageError> {
        let file = self.directory.open(&segment::name_of(first))?;
        if !self.segments.is_empty() && first != self.next {
            let what = Corruption::MissingSegment { expected: self.next, found: first };
            return Err(StorageError::Corrupt { file: file.path().into(), offset: 0, what });
        }
        let segment = Arc::new(Segment::open(file, first)?);
        let Scan { records, end, length } = segment.scan(verify)?;
        if end < length {
            if !last || segment.holds_record(end, length, first + records.len() as u64)? {
                let file = segment.file().path().into();
                return Err(StorageError::Corrupt { file, offset: end, what: Corruption::Record });
            }
            segment.file().truncate(end)?;
        }
        self.next = first + records.len() as u64;
        self.records.extend((first..).zip(records).map(|(number, (offset, length))| Location {
            segment: segment.clone(),
            number,
            offset,
            length,
        }));
        self.segments.push_back(segment);
        self.end = end;
        Ok(length - end)
    }

    /// The number of the oldest record kept, or of the next one if there is none.
    pub(crate) fn first(&self) -> u64 {
        self.segments.front().map_or(self.next, |segment| segment.first())
    }

    /// The number the next record gets.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn location(&self, number: u64) -> Option<&Location> {
        let index = number.checked_sub(self.first())?;
        self.records.get(usize::try_from(index).ok()?)
    }

    /// Appends the record whose payload `write` appends to the buffer, and returns its number. A
    /// refused record leaves no trace.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<u64, StorageError> {
        if let Some(cause) = &self.stopped {
            return Err(StorageError::Stopped { cause: cause.clone() });
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.resize(RECORD_HEADER_BYTES, 0);
        write(&mut buffer);
        let appended = self.append_buffer(&mut buffer);
        buffer.truncate(BUFFER_BYTES_KEPT);
        buffer.shrink_to(BUFFER_BYTES_KEPT);
        self.buffer = buffer;
        appended
    }

    fn append_buffer(&mut self, buffer: &mut [u8]) -> Result<u64, StorageError> {
        let found = buffer.len() - RECORD_HEADER_BYTES; // append reserved the header
        let length = u32::try_from(found).ok().filter(|_| found <= PAYLOAD_BYTES_MAX);
        let length = length.ok_or(StorageError::TooLarge { found, max: PAYLOAD_BYTES_MAX })?;
        let segment = self.active()?;
        segment.seal(buffer, self.next, length);
        if let Err(error) = segment.file().append_at(self.end, buffer) {
            if let Err(cause) = segment.file().truncate(self.end) {
                self.stopped = Some(Arc::new(cause));
            }
            return Err(error);
        }
        if self.durability == Durability::Power
            && let Err(error) = segment.file().sync()
        {
            // What reached the disk is unknown, and a second sync would not tell.
            self.stopped = Some(Arc::new(error.clone()));
            return Err(error);
        }
        let number = self.next;
        self.records.push_back(Location { segment, number, offset: self.end, length });
        self.end += buffer.len() as u64;
        self.next += 1;
        Ok(number)
    }

    /// The segment that takes the next record: a new one if the last is full.
    fn active(&mut self) -> Result<Arc<Segment>, StorageError> {
        if let Some(segment) = self.segments.back().filter(|_| self.end < self.segment_bytes) {
            return Ok(segment.clone());
        }
        let file = self.directory.create(&segment::name_of(self.next))?;
        let (segment, length) = Segment::create(file, self.next, self.directory.salt())?;
        if self.durability == Durability::Power {
            segment.file().sync()?;
            self.directory.sync()?;
        }
        let segment = Arc::new(segment);
        self.segments.push_back(segment.clone());
        self.end = length;
        Ok(segment)
    }

    /// Whether [`prune`](Self::prune) would delete anything.
    pub(crate) fn can_prune(&self, keep_from: u64) -> bool {
        self.segments.get(1).is_some_and(|second| second.first() <= keep_from)
    }

    /// Deletes the segments that only hold records before `keep_from`, oldest first.
    pub(crate) fn prune(&mut self, keep_from: u64) -> Result<(), StorageError> {
        while self.can_prune(keep_from) {
            self.directory.remove(&segment::name_of(self.first()))?;
            if self.durability == Durability::Power {
                self.directory.sync()?; // so that no later file can be gone without this one
            }
            self.segments.pop_front();
            let first = self.first();
            while self.records.front().is_some_and(|record| record.number < first) {
                self.records.pop_front();
            }
        }
        Ok(())
    }

    /// The files as they are now, for a caller who syncs them without holding up appends.
    pub(crate) fn files(&self) -> Files {
        Files { directory: self.directory.clone(), segments: self.segments.iter().cloned().collect() }
    }

    /// The directory, for messages.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.path("")
    }
}

/// The files of a log.
#[derive(Debug)]
pub(crate) struct Files {
    directory: Arc<Directory>,
    segments: Vec<Arc<Segment>>,
}

impl Files {
    /// Makes what they held when this was called survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        self.segments.iter().try_for_each(|segment| segment.file().sync())?;
        self.directory.sync()
    }
}

impl Location {
    pub(crate) fn file(&self) -> &RawFile {
        self.segment.file()
    }

    /// Reads and verifies the payload.
    pub(crate) fn read(&self) -> Result<Vec<u8>, StorageError> {
        match self.segment.read_record(self.offset, self.number, self.length)? {
            Some(payload) => Ok(payload),
            None => Err(self.corrupt(Corruption::Checksum)),
        }
    }

    /// Reads the first bytes of the payload, unverified; zeros where it is shorter.
    pub(crate) fn peek<const N: usize>(&self) -> Result<[u8; N], StorageError> {
        let mut bytes = [0; N];
        let there = N.min(usize::try_from(self.length).unwrap_or(N));
        self.file().read_at(self.offset + RECORD_HEADER_BYTES as u64, &mut bytes[..there])?;
        Ok(bytes)
    }

    /// The error that says what is wrong with this record.
    pub(crate) fn corrupt(&self, what: Corruption) -> StorageError {
        StorageError::Corrupt { file: self.file().path().into(), offset: self.offset, what }
    }
}

#[cfg(test)]
mod tests;
