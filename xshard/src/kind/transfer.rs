//! Value to an account of another chain.

use primitives::{Address, ReceiptKind};
use ssz_derive::{Decode, Encode};

/// Credits the receipt's value to an account. No code runs, as with a withdrawal from the beacon chain (EIP-4895), so
/// it cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Transfer {
    /// Who receives it.
    pub to: Address,
}

impl Transfer {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(0);
}
