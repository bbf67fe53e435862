//! The certified blocks of one chain: where they are kept, fetched from, and in which order they are delivered.

use crate::{
    Block, ChainConfig, Start,
    bans::Bans,
    block::{BlockLimits, Digest, digest_of},
    by_seat::{Backfill, Blocks},
    chain_network::{Audience, Heard, ToAudience},
    delivery::Deliver,
    directory::Directory,
    durability::Runtime,
    epochs::Epochs,
    node_key::NodeId,
    partitions::{ARCHIVE_PARTS, ARCHIVES, Partitions},
    scheme::{SeatScheme, finalization_of},
};
use commonware_broadcast::buffered;
use commonware_consensus::{
    marshal::{self, core::Actor, core::Mailbox, resolver::p2p, standard::Standard},
    simplex::types::Finalization,
    types::ViewDelta,
};
use commonware_cryptography::{Digested, certificate::Verifier as _};
use commonware_p2p::{Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Handle, buffer::paged::CacheRef};
use commonware_storage::{
    archive::{self, Archive as _, prunable},
    translator::EightCap,
};
use commonware_utils::{NZDuration, NZU16, NZU64, NZUsize};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

/// The way to the archive.
pub(crate) type Archive = Mailbox<SeatScheme, Standard<Block>>;

/// Blocks that are fetched at a time when some are missing.
const REPAIR_MAX: NonZeroUsize = NZUsize!(16);
/// Blocks that are delivered before the first of them is acknowledged.
const UNACKNOWLEDGED_MAX: NonZeroUsize = NZUsize!(4);
/// Blocks that are kept of each node while they are not certified.
const IN_TRANSIT_MAX: usize = 10;
/// Messages that may wait for one of the engine's tasks.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(1024);
/// Blocks that share a file.
const SECTION: NonZeroU64 = NZU64!(1024);
/// Buffers for reading and writing.
pub(crate) const BUFFER: NonZeroUsize = NZUsize!(1 << 16);
const VALUE_BUFFER: NonZeroUsize = NZUsize!(1 << 20);
/// How long a peer may take to answer a request.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const FETCH_RETRY: Duration = Duration::from_millis(100);

