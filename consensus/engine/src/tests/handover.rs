//! One committee follows another.

use super::harness::*;
use primitives::Epoch;

#[test]
fn committees_follow_one_another_and_a_latecomer_joins() {
    let epochs: &[&[u8]] =
        &[&[1, 1, 1, 1, 0, 0], &[0, 1, 1, 1, 1, 0], &[0, 0, 1, 1, 1, 1], &[1, 1, 1, 1, 0, 0]];
    let (plan, world) = (Plan::new(epochs, 6), World::default());
    simulate(11, |root| async move {
        let (cluster, _nodes) = start(&root, LINK, 0..5, &plan, &world).await;
        world.reach(&root, 0..5, plan.first(Epoch::new(1)).get() + 1).await;
        let _late = join(&root, &cluster, 5, &plan, &world).await;
        world.reach(&root, 0..6, plan.last(Epoch::new(2)).get() + 3).await;
        world.assert_no_fork();
        let book = world.book();
        assert_eq!(book.evidence, []);
        // The last block of an epoch always has a certificate of its own.
        for epoch in (0..3).map(Epoch::new) {
            assert_eq!(book.certificates[&plan.last(epoch)].epoch, epoch);
        }
    });
}
