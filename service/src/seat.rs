//! A validator's seats as the engine hears them: it asks for signatures, the keys stay with the signer.

use engine::SeatSigner;
use primitives::{Committee, PublicKeyBytes, SignatureBytes, Vote};
use std::sync::Arc;
use validator::{SeatKey, Signer};

/// One of our seats; it abstains from what an honest validator cannot say.
#[derive(Clone, Debug)]
struct Seat(SeatKey);

impl SeatSigner for Seat {
    fn key(&self) -> PublicKeyBytes {
        self.0.key()
    }

    fn sign(&self, vote: &Vote) -> Option<SignatureBytes> {
        let signed = self.0.sign_vote(vote);
        signed.inspect_err(|refusal| tracing::warn!(%refusal, ?vote, "vote not signed")).ok()
    }
}

/// The seats of `signer` in a committee; none without a signer.
pub fn seats_in(signer: Option<&Signer>, committee: &Committee) -> Vec<Arc<dyn SeatSigner>> {
    let seats = signer.into_iter().flat_map(|signer| signer.seats_in(committee));
    seats.map(|seat| Arc::new(Seat(seat.clone())) as Arc<dyn SeatSigner>).collect()
}
