//! An epoch ends early, and the chain goes on above the last block that counts.

use super::harness::*;
use crate::Start;
use primitives::Epoch;

#[test]
fn a_new_generation_starts_above_the_floor_and_forgets_what_was_above_it() {
    let (plan, world) = (Plan::new(&[&[1, 1, 1, 1]], 1000), World::default());
    simulate(41, |root| async move {
        let (_cluster, nodes) = start(&root, LINK, 0..4, &plan, &world).await;
        world.reach(&root, 0..4, 9).await;
        let (floor, void) = {
            let book = world.book();
            let height = *book.certificates.keys().find(|height| height.get() >= 4).unwrap();
            let blocks = &book.certified[&node(0)];
            let certificate = book.certificates[&height].clone();
            let committee = plan.committee(Epoch::ZERO).unwrap();
            (
                Start::Floor { block: blocks[&height].clone(), certificate, committee },
                blocks[&height.next()].id(),
            )
        };
        world.book().certified.clear();
        let epochs = vec![vec![1, 1, 2, 0]; 2];
        let next = Plan { epochs, heights_per_epoch: 5, generation: 1, first_epoch: 2, start: floor };
        for (index, network) in &nodes {
            open(&root, network, *index, &next, &world).await;
        }
        world.reach(&root, 0..4, next.first(Epoch::new(3)).get() + 2).await;
        world.assert_no_fork();
        let book = world.book();
        let first = &book.certified[&node(0)][&next.first(Epoch::new(2))];
        assert_eq!(first.parent(), next.start.block().id());
        assert_eq!(first.epoch(), Epoch::new(2));
        assert_ne!(first.id(), void);
        assert_eq!(book.evidence, []);
    });
}
