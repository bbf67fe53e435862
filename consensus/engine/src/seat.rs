//! Whoever holds the keys of a node's seats.

use primitives::{PublicKeyBytes, SignatureBytes, Vote};

/// One seat's right to vote. The key itself stays with whoever implements this.
pub trait SeatSigner: Send + Sync + 'static {
    /// The seat's public key, as its committee lists it.
    fn key(&self) -> PublicKeyBytes;

    /// Signs `vote`, or abstains. What was signed must be remembered before the signature is returned,
    /// across restarts: the engine may ask again, and asks for what it forgot.
    fn sign(&self, vote: &Vote) -> Option<SignatureBytes>;
}
