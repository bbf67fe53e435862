//! Where transactions come in: verified in batches, whoever sends them, then offered to the pool.
//!
//! What users submitted and the pool took is gossiped, in batches too. What peers sent is not sent on: they told all
//! others themselves.

use crate::gossip::Message;
use crate::handle::{Command, SubmitError};
use alloy_primitives::{B256, Bytes};
use futures::future::{Either, select};
use primitives::Verified;
use service::runtime::SharedRuntime;
use shard_state::transaction::{Transaction, TransactionError, TransactionLimits, verify_batch};
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
/// Transactions as they came, and who waits for what becomes of them: nobody if a peer sent them.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) transactions: Vec<Bytes>,
    pub(crate) reply: Option<Answer>,
}

/// Takes the hash of each transaction, or why it was not taken.
pub(crate) type Answer = oneshot::Sender<Vec<Result<B256, SubmitError>>>;

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
        let message = Message::Transactions(std::mem::take(&mut outgoing.transactions));
        self.chain.send(Command::Gossip(message.encode())).await.ok()
    }

    /// Verifies a batch of submissions and offers it to the pool. `None` if the chain has ended.
    async fn take(&self, batch: Batch, outgoing: &mut Outgoing) -> Option<()> {
        let verified = self.verify(batch.encoded);
        let mut outcomes = self.insert(verified).await?.into_iter();
        for (count, reply) in batch.parts {
            let own: Vec<_> = outcomes.by_ref().take(count).collect();
            let Some(reply) = reply else { continue };
            for transaction in own.iter().flatten() {
                self.gossip(transaction, outgoing).await?;
            }
            // Whoever asked may have gone.
            let _ =
                reply.send(own.into_iter().map(|own| own.map(|transaction| transaction.hash())).collect());
        }
        Some(())
    }

    fn verify(&self, encoded: Vec<Bytes>) -> Vec<Result<Verified<Transaction>, TransactionError>> {
        let (mut verified, mut encoded) = (Vec::new(), Some(encoded));
        self.runtime.work(&mut || verified = verify_batch(encoded.take().unwrap_or_default(), &self.limits));
        verified
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
