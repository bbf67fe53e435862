//! The REST interface, answered from the handle.
//!
//! What it shows is certified, which on the beacon chain is final; a state can be asked about as long as the store
//! keeps it.

mod events;

use crate::core::Taken;
use crate::store::OpenError;
use crate::{BeaconHandle, Snapshot, SubmitError};
use beacon_state::{BeaconChainState, BeaconState, ShardLane, ValidatorRecord};
use consensus::takeover::takeover;
use futures::stream::BoxStream;
use primitives::{
    B256, Chain, ChainSpec, Committee, Conflict, CrosslinkOffer, Epoch, Evidence, Height, LightUpdate, U256,
    Unverified, ValidatorIndex,
};
use rpc::beacon::{
    ApiError, ApiResult, BeaconApi, BeaconId, Checkpoint, CommitteeAnswer, CrosslinkView, Decimal, Event,
    FinalityCheckpoints, Found, GenesisView, HeaderView, Identity, LaneView, LightBootstrap, PeerCount,
    ShardView, SignedBlock, StateCommittee, Syncing, Takeover, ValidatorDetail, ValidatorEntry,
    ValidatorFilter, ValidatorStatus, ValidatorView,
};
use std::sync::Arc;
use std::time::Duration;
use storage::StorageError;

/// Blocks below the head that are searched for crosslinks.
const CROSSLINK_HEIGHTS: u64 = 1_024;
/// Heights that a node may lack while the newest block is still on its way.
const IN_FLIGHT: u64 = 2;
/// Wei in a gwei.
const GWEI: u64 = 1_000_000_000;

/// A beacon node behind its REST interface.
#[derive(Clone, Debug)]
pub struct NodeApi {
    handle: BeaconHandle,
    identity: Identity,
    peers: u64,
}

impl NodeApi {
    /// A node that listens at these addresses and was given this many peers.
    pub fn new(handle: BeaconHandle, addresses: Vec<String>, peers: usize) -> Self {
        let identity = Identity::new(handle.network().key().to_string(), addresses);
        Self { handle, identity, peers: peers as u64 }
    }

    fn height(&self, id: BeaconId) -> ApiResult<Height> {
        let snapshot = self.handle.snapshot();
        let height = match id {
            BeaconId::Head | BeaconId::Finalized | BeaconId::Justified => Some(snapshot.height()),
            BeaconId::Genesis => Some(Height::ZERO),
            BeaconId::Height(height) => Some(height).filter(|height| *height <= snapshot.height()),
            BeaconId::Root(id) => self.handle.store().height(&id).map_err(internal)?,
        };
        height.ok_or_else(|| ApiError::NotFound(format!("block {id}")))
    }

    /// The state that is asked for. A root may be that of the state, or of its block.
    fn state(&self, id: BeaconId) -> ApiResult<Arc<BeaconChainState>> {
        let snapshot = self.handle.snapshot();
        if let BeaconId::Root(root) = id
            && snapshot.header().state_root == root
        {
            return Ok(Arc::clone(&snapshot.chain));
        }
        let height = self.height(id)?;
        if height == snapshot.height() {
            return Ok(Arc::clone(&snapshot.chain));
        }
        match self.handle.store().chain_state(height) {
            Ok(Some(state)) => Ok(Arc::new(state)),
            Ok(None) => Err(ApiError::NotFound(format!("state {id} (only the latest are kept)"))),
            Err(OpenError::Storage(error)) => Err(internal(error)),
            Err(error) => Err(ApiError::Internal(error.to_string())),
        }
    }

    fn header_at(&self, height: Height) -> ApiResult<Option<HeaderView>> {
        let store = self.handle.store();
        let Some(header) = store.header(height).map_err(internal)? else { return Ok(None) };
        let certificate = store.certificate(height).map_err(internal)?;
        Ok(Some(HeaderView::new(&header, certificate.map(|certificate| certificate.signature))))
    }