/// Why an archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error(transparent)]
    Storage(#[from] commonware_runtime::Error),
    #[error(transparent)]
    Archive(#[from] archive::Error),
    #[error("the genesis block has height zero, found {found}")]
    GenesisHeight { found: primitives::Height },
    #[error("the certificate is not one of the floor block, or not by a quorum of its committee")]
    FloorCertificate,
}

/// Pages of files that are kept in memory, for one chain.
pub(crate) fn page_cache() -> CacheRef {
    CacheRef::new(NZU16!(4096), NZUsize!(512))
}

/// What an archive needs besides its configuration.
pub(crate) struct Surroundings {
    pub(crate) me: NodeId,
    pub(crate) limits: BlockLimits,
    pub(crate) directory: Directory,
    pub(crate) epochs: Epochs,
    pub(crate) bans: Bans,
    pub(crate) audience: Audience,
    pub(crate) partitions: Partitions,
    pub(crate) cache: CacheRef,
}

/// Opens the archive and starts it. Its handle ends when it fails, or nobody acknowledges any more.
pub(crate) async fn open<E, S, R>(
    context: &E,
    config: &ChainConfig,
    around: &Surroundings,
    backfill: (S, R),
    broadcast: (S, R),
    deliver: Deliver,
) -> Result<(Archive, Handle<()>), ArchiveError>
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
    R: Receiver<PublicKey = NodeId>,
{
    let start = verified_start(context, config, around)?;
    let [certificates, blocks] = ARCHIVES;
    let unbounded = SeatScheme::certificate_codec_config_unbounded();
    let certificates: prunable::Archive<EightCap, E, Digest, Finalization<SeatScheme, Digest>> =
        prunable::Archive::init(context.child("certificates"), files(around, certificates, unbounded))
            .await?;
    let mut blocks: prunable::Archive<EightCap, E, Digest, Arc<Block>> =
        prunable::Archive::init(context.child("blocks"), files(around, blocks, around.limits)).await?;
    if let Start::Floor { block, .. } = &config.start {
        // The library looks for the floor block here before it asks peers.
        let index = block.height().get();
        if !blocks.has(archive::Identifier::Index(index)).await? && blocks.last_index().is_none() {
            blocks = blocks.put(index, digest_of(block.id()), &Arc::new(block.clone())).await?.sync().await?;
        }
    }
    let (actor, archive, _) = Actor::<_, Standard<Block>, _, _, _, _, _>::init(
        context.child("marshal"),
        certificates,
        blocks,
        marshal::Config {
            provider: around.directory.clone(),
            epocher: around.epochs.clone(),
            start,
            partition_prefix: around.partitions.prefix(),
            mailbox_size: MAILBOX,
            view_retention: ViewDelta::new(64),
            prunable_items_per_section: SECTION,
            page_cache: around.cache.clone(),
            replay_buffer: BUFFER,
            key_write_buffer: BUFFER,
            value_write_buffer: VALUE_BUFFER,
            block_codec_config: around.limits,
            max_repair: REPAIR_MAX,
            max_pending_acks: UNACKNOWLEDGED_MAX,
            strategy: Sequential,
        },
    )
    .await;
    let (in_transit, resolver) = network(context, around, backfill, broadcast);
    let handle = actor.start(deliver, in_transit, resolver);
    Ok((archive, handle))
}

type Resolver = (marshal::resolver::handler::Receiver<Digest>, Backfill);

/// Starts what sends and receives blocks.
fn network<E, S, R>(
    context: &E,
    around: &Surroundings,
    backfill: (S, R),
    broadcast: (S, R),
) -> (Blocks, Resolver)
where
    E: Runtime,
    S: Sender<PublicKey = NodeId>,
    R: Receiver<PublicKey = NodeId>,
{
    let (handler, resolver) = p2p::init(
        context.child("backfill"),
        p2p::Config {
            public_key: around.me.clone(),
            peer_provider: around.directory.clone(),
            blocker: around.bans.clone(),
            mailbox_size: MAILBOX,
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: FETCH_RETRY,
            priority_requests: false,
            priority_responses: false,
        },
        (backfill.0, Heard::new(backfill.1, around.bans.clone())),
    );
    let (engine, in_transit) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: around.me.clone(),
            mailbox_size: MAILBOX,
            deque_size: IN_TRANSIT_MAX,
            priority: true,
            codec_config: around.limits,
            peer_provider: around.directory.clone(),
            strategy: Sequential,
        },
    );
    engine.start((
        ToAudience::new(around.audience.clone(), broadcast.0),
        Heard::new(broadcast.1, around.bans.clone()),
    ));
    let directory = around.directory.clone();
    (Blocks::new(in_transit, directory.clone()), (handler, Backfill::new(resolver, directory)))
}

type LibraryStart = marshal::Start<SeatScheme, Digest, Digested<Block>>;

/// The start in the library's form, which stops at once if it is given another.
fn verified_start<E: Runtime>(
    context: &E,
    config: &ChainConfig,
    around: &Surroundings,
) -> Result<LibraryStart, ArchiveError> {
    match &config.start {
        Start::Genesis(block) if block.height() == primitives::Height::ZERO => {
            Ok(marshal::Start::Genesis(Digested::precomputed(block.clone(), digest_of(block.id()))))
        }
        Start::Genesis(block) => Err(ArchiveError::GenesisHeight { found: block.height() }),
        Start::Floor { block, certificate, .. } => {
            let finalization = finalization_of(certificate).filter(|_| certificate.id == block.id());
            let scheme = around.directory.committee(certificate.epoch).map(|(scheme, _)| scheme);
            let (Some(finalization), Some(scheme)) = (finalization, scheme) else {
                return Err(ArchiveError::FloorCertificate);
            };
            let mut rng = context.child("floor");
            if !finalization.verify(&mut rng, &*scheme, &Sequential) {
                return Err(ArchiveError::FloorCertificate);
            }
            Ok(marshal::Start::Floor(finalization))
        }
    }
}

fn files<C>(around: &Surroundings, name: &str, codec_config: C) -> prunable::Config<EightCap, C> {
    let [metadata_partition, key_partition, value_partition] =
        ARCHIVE_PARTS.map(|part| format!("{}-{name}-{part}", around.partitions.prefix()));
    prunable::Config {
        translator: EightCap,
        metadata_partition,
        key_partition,
        key_page_cache: around.cache.clone(),
        value_partition,
        compression: None,
        codec_config,
        items_per_section: SECTION,
        key_write_buffer: BUFFER,
        value_write_buffer: VALUE_BUFFER,
        replay_buffer: BUFFER,
    }
}
