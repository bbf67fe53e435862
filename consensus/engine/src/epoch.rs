//! One epoch of one chain: a voter for each of this node's seats, and the network between them and the others.

use crate::{
    Block, EngineError, SeatSigner,
    application::Owner,
    archive::{Archive, BUFFER, MAILBOX},
    bans::{Bans, SeatBans},
    block::digest_of,
    chain_network::Audience,
    directory::Directory,
    durability::Runtime,
    epochs::Epochs,
    greeting::greeting,
    lines::{EpochLines, Lines},
    node_key::{NodeId, node_id},
    pace::{Boundaries, Paced},
    partitions::Partitions,
    scheme::SeatScheme,
    seat_network::{Locals, Roster, SeatReceiver, SeatSender, fan_in},
    watch::{Accuser, Evidence, News},
};
use commonware_consensus::{
    Reporters,
    marshal::standard::Inline,
    simplex::{
        self,
        config::{Floor, ForwardPolicy, SkipBudget, SkipPolicy},
        elector::RoundRobin,
    },
    types::ViewDelta,
};
use commonware_cryptography::Sha256;
use commonware_p2p::{Sender, utils::mux::SubSender};
use commonware_parallel::Sequential;
use commonware_runtime::{AbortOnDrop, Handle, buffer::paged::CacheRef};
use commonware_utils::NZDuration;
use primitives::{Chain, Epoch};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What all epochs of a chain have in common.
pub(crate) struct Common<S: Sender<PublicKey = NodeId>> {
    pub(crate) chain: Chain,
    pub(crate) me: NodeId,
    pub(crate) interval: Duration,
    pub(crate) lines: Lines<S>,
    pub(crate) directory: Directory,
    pub(crate) epochs: Epochs,
    pub(crate) bans: Bans,
    pub(crate) archive: Archive,
    pub(crate) owner: Owner,
    pub(crate) evidence: Evidence,
    pub(crate) boundaries: Boundaries,
    pub(crate) peers: Audience,
    pub(crate) gossip: SubSender<S>,
    pub(crate) partitions: Partitions,
    pub(crate) cache: CacheRef,
}

/// How long to wait in a view, derived from the block interval.
///
/// A leader waits until an interval has passed since the parent, builds, and its block travels: three intervals, but
/// never less than a second and a half, are enough for a slow machine and a short disturbance. Whoever was silent
/// for twenty intervals is passed over at once.
#[derive(Clone, Copy, Debug)]
struct Timeouts {
    leader: Duration,
    certification: Duration,
    retry: Duration,
    skip: Duration,
}

impl Timeouts {
    fn new(interval: Duration) -> Self {
        let leader = interval.saturating_mul(3).max(Duration::from_millis(1500));
        let certification = leader.saturating_mul(2);
        let retry = certification;
        let skip = interval.saturating_mul(20).max(certification.saturating_mul(2));
        Self { leader, certification, retry, skip }
    }
}

/// A seat's voter that ended, and how.
pub(crate) struct Ended {
    pub(crate) epoch: Epoch,
    pub(crate) seat: u32,
    pub(crate) error: String,
}

/// This node's part in one epoch. Dropping it ends it.
pub(crate) struct Voters {
    /// Receivers that hand messages to seats; there is nothing to wait for in them.
    _network: Vec<AbortOnDrop<()>>,
    /// One for each seat.
    engines: Vec<AbortOnDrop<()>>,
}

impl Voters {
    /// Ends all voters and waits until they have.
    pub(crate) async fn stop(self) {
        for engine in self.engines {
            engine.abort().await;
        }
        for receiver in self._network {
            receiver.abort().await;
        }
    }
}

/// What of each channel belongs to one seat.
type SeatChannels = [BTreeMap<u16, SeatReceiver>; 3];

/// Starts one voter for each of `seats`, on top of `parent`.
pub(crate) async fn start<E, S>(
    context: &E,
    common: &Common<S>,
    epoch: Epoch,
    parent: &Block,
    seats: Vec<Arc<dyn SeatSigner>>,
    ended: &tokio::sync::mpsc::UnboundedSender<Ended>,
) -> Result<Voters, EngineError>
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    let refuse = |reason: &str| EngineError::Enter { chain: common.chain, epoch, reason: reason.to_owned() };
    let (scheme, committee) =
        common.directory.committee(epoch).ok_or_else(|| refuse("its committee was not given"))?;
    let mut schemes = BTreeMap::new();
    for signer in seats {
        let scheme =
            scheme.with_signer(signer.clone()).ok_or_else(|| refuse("a seat is not of its committee"))?;
        let index = committee.index_of(&signer.key()).and_then(|index| u16::try_from(index).ok());
        schemes.insert(index.ok_or_else(|| refuse("a seat is not of its committee"))?, scheme);
    }
    if schemes.is_empty() {
        return Ok(Voters { _network: Vec::new(), engines: Vec::new() });
    }
    let roster = Roster::new(common.me.clone(), &committee).ok_or_else(|| refuse("a seat's key is none"))?;
    let roster = Arc::new(roster);
    let lines = common
        .lines
        .epoch(context, common.chain, epoch)
        .await
        .ok_or_else(|| refuse("the network is closed"))?;
    let indices: Vec<u16> = schemes.keys().copied().collect();
    let (senders, mut receivers, network) = connect(context, common, lines, &roster, &indices);
    let mut engines = Vec::new();
    for (seat, scheme) in schemes {
        let noted = common.partitions.note_votes(context, epoch, seat.into()).await;
        noted.map_err(|error| refuse(&error.to_string()))?;
        let channels = senders
            .each_ref()
            .map(|(locals, sender)| SeatSender::new(seat, roster.clone(), locals.clone(), sender.clone()));
        let queues = receivers.each_mut().map(|receivers| receivers.remove(&seat));
        let [Some(votes), Some(certificates), Some(resolver)] = queues else {
            return Err(refuse("a seat was given twice"));
        };
        let votes = votes.greeted(&roster, seat, |other| greeting(epoch, other));
        let [vote_sender, certificate_sender, resolver_sender] = channels;
        let channels =
            ((vote_sender, votes), (certificate_sender, certificates), (resolver_sender, resolver));
        let handle = voter(context, common, epoch, seat, &committee, scheme, parent, channels);
        engines.push(watched(context, handle, epoch, seat.into(), ended.clone()));
    }
    Ok(Voters { _network: network, engines })
}

