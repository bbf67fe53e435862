//! One file of the journal: a header, then records.
//!
//! Segment header: magic (8), number of the first record (8), salt (16), checksum of these (16).
//! Record: mark (4), payload length (4), number (8), checksum of length, number and payload (16),
//! payload. Integers are little-endian; checksums are BLAKE3, cut to 16 bytes, and a record's is
//! keyed by the segment header.

use crate::{
    disk::RawFile,
    error::{Corruption, StorageError},
};

const MAGIC: [u8; 8] = *b"atolllog";
const SEGMENT_HEADER_BYTES: usize = 48;
pub(super) const RECORD_HEADER_BYTES: usize = 32;
const NAME_SUFFIX: &str = ".log";

/// The name of the segment whose first record has this number; names sort as numbers do.
pub(super) fn name_of(first: u64) -> String {
    format!("{first:020}{NAME_SUFFIX}")
}

/// Inverse of [`name_of`].
pub(super) fn first_of(name: &str) -> Option<u64> {
    let first = name.strip_suffix(NAME_SUFFIX)?.parse().ok()?;
    (name_of(first) == name).then_some(first)
}

/// One file of the journal.
#[derive(Debug)]
pub(crate) struct Segment {
    file: RawFile,
    first: u64,
    key: [u8; 32],
    mark: [u8; 4],
}

/// What a segment file holds.
pub(super) struct Scan {
    /// Offset and payload length of each valid record.
    pub(super) records: Vec<(u64, u32)>,
    /// Where the last of them ends.
    pub(super) end: u64,
    /// Length of the file.
    pub(super) length: u64,
}

impl Segment {
    /// Writes the header into an empty file; also returns the file's length.
    pub(super) fn create(file: RawFile, first: u64, salt: [u8; 16]) -> Result<(Self, u64), StorageError> {
        let mut header = [0; SEGMENT_HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..16].copy_from_slice(&first.to_le_bytes());
        header[16..32].copy_from_slice(&salt);
        let checksum = blake3::hash(&header[..32]);
        header[32..].copy_from_slice(&checksum.as_bytes()[..16]);
        file.append_at(0, &header)?;
        Ok((Self::new(file, first, &header), SEGMENT_HEADER_BYTES as u64))
    }

    /// Whether the file was being created when the program ended: no record can be in it.
    pub(super) fn is_torn(file: &RawFile) -> Result<bool, StorageError> {
        let length = file.length()?;
        if length > SEGMENT_HEADER_BYTES as u64 {
            return Ok(false);
        }
        Ok(length < SEGMENT_HEADER_BYTES as u64 || Self::read_header(file)?.is_none())
    }

    pub(super) fn open(file: RawFile, first: u64) -> Result<Self, StorageError> {
        let header = match file.length()? {
            length if length < SEGMENT_HEADER_BYTES as u64 => None,
            _ => Self::read_header(&file)?,
        };
        match header.filter(|header| header[8..16] == first.to_le_bytes()) {
            Some(header) => Ok(Self::new(file, first, &header)),
            None => Err(StorageError::Corrupt {
                file: file.path().into(),
                offset: 0,
                what: Corruption::SegmentHeader,
            }),
        }
    }

    /// The header, if it is valid.
    fn read_header(file: &RawFile) -> Result<Option<[u8; SEGMENT_HEADER_BYTES]>, StorageError> {
        let mut header = [0; SEGMENT_HEADER_BYTES];
        file.read_at(0, &mut header)?;
        let valid = header[..8] == MAGIC && header[32..] == blake3::hash(&header[..32]).as_bytes()[..16];
        Ok(valid.then_some(header))
    }

    fn new(file: RawFile, first: u64, header: &[u8; SEGMENT_HEADER_BYTES]) -> Self {
        let derived = blake3::derive_key("atoll storage journal segment", header);
        let mark = [derived[0], derived[1], derived[2], derived[3]];
        let key = blake3::derive_key("atoll storage journal record", header);
        Self { file, first, key, mark }
    }

