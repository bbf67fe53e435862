//! What a receipt's payload means: one file and one tag per kind. Tags are never reused.

mod answer;
mod atomic;
mod call;
mod staking;
#[cfg(test)]
mod tests;
mod transfer;

pub use answer::{Answer, Verdict};
pub use atomic::{Abort, Commit, Prepare};
pub use call::{Call, stand_in};
pub use staking::{Deposit, Exit, Refusal, TopUp, Withdrawal, WithdrawalAccount};
pub use transfer::Transfer;

use primitives::{Bytes, ReceiptKind};
use ssz::{Decode, DecodeError, Encode};

/// A payload that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Value to an account.
    Transfer(Transfer),
    /// A call of a contract.
    Call(Call),
    /// What became of a receipt.
    Answer(Answer),
    /// Stake of a new validator.
    Deposit(Deposit),
    /// More stake of a validator.
    TopUp(TopUp),
    /// An end of stake.
    Exit(Exit),
    /// Stake that ended.
    Withdrawal(Withdrawal),
    /// One leg of a bundle, into escrow.
    Prepare(Prepare),
    /// An escrow, to whom it is for.
    Commit(Commit),
    /// An escrow, back to its owner.
    Abort(Abort),
}

/// Why a payload cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PayloadError {
    /// A kind of a later version, or of none.
    #[error("no receipt is of kind {}", found.get())]
    UnknownKind {
        /// The tag.
        found: ReceiptKind,
    },
    /// Not the bytes of its kind.
    #[error("the payload of kind {} does not decode: {error:?}", kind.get())]
    Malformed {
        /// The tag.
        kind: ReceiptKind,
        /// What is wrong.
        error: DecodeError,
    },
}

impl Payload {
    /// Reads the payload of a receipt of `kind`.
    pub fn decode(kind: ReceiptKind, payload: &[u8]) -> Result<Self, PayloadError> {
        match kind {
            Transfer::KIND => read(kind, payload).map(Self::Transfer),
            Call::KIND => read(kind, payload).map(Self::Call),
            Answer::KIND => read(kind, payload).map(Self::Answer),
            Deposit::KIND => read(kind, payload).map(Self::Deposit),
            TopUp::KIND => read(kind, payload).map(Self::TopUp),
            Exit::KIND => read(kind, payload).map(Self::Exit),
            Withdrawal::KIND => read(kind, payload).map(Self::Withdrawal),
            Prepare::KIND => read(kind, payload).map(Self::Prepare),
            Commit::KIND => read(kind, payload).map(Self::Commit),
            Abort::KIND => read(kind, payload).map(Self::Abort),
            found => Err(PayloadError::UnknownKind { found }),
        }
    }

    /// The tag.
    pub const fn kind(&self) -> ReceiptKind {
        match self {
            Self::Transfer(_) => Transfer::KIND,
            Self::Call(_) => Call::KIND,
            Self::Answer(_) => Answer::KIND,
            Self::Deposit(_) => Deposit::KIND,
            Self::TopUp(_) => TopUp::KIND,
            Self::Exit(_) => Exit::KIND,
            Self::Withdrawal(_) => Withdrawal::KIND,
            Self::Prepare(_) => Prepare::KIND,
            Self::Commit(_) => Commit::KIND,
            Self::Abort(_) => Abort::KIND,
        }
    }

    /// Why the beacon chain refused, if this is an answer that says so.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Answer(answer) if answer.verdict == Verdict::Refused => {
                Refusal::from_ssz_bytes(&answer.data).ok()
            }
            _ => None,
        }
    }

    /// The bytes.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Transfer(transfer) => transfer.as_ssz_bytes(),
            Self::Call(call) => call.as_ssz_bytes(),
            Self::Answer(answer) => answer.as_ssz_bytes(),
            Self::Deposit(deposit) => deposit.as_ssz_bytes(),
            Self::TopUp(top_up) => top_up.as_ssz_bytes(),
            Self::Exit(exit) => exit.as_ssz_bytes(),
            Self::Withdrawal(withdrawal) => withdrawal.as_ssz_bytes(),
            Self::Prepare(prepare) => prepare.as_ssz_bytes(),
            Self::Commit(commit) => commit.as_ssz_bytes(),
            Self::Abort(abort) => abort.as_ssz_bytes(),
        }
        .into()
    }
}

/// Whether a receipt of this kind may be answered by another one. Answers and decisions are not, so nothing goes back and
/// forth for ever; nor is what the beacon chain pays out.
pub fn is_answerable(kind: ReceiptKind) -> bool {
    !matches!(kind, Answer::KIND | Withdrawal::KIND | Commit::KIND | Abort::KIND)
}

fn read<T: Decode>(kind: ReceiptKind, payload: &[u8]) -> Result<T, PayloadError> {
    T::from_ssz_bytes(payload).map_err(|error| PayloadError::Malformed { kind, error })
}
