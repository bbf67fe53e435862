//! Every scenario with many seeds.

use crate::{
    atomic, byzantine, calm, committees, conflicts, faults, outage, receipts, seeds, staking, storm,
};

/// A scenario's name, and what runs it with a seed.
type Scenario = (&'static str, fn(u64));

#[test]
#[ignore = "takes long: run with --ignored, and ATOLL_SIM_SEEDS=FIRST..END"]
fn every_scenario_holds_for_many_seeds() {
    let scenarios: [Scenario; 27] = [
        ("beacon epochs", calm::beacon_epochs),
        ("calm", calm::calm),
        ("rough links", faults::rough_links),
        ("partition", faults::partition),
        ("one crash", faults::crash_one),
        ("all crash", faults::crash_all),
        ("late beacon views", faults::late_beacon_views),
        ("beacon equivocator", byzantine::beacon_equivocator),
        ("shard equivocator", byzantine::shard_equivocator),
        ("liar", byzantine::liar),
        ("rotation", committees::rotation),
        ("absentees", committees::absentees),
        ("duplicates", faults::duplicates),
        ("lost committee", committees::lost_committee),
        ("two branches", conflicts::two_branches),
        ("receipts", receipts::calm),
        ("receipts through everything", receipts::trouble),
        ("receipts of strangers", receipts::strangers),
        ("narrow lanes", receipts::narrow),
        ("forger", receipts::forger),
        ("outage", outage::outage),
        ("relayer", storm::relayer),
        ("storm", storm::storm),
        ("long storm", storm::long_storm),
        ("staking", staking::staking),
        ("bundles", atomic::calm),
        ("bundles through everything", atomic::trouble),
    ];
    seeds::each(seeds::nightly(1000..1020), |seed| {
        for (name, scenario) in scenarios {
            println!("seed {seed}: {name}");
            scenario(seed);
        }
    });
}

#[test]
#[ignore = "takes hours: run with --ignored, and ATOLL_SIM_SEEDS=FIRST..END"]
fn receipts_arrive_through_a_thousand_storms() {
    seeds::each(seeds::nightly(1000..2000), |seed| {
        println!("seed {seed}");
        storm::brief_storm(seed);
    });
}
