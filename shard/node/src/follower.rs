//! Follows the beacon chain, believing certificates alone, and tells the shards of it.
//!
//! What always holds: a view that is handed on is of a header that a quorum of beacon seats has certified, and was
//! verified in every part; views only rise. Until the follower has caught up with its link once, none is handed on, so
//! that nobody acts on what was true long ago.

use crate::beacon_view::BeaconView;
use crate::link::{BeaconLink, LinkError};
use crate::metrics::Metrics;
use consensus::authority::Authority;
use consensus::light::{BootstrapError, LightClient, LightError};
use primitives::{B256, Chain, Committee, Epoch, Genesis, Height, LightUpdate, ShardId, Unverified};
use service::{runtime::SharedRuntime, watch};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the link is asked to wait for news.
const WAIT: Duration = Duration::from_secs(10);
/// Pause after the first failure; doubles up to the longest one.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Finalized headers whose ids are remembered.
const IDS_MAX: usize = 1024;

/// The newest view of the beacon chain, as soon as there is one.
pub(crate) type Views = watch::Receiver<Option<Arc<BeaconView>>>;

/// The task that follows.
#[derive(Debug)]
pub(crate) struct Follower {
    client: LightClient,
    link: Arc<dyn BeaconLink>,
    runtime: SharedRuntime,
    metrics: Metrics,
    views: watch::Sender<Option<Arc<BeaconView>>>,
    ids: Arc<BTreeMap<Height, B256>>,
    committees: Arc<BTreeMap<(ShardId, Epoch), Arc<Committee>>>,
    /// The newest view, while it is not handed on.
    newest: Option<LightUpdate>,
    caught_up: bool,
}

/// Why an update does not lead on.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the beacon node's update is refused: {0}")]
    Update(#[from] LightError),
}

impl Follower {
    /// A follower that starts at genesis.
    pub(crate) fn new(
        genesis: &Genesis,
        link: Arc<dyn BeaconLink>,
        runtime: SharedRuntime,
        metrics: Metrics,
    ) -> Result<(Self, Views), BootstrapError> {
        let (views, receiver) = watch::channel(None);
        let follower = Self {
            client: LightClient::from_file(genesis)?,
            link,
            runtime,
            metrics,
            views,
            ids: Arc::default(),
            committees: Arc::default(),
            newest: None,
            caught_up: false,
        };
        Ok((follower, receiver))
    }

