//! Makes a voter take all other seats for awake when it starts.
//!
//! The library passes a silent leader over at once, without waiting for it, and takes a seat for silent as long as it
//! has heard nothing of it while it has heard of a quorum. In the second view of an epoch, and after every restart,
//! that is true of whoever's first vote is still on its way: some voters would give the view up, the others not, and
//! it would come to nothing only after its longest timeout. So every voter starts as if it had just heard of everyone,
//! and silence counts from then on.
//!
//! A greeting is a vote so far ahead that the library notes who it is from and looks at nothing else. It never
//! travels.

use crate::scheme::SeatScheme;
use bytes::{BufMut as _, Bytes, BytesMut};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::{
    simplex::types::{Nullify, Vote},
    types::{Round, View},
};
use commonware_cryptography::certificate::Attestation;
use commonware_utils::Participant;
use primitives::{Epoch, SignatureBytes};

use crate::block::Digest;

/// What a voter of `epoch` takes for a message of `seat`.
pub(crate) fn greeting(epoch: Epoch, seat: u16) -> Option<Bytes> {
    let mut attestation = BytesMut::new();
    attestation.put(Participant::new(seat.into()).encode());
    // Never looked at, so it need not be a signature.
    attestation.put_bytes(0, SignatureBytes::LENGTH);
    let attestation = Attestation::<SeatScheme>::decode(attestation.freeze()).ok()?;
    let round = Round::new(commonware_consensus::types::Epoch::new(epoch.get()), View::new(u64::MAX));
    Some(Vote::<SeatScheme, Digest>::Nullify(Nullify { round, attestation }).encode())
}
