//! What the records of the log mean: commits, writes and rewinds, and which of them count.
//!
//! What always holds: the sequences of commits rise by one, and a rewind makes the commits above
//! its target as if they had never been, in the same record as the changes that undo them.

use std::collections::BTreeMap;

use crate::{
    batch::Batch,
    error::{Corruption, StorageError},
    log::{ChangeLog, Location},
    tables::Position,
};

/// What a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Brings the store to this sequence; carries the caller's record.
    Commit(u64),
    /// Changes tables and no sequence.
    Write,
    /// Takes the store back to this sequence.
    Rewind(u64),
}

/// Kind (1), sequence (8), length of the caller's record (4).
const PREFIX_BYTES: usize = 13;

impl Kind {
    fn encode(self) -> [u8; 9] {
        let (tag, sequence) = match self {
            Self::Commit(sequence) => (1, sequence),
            Self::Write => (2, 0),
            Self::Rewind(sequence) => (3, sequence),
        };
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&sequence.to_le_bytes());
        bytes
    }

    fn decode([tag, sequence @ ..]: [u8; 9]) -> Option<Self> {
        match (tag, u64::from_le_bytes(sequence)) {
            (1, sequence) => Some(Self::Commit(sequence)),
            (2, 0) => Some(Self::Write),
            (3, sequence) => Some(Self::Rewind(sequence)),
            _ => None,
        }
    }
}

/// The log, and where the record of each sequence is in it.
#[derive(Debug)]
pub(crate) struct Journal {
    log: ChangeLog,
    /// Sequence to number of the record that committed it.
    commits: BTreeMap<u64, u64>,
    sequence: Option<u64>,
}

/// A record that the tables do not have yet.
pub(crate) struct Replayed {
    pub(crate) position: Position,
    pub(crate) batch: Batch,
}

impl Journal {
    /// Takes stock of a log that was opened, given how far the tables are; also returns what they lack.
    pub(crate) fn open(
        log: ChangeLog,
        applied: Position,
        tables: &[&'static str],
    ) -> Result<(Self, Vec<Replayed>), StorageError> {
        let corrupt = |what| StorageError::Corrupt { file: log.path(), offset: 0, what };
        if log.first() > applied.number + 1 {
            return Err(corrupt(Corruption::MissingStart { tables: applied.number, journal: log.first() }));
        }
        if log.next() <= applied.number {
            return Err(corrupt(Corruption::MissingEnd { tables: applied.number, journal: log.next() - 1 }));
        }
        let numbers = log.first()..log.next();
        let mut journal = Self { log, commits: BTreeMap::new(), sequence: applied.sequence };
        let mut replayed = Vec::new();
        for number in numbers {
            let Some(location) = journal.log.location(number).cloned() else { continue };
            let kind = Kind::decode(location.peek()?).ok_or_else(|| location.corrupt(Corruption::Content))?;
            if number <= applied.number {
                journal.index(kind, number);
                continue;
            }
            if let (Kind::Commit(found), Some(last)) = (kind, journal.sequence)
                && last.checked_add(1) != Some(found)
            {
                return Err(location.corrupt(Corruption::Order { last, found }));
            }
            journal.advance(kind, number);
            let batch = read_batch(&location, tables)?;
            replayed.push(Replayed { position: Position { number, sequence: journal.sequence }, batch });
        }
        Ok((journal, replayed))
    }

    /// Notes where the commits that count are.
    fn index(&mut self, kind: Kind, number: u64) {
        match kind {
            Kind::Commit(sequence) => drop(self.commits.insert(sequence, number)),
            Kind::Write => {}
            Kind::Rewind(sequence) => self.commits.retain(|&commit, _| commit <= sequence),
        }
    }

    fn advance(&mut self, kind: Kind, number: u64) {
        self.index(kind, number);
        match kind {
            Kind::Commit(sequence) | Kind::Rewind(sequence) => self.sequence = Some(sequence),
            Kind::Write => {}
        }
    }

    /// Appends what `kind` says, if it may follow; returns the position after it.
    pub(crate) fn append(
        &mut self,
        kind: Kind,
        record: &[u8],
        batch: &Batch,
    ) -> Result<Position, StorageError> {
        match (kind, self.sequence) {
            (Kind::Commit(found), Some(last)) if last.checked_add(1) != Some(found) => {
                return Err(StorageError::NotNext { expected: last.saturating_add(1), found });
            }
            (Kind::Rewind(to), last) if last.is_none_or(|last| to >= last) => {
                return Err(StorageError::NotBack { to, last });
            }
            _ => {}
        }
        let number = self.log.append(|payload| {
            payload.extend_from_slice(&kind.encode());
            // A length that does not fit makes the payload too large, which the log refuses.
            payload.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes());
            payload.extend_from_slice(record);
            batch.encode_to(payload);
        })?;
        self.advance(kind, number);
        Ok(Position { number, sequence: self.sequence })
    }

