//! Makes a network's data directory, or finds the one that is there.
//!
//! ```text
//! .atoll/
//!   testnet.json     description; written last
//!   genesis.json     where every chain starts
//!   password         of the validators' keystores: throw-away keys
//!   validator-0/     keys/, beacon-node.toml, shard-node.toml, and the nodes' data
//!   logs/            one file per node
//! ```

use super::{
    accounts::{ACCOUNTS, balance},
    description::{Description, validator_directory},
    node_config,
    plan::{Plan, UpArgs},
};
use eyre::{WrapErr as _, bail};
use primitives::{Address, Allocation, Genesis, GenesisValidator, ShardId};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use validator::{KeyDirectory, keystore::Strength};

const PASSWORD: &str = "throw-away keys of a local network";

/// Refuses to start a network twice.
pub(super) fn require_not_running(args: &UpArgs) -> eyre::Result<()> {
    // A damaged description is dealt with when the directory is prepared.
    let Ok(Some(description)) = Description::read(&std::path::absolute(&args.data_dir)?) else {
        return Ok(());
    };
    let running = description.running();
    if !running.is_empty() {
        bail!(
            "this network is running already ({}): `atoll testnet status` shows it, `atoll testnet down` ends it",
            running.join(", ")
        );
    }
    Ok(())
}

/// The description of the network to start; its directory is complete afterwards.
pub(super) fn prepare(args: &UpArgs, plan: Plan) -> eyre::Result<(PathBuf, Description)> {
    let directory = std::path::absolute(&args.data_dir)?;
    let existing =
        Description::read(&directory).or_else(|error| if args.fresh { Ok(None) } else { Err(error) })?;
    if args.fresh {
        remove(&directory)?;
    } else if let Some(description) = existing {
        return match description.plan.difference(&plan) {
            Some(difference) => bail!(
                "{} holds another network: {difference}. Add --fresh to replace it, or choose another --data-dir",
                directory.display()
            ),
            None => Ok((directory, description)),
        };
    } else if fs::read_dir(&directory).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!(
            "{} is half-written (it has no testnet.json): add --fresh to start over, or choose another --data-dir",
            directory.display()
        );
    }
    let description = create(&directory, plan)?;
    Ok((directory, description))
}

/// Removes a network's directory, and nothing that is not one.
fn remove(directory: &Path) -> eyre::Result<()> {
    const KNOWN: [&str; 6] =
        ["testnet.json", "testnet.json.next", "genesis.json", "password", "logs", "validator-"];
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !KNOWN.iter().any(|known| name.starts_with(known)) {
            bail!("{} holds `{name}`, which is no part of a network: not removing it", directory.display());
        }
    }
    fs::remove_dir_all(directory).wrap_err_with(|| directory.display().to_string())
}

fn create(directory: &Path, plan: Plan) -> eyre::Result<Description> {
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).wrap_err_with(|| path.display().to_string())
    };
    fs::create_dir_all(directory.join("logs")).wrap_err_with(|| directory.display().to_string())?;
    write("password", PASSWORD)?;
    // One to be has a key for one unit; `validator top-up` makes more.
    let all = (0..plan.nodes())
        .map(|index| new_validator(directory, index, plan.units(index).max(1)))
        .collect::<eyre::Result<Vec<_>>>()?;
    let genesis = genesis(&plan, all[..plan.stake.len()].to_vec())?;
    write("genesis.json", &genesis.to_json())?;
    node_config::write(directory, &plan, &all)?;
    let description = Description::new(plan, genesis.hash(), directory)?;
    description.write(directory)?;
    Ok(description)
}

fn new_validator(directory: &Path, index: u32, seats: u32) -> eyre::Result<GenesisValidator> {
    let keys = KeyDirectory::new(validator_directory(directory, index).join("keys"));
    keys.create(
        &validator::cli::random_secret()?,
        validator::cli::KEY_PATH,
        seats,
        PASSWORD,
        Strength::Light,
    )?;
    // An address of its own, so that fees do not disturb the balances of the funded accounts.
    let owner = crypto::hash::keccak256(format!("withdrawal address of local validator {index}").as_bytes());
    Ok(keys.registration(PASSWORD, Address::from_word(owner))?)
}

fn genesis(plan: &Plan, validators: Vec<GenesisValidator>) -> eyre::Result<Genesis> {
    let spec = plan.spec.clone();
    let timestamp_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let allocations: Vec<_> =
        ACCOUNTS.iter().map(|(address, _)| Allocation { address: *address, balance: balance() }).collect();
    let shard_ids = (0..plan.shard_count())
        .map(|id| {
            shard_state::genesis::genesis_header(&spec, ShardId::new(id), &allocations, timestamp_ms).id()
        })
        .collect();
    let genesis = Genesis { spec, timestamp_ms, validators, allocations, shard_ids };
    genesis.verify()?;
    Ok(genesis)
}
