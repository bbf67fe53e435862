//! Remembers what was voted for, so that no seat contradicts itself, whatever happens to the node.
//!
//! What always holds: a vote is on disk before its signature leaves this package, and no vote is
//! signed that together with a remembered one would be evidence. Views below the window that is
//! remembered are refused outright.
//!
//! The BFT engine keeps a journal of its own; this is the second lock, for the day a data directory
//! is lost or copied while the keys live on.

use primitives::{B256, Chain, Epoch, PublicKeyBytes, View, Vote, VoteKind};
use ssz::{Decode as _, Encode as _};
use ssz_derive::{Decode, Encode};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Views of one epoch that are remembered, counted from the highest voted in.
const VIEWS_KEPT: u64 = 256;
/// Epochs of one chain that are remembered, counted from the highest voted in.
const EPOCHS_KEPT: u64 = 4;
/// The file is rewritten when it holds this many records more than are remembered.
const RECORDS_SLACK: usize = 1 << 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Record {
    seat: PublicKeyBytes,
    vote: Vote,
}

/// Why a vote is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It and an earlier vote would be evidence.
    #[error("epoch {epoch} view {view}: already voted {earlier:?}")]
    Contradiction {
        /// The term.
        epoch: Epoch,
        /// The view.
        view: View,
        /// What was said before.
        earlier: VoteKind,
    },
    /// Too far back to know what was voted.
    #[error(
        "epoch {epoch} view {view} is below what is remembered, which starts at epoch {first_epoch} view {first_view}"
    )]
    Forgotten {
        /// The vote's term.
        epoch: Epoch,
        /// The vote's view.
        view: View,
        /// Oldest remembered term.
        first_epoch: Epoch,
        /// Oldest remembered view of the newest term.
        first_view: View,
    },
    /// The vote could not be written down.
    #[error("the protection file cannot be written: {0}")]
    Disk(String),
}

/// Why a protection file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ProtectionError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process signs with these keys.
    #[error("{0} is held by another process: a validator's keys must be used by one node of a kind only")]
    Locked(PathBuf),
    /// A record in the middle is not readable.
    #[error("{path}: record {index} is damaged; restore the file or wait {EPOCHS_KEPT} epochs and remove it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its place.
        index: usize,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Said {
    notarize: Option<(View, B256)>,
    finalize: Option<(View, B256)>,
    nullify: bool,
}

impl Said {
    /// The earlier vote that `vote` contradicts.
    fn contradiction(&self, vote: &Vote) -> Option<VoteKind> {
        let statement = (vote.parent_view, vote.id);
        let differs = |earlier: Option<(View, B256)>| earlier.is_some_and(|earlier| earlier != statement);
        match vote.kind {
            VoteKind::Notarize if differs(self.notarize) => Some(VoteKind::Notarize),
            VoteKind::Finalize if differs(self.finalize) => Some(VoteKind::Finalize),
            VoteKind::Finalize if self.nullify => Some(VoteKind::Nullify),
            VoteKind::Nullify if self.finalize.is_some() => Some(VoteKind::Finalize),
            _ => None,
        }
    }

    fn knows(&self, vote: &Vote) -> bool {
        match vote.kind {
            VoteKind::Notarize => self.notarize.is_some(),
            VoteKind::Finalize => self.finalize.is_some(),
            VoteKind::Nullify => self.nullify,
        }
    }

    fn add(&mut self, vote: &Vote) {
        match vote.kind {
            VoteKind::Notarize => self.notarize = Some((vote.parent_view, vote.id)),
            VoteKind::Finalize => self.finalize = Some((vote.parent_view, vote.id)),
            VoteKind::Nullify => self.nullify = true,
        }
    }
}

/// Votes of one seat on one chain.
type Epochs = BTreeMap<Epoch, BTreeMap<View, Said>>;

/// Everything this process has voted for, in memory and in one append-only file.
#[derive(Debug)]
pub struct Protection {
    seats: BTreeMap<(PublicKeyBytes, Chain), Epochs>,
    file: Option<(PathBuf, File)>,
    records: usize,
    sync: bool,
}

impl Protection {
    /// Remembers in memory only: for simulations, whose crashes keep the process.
    pub fn in_memory() -> Self {
        Self { seats: BTreeMap::new(), file: None, records: 0, sync: false }
    }

