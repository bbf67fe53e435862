//! What must hold of a network at any time.

use crate::{beacon_oracle, shard_oracle, world::World};
use primitives::{Chain, Height};

/// Checks everything that the running nodes and the book have to say.
pub(crate) fn check(world: &World) {
    let violations = world.estate.book.violations();
    assert!(violations.is_empty(), "{violations:#?}");
    check_beacon(world);
    shard_oracle::check(world);
}

/// All nodes have the same beacon chain, and it follows from genesis.
fn check_beacon(world: &World) {
    let heads = world.validators.keys().map(|validator| (world.beacon_height(*validator), *validator));
    let Some((head, longest)) = heads.max() else { return };
    let store = world.validators[&longest].beacon.store();
    let heights = || (1..=head.get()).map(Height::new);
    let blocks = heights().map(|height| {
        let block = store.block(height).expect("readable").expect("a node keeps every block");
        (block, store.certificate(height).expect("readable"))
    });
    let ids = beacon_oracle::reexecute(&world.estate, blocks);
    for (validator, running) in &world.validators {
        let own = running.beacon.store();
        for (height, id) in heights().zip(&ids).take_while(|(height, _)| *height <= own.head()) {
            assert_eq!(
                own.id(height).expect("readable"),
                Some(*id),
                "validator {validator} at beacon height {height}"
            );
        }
    }
    for ((_, height), id) in world.estate.book.ids(Chain::Beacon) {
        let kept = height.get().checked_sub(1).and_then(|place| ids.get(place as usize));
        assert_eq!(kept, Some(&id), "what was certified at beacon height {height} is still there");
    }
}
