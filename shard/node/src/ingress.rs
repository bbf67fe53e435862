//! Where transactions come in: verified in batches, whoever sends them, then offered to the pool.
//!
//! What users submitted and the pool took is gossiped, in batches too. What peers sent is not sent on: they told all
//! others themselves.

use crate::handle::{Command, SubmitError};
use alloy_primitives::{B256, Bytes};
use futures::future::{Either, select};
use primitives::Verified;
use service::runtime::SharedRuntime;
use shard_state::transaction::{Transaction, TransactionError, TransactionLimits, verify_batch};
use ssz::{Decode as _, Encode as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Submissions that may wait; more are told that the node is busy.
pub(crate) const SUBMISSIONS_MAX: usize = 4096;
/// Transactions that are verified together at most; one submission is never divided.
const BATCH_MAX: usize = 1024;
/// Bytes of transactions after which a gossip message is sent.
const GOSSIP_BYTES: usize = 100_000;
/// How long a transaction waits for others before it is gossiped.
const GOSSIP_DELAY: Duration = Duration::from_millis(20);
/// First byte of a gossip message that carries transactions; an SSZ list of byte lists follows.
const TRANSACTIONS: u8 = 0;
/// Largest gossip message that is read, bytes.
const GOSSIP_BYTES_MAX: usize = 1 << 19;

/// Transactions as they came, and who waits for what becomes of them: nobody if a peer sent them.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) transactions: Vec<Bytes>,
    pub(crate) reply: Option<Answer>,
}

/// Takes the hash of each transaction, or why it was not taken.
pub(crate) type Answer = oneshot::Sender<Vec<Result<B256, SubmitError>>>;

/// Why a peer's message was of no use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum GossipError {
    #[error("a message has at most {max} bytes, found {found}")]
    TooLarge { max: usize, found: usize },
    #[error("no message has kind {found:?}")]
    UnknownKind { found: Option<u8> },
    #[error("the message is no list of transactions: {0:?}")]
    Malformed(ssz::DecodeError),
}

/// Reads a peer's message.
pub(crate) fn read_gossip(payload: &[u8]) -> Result<Submission, GossipError> {
    if payload.len() > GOSSIP_BYTES_MAX {
        return Err(GossipError::TooLarge { max: GOSSIP_BYTES_MAX, found: payload.len() });
    }
    match payload.split_first() {
        Some((&TRANSACTIONS, ssz)) => {
            let transactions = Vec::<Bytes>::from_ssz_bytes(ssz).map_err(GossipError::Malformed)?;
            Ok(Submission { transactions, reply: None })
        }
        found => Err(GossipError::UnknownKind { found: found.map(|(kind, _)| *kind) }),
    }
}

fn write_gossip(transactions: &Vec<Bytes>) -> Bytes {
    let mut message = vec![TRANSACTIONS];
    transactions.ssz_append(&mut message);
    message.into()
}

/// The task that verifies.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) limits: TransactionLimits,
    pub(crate) submissions: mpsc::Receiver<Submission>,
    pub(crate) chain: mpsc::Sender<Command>,
    pub(crate) runtime: SharedRuntime,
}

impl Ingress {
    /// Runs until the chain has ended.
    pub(crate) async fn run(mut self) {
        let mut outgoing = Outgoing::default();
        while let Some(first) = self.next(&mut outgoing).await {
            let mut batch = Batch::default();
            batch.add(first);
            while batch.encoded.len() < BATCH_MAX {
                let Ok(more) = self.submissions.try_recv() else { break };
                batch.add(more);
            }
            if self.take(batch, &mut outgoing).await.is_none() {
                return;
            }
        }
    }

    /// The next submission; meanwhile sends gossip that has waited long enough.
    async fn next(&mut self, outgoing: &mut Outgoing) -> Option<Submission> {
        while !outgoing.transactions.is_empty() {
            let waited = {
                let submission = pin!(self.submissions.recv());
                match select(submission, self.runtime.sleep(GOSSIP_DELAY)).await {
                    Either::Left((submission, _)) => Some(submission),
                    Either::Right(_) => None,
                }
            };
            match waited {
                Some(submission) => return submission,
                None => self.send(outgoing).await?,
            }
        }
        self.submissions.recv().await
    }