    /// Opens or creates the file. `sync` waits for the disk before every signature: needed to
    /// survive a power cut, not to survive the process.
    pub fn open(path: &Path, sync: bool) -> Result<Self, ProtectionError> {
        let io = |source| ProtectionError::Io { path: path.into(), source };
        let file = fs::OpenOptions::new().create(true).append(true).read(true).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(ProtectionError::Locked(path.into())),
            Err(fs::TryLockError::Error(source)) => return Err(io(source)),
        }
        let bytes = fs::read(path).map_err(io)?;
        let width = Self::record_width();
        let whole = bytes.len() / width * width;
        // A torn last record was never followed by a signature.
        file.set_len(whole as u64).map_err(io)?;
        let mut protection = Self { seats: BTreeMap::new(), file: None, records: 0, sync };
        for (index, chunk) in bytes[..whole].chunks_exact(width).enumerate() {
            let (record, sum) = chunk.split_at(width - 8);
            let damaged = || ProtectionError::Damaged { path: path.into(), index };
            if crypto::hash::blake3(record)[..8] != *sum {
                return Err(damaged());
            }
            let record = Record::from_ssz_bytes(record).map_err(|_| damaged())?;
            protection.remember(&record);
        }
        protection.records = whole / width;
        protection.file = Some((path.into(), file));
        Ok(protection)
    }

    /// Writes down that `seat` votes `vote`, unless it must not.
    pub fn permit(&mut self, seat: &PublicKeyBytes, vote: &Vote) -> Result<(), Refusal> {
        let record = Record { seat: *seat, vote: *vote };
        if let Some(epochs) = self.seats.get(&(*seat, vote.chain)) {
            Self::refuse_forgotten(epochs, vote)?;
            if let Some(said) = epochs.get(&vote.epoch).and_then(|views| views.get(&vote.view)) {
                if let Some(earlier) = said.contradiction(vote) {
                    return Err(Refusal::Contradiction { epoch: vote.epoch, view: vote.view, earlier });
                }
                if said.knows(vote) {
                    return Ok(());
                }
            }
        }
        self.append(&record).map_err(|error| Refusal::Disk(error.to_string()))?;
        self.remember(&record);
        Ok(())
    }

    fn refuse_forgotten(epochs: &Epochs, vote: &Vote) -> Result<(), Refusal> {
        let Some((newest, _)) = epochs.last_key_value() else { return Ok(()) };
        let first_epoch = Epoch::new(newest.get().saturating_sub(EPOCHS_KEPT - 1));
        let first_view = epochs
            .get(&vote.epoch)
            .and_then(|views| views.last_key_value())
            .map_or(View::ZERO, |(view, _)| View::new(view.get().saturating_sub(VIEWS_KEPT - 1)));
        if vote.epoch < first_epoch || vote.view < first_view {
            let (epoch, view) = (vote.epoch, vote.view);
            return Err(Refusal::Forgotten { epoch, view, first_epoch, first_view });
        }
        Ok(())
    }

    fn remember(&mut self, record: &Record) {
        let vote = &record.vote;
        let epochs = self.seats.entry((record.seat, vote.chain)).or_default();
        let views = epochs.entry(vote.epoch).or_default();
        views.entry(vote.view).or_default().add(vote);
        while views.len() as u64 > VIEWS_KEPT {
            views.pop_first();
        }
        while epochs.len() as u64 > EPOCHS_KEPT {
            epochs.pop_first();
        }
    }

    fn record_width() -> usize {
        <Record as ssz::Encode>::ssz_fixed_len() + 8
    }

    fn encode(record: &Record, buffer: &mut Vec<u8>) {
        let bytes = record.as_ssz_bytes();
        buffer.extend_from_slice(&bytes);
        buffer.extend_from_slice(&crypto::hash::blake3(&bytes)[..8]);
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        let remembered: usize = self.seats.values().flat_map(BTreeMap::values).map(BTreeMap::len).sum();
        if self.file.is_some() && self.records > 3 * remembered + RECORDS_SLACK {
            self.rewrite()?;
        }
        let Some((_, file)) = &mut self.file else { return Ok(()) };
        let mut buffer = Vec::with_capacity(Self::record_width());
        Self::encode(record, &mut buffer);
        file.write_all(&buffer)?;
        self.records += 1;
        if self.sync { file.sync_data() } else { Ok(()) }
    }

    /// Replaces the file by one that holds only what is remembered.
    fn rewrite(&mut self) -> io::Result<()> {
        let Some((path, _)) = &self.file else { return Ok(()) };
        let path = path.clone();
        let (mut buffer, mut records) = (Vec::new(), 0);
        for ((seat, chain), epochs) in &self.seats {
            for (epoch, views) in epochs {
                for (view, said) in views {
                    for vote in said.votes(*chain, *epoch, *view) {
                        Self::encode(&Record { seat: *seat, vote }, &mut buffer);
                        records += 1;
                    }
                }
            }
        }
        let next = path.with_extension("next");
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).open(&next)?;
        file.write_all(&buffer)?;
        file.sync_all()?;
        file.try_lock().map_err(io::Error::from)?;
        fs::rename(&next, &path)?;
        self.records = records;
        self.file = Some((path, file));
        Ok(())
    }
}

impl Said {
    fn votes(&self, chain: Chain, epoch: Epoch, view: View) -> impl Iterator<Item = Vote> {
        let vote = move |kind, (parent_view, id)| Vote { kind, chain, epoch, view, parent_view, id };
        [
            self.notarize.map(|statement| vote(VoteKind::Notarize, statement)),
            self.finalize.map(|statement| vote(VoteKind::Finalize, statement)),
            self.nullify.then(|| vote(VoteKind::Nullify, (View::ZERO, B256::ZERO))),
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests;
