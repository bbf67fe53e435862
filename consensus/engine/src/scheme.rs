//! Votes and certificates of a committee, as the consensus library wants them.
//!
//! A participant is a *seat*: its identity is its BLS public key, so that the library's order of participants is
//! the committee's order of seats. Verification is the library's own; signing is left to a [`SeatSigner`].
//!
//! Rules: docs/spec/consensus.md#votes

use crate::{
    SeatSigner,
    block::{Digest, digest_of, id_of},
};
use commonware_codec::{Copying, DecodeExt as _, Encode as _, Read};
use commonware_consensus::{
    simplex::{
        scheme::Namespace,
        types::{Finalization, Finalize, Notarize, Nullify, Proposal, Subject},
    },
    types::{self, Round},
};
use commonware_cryptography::{
    bls12381::{
        self,
        certificate::multisig::{self, Generic},
        primitives::{
            ops::aggregate,
            variant::{MinPk, Variant},
        },
    },
    certificate::{
        self, AssemblyError, Attestation, Membership, Namespace as _, Scheme, Verification, Verifier,
    },
};
use commonware_parallel::Strategy;
use commonware_utils::{
    N3f1, Participant,
    iter::NonEmpty,
    ordered::{BiMap, Set},
};
use primitives::{
    B256, Certificate, Chain, Committee, Epoch, PublicKeyBytes, SignatureBytes, SignedVote, Signers, View,
    Vote, VoteKind,
};
use rand_core::CryptoRng;
use std::{fmt, sync::Arc};

/// Identity of a seat.
pub(crate) type SeatKey = bls12381::PublicKey;

type Signature = <MinPk as Variant>::Signature;

/// The committee of one (chain, epoch), with the voice of one of its seats or of none.
#[derive(Clone)]
pub(crate) struct SeatScheme {
    generic: Arc<Generic<SeatKey, MinPk, Namespace>>,
    chain: Chain,
    signer: Option<(Participant, Arc<dyn SeatSigner>)>,
}

impl fmt::Debug for SeatScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seat = self.signer.as_ref().map(|(index, _)| index.get());
        f.debug_struct("SeatScheme").field("chain", &self.chain).field("seat", &seat).finish_non_exhaustive()
    }
}

impl SeatScheme {
    /// The committee; `None` if it is empty, not in order, or a seat's key is no key.
    pub(crate) fn verifier(genesis_hash: B256, chain: Chain, committee: &Committee) -> Option<Self> {
        if committee.is_empty() || !committee.is_well_formed() {
            return None;
        }
        let keys = committee.seats().iter().map(|seat| {
            let key = seat_key(&seat.key)?;
            let point = *key.as_ref();
            Some((key, point))
        });
        let keys: Vec<(SeatKey, <MinPk as Variant>::Public)> = keys.collect::<Option<_>>()?;
        let participants = BiMap::try_from(keys).ok()?;
        let generic = Generic {
            participants,
            signer: None,
            namespace: Namespace::derive(&consensus::namespace(genesis_hash, chain)),
        };
        Some(Self { generic: Arc::new(generic), chain, signer: None })
    }

    /// The committee, voting as `signer`'s seat; `None` if that is not one of its seats.
    pub(crate) fn with_signer(&self, signer: Arc<dyn SeatSigner>) -> Option<Self> {
        let key = seat_key(&signer.key())?;
        let index = self.participants().position(&key)?;
        Some(Self { signer: Some((Participant::from_usize(index), signer)), ..self.clone() })
    }

    /// Index of the seat with this key.
    pub(crate) fn index_of(&self, key: &SeatKey) -> Option<u32> {
        self.participants().position(key).and_then(|index| u32::try_from(index).ok())
    }
}

/// The library's form of a key; `None` if the bytes are no key.
pub(crate) fn seat_key(bytes: &PublicKeyBytes) -> Option<SeatKey> {
    SeatKey::decode(Copying(bytes.as_slice())).ok()
}

/// The bytes of a key.
pub(crate) fn key_bytes(key: &SeatKey) -> PublicKeyBytes {
    let bytes: &[u8] = key.as_ref();
    PublicKeyBytes::new(bytes.try_into().expect("a compressed point of G1 has 48 bytes"))
}

fn signature_bytes(encoded: &[u8]) -> SignatureBytes {
    SignatureBytes::new(encoded.try_into().expect("a compressed point of G2 has 96 bytes"))
}

/// What `subject` says; `None` for digests that are not ids.
fn vote_of<D: commonware_cryptography::Digest>(chain: Chain, subject: &Subject<'_, D>) -> Option<Vote> {
    let (kind, proposal) = match subject {
        Subject::Notarize { proposal } => (VoteKind::Notarize, proposal),
        Subject::Finalize { proposal } => (VoteKind::Finalize, proposal),
        Subject::Nullify { round } => {
            return Some(Vote {
                kind: VoteKind::Nullify,
                chain,
                epoch: Epoch::new(round.epoch().get()),
                view: View::new(round.view().get()),
                parent_view: View::ZERO,
                id: B256::ZERO,
            });
        }
    };
    Some(Vote {
        kind,
        chain,
        epoch: Epoch::new(proposal.round.epoch().get()),
        view: View::new(proposal.round.view().get()),
        parent_view: View::new(proposal.parent.get()),
        id: B256::try_from(proposal.payload.as_ref()).ok()?,
    })
}

