//! Which seeds a test runs with.

use std::{env, ops::Range};
use tracing_subscriber::EnvFilter;

/// Replays one seed.
const ONE: &str = "ATOLL_SIM_SEED";
/// The nightly target's seeds: `FIRST..END`.
const MANY: &str = "ATOLL_SIM_SEEDS";

/// Runs `scenario` with each of `seeds`, or with the one that is to be replayed.
pub(crate) fn each(seeds: impl IntoIterator<Item = u64>, scenario: impl Fn(u64)) {
    match env::var(ONE) {
        Ok(seed) => {
            run(seed.parse().unwrap_or_else(|_| panic!("{ONE} is a number, found `{seed}`")), scenario)
        }
        Err(_) => seeds.into_iter().for_each(|seed| run(seed, &scenario)),
    }
}

/// The nightly target's seeds: `usual`, unless others are named.
pub(crate) fn nightly(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = env::var(MANY) else { return usual };
    let ends = text.split_once("..").and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    ends.unwrap_or_else(|| panic!("{MANY} is FIRST..END, found `{text}`"))
}

fn run(seed: u64, scenario: impl FnOnce(u64)) {
    let _named = Named(seed);
    show_logs();
    scenario(seed);
}

/// Shows the nodes' logs if `RUST_LOG` asks for them.
fn show_logs() {
    if env::var_os(EnvFilter::DEFAULT_ENV).is_some() {
        // The first of several tests has done it for all.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
    }
}

/// Names the seed of a run that fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was seed {seed}: {ONE}={seed} replays it", seed = self.0);
        }
    }
}
