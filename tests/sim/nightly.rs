//! Every scenario with many seeds.

use crate::{byzantine, calm, faults, seeds};

#[test]
#[ignore = "takes long: run with --ignored, and ATOLL_SIM_SEEDS=FIRST..END"]
fn every_scenario_holds_for_many_seeds() {
    let scenarios: [(&str, fn(u64)); 7] = [
        ("calm", calm::beacon_epochs),
        ("rough links", faults::rough_links),
        ("partition", faults::partition),
        ("one crash", faults::crash_one),
        ("all crash", faults::crash_all),
        ("equivocator", byzantine::equivocator),
        ("liar", byzantine::liar),
    ];
    seeds::each(seeds::nightly(), |seed| {
        for (name, scenario) in scenarios {
            println!("seed {seed}: {name}");
            scenario(seed);
        }
    });
}