    fn takeover(&self, committee: &Committee) -> Takeover {
        let spec = &self.handle.genesis().spec;
        let units = self.handle.snapshot().state().stake().staked_units.max(u64::from(committee.len()));
        let found = takeover(units, spec.seats_target, spec.adversary_permille, spec.trailing_reveals);
        Takeover {
            units: Decimal(found.units),
            adversary_units: Decimal(found.adversary_units),
            stalling_seats: Decimal(found.stalling_seats.into()),
            quorum: Decimal(found.quorum.into()),
            liveness_loss: found.liveness_loss.to_string(),
            safety_loss: found.safety_loss.to_string(),
        }
    }

    /// The committee that a state names for an epoch of a chain (the current one if none is given).
    fn state_committee(
        &self,
        state: &BeaconState,
        chain: Chain,
        epoch: Option<Epoch>,
    ) -> ApiResult<Option<StateCommittee>> {
        let entry = match epoch {
            Some(epoch) => state.table(chain).and_then(|table| table.entry(epoch)),
            None => state.current_epoch(chain),
        };
        let Some(entry) = entry else { return Ok(None) };
        let drawn = self.handle.committee(chain, entry.epoch).map_err(internal)?;
        Ok(drawn.map(|drawn| StateCommittee {
            index: Decimal(chain.code().into()),
            slot: Decimal(entry.first_height.get()),
            validators: drawn.committee.seats().iter().map(|seat| Decimal(seat.validator.get())).collect(),
            chain,
            epoch: Decimal(entry.epoch.get()),
        }))
    }
}

impl BeaconApi for NodeApi {
    fn version(&self) -> String {
        format!("Atoll/v{}/{}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    async fn syncing(&self) -> ApiResult<Syncing> {
        let (head, highest) = (self.handle.snapshot().height(), self.handle.highest());
        let behind = highest.above(head) > IN_FLIGHT;
        Ok(Syncing::new(head.get(), if behind { highest.get() } else { head.get() }))
    }

    async fn peer_count(&self) -> ApiResult<PeerCount> {
        let connected = connected_peers(&self.handle.network().metrics()).min(self.peers);
        Ok(PeerCount {
            disconnected: Decimal(self.peers - connected),
            connected: Decimal(connected),
            ..PeerCount::default()
        })
    }

    fn genesis(&self) -> GenesisView {
        let genesis = self.handle.genesis();
        GenesisView::new(self.handle.snapshot().state().genesis_hash(), genesis.timestamp_ms)
    }

    async fn state_root(&self, id: BeaconId) -> ApiResult<Found<B256>> {
        let height = self.height(id)?;
        let header = self.handle.store().header(height).map_err(internal)?;
        let header = header.ok_or_else(|| ApiError::NotFound(format!("block {id}")))?;
        Ok(Found::finalized(header.state_root))
    }

    async fn validators(
        &self,
        id: BeaconId,
        filter: ValidatorFilter,
    ) -> ApiResult<Found<Vec<ValidatorView>>> {
        let state = self.state(id)?;
        let gwei_per_unit = self.handle.genesis().spec.unit_wei / U256::from(GWEI);
        let gwei_per_unit = u64::try_from(gwei_per_unit).unwrap_or(u64::MAX);
        let (spec, height) = (&self.handle.genesis().spec, state.header().height);
        let views = (0..)
            .map(ValidatorIndex::new)
            .zip(state.state().validators())
            .filter(|(index, record)| filter.passes(*index, status(spec, height, record), record.units()))
            .map(|(index, record)| ValidatorView {
                index: Decimal(index.get()),
                balance: Decimal(record.punishable_units().saturating_mul(gwei_per_unit)),
                status: status(spec, height, record),
                validator: ValidatorDetail::new(entry(spec, record), gwei_per_unit),
            });
        Ok(Found::finalized(views.collect()))
    }

    async fn committees(&self, id: BeaconId, epoch: Option<Epoch>) -> ApiResult<Found<Vec<StateCommittee>>> {
        let state = self.state(id)?;
        let shards = state.state().shards().map(|record| Chain::from(record.shard));
        let chains = [Chain::Beacon].into_iter().chain(shards);
        let mut committees = Vec::new();
        for chain in chains {
            committees.extend(self.state_committee(state.state(), chain, epoch)?);
        }
        Ok(Found::finalized(committees))
    }

    async fn finality_checkpoints(&self, id: BeaconId) -> ApiResult<Found<FinalityCheckpoints>> {
        let store = self.handle.store();
        let height = self.height(id)?;
        let checkpoint = |height: Height| -> ApiResult<Checkpoint> {
            let header = store.header(height).map_err(internal)?;
            let header = header.ok_or_else(|| ApiError::NotFound(format!("block {id}")))?;
            Ok(Checkpoint { epoch: Decimal(header.epoch.get()), root: header.id() })
        };
        let newest = checkpoint(height)?;
        Ok(Found::finalized(FinalityCheckpoints {
            previous_justified: height.previous().map_or(Ok(newest), checkpoint)?,
            current_justified: newest,
            finalized: newest,
        }))
    }

    async fn headers(
        &self,
        height: Option<Height>,
        parent: Option<B256>,
    ) -> ApiResult<Found<Vec<HeaderView>>> {
        let store = self.handle.store();
        let child = match parent {
            Some(parent) => match store.height(&parent).map_err(internal)? {
                Some(below) => Some(below.next()),
                None => return Ok(Found::finalized(Vec::new())),
            },
            None => None,
        };
        let wanted = match (height, child) {
            (Some(height), Some(child)) if height != child => return Ok(Found::finalized(Vec::new())),
            (wanted, child) => wanted.or(child).unwrap_or(self.handle.snapshot().height()),
        };
        Ok(Found::finalized(self.header_at(wanted)?.into_iter().collect()))
    }

    async fn header(&self, id: BeaconId) -> ApiResult<Found<HeaderView>> {
        let view = self.header_at(self.height(id)?)?;
        view.map(Found::finalized).ok_or_else(|| ApiError::NotFound(format!("block {id}")))
    }

    async fn block(&self, id: BeaconId) -> ApiResult<Found<SignedBlock>> {
        let (store, height) = (self.handle.store(), self.height(id)?);
        let block = store.block(height).map_err(internal)?;
        let block = block.ok_or_else(|| ApiError::NotFound(format!("block {id}")))?;
        let certificate = store.certificate(height).map_err(internal)?;
        Ok(Found::finalized(SignedBlock {
            block,
            signature: certificate.map(|certificate| certificate.signature),
        }))
    }

    fn events(&self) -> BoxStream<'static, Event> {
        events::stream(self.handle.events())
    }

