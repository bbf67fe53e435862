//! Server-sent events.

use crate::{Certified, Snapshot};
use beacon_state::Event as Chain;
use futures::StreamExt as _;
use futures::future::ready;
use futures::stream::{self, BoxStream};
use primitives::ValidatorIndex;
use rpc::beacon::{Decimal, EndCause, Event, StakeChange};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

/// Everything that happens from now on; ends where the listener is so late that something would be skipped.
pub(super) fn stream(blocks: broadcast::Receiver<Certified>) -> BoxStream<'static, Event> {
    BroadcastStream::new(blocks)
        .take_while(|block| ready(block.is_ok()))
        .filter_map(|block| ready(block.ok()))
        .flat_map(|block| stream::iter(of(&block.snapshot, &block.events)))
        .boxed()
}

/// What a certified block is worth telling: first what it did, then that it is there.
pub(super) fn of(snapshot: &Snapshot, events: &[Chain]) -> Vec<Event> {
    let mut told: Vec<Event> = events.iter().filter_map(|event| view(snapshot, event)).collect();
    let header = snapshot.header();
    let (slot, block, state) = (Decimal(header.height.get()), snapshot.id(), header.state_root);
    let table = snapshot.state().beacon_table();
    let first_height = table.entry(header.epoch).map(|entry| entry.first_height);
    told.push(Event::Block { slot, block, execution_optimistic: false });
    told.push(Event::Head {
        slot,
        block,
        state,
        epoch_transition: first_height == Some(header.height),
        execution_optimistic: false,
    });
    told.push(Event::FinalizedCheckpoint {
        block,
        state,
        epoch: Decimal(header.epoch.get()),
        execution_optimistic: false,
    });
    told
}

fn view(snapshot: &Snapshot, event: &Chain) -> Option<Event> {
    Some(match event {
        Chain::Slashed { validator, units, chain, epoch, .. } => Event::Slashing {
            validator_index: Decimal(validator.get()),
            units: Decimal(*units),
            chain: *chain,
            offence_epoch: Decimal(epoch.get()),
        },
        Chain::Accepted { shard, id, height } => Event::Crosslink {
            shard: Decimal(shard.get().into()),
            height: Decimal(height.get()),
            id: *id,
            shard_epoch: Decimal(snapshot.state().shard(*shard)?.accepted.epoch.get()),
            accepted_at: Decimal(snapshot.height().get()),
        },
        Chain::EarlyEnd { shard, epoch, successor, last, cause } => Event::EarlyEnd {
            shard: Decimal(shard.get().into()),
            ended_epoch: Decimal(epoch.get()),
            next_epoch: Decimal(successor.get()),
            first_height: Decimal(last.height.next().get()),
            cause: match cause {
                beacon_state::EndCause::Stall => EndCause::Stall,
                beacon_state::EndCause::Conflict => EndCause::Conflict,
                beacon_state::EndCause::Consumption => EndCause::Consumption,
            },
        },
        Chain::Registered { validator, units } => stake(*validator, *units, StakeChange::Registered),
        Chain::ToppedUp { validator, units } => stake(*validator, *units, StakeChange::ToppedUp),
        Chain::Exited { validator, units, .. } => stake(*validator, *units, StakeChange::Exited),
        Chain::Withdrawn { validator, units, .. } => stake(*validator, *units, StakeChange::Withdrawn),
        Chain::Refused { .. } | Chain::Drawn { .. } => return None,
    })
}

const fn stake(validator: ValidatorIndex, units: u64, change: StakeChange) -> Event {
    Event::Stake { validator_index: Decimal(validator.get()), units: Decimal(units), change }
}
