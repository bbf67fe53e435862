//! The transactions that move stake: made here, where the keys are, and sent with any Ethereum tool from any shard.

use super::password;
use crate::KeyDirectory;
use crate::NodeRole;
use alloy_sol_types::SolCall as _;
use clap::Args;
use eyre::{WrapErr as _, bail};
use primitives::{Address, Bytes, Genesis, PORTAL, SeatRegistration, U256};
use serde_json::json;
use std::{fs, path::PathBuf};

use abi::IPortal;

/// The Portal's interface, as Solidity declares it.
#[allow(missing_docs, clippy::too_many_arguments)]
mod abi {
    alloy_sol_types::sol!("../sdk/solidity/IPortal.sol");
}

#[derive(Debug, Args)]
struct Keys {
    /// Directory of the keys.
    #[arg(long, default_value = "keys")]
    dir: PathBuf,
    /// File with the password; asked for on the terminal if absent.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// The network's genesis file: it says what a unit of stake is.
    #[arg(long)]
    genesis: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Deposit {
    #[command(flatten)]
    keys: Keys,
    /// Id of the shard that the stake goes back to.
    #[arg(long)]
    withdrawal_shard: u32,
    /// The account there that owns it; it alone can end the stake or add to it.
    #[arg(long)]
    withdrawal_account: Address,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct TopUp {
    #[command(flatten)]
    keys: Keys,
    /// The validator's index.
    #[arg(long)]
    validator: u64,
    /// How many units to add, each with a new seat key.
    #[arg(long)]
    units: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Exit {
    /// The validator's index.
    #[arg(long)]
    validator: u64,
    /// How many units, the latest registered first; all by default.
    #[arg(long, default_value_t = 0)]
    units: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A call of the Portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalCall {
    /// Wei.
    pub value: U256,
    /// ABI-encoded.
    pub data: Bytes,
}

impl Keys {
    fn genesis(&self) -> eyre::Result<Genesis> {
        let text = fs::read_to_string(&self.genesis).wrap_err_with(|| self.genesis.display().to_string())?;
        Ok(Genesis::from_json(&text)?)
    }

    fn password(&self) -> eyre::Result<zeroize::Zeroizing<String>> {
        password(self.password_file.as_ref(), "Password of the keys: ")
    }
}

impl Deposit {
    pub(super) fn run(self) -> eyre::Result<()> {
        let genesis = self.keys.genesis()?;
        let shards = genesis.spec.shards.len();
        if self.withdrawal_shard as usize >= shards {
            bail!("--withdrawal-shard must be below {shards}, found {}", self.withdrawal_shard);
        }
        let (keys, password) = (KeyDirectory::new(&self.keys.dir), self.keys.password()?);
        let call = deposit(&keys, &password, &genesis, self.withdrawal_shard, self.withdrawal_account)?;
        print(&call, self.json, "from an account of any shard");
        Ok(())
    }
}

impl TopUp {
    pub(super) fn run(self) -> eyre::Result<()> {
        let genesis = self.keys.genesis()?;
        check_count(&genesis, self.units as usize)?;
        let keys = KeyDirectory::new(&self.keys.dir);
        let seats = keys.add_seats(&self.keys.password()?, self.units)?;
        let call = IPortal::topUpCall { validator: self.validator, seats: portal_seats(&seats) };
        let value = stake(&genesis, seats.len());
        print(&PortalCall { value, data: call.abi_encode().into() }, self.json, FROM_OWNER);
        Ok(())
    }
}

impl Exit {
    pub(super) fn run(self) -> eyre::Result<()> {
        print(&exit(self.validator, self.units), self.json, FROM_OWNER);
        Ok(())
    }
}

const FROM_OWNER: &str = "from the validator's withdrawal account, on its shard";

/// The call that stakes with all seats of `keys` as a new validator, for an account of a shard.
pub fn deposit(
    keys: &KeyDirectory,
    password: &str,
    genesis: &Genesis,
    withdrawal_shard: u32,
    withdrawal_account: Address,
) -> eyre::Result<PortalCall> {
    let seats = keys.seat_registrations(password)?;
    check_count(genesis, seats.len())?;
    let call = IPortal::depositCall {
        seats: portal_seats(&seats),
        beaconNode: keys.network_key(NodeRole::Beacon)?.node_key(),
        shardNode: keys.network_key(NodeRole::Shard)?.node_key(),
        withdrawalShard: withdrawal_shard,
        withdrawalAccount: withdrawal_account,
    };
    Ok(PortalCall { value: stake(genesis, seats.len()), data: call.abi_encode().into() })
}

/// The call that ends `units` of a validator's stake, all for zero.
pub fn exit(validator: u64, units: u64) -> PortalCall {
    let call = IPortal::exitCall { validator, units };
    PortalCall { value: U256::ZERO, data: call.abi_encode().into() }
}

fn check_count(genesis: &Genesis, seats: usize) -> eyre::Result<()> {
    let limit = genesis.spec.registrations_max as usize;
    if seats == 0 || seats > limit {
        bail!(
            "one transaction stakes from 1 to {limit} units, found {seats}: add the others by `validator top-up`"
        );
    }
    Ok(())
}

fn stake(genesis: &Genesis, seats: usize) -> U256 {
    genesis.spec.unit_wei.saturating_mul(U256::from(seats))
}

fn portal_seats(seats: &[SeatRegistration]) -> Vec<IPortal::Seat> {
    let seat = |seat: &SeatRegistration| IPortal::Seat {
        key: seat.key.as_ref().to_vec().into(),
        possession: seat.possession.as_ref().to_vec().into(),
    };
    seats.iter().map(seat).collect()
}

/// Prints a transaction: as JSON, or as the command that sends it.
fn print(call: &PortalCall, json: bool, from: &str) {
    let PortalCall { value, data } = call;
    if json {
        println!("{:#}", json!({ "to": PORTAL, "value": value, "data": data }));
    } else {
        eprintln!("Send it {from}:");
        println!("cast send {PORTAL} {data} --value {value} --rpc-url <URL> --private-key <KEY>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keystore::Strength;
    use primitives::ChainSpec;

    #[test]
    fn a_deposit_registers_all_seats_with_their_stake() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyDirectory::new(folder.path());
        let secret = super::super::random_secret().unwrap();
        keys.create(&secret, "", 3, "secret", Strength::Light).unwrap();
        let spec = ChainSpec::preset("local").unwrap();
        let unit = spec.unit_wei;
        let (validators, allocations, shard_ids) = Default::default();
        let genesis = Genesis { spec, timestamp_ms: 0, validators, allocations, shard_ids };
        let owner = Address::repeat_byte(7);
        let call = deposit(&keys, "secret", &genesis, 2, owner).unwrap();
        assert_eq!(call.value, unit * U256::from(3));
        let decoded = IPortal::depositCall::abi_decode_validate(&call.data).unwrap();
        let registered = keys.seat_registrations("secret").unwrap();
        assert_eq!(decoded.seats[2].key.as_ref(), registered[2].key.as_ref());
        assert_eq!((decoded.withdrawalShard, decoded.withdrawalAccount), (2, owner));
        assert_ne!(decoded.beaconNode, decoded.shardNode);
    }
}