    async fn send(&self, outgoing: &mut Outgoing) -> Option<()> {
        outgoing.bytes = 0;
        let message = write_gossip(&std::mem::take(&mut outgoing.transactions));
        self.chain.send(Command::Gossip(message)).await.ok()
    }

    /// Verifies a batch of submissions and offers it to the pool. `None` if the chain has ended.
    async fn take(&self, batch: Batch, outgoing: &mut Outgoing) -> Option<()> {
        let verified = verify_batch(batch.encoded, &self.limits);
        let mut outcomes = self.insert(verified).await?.into_iter();
        for (count, reply) in batch.parts {
            let own: Vec<_> = outcomes.by_ref().take(count).collect();
            let Some(reply) = reply else { continue };
            for transaction in own.iter().flatten() {
                self.gossip(transaction, outgoing).await?;
            }
            // Whoever asked may have gone.
            let _ = reply.send(own.into_iter().map(|own| own.map(|transaction| transaction.hash())).collect());
        }
        Some(())
    }

    async fn gossip(&self, transaction: &Transaction, outgoing: &mut Outgoing) -> Option<()> {
        outgoing.bytes += transaction.encoded().len();
        outgoing.transactions.push(transaction.encoded().clone());
        if outgoing.bytes >= GOSSIP_BYTES { self.send(outgoing).await } else { Some(()) }
    }

    /// Offers what is valid to the pool, and returns what it took.
    async fn insert(
        &self,
        verified: Vec<Result<Verified<Transaction>, TransactionError>>,
    ) -> Option<Vec<Result<Arc<Verified<Transaction>>, SubmitError>>> {
        let verified: Vec<Result<Arc<_>, _>> = verified.into_iter().map(|one| one.map(Arc::new)).collect();
        let valid: Vec<_> = verified.iter().flatten().cloned().collect();
        let (reply, outcome) = oneshot::channel();
        self.chain.send(Command::Insert(valid, reply)).await.ok()?;
        let mut inserted = outcome.await.ok()?.into_iter();
        let outcomes = verified.into_iter().map(|one| {
            let transaction = one?;
            match inserted.next() {
                Some(Ok(_)) => Ok(transaction),
                Some(Err(error)) => Err(error.into()),
                None => Err(SubmitError::Stopped),
            }
        });
        Some(outcomes.collect())
    }
}

/// Submissions that are verified together.
#[derive(Debug, Default)]
struct Batch {
    encoded: Vec<Bytes>,
    /// How many transactions each brought, and who waits for them.
    parts: Vec<(usize, Option<Answer>)>,
}

impl Batch {
    fn add(&mut self, submission: Submission) {
        let Submission { mut transactions, reply } = submission;
        self.parts.push((transactions.len(), reply));
        self.encoded.append(&mut transactions);
    }
}

/// Transactions that peers are to be told of.
#[derive(Debug, Default)]
struct Outgoing {
    transactions: Vec<Bytes>,
    bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is gossiped is read back as it was sent.
    #[test]
    fn gossip_reads_back_as_it_was_written() {
        let transactions = vec![Bytes::from_static(b"one"), Bytes::new(), Bytes::from_static(b"three")];
        let read = read_gossip(&write_gossip(&transactions)).expect("just written");
        assert_eq!(read.transactions, transactions);
    }

    /// Garbage is refused, and says what it is.
    #[test]
    fn garbage_is_no_gossip() {
        assert_eq!(read_gossip(&[]).map(drop), Err(GossipError::UnknownKind { found: None }));
        assert_eq!(read_gossip(&[9]).map(drop), Err(GossipError::UnknownKind { found: Some(9) }));
        assert!(matches!(read_gossip(&[TRANSACTIONS, 1]), Err(GossipError::Malformed(_))));
        let found = GOSSIP_BYTES_MAX + 1;
        let max = GOSSIP_BYTES_MAX;
        assert_eq!(read_gossip(&vec![0; found]).map(drop), Err(GossipError::TooLarge { max, found }));
    }
}