fn signed(
    chain: Chain,
    subject: &Subject<'_, Digest>,
    attestation: &Attestation<SeatScheme>,
) -> Option<SignedVote> {
    Some(SignedVote {
        vote: vote_of(chain, subject)?,
        seat: attestation.signer.get(),
        signature: signature_bytes(&attestation.signature.encode()),
    })
}

/// A notarization by one seat, as evidence carries it.
pub(crate) fn signed_notarize(chain: Chain, vote: &Notarize<SeatScheme, Digest>) -> Option<SignedVote> {
    signed(chain, &Subject::Notarize { proposal: &vote.proposal }, &vote.attestation)
}

/// A nullification by one seat, as evidence carries it.
pub(crate) fn signed_nullify(chain: Chain, vote: &Nullify<SeatScheme>) -> Option<SignedVote> {
    signed(chain, &Subject::Nullify { round: vote.round }, &vote.attestation)
}

/// A finalization by one seat, as evidence carries it.
pub(crate) fn signed_finalize(chain: Chain, vote: &Finalize<SeatScheme, Digest>) -> Option<SignedVote> {
    signed(chain, &Subject::Finalize { proposal: &vote.proposal }, &vote.attestation)
}

/// The certificate in the form that leaves this package.
pub(crate) fn certificate_of(finalization: &Finalization<SeatScheme, Digest>) -> Certificate {
    let Finalization { proposal, certificate } = finalization;
    let seats = u32::try_from(certificate.signers.len()).unwrap_or(u32::MAX);
    Certificate {
        epoch: Epoch::new(proposal.round.epoch().get()),
        view: View::new(proposal.round.view().get()),
        parent_view: View::new(proposal.parent.get()),
        id: id_of(&proposal.payload),
        signers: Signers::from_indices(seats, certificate.signers.iter().map(|seat| seat.get())),
        signature: signature_bytes(&certificate.signature.encode()),
    }
}

/// The certificate in the library's form; `None` if its signature or its bitmap is malformed.
pub(crate) fn finalization_of(certificate: &Certificate) -> Option<Finalization<SeatScheme, Digest>> {
    if !certificate.signers.is_well_formed() {
        return None;
    }
    let signers = certificate.signers.indices().map(Participant::new);
    let signers = certificate::Signers::new(certificate.signers.seats(), signers).ok()?;
    let signature = aggregate::Signature::<MinPk>::decode(Copying(certificate.signature.as_slice())).ok()?;
    let round =
        Round::new(types::Epoch::new(certificate.epoch.get()), types::View::new(certificate.view.get()));
    let parent = types::View::new(certificate.parent_view.get());
    Some(Finalization {
        proposal: Proposal::new(round, parent, digest_of(certificate.id)),
        certificate: multisig::Certificate { signers, signature: signature.into() },
    })
}

impl Verifier for SeatScheme {
    type Subject<'a, D: commonware_cryptography::Digest> = Subject<'a, D>;
    type Faults = N3f1;
    type PublicKey = SeatKey;
    type Certificate = multisig::Certificate<MinPk>;

    fn verify_certificate<R, D>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        certificate: &Self::Certificate,
        _: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: commonware_cryptography::Digest,
    {
        self.generic.verify_certificate::<Self, _>(rng, subject, certificate)
    }

    fn is_batchable() -> bool {
        Generic::<SeatKey, MinPk, Namespace>::is_batchable()
    }

    fn max_certificate_size(participants: u32) -> usize {
        Generic::<SeatKey, MinPk, Namespace>::max_certificate_size(participants)
    }

    fn certificate_codec_config(&self) -> <Self::Certificate as Read>::Cfg {
        self.generic.certificate_codec_config()
    }

    fn certificate_codec_config_unbounded() -> <Self::Certificate as Read>::Cfg {
        primitives::SEATS_MAX
    }
}

impl Scheme for SeatScheme {
    type Signature = Signature;

    fn me(&self) -> Option<Membership> {
        self.signer.as_ref().map(|(index, _)| Membership::Signer(*index))
    }

    fn participants(&self) -> &Set<SeatKey> {
        self.generic.participants()
    }

    fn sign<D: commonware_cryptography::Digest>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>> {
        let (index, signer) = self.signer.as_ref()?;
        let signature = signer.sign(&vote_of(self.chain, &subject)?)?;
        let signature = Signature::decode(Copying(signature.as_slice())).ok()?;
        Some(Attestation { signer: *index, signature: signature.into() })
    }

    fn verify_attestation<R, D>(
        &self,
        _: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        _: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: commonware_cryptography::Digest,
    {
        self.generic.verify_attestation(subject, attestation)
    }

    fn verify_attestations<R, D, I>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestations: I,
        strategy: &impl Strategy,
    ) -> Verification<Self>
    where
        R: CryptoRng,
        D: commonware_cryptography::Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: Send,
    {
        self.generic.verify_attestations(rng, subject, attestations, strategy)
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Self::Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: commonware_cryptography::Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        certificate::optimistic_assemble::<Self, _, D, _, _>(self, rng, subject, pending, verified, strategy)
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        _: &impl Strategy,
    ) -> Result<Self::Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        self.generic.assemble::<Self, _>(attestations)
    }

    fn is_attributable() -> bool {
        Generic::<SeatKey, MinPk, Namespace>::is_attributable()
    }
}
