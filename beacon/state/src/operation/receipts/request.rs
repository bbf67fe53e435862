//! What a receipt asks for, or why nobody looks at it any further.

use primitives::{ChainSpec, Receipt};
use xshard::{Deposit, Exit, Payload, Refusal, TopUp, Verdict};

/// Why a receipt is not done as it asks; its answer says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Its kind is not known, or its payload is none of its kind.
    #[error("the receipt cannot be read")]
    Unreadable,
    /// It arrived after its deadline.
    #[error("the receipt is late")]
    Expired,
    /// The beacon chain does not do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Rejection {
    /// What the answer says.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Unreadable => Verdict::Unreadable,
            Self::Expired => Verdict::Expired,
            Self::Refused(_) => Verdict::Refused,
        }
    }
}

/// A receipt that was read, and has as many seats as one may have.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Deposit(Deposit),
    TopUp(TopUp),
    Exit(Exit),
}

impl Request {
    /// Reads a receipt in a block with this timestamp.
    pub(super) fn read(spec: &ChainSpec, timestamp_ms: u64, receipt: &Receipt) -> Result<Self, Rejection> {
        if receipt.deadline != 0 && receipt.deadline < timestamp_ms / 1_000 {
            return Err(Rejection::Expired);
        }
        let request = match Payload::decode(receipt.kind, &receipt.payload) {
            Ok(Payload::Deposit(deposit)) => Self::Deposit(deposit),
            Ok(Payload::TopUp(top_up)) => Self::TopUp(top_up),
            Ok(Payload::Exit(exit)) => return Ok(Self::Exit(exit)),
            Ok(_) => return Err(Refusal::Kind.into()),
            Err(_) => return Err(Rejection::Unreadable),
        };
        match request.registrations() {
            0 => Err(Refusal::Seats.into()),
            seats if seats > spec.registrations_max => Err(Refusal::Seats.into()),
            _ => Ok(request),
        }
    }

    /// Seats that it asks to register.
    pub(super) fn registrations(&self) -> u32 {
        let seats = match self {
            Self::Deposit(deposit) => deposit.seats.len(),
            Self::TopUp(top_up) => top_up.seats.len(),
            Self::Exit(_) => 0,
        };
        u32::try_from(seats).unwrap_or(u32::MAX)
    }
}
