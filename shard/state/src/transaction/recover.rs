//! Senders and EIP-7702 authorities, recovered together.

use alloy_consensus::{Transaction as _, TxEnvelope};
use alloy_eips::eip7702::{RecoveredAuthority, RecoveredAuthorization, SignedAuthorization};
use alloy_primitives::{B256, Bytes, Signature};
use crypto::secp256k1::{RecoverError, RecoveryInput, recover_batch};
use primitives::{Address, Verified};
use rayon::prelude::*;

use super::{Origin, Transaction, TransactionError, TransactionLimits, Unrecovered, decode};

/// Fewer transactions than this are decoded sooner than threads wake up.
const PARALLEL_MIN: usize = 128;

/// Decodes and verifies many transactions, each on its own, in the order given.
pub fn verify_batch(
    encoded: Vec<Bytes>,
    limits: &TransactionLimits,
) -> Vec<Result<Verified<Transaction>, TransactionError>> {
    let decoded = if encoded.len() < PARALLEL_MIN {
        encoded.into_iter().map(|bytes| decode(bytes, limits)).collect()
    } else {
        encoded.into_par_iter().with_min_len(PARALLEL_MIN / 4).map(|bytes| decode(bytes, limits)).collect()
    };
    recover(decoded)
}

/// Recovers the authorities of EIP-7702 authorizations in one batch; one whose signature is wrong is kept, and has
/// none.
pub fn recover_authorizations(signed: &[SignedAuthorization]) -> Vec<RecoveredAuthorization> {
    let inputs: Vec<_> = signed.iter().filter_map(authority_input).collect();
    recovered(signed, &mut recover_batch(&inputs).into_iter())
}

/// Recovers the signers of many decoded transactions in one batch; what failed before keeps its error.
pub fn recover(
    decoded: Vec<Result<Unrecovered, TransactionError>>,
) -> Vec<Result<Verified<Transaction>, TransactionError>> {
    let mut inputs = Vec::with_capacity(decoded.len());
    for transaction in decoded.iter().flatten() {
        inputs.push(sender_input(&transaction.envelope));
        inputs.extend(authorizations(transaction).iter().filter_map(authority_input));
    }
    let mut signers = recover_batch(&inputs).into_iter();
    decoded
        .into_iter()
        .map(|decoded| decoded.and_then(|transaction| with_signers(transaction, &mut signers)))
        .collect()
}

/// Makes somebody the sender of a transaction that need not be signed by them, or by anyone: for a development chain,
/// whose owner may speak for every account. The sender may then be a contract.
pub fn impersonate(
    transaction: Unrecovered,
    sender: Address,
) -> Result<Verified<Transaction>, TransactionError> {
    let inputs: Vec<_> = authorizations(&transaction).iter().filter_map(authority_input).collect();
    let mut signers = std::iter::once(Ok(sender)).chain(recover_batch(&inputs));
    let transaction = with_signers(transaction, &mut signers)?.into_inner();
    Ok(Verified::assert(Transaction { origin: Origin::Impersonated, ..transaction }))
}

/// Takes exactly the signers that were asked for this transaction, also when the first of them is wrong.
fn with_signers(
    transaction: Unrecovered,
    signers: &mut impl Iterator<Item = Result<Address, RecoverError>>,
) -> Result<Verified<Transaction>, TransactionError> {
    let sender = signers.next().unwrap_or(Err(RecoverError::NoSuchKey));
    let authorizations = recovered(authorizations(&transaction), signers);
    let sender = sender.map_err(TransactionError::InvalidSender)?;
    let Unrecovered { envelope, encoded, intrinsic } = transaction;
    Ok(Verified::assert(Transaction {
        envelope,
        encoded,
        sender,
        intrinsic,
        authorizations,
        origin: Origin::Signed,
    }))
}

/// Authorizations with their authorities; takes exactly the signers that were asked for them.
fn recovered(
    signed: &[SignedAuthorization],
    signers: &mut impl Iterator<Item = Result<Address, RecoverError>>,
) -> Vec<RecoveredAuthorization> {
    let recovered = signed.iter().map(|signed| {
        let authority = authority_input(signed).and_then(|_| signers.next()?.ok());
        let authority = authority.map_or(RecoveredAuthority::Invalid, RecoveredAuthority::Valid);
        RecoveredAuthorization::new_unchecked(signed.inner().clone(), authority)
    });
    recovered.collect()
}

fn authorizations(transaction: &Unrecovered) -> &[SignedAuthorization] {
    transaction.envelope.authorization_list().unwrap_or_default()
}

fn sender_input(envelope: &TxEnvelope) -> RecoveryInput {
    RecoveryInput::new(signature_hash(envelope), envelope.signature())
}

fn signature_hash(envelope: &TxEnvelope) -> B256 {
    envelope.signature_hash()
}

/// None if the signature is not even of the right form.
fn authority_input(signed: &SignedAuthorization) -> Option<RecoveryInput> {
    let signature: Signature = signed.signature().ok()?;
    Some(RecoveryInput::new(signed.signature_hash(), &signature))
}
