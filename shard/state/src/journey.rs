//! The journey of a receipt from the transaction that sent it to what it did, for whoever follows the beacon chain alone.
//!
//! A light client knows each shard's accepted header. From there a few kilobytes lead to any finalized block of the shard,
//! to a transaction in it and to its events: that of the source has sent the receipt, that of the destination is the
//! receipt itself. Nobody has to be asked, and nobody trusted.
//!
//! Rules: docs/spec/receipts.md#proof-of-a-journey

use alloy_consensus::ReceiptEnvelope;
use alloy_eips::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{B256, Log, keccak256};
use consensus::light::{Finalized, LightClient, LightError};
use crypto::mmr::MmrProof;
use primitives::{Chain, Height, Inclusion, Receipt, ShardHeader, ShardId, Unverified};

use crate::{
    portal,
    receipt::{TransactionReceipt, transaction_branch, verify_transaction_branch},
};

#[cfg(test)]
mod tests;

/// A transaction that a finalized block has, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The block.
    pub header: Finalized<ShardHeader>,
    /// The transaction, or the receipt from another chain.
    pub hash: B256,
    /// Whether it did what it was to do.
    pub success: bool,
    /// Its events.
    pub logs: Vec<Log>,
}

/// A receipt that was sent and consumed, finally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// The receipt.
    pub receipt: Receipt,
    /// The transaction that sent it, or the receipt that did.
    pub sent_by: B256,
    /// Height of the source's block.
    pub sent_at: Height,
    /// Height of the destination's block.
    pub consumed_at: Height,
    /// Whether it did there what it was to do; if not, it bounced.
    pub success: bool,
    /// The events of what it did.
    pub logs: Vec<Log>,
}

/// Why an inclusion proves nothing; whoever made it is at fault, or the light client is at another header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The header is not finalized, as far as the light client knows.
    #[error("the header: {0}")]
    Header(#[from] LightError),
    /// A proof too many, or too few.
    #[error("the header takes {expected} history proofs, found {found}")]
    Histories {
        /// None if it is the accepted one, else one.
        expected: usize,
        /// How many.
        found: usize,
    },
    /// Not in the block.
    #[error("transaction {hash} is not at index {index} of the block")]
    Transaction {
        /// Its hash.
        hash: B256,
        /// Its supposed place.
        index: u32,
    },
    /// Not what came of it.
    #[error("the outcome is not that of the transaction at index {index} of the block")]
    Outcome {
        /// The transaction's place.
        index: u32,
    },
    /// It cannot be read.
    #[error("the outcome is no EIP-2718 encoded transaction receipt")]
    Malformed,
}

/// Why there is no such journey.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JourneyError {
    /// The source's half.
    #[error("at the source: {0}")]
    Source(InclusionError),
    /// The destination's half.
    #[error("at the destination: {0}")]
    Destination(InclusionError),
    /// The transaction sent something else, or nothing.
    #[error("transaction {hash} sent no receipt {id}")]
    NotSent {
        /// The transaction.
        hash: B256,
        /// The receipt.
        id: B256,
    },
    /// To the beacon chain, or proven on another shard than it is for.
    #[error("the receipt is for chain {expected}, what is proven is of shard {found}")]
    OtherShard {
        /// Where it goes.
        expected: Chain,
        /// Whose block it is.
        found: ShardId,
    },
    /// Another transaction of the destination.
    #[error("the destination's block has {found} where the receipt {id} should be")]
    NotConsumed {
        /// The receipt.
        id: B256,
        /// What is there.
        found: B256,
    },
}

/// Proves the transaction at `index` of a block, given the hashes and outcomes of all of them in order. `None` if there is
/// none.
pub fn prove(
    header: ShardHeader,
    history: Option<MmrProof>,
    hashes: &[B256],
    outcomes: &[TransactionReceipt],
    index: u32,
) -> Option<Inclusion> {
    let (hash, outcome) = (*hashes.get(index as usize)?, outcomes.get(index as usize)?);
    let leaves: Vec<B256> = outcomes.iter().map(TransactionReceipt::hash).collect();
    Some(Inclusion {
        header,
        history: history.into_iter().collect(),
        index,
        hash,
        transaction_branch: transaction_branch(hashes, index.into())?,
        outcome: outcome.envelope.encoded_2718().into(),
        outcome_branch: transaction_branch(&leaves, index.into())?,
    })
}

/// Verifies that a transaction is in a finalized block, as far as the light client knows.
pub fn verify_inclusion(
    client: &LightClient,
    inclusion: Unverified<Inclusion>,
) -> Result<Included, InclusionError> {
    let Inclusion { header, history, index, hash, transaction_branch, outcome, outcome_branch } =
        inclusion.into_unverified();
    let accepted = client.record(header.shard)?.accepted.height;
    let (expected, found) = (usize::from(header.height != accepted), history.len());
    if expected != found {
        return Err(InclusionError::Histories { expected, found });
    }
    let nothing = MmrProof { leaf_count: 0, leaf_index: 0, path: Vec::new() };
    let proof = history.first().unwrap_or(&nothing);
    let finalized = client.finalized_ancestor(header.shard, &header, proof)?;
    let place = u64::from(index);
    if !verify_transaction_branch(&hash, place, &transaction_branch, &header.transactions_root) {
        return Err(InclusionError::Transaction { hash, index });
    }
    let leaf = keccak256(&outcome);
    if !verify_transaction_branch(&leaf, place, &outcome_branch, &header.transaction_receipts_root) {
        return Err(InclusionError::Outcome { index });
    }
    let envelope =
        ReceiptEnvelope::<Log>::decode_2718_exact(&outcome).map_err(|_| InclusionError::Malformed)?;
    let (success, logs) = (envelope.status(), envelope.logs().to_vec());
    Ok(Included { header: finalized, hash, success, logs })
}

/// Verifies that the receipt `id` was sent by a transaction of its source and consumed by its destination, for ever.
pub fn verify(
    client: &LightClient,
    id: B256,
    sent: Unverified<Inclusion>,
    consumed: Unverified<Inclusion>,
) -> Result<Journey, JourneyError> {
    let sent = verify_inclusion(client, sent).map_err(JourneyError::Source)?;
    let consumed = verify_inclusion(client, consumed).map_err(JourneyError::Destination)?;
    let not_sent = JourneyError::NotSent { hash: sent.hash, id };
    let receipts = portal::sent(sent.header.shard, &sent.logs);
    let receipt = receipts.into_iter().find(|receipt| receipt.id() == id).ok_or(not_sent)?;
    let (expected, found) = (receipt.lane.destination, consumed.header.shard);
    if expected != Chain::from(found) {
        return Err(JourneyError::OtherShard { expected, found });
    }
    if consumed.hash != id {
        return Err(JourneyError::NotConsumed { id, found: consumed.hash });
    }
    let Included { header, success, logs, .. } = consumed;
    let (sent_by, sent_at, consumed_at) = (sent.hash, sent.header.height, header.height);
    Ok(Journey { receipt, sent_by, sent_at, consumed_at, success, logs })
}