    /// Where the records from `sequence` on are.
    pub(crate) fn commits_from(&self, sequence: u64) -> Vec<(u64, Location)> {
        let location = |(&sequence, &number)| Some((sequence, self.log.location(number)?.clone()));
        self.commits.range(sequence..).filter_map(location).collect()
    }

    /// Where the record of `sequence` is.
    pub(crate) fn commit(&self, sequence: u64) -> Option<Location> {
        self.log.location(*self.commits.get(&sequence)?).cloned()
    }

    /// The oldest sequence whose record is kept.
    pub(crate) fn first_commit(&self) -> Option<u64> {
        self.commits.first_key_value().map(|(&sequence, _)| sequence)
    }

    /// The oldest record that must stay, for the tables to catch up from `applied` and for
    /// commits from `sequence` on to be read.
    pub(crate) fn needed_from(&self, applied: u64, sequence: u64) -> u64 {
        let commit = self.commits.range(sequence..).next().map(|(_, &number)| number);
        commit.unwrap_or(u64::MAX).min(applied.saturating_add(1))
    }

    pub(crate) const fn log(&self) -> &ChangeLog {
        &self.log
    }

    /// Deletes the log's files that only hold records before `number`.
    pub(crate) fn prune(&mut self, number: u64) -> Result<(), StorageError> {
        self.log.prune(number)?;
        let first = self.log.first();
        self.commits.retain(|_, &mut commit| commit >= first);
        Ok(())
    }
}

/// Reads the caller's part of a commit.
pub(crate) fn read_record(location: &Location) -> Result<Vec<u8>, StorageError> {
    let mut payload = location.read()?;
    let (start, end) = split(&payload).ok_or_else(|| location.corrupt(Corruption::Content))?;
    payload.truncate(end);
    payload.drain(..start);
    Ok(payload)
}

fn read_batch(location: &Location, tables: &[&'static str]) -> Result<Batch, StorageError> {
    let payload = location.read()?;
    let corrupt = || location.corrupt(Corruption::Content);
    let (_, end) = split(&payload).ok_or_else(corrupt)?;
    let batch = Batch::decode(&payload[end..], tables)?.ok_or_else(corrupt)?;
    batch.check(tables)?;
    Ok(batch)
}

/// Where the caller's record starts and ends in a payload.
fn split(payload: &[u8]) -> Option<(usize, usize)> {
    let length = payload.get(9..PREFIX_BYTES)?.try_into().ok().map(u32::from_le_bytes)?;
    let end = PREFIX_BYTES.checked_add(usize::try_from(length).ok()?)?;
    (end <= payload.len()).then_some((PREFIX_BYTES, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Durability, disk::Directory, memory_disk::MemoryDisk};

    fn journal() -> Journal {
        let directory = Directory::Memory(MemoryDisk::new().attach().expect("a new disk is free"));
        let (log, _) = ChangeLog::open(directory, Durability::Process, 1 << 20, 1).expect("the log opens");
        Journal::open(log, Position::default(), &[]).expect("the journal opens").0
    }

    /// Changing this changes what is on disk: raise the format's version with it.
    #[test]
    fn the_payloads_of_records_are_frozen() {
        let mut journal = journal();
        journal.append(Kind::Commit(258), b"ab", &Batch::new()).expect("it is the first");
        journal.append(Kind::Write, &[], &Batch::new()).expect("it may follow");
        journal.append(Kind::Rewind(3), &[], &Batch::new()).expect("it goes back");
        let payload = |number| {
            let location = journal.log.location(number).expect("it was appended");
            alloy_primitives::hex::encode(location.read().expect("it is intact"))
        };
        assert_eq!(payload(1), ["01", "0201000000000000", "02000000", "6162", "00000000"].concat());
        assert_eq!(payload(2), ["02", "0000000000000000", "00000000", "00000000"].concat());
        assert_eq!(payload(3), ["03", "0300000000000000", "00000000", "00000000"].concat());
    }
}