type SeatSenders<S> = [(Locals, SubSender<S>); 3];

/// Starts handing what arrives on the epoch's three channels to the seats.
fn connect<E, S>(
    context: &E,
    common: &Common<S>,
    lines: EpochLines<S>,
    roster: &Arc<Roster>,
    seats: &[u16],
) -> (SeatSenders<S>, SeatChannels, Vec<AbortOnDrop<()>>)
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    let mut network = Vec::new();
    let parts = lines.map(|(sender, receiver)| {
        let (locals, queues) = Locals::new(seats.iter().copied());
        let (roster, into, bans) = (roster.clone(), locals.clone(), common.bans.clone());
        let handle = context.child("fan_in").spawn(move |_| fan_in(receiver, roster, into, bans));
        network.push(handle.abort_on_drop());
        ((locals, sender), queues)
    });
    let [(votes, a), (certificates, b), (resolver, c)] = parts;
    ([votes, certificates, resolver], [a, b, c], network)
}

/// A channel of one seat.
type SeatChannel<S> = (SeatSender<SubSender<S>>, SeatReceiver);

/// Starts the voter of one seat.
fn voter<E, S>(
    context: &E,
    common: &Common<S>,
    epoch: Epoch,
    seat: u16,
    committee: &primitives::Committee,
    scheme: SeatScheme,
    parent: &Block,
    (votes, certificates, resolver): (SeatChannel<S>, SeatChannel<S>, SeatChannel<S>),
) -> Handle<()>
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    let context = context.child("voter").with_attribute("epoch", epoch).with_attribute("seat", seat);
    let timeouts = Timeouts::new(common.interval);
    let inline = Inline::new(
        context.child("inline"),
        common.owner.clone(),
        common.archive.clone(),
        common.epochs.clone(),
    );
    let application = Paced {
        context: Arc::new(context.child("pace")),
        inner: inline,
        boundaries: common.boundaries.clone(),
        interval: common.interval,
    };
    let watchers = watchers(&context, common, seat, committee, &scheme);
    let engine = simplex::Engine::new(
        context.child("simplex"),
        simplex::Config {
            scheme,
            elector: RoundRobin::<Sha256>::shuffled(committee.root().as_slice()),
            blocker: SeatBans::new(common.bans.clone(), common.directory.clone()),
            automaton: application.clone(),
            relay: application.clone(),
            reporter: Reporters::from((application, watchers)),
            track_historical_votes: true,
            strategy: Sequential,
            partition: common.partitions.votes(epoch, seat.into()),
            mailbox_size: MAILBOX,
            epoch: commonware_consensus::types::Epoch::new(epoch.get()),
            floor: Floor::Genesis(digest_of(parent.id())),
            replay_buffer: BUFFER,
            write_buffer: BUFFER,
            page_cache: common.cache.clone(),
            leader_timeout: timeouts.leader,
            certification_timeout: timeouts.certification,
            timeout_retry: timeouts.retry,
            view_retention: ViewDelta::new(64),
            skip: SkipPolicy::Enabled { timeout: timeouts.skip, budget: SkipBudget::Participants },
            fetch_timeout: NZDuration!(Duration::from_secs(1)),
            fetch_retry_delay: Duration::from_millis(100),
            forward: ForwardPolicy::Disabled,
        },
    );
    engine.start(votes, certificates, resolver)
}

/// What looks at all that a seat's voter sees.
type Watchers<E, S> = Reporters<Accuser<E>, News<SubSender<S>>>;

/// Looks whether others contradict themselves, and for what the rest of the network should hear of.
fn watchers<E, S>(
    context: &E,
    common: &Common<S>,
    seat: u16,
    committee: &primitives::Committee,
    scheme: &SeatScheme,
) -> Watchers<E, S>
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
{
    let news = News {
        seat: seat.into(),
        seats: committee.len(),
        peers: common.peers.clone(),
        members: Arc::new(committee.seats().iter().filter_map(|seat| node_id(&seat.node)).collect()),
        gossip: common.gossip.clone(),
    };
    let accuser = Accuser::new(context.child("evidence"), scheme.clone(), common.evidence.clone());
    Reporters::from((accuser, news))
}

/// Says when a voter ends by itself.
fn watched<E: Runtime>(
    context: &E,
    engine: Handle<()>,
    epoch: Epoch,
    seat: u32,
    ended: tokio::sync::mpsc::UnboundedSender<Ended>,
) -> AbortOnDrop<()> {
    let handle = context.child("watch").spawn(move |_| async move {
        let error = match engine.abort_on_drop().join().await {
            Ok(()) => "one of its tasks ended".to_owned(),
            Err(error) => error.to_string(),
        };
        let _ = ended.send(Ended { epoch, seat, error });
    });
    handle.abort_on_drop()
}
