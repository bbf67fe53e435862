//! The `validator` command line.

pub mod stake;

use crate::{
    KeyDirectory, NodeRole,
    keystore::{Keystore, Strength},
};
use clap::{Args, Parser, Subcommand};
use crypto::bls::SecretKey;
use eyre::{WrapErr as _, bail};
use serde_json::json;
use std::{fs, path::PathBuf};
use zeroize::Zeroizing;

/// EIP-2334 path of a validator's key; seats are its children.
pub const KEY_PATH: &str = "m/12381/3600/0/0";

/// Makes and lists a validator's keys, and what stakes with them.
#[derive(Debug, Parser)]
#[command(name = "validator", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keys of a validator.
    #[command(subcommand)]
    Keys(Keys),
    /// Make the transaction that stakes with the keys as a new validator.
    Deposit(stake::Deposit),
    /// Make the transaction that adds units to a validator; its nodes use the new keys once they start again.
    TopUp(stake::TopUp),
    /// Make the transaction that ends a validator's stake, or a part of it.
    Exit(stake::Exit),
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Make a new validator: one BLS key with its seats, and two network identities.
    New(New),
    /// Take the BLS key from an EIP-2335 keystore.
    Import(Import),
    /// Show public keys.
    List(List),
}

#[derive(Debug, Args)]
struct Target {
    /// Directory of the keys.
    #[arg(long, default_value = "keys")]
    out: PathBuf,
    /// Units of stake: one seat key each.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(crate::directory::SEATS_MAX)))]
    seats: u32,
    /// File with the password; asked for on the terminal if absent.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct New {
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
struct Import {
    /// The EIP-2335 keystore.
    keystore: PathBuf,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
struct List {
    /// Directory of the keys.
    #[arg(long, default_value = "keys")]
    dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// Does what was asked; results go to standard output.
    pub fn run(self) -> eyre::Result<()> {
        match self.command {
            Command::Keys(keys) => keys.run(),
            Command::Deposit(deposit) => deposit.run(),
            Command::TopUp(top_up) => top_up.run(),
            Command::Exit(exit) => exit.run(),
        }
    }
}

impl Keys {
    fn run(self) -> eyre::Result<()> {
        match self {
            Self::New(New { target }) => {
                let password = password(target.password_file.as_ref(), "New password: ")?;
                store(&target, &random_secret()?, KEY_PATH, &password)
            }
            Self::Import(Import { keystore, target }) => {
                let text = fs::read_to_string(&keystore).wrap_err_with(|| keystore.display().to_string())?;
                let keystore = Keystore::from_json(&text)?;
                let password = password(target.password_file.as_ref(), "Password of the keystore: ")?;
                store(&target, &keystore.decrypt(&password)?, &keystore.path, &password)
            }
            Self::List(List { dir, json }) => list(&KeyDirectory::new(dir), json),
        }
    }
}

/// A new validator's key, at [`KEY_PATH`] below a random master.
pub fn random_secret() -> eyre::Result<SecretKey> {
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
    Ok(SecretKey::derive_master(seed.as_ref())?.derive_path(KEY_PATH)?)
}

/// The first line of a password file, or what is typed.
pub fn password(file: Option<&PathBuf>, prompt: &str) -> eyre::Result<Zeroizing<String>> {
    let text = match file {
        Some(file) => Zeroizing::new(fs::read_to_string(file).wrap_err_with(|| file.display().to_string())?),
        None => {
            Zeroizing::new(rpassword::prompt_password(prompt).wrap_err("no terminal: use --password-file")?)
        }
    };
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        bail!("the password is empty");
    }
    Ok(Zeroizing::new(password.to_owned()))
}

fn store(target: &Target, secret: &SecretKey, path: &str, password: &str) -> eyre::Result<()> {
    let keys = KeyDirectory::new(&target.out);
    keys.create(secret, path, target.seats, password, Strength::Standard)?;
    list(&keys, target.json)
}

fn list(keys: &KeyDirectory, json: bool) -> eyre::Result<()> {
    let keystore = keys.keystore()?;
    let beacon_node = keys.network_key(NodeRole::Beacon)?.node_key();
    let shard_node = keys.network_key(NodeRole::Shard)?.node_key();
    let seats = keys.seats()?;
    let public_key = format!("0x{}", keystore.pubkey.trim_start_matches("0x"));
    if json {
        let view = json!({
            "directory": keys.path(), "publicKey": public_key, "path": keystore.path, "seats": seats,
            "beaconNode": beacon_node, "shardNode": shard_node,
        });
        println!("{view:#}");
    } else {
        println!("validator    {public_key}");
        println!("seats        {seats}");
        println!("beacon-node  {beacon_node}");
        println!("shard-node   {shard_node}");
    }
    Ok(())
}