    /// Follows until nobody listens any more.
    pub(crate) async fn run(mut self) {
        let mut pause = PAUSE_MIN;
        while !self.views.is_closed() {
            match self.follow().await {
                Ok(()) => {
                    if pause > PAUSE_MIN {
                        tracing::info!(height = %self.client.header().height, "beacon chain reached again");
                    }
                    pause = PAUSE_MIN;
                }
                Err(error) => {
                    tracing::warn!(%error, above = %self.client.header().height, "waiting for the beacon chain");
                    self.metrics.beacon_failed();
                    self.runtime.sleep(pause).await;
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Takes one update, or learns that there is none.
    async fn follow(&mut self) -> Result<(), FollowError> {
        let wait = if self.caught_up { WAIT } else { Duration::ZERO };
        let update = self.link.update_after(self.client.header().height, wait).await?;
        match update {
            Some(update) => self.take(update).await?,
            None => self.caught_up = true,
        }
        if self.caught_up {
            self.fetch_committees().await;
            self.hand_on();
        }
        Ok(())
    }

    async fn take(&mut self, update: LightUpdate) -> Result<(), FollowError> {
        let verified = self.client.update(Unverified::new(update.clone())).map(|_| ());
        if let Err(LightError::NeedsCommittee { chain, epoch }) = verified {
            self.fetch(chain, epoch).await?;
            self.client.update(Unverified::new(update.clone()))?;
        } else {
            verified?;
        }
        let missing_beacon = self.client.missing().into_iter().filter(|(chain, ..)| *chain == Chain::Beacon);
        for (chain, epoch, _) in missing_beacon.collect::<Vec<_>>() {
            self.fetch(chain, epoch).await?;
        }
        let header = &update.certified.header;
        let ids = Arc::make_mut(&mut self.ids);
        ids.insert(header.height, header.id());
        if let Some(below) = header.height.previous() {
            ids.insert(below, header.parent);
        }
        while ids.len() > IDS_MAX {
            ids.pop_first();
        }
        self.metrics.beacon_height(header.height);
        self.newest = Some(update);
        Ok(())
    }

    async fn fetch(&mut self, chain: Chain, epoch: Epoch) -> Result<(), FollowError> {
        let committee = self.link.committee(chain, epoch).await?;
        Ok(self.client.committee(chain, epoch, Unverified::new(committee))?)
    }

    /// Gets every committee that the shards' tables name. One that cannot be had now is asked for with the next view.
    async fn fetch_committees(&mut self) {
        let Some(view) = self.client.view() else { return };
        let named: Vec<(ShardId, Epoch, B256)> = (view.records.iter())
            .flat_map(|record| {
                let entries = record.table.entries().iter();
                entries.map(|entry| (record.shard, entry.epoch, entry.committee_root))
            })
            .collect();
        let mut held = BTreeMap::new();
        for (shard, epoch, root) in named {
            let known =
                self.committees.get(&(shard, epoch)).filter(|committee| committee.root() == root).cloned();
            let committee = match known {
                Some(committee) => Some(committee),
                None => self.obtain(shard, epoch, root, &held).await,
            };
            held.extend(committee.map(|committee| ((shard, epoch), committee)));
        }
        if *self.committees != held {
            self.committees = Arc::new(held);
        }
    }

    async fn obtain(
        &mut self,
        shard: ShardId,
        epoch: Epoch,
        root: B256,
        held: &BTreeMap<(ShardId, Epoch), Arc<Committee>>,
    ) -> Option<Arc<Committee>> {
        // Where units are few, one committee serves many terms.
        let same =
            held.iter().rev().take_while(|((of, _), _)| *of == shard).find(|(_, known)| known.root() == root);
        if let Some((_, committee)) = same {
            return Some(Arc::clone(committee));
        }
        let chain = Chain::from(shard);
        if self.client.authority(chain, epoch).is_none() {
            let fetched = self.fetch(chain, epoch).await;
            fetched
                .inspect_err(|error| tracing::warn!(%error, %shard, %epoch, "committee not available"))
                .ok()?;
        }
        let authority =
            self.client.authority(chain, epoch).filter(|authority| authority.committee_root() == root)?;
        Some(Arc::new(authority.committee().clone()))
    }

    /// The committees at hand as voices of their chains. Where one serves many terms, its keys are read once.
    fn authorities(&self) -> BTreeMap<(ShardId, Epoch), Arc<Authority>> {
        let mut authorities: BTreeMap<(ShardId, Epoch), Arc<Authority>> = BTreeMap::new();
        for ((shard, epoch), committee) in &*self.committees {
            let chain = Chain::from(*shard);
            let known = self.client.authority(chain, *epoch).or_else(|| {
                let same = authorities.values().find(|known| known.committee_root() == committee.root());
                same.map(|same| Arc::new(same.reappointed(chain, *epoch)))
            });
            authorities.extend(known.map(|authority| ((*shard, *epoch), authority)));
        }
        authorities
    }

    /// Tells the shards of the newest view.
    fn hand_on(&mut self) {
        let Some(update) = self.newest.take() else { return };
        let header = update.certified.header;
        tracing::debug!(height = %header.height, "beacon chain finalized");
        let view = BeaconView {
            id: header.id(),
            header,
            mix: update.mix,
            mix_branch: update.mix_branch,
            records: update.records,
            deliveries: update.deliveries,
            committees: Arc::clone(&self.committees),
            authorities: Arc::new(self.authorities()),
            ids: Arc::clone(&self.ids),
        };
        self.views.send_replace(Some(Arc::new(view)));
    }
}
