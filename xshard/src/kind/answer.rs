//! What became of a receipt, on its way back.

use primitives::{Address, B256, Bytes, ReceiptKind};
use ssz_derive::{Decode, Encode};

/// Tells the sender of a receipt how it went, and brings back what was not used: gas that was paid for, and if it failed
/// (a *bounce*) the value. The receipt's own gas is what the sender's callback may use.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// The receipt that is answered.
    pub id: B256,
    /// Who sent it.
    pub to: Address,
    /// How it went.
    pub verdict: Verdict,
    /// Of the receipt's value, the part that pays back gas, wei.
    pub refund: primitives::U256,
    /// What one unit of the callback's gas cost, wei.
    pub gas_price: u64,
    /// What the call returned, or reverted with; cut where its gas ended.
    pub data: Bytes,
}

/// How a receipt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[ssz(enum_behaviour = "tag")]
pub enum Verdict {
    /// It did what it was to do.
    Done,
    /// The contract reverted.
    Reverted,
    /// The contract ran out of gas, or into another error.
    Halted,
    /// It arrived after its deadline.
    Expired,
    /// There is no code to call.
    NoCode,
    /// The destination does not know its kind, or cannot read it.
    Unreadable,
    /// The beacon chain does not do it; the data is one byte, a [`super::Refusal`].
    Refused,
}

impl Verdict {
    /// Whether the value comes back.
    pub const fn is_bounce(self) -> bool {
        !matches!(self, Self::Done)
    }

    /// The tag, as contracts and events have it.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl Answer {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(2);
}
