//! A seat's voice in the engine.

use engine::SeatSigner;
use primitives::{PublicKeyBytes, SignatureBytes, Vote};
use validator::SeatKey;

/// One of our seats. The key stays with the signer, which abstains from what an honest validator cannot say.
#[derive(Clone, Debug)]
pub(crate) struct Seat(pub(crate) SeatKey);

impl SeatSigner for Seat {
    fn key(&self) -> PublicKeyBytes {
        self.0.key()
    }

    fn sign(&self, vote: &Vote) -> Option<SignatureBytes> {
        let signed = self.0.sign_vote(vote);
        signed.inspect_err(|refusal| tracing::warn!(%refusal, ?vote, "vote not signed")).ok()
    }
}
