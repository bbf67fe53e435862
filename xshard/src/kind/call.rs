//! A call of a contract on another chain.

use primitives::{Address, B256, Bytes, Chain, ReceiptKind};
use ssz_derive::{Decode, Encode};

/// Calls an account with the receipt's value and at most the receipt's gas.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Call {
    /// Who is called.
    pub to: Address,
    /// Whether the sender signed the source transaction itself: only then is it the same account on both chains.
    pub is_signed: bool,
    /// What one unit of the receipt's gas cost at the source, wei; what is not used is paid back at this price.
    pub gas_price: u64,
    /// Gas for telling the sender how it went; zero if it does not want to know.
    pub callback_gas: u64,
    /// What it is called with.
    pub data: Bytes,
}

impl Call {
    /// Its tag.
    pub const KIND: ReceiptKind = ReceiptKind::new(1);

    /// Who calls, as the destination sees it: `sender` of `source` itself if it signed, else a stand-in that nobody
    /// holds a key of. For a contract's address need not be the same contract on another chain.
    pub fn caller(&self, source: Chain, sender: Address) -> Address {
        if self.is_signed { sender } else { stand_in(source, sender) }
    }
}

/// Address that stands for the contract `sender` of `source` on every other chain: the last 20 bytes of
/// Keccak-256("atoll contract" ‖ source, 4 bytes big-endian ‖ sender).
pub fn stand_in(source: Chain, sender: Address) -> Address {
    let mut preimage = b"atoll contract".to_vec();
    preimage.extend_from_slice(&source.code().to_be_bytes());
    preimage.extend_from_slice(sender.as_slice());
    Address::from_word(B256::new(*crypto::hash::keccak256(&preimage)))
}
