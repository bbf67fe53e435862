//! What a beacon node implements; the router does the rest.

use super::{
    ApiError, BeaconId, Event, FinalityCheckpoints, GenesisView, HeaderView, Identity, LaneView, PeerCount,
    ShardView, StateCommittee, Syncing, Takeover, ValidatorStatus, ValidatorView, view::CrosslinkView,
};
use futures::stream::BoxStream;
use primitives::{
    B256, BeaconBlock, BeaconHeader, Chain, Committee, Conflict, CrosslinkOffer, Epoch, EpochTable, Evidence,
    Height, LightUpdate, PublicKeyBytes, SignatureBytes, ValidatorIndex,
};
use ssz_derive::{Decode, Encode};
use std::{future::Future, time::Duration};

/// Something of the chain, and whether the chain can still lose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// What was asked for.
    pub value: T,
    /// Whether it is, or was read in, a finalized block.
    pub finalized: bool,
}

impl<T> Found<T> {
    /// Of a finalized block.
    pub const fn finalized(value: T) -> Self {
        Self { value, finalized: true }
    }

    /// The same answer with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Found<U> {
        Found { value: f(self.value), finalized: self.finalized }
    }
}

/// A block, and the signature of its certificate; `None` where a descendant's certificate covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBlock {
    /// The block.
    pub block: BeaconBlock,
    /// Of its own certificate.
    pub signature: Option<SignatureBytes>,
}

/// A committee and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitteeAnswer {
    /// The seats.
    pub committee: Committee,
    /// First height of its epoch.
    pub first_height: Height,
    /// How weak it is.
    pub takeover: Takeover,
}

/// Where a follower starts that trusts the genesis file: SSZ on the wire.
///
/// It is checked against the genesis file by `consensus::light::LightClient`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LightBootstrap {
    /// The genesis header.
    pub header: BeaconHeader,
    /// The beacon chain's committees as the genesis state names them.
    pub beacon_table: EpochTable,
    /// Those committees.
    pub committees: Vec<Committee>,
}

/// Which validators are asked for; an empty list is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidatorFilter {
    /// With one of these indices, or one of `keys`.
    pub indices: Vec<ValidatorIndex>,
    /// With one of these seat keys, or one of `indices`.
    pub keys: Vec<PublicKeyBytes>,
    /// In one of these states.
    pub statuses: Vec<ValidatorStatus>,
}

impl ValidatorFilter {
    /// Whether the filter lets a validator pass that has this index, status and these seat keys.
    pub fn passes(&self, index: ValidatorIndex, status: ValidatorStatus, keys: &[PublicKeyBytes]) -> bool {
        let anyone = self.indices.is_empty() && self.keys.is_empty();
        let named = self.indices.contains(&index) || keys.iter().any(|key| self.keys.contains(key));
        (anyone || named) && (self.statuses.is_empty() || self.statuses.contains(&status))
    }
}

/// Answer to a REST request.
pub type ApiResult<T> = Result<T, ApiError>;

/// What a beacon node answers. An implementation may write each method as an `async fn`.
///
/// Readers take a snapshot: nothing here may hold up the chain.
pub trait BeaconApi: Clone + Send + Sync + 'static {
    /// Name and version of the software.
    fn version(&self) -> String;

    /// Who the node is on its network.
    fn identity(&self) -> Identity;

    /// How far it is behind.
    fn syncing(&self) -> impl Future<Output = ApiResult<Syncing>> + Send;

    /// How many peers it has.
    fn peer_count(&self) -> impl Future<Output = ApiResult<PeerCount>> + Send;

    /// Where the chain began.
    fn genesis(&self) -> GenesisView;

    /// Root of a state.
    fn state_root(&self, id: BeaconId) -> impl Future<Output = ApiResult<Found<B256>>> + Send;

    /// The validators of a state that pass the filter, by index.
    fn validators(
        &self,
        id: BeaconId,
        filter: ValidatorFilter,
    ) -> impl Future<Output = ApiResult<Found<Vec<ValidatorView>>>> + Send;

    /// Every chain's committee of `epoch` (or of the epoch it is in), as a state names them.
    fn committees(
        &self,
        id: BeaconId,
        epoch: Option<Epoch>,
    ) -> impl Future<Output = ApiResult<Found<Vec<StateCommittee>>>> + Send;

    /// What is final, as seen in a state.
    fn finality_checkpoints(
        &self,
        id: BeaconId,
    ) -> impl Future<Output = ApiResult<Found<FinalityCheckpoints>>> + Send;

    /// The header at `height` or above `parent` if one matches both; the newest one if neither is given.
    fn headers(
        &self,
        height: Option<Height>,
        parent: Option<B256>,
    ) -> impl Future<Output = ApiResult<Found<Vec<HeaderView>>>> + Send;

    /// One header.
    fn header(&self, id: BeaconId) -> impl Future<Output = ApiResult<Found<HeaderView>>> + Send;

    /// One block.
    fn block(&self, id: BeaconId) -> impl Future<Output = ApiResult<Found<SignedBlock>>> + Send;

    /// What happens from now on. The stream's buffer is bounded; it ends where it would skip.
    fn events(&self) -> BoxStream<'static, Event>;

    /// Every shard in the registry at the head.
    fn shards(&self) -> impl Future<Output = ApiResult<Vec<ShardView>>> + Send;

    /// The lanes between the beacon chain and every shard at the head.
    fn lanes(&self) -> impl Future<Output = ApiResult<Vec<LaneView>>> + Send;

    /// The newest accepted crosslinks, newest first.
    fn crosslinks(&self, limit: usize) -> impl Future<Output = ApiResult<Vec<CrosslinkView>>> + Send;

    /// The committee of a chain and epoch.
    fn committee(
        &self,
        chain: Chain,
        epoch: Epoch,
    ) -> impl Future<Output = ApiResult<CommitteeAnswer>> + Send;

    /// Where a follower starts.
    fn light_bootstrap(&self) -> impl Future<Output = ApiResult<LightBootstrap>> + Send;

    /// The newest update above `after`, as soon as there is one; `None` if there is none within `wait`.
    fn light_update(
        &self,
        after: Height,
        wait: Duration,
    ) -> impl Future<Output = ApiResult<Option<LightUpdate>>> + Send;

    /// Takes a crosslink that a coming block may accept; refuses one that is wrong.
    fn submit_crosslink(&self, offer: CrosslinkOffer) -> impl Future<Output = ApiResult<()>> + Send;

    /// Takes a proof of equivocation; refuses one that proves nothing.
    fn submit_evidence(&self, evidence: Evidence) -> impl Future<Output = ApiResult<()>> + Send;

    /// Takes a proof that a committee certified two branches; refuses one that proves nothing.
    fn submit_conflict(&self, conflict: Conflict) -> impl Future<Output = ApiResult<()>> + Send;
}