    pub(crate) const fn file(&self) -> &RawFile {
        &self.file
    }

    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// Fills in the header of the record whose payload `record` holds after it.
    pub(super) fn seal(&self, record: &mut [u8], number: u64, length: u32) {
        let (header, payload) = record.split_at_mut(RECORD_HEADER_BYTES);
        header[..4].copy_from_slice(&self.mark);
        header[4..8].copy_from_slice(&length.to_le_bytes());
        header[8..16].copy_from_slice(&number.to_le_bytes());
        let checksum = self.checksum(&header[4..16], payload);
        header[16..].copy_from_slice(&checksum);
    }

    fn checksum(&self, header: &[u8], payload: &[u8]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let mut checksum = [0; 16];
        hasher.update(header).update(payload).finalize_xof().fill(&mut checksum);
        checksum
    }

    /// Follows the records from the first one to the end, or to the first that is not valid.
    pub(super) fn scan(&self, verify: bool) -> Result<Scan, StorageError> {
        let length = self.file.length()?;
        let mut records = Vec::new();
        let mut end = SEGMENT_HEADER_BYTES as u64;
        while let Some(header) = self.read_record_header(end, length)? {
            let number = self.first + records.len() as u64;
            if header.number != number || (verify && self.read_record(end, number, header.length)?.is_none())
            {
                break;
            }
            records.push((end, header.length));
            end += RECORD_HEADER_BYTES as u64 + u64::from(header.length);
        }
        Ok(Scan { records, end, length })
    }

    /// The header at `offset`, if it can be one: it has the mark, and its payload fits in the file.
    fn read_record_header(&self, offset: u64, length: u64) -> Result<Option<RecordHeader>, StorageError> {
        let Some(rest) = length.checked_sub(offset + RECORD_HEADER_BYTES as u64) else { return Ok(None) };
        let mut bytes = [0; RECORD_HEADER_BYTES];
        self.file.read_at(offset, &mut bytes)?;
        let header = RecordHeader::read(&bytes);
        Ok((bytes[..4] == self.mark && u64::from(header.length) <= rest).then_some(header))
    }

    /// Reads the payload of the record at `offset`; `None` if it fails the checksum.
    pub(super) fn read_record(
        &self,
        offset: u64,
        number: u64,
        length: u32,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let mut header = [0; RECORD_HEADER_BYTES];
        self.file.read_at(offset, &mut header)?;
        let mut payload = vec![0; length as usize];
        self.file.read_at(offset + RECORD_HEADER_BYTES as u64, &mut payload)?;
        let found = RecordHeader::read(&header);
        let valid = found.number == number
            && found.length == length
            && header[16..] == self.checksum(&header[4..16], &payload);
        Ok(valid.then_some(payload))
    }

    /// Whether a valid record starts anywhere after `from`, which holds none: then that one was
    /// damaged, because a torn record is the last. `next` is the lowest number it can have.
    pub(super) fn holds_record(&self, from: u64, length: u64, next: u64) -> Result<bool, StorageError> {
        const CHUNK: usize = 1 << 20;
        let mut chunk = vec![0; CHUNK + self.mark.len()];
        let mut start = from + 1;
        while start < length {
            let there = usize::try_from(length - start).map_or(chunk.len(), |rest| rest.min(chunk.len()));
            self.file.read_at(start, &mut chunk[..there])?;
            for (index, _) in
                chunk[..there].windows(self.mark.len()).enumerate().filter(|(_, mark)| *mark == self.mark)
            {
                let offset = start + index as u64;
                if let Some(header) = self.read_record_header(offset, length)?
                    && header.number >= next
                    && self.read_record(offset, header.number, header.length)?.is_some()
                {
                    return Ok(true);
                }
            }
            start += CHUNK as u64;
        }
        Ok(false)
    }
}

/// What a record's header says, but for its mark and checksum.
struct RecordHeader {
    length: u32,
    number: u64,
}

impl RecordHeader {
    const fn read(bytes: &[u8; RECORD_HEADER_BYTES]) -> Self {
        let [_, _, _, _, a, b, c, d, number @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *bytes;
        Self { length: u32::from_le_bytes([a, b, c, d]), number: u64::from_le_bytes(number) }
    }
}