    async fn shards(&self) -> ApiResult<Vec<ShardView>> {
        let (snapshot, spec) = (self.handle.snapshot(), &self.handle.genesis().spec);
        let records = snapshot.state().shards().zip(&spec.shards);
        Ok(records.map(|(record, shard)| ShardView::new(record, shard, spec.chain_id_base)).collect())
    }

    async fn lanes(&self) -> ApiResult<Vec<LaneView>> {
        let snapshot = self.handle.snapshot();
        let view = |lane: &ShardLane| LaneView {
            shard: Decimal(lane.shard().get().into()),
            received: Decimal(lane.received()),
            first_pending: Decimal(lane.first_sequence()),
            pending: Decimal(lane.pending().len() as u64),
        };
        Ok(snapshot.state().lanes().map(view).collect())
    }

    async fn crosslinks(&self, limit: usize) -> ApiResult<Vec<CrosslinkView>> {
        let mut views = Vec::new();
        let mut height = Some(self.handle.snapshot().height());
        for _ in 0..CROSSLINK_HEIGHTS {
            let Some(at) = height.filter(|_| views.len() < limit) else { break };
            if let Some(block) = self.handle.block(at).map_err(internal)? {
                views.extend(block.body.crosslinks.iter().map(|link| CrosslinkView::new(link, at.get())));
            }
            height = at.previous();
        }
        views.truncate(limit);
        Ok(views)
    }

    async fn committee(&self, chain: Chain, epoch: Epoch) -> ApiResult<CommitteeAnswer> {
        let drawn = self.handle.committee(chain, epoch).map_err(internal)?;
        let drawn =
            drawn.ok_or_else(|| ApiError::NotFound(format!("committee of chain {chain}, epoch {epoch}")))?;
        let takeover = self.takeover(&drawn.committee);
        Ok(CommitteeAnswer { committee: drawn.committee, first_height: drawn.first_height, takeover })
    }

    async fn light_bootstrap(&self) -> ApiResult<LightBootstrap> {
        let crate::Bootstrap { header, beacon_table, committees } = self.handle.bootstrap().clone();
        Ok(LightBootstrap { header, beacon_table, committees })
    }

    async fn light_update(&self, after: Height, wait: Duration) -> ApiResult<Option<LightUpdate>> {
        self.handle.light_update_after(after, wait).await.map_err(internal)
    }

    async fn submit_crosslink(&self, offer: CrosslinkOffer) -> ApiResult<()> {
        submitted(self.handle.submit_crosslink(Unverified::new(offer)).await)
    }

    async fn submit_evidence(&self, evidence: Evidence) -> ApiResult<()> {
        submitted(self.handle.submit_evidence(Unverified::new(evidence)).await)
    }

    async fn submit_conflict(&self, conflict: Conflict) -> ApiResult<()> {
        submitted(self.handle.submit_conflict(Unverified::new(conflict)).await)
    }
}

fn internal(error: StorageError) -> ApiError {
    tracing::error!(%error, "database cannot be read");
    ApiError::Internal(error.to_string())
}

fn submitted(outcome: Result<Taken, SubmitError>) -> ApiResult<()> {
    match outcome {
        Ok(_) => Ok(()),
        Err(SubmitError::Refused(error)) => Err(ApiError::BadRequest(error.to_string())),
        Err(error) => Err(ApiError::Unavailable(error.to_string())),
    }
}

/// What a validator may do at a height.
fn status(spec: &ChainSpec, height: Height, record: &ValidatorRecord) -> ValidatorStatus {
    let is_due = height >= due_at(spec, record);
    match (record.units().is_empty(), record.is_slashed()) {
        (false, false) => ValidatorStatus::ActiveOngoing,
        (false, true) => ValidatorStatus::ActiveSlashed,
        (true, _) if is_due && record.exiting_units() > 0 => ValidatorStatus::WithdrawalPossible,
        (true, _) if is_due => ValidatorStatus::WithdrawalDone,
        (true, true) => ValidatorStatus::ExitedSlashed,
        (true, false) => ValidatorStatus::ExitedUnslashed,
    }
}

/// Height from which on all is paid that has left the draws so far.
fn due_at(spec: &ChainSpec, record: &ValidatorRecord) -> Height {
    record.left_at().plus(spec.exit_delay_heights.get())
}

fn entry(spec: &ChainSpec, record: &ValidatorRecord) -> ValidatorEntry {
    // No epoch of the beacon chain ends early.
    let epoch = |height: Height| height.get() / spec.beacon_epoch_heights.get();
    let left = || (epoch(record.left_at()), epoch(due_at(spec, record)));
    ValidatorEntry {
        seat_keys: record.units().to_vec(),
        exiting_units: record.exiting_units(),
        burned_units: record.burned_units(),
        withdrawal_shard: record.withdrawal().shard,
        withdrawal_address: record.withdrawal().address,
        registered: epoch(record.registered_at()),
        left: record.units().is_empty().then(left),
    }
}

/// Peers that the network's own page names as connected; zero where it does not say. The page has one line for each
/// peer, whose value is the time since which it is connected, or zero.
fn connected_peers(page: &str) -> u64 {
    let is_peer = |line: &&str| !line.starts_with('#') && line.contains("directory_connected{");
    let is_connected = |line: &&str| line.rsplit(' ').next().is_some_and(|value| value != "0");
    page.lines().filter(is_peer).filter(is_connected).count() as u64
}

/// What listeners are told of a certified block.
pub fn events_of(snapshot: &Snapshot, events: &[beacon_state::Event]) -> Vec<Event> {
    events::of(snapshot, events)
}
