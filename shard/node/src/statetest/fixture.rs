//! Fixture files: a JSON object of tests by name.
//!
//! Only what is needed is read. Quantities are hexadecimal, with zeros in front or without; those that a fixture marks
//! as too large for 256 bits (`0x:bigint 0x…`) are read as what no transaction can hold.

use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, B256, Bytes, U256, ruint::ParseError};
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Why a fixture file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no state test.
    #[error("{}: not a state test fixture: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// There are no JSON files.
    #[error("{}: no fixture file (.json) in this directory", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },
}

/// One test: a pre-state, and transactions of which each case takes one.
#[derive(Debug, Deserialize)]
pub(super) struct Test {
    pub(super) env: Env,
    pub(super) pre: BTreeMap<Address, PreAccount>,
    pub(super) transaction: TransactionParts,
    /// The cases by fork.
    pub(super) post: BTreeMap<String, Vec<Post>>,
    #[serde(default)]
    pub(super) config: Config,
}

/// The block around the transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Env {
    pub(super) current_coinbase: Address,
    pub(super) current_gas_limit: U256,
    pub(super) current_number: U256,
    pub(super) current_timestamp: U256,
    pub(super) current_base_fee: Option<U256>,
    pub(super) current_random: Option<U256>,
}

/// An account before the transaction.
#[derive(Debug, Deserialize)]
pub(super) struct PreAccount {
    pub(super) balance: U256,
    pub(super) nonce: U256,
    pub(super) code: Bytes,
    pub(super) storage: BTreeMap<U256, U256>,
}

/// The transactions: data, gas limits and values to choose from, the rest in common.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionParts {
    pub(super) data: Vec<Bytes>,
    pub(super) gas_limit: Vec<Quantity>,
    pub(super) value: Vec<Quantity>,
    pub(super) nonce: Quantity,
    /// Empty creates a contract.
    #[serde(default)]
    pub(super) to: String,
    pub(super) secret_key: B256,
    /// The account of the key, where the fixture says so.
    pub(super) sender: Option<Address>,
    pub(super) gas_price: Option<Quantity>,
    pub(super) max_fee_per_gas: Option<Quantity>,
    pub(super) max_priority_fee_per_gas: Option<Quantity>,
    /// One for each of `data`.
    pub(super) access_lists: Option<Vec<Option<AccessList>>>,
    pub(super) authorization_list: Option<Vec<Authorization>>,
    pub(super) max_fee_per_blob_gas: Option<Quantity>,
}

/// A number of a transaction; `None` where it has more than 256 bits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quantity(pub(super) Option<U256>);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let no_quantity = || de::Error::custom(format!("`{text}` is no hexadecimal quantity"));
        let digits =
            text.strip_prefix("0x:bigint ").unwrap_or(&text).strip_prefix("0x").ok_or_else(no_quantity)?;
        match U256::from_str_radix(digits, 16) {
            Ok(value) => Ok(Self(Some(value))),
            Err(ParseError::BaseConvertError(_)) => Ok(Self(None)),
            Err(_) => Err(no_quantity()),
        }
    }
}

/// An EIP-7702 authorization with its signature.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Authorization {
    pub(super) chain_id: U256,
    pub(super) address: Address,
    pub(super) nonce: U256,
    #[serde(alias = "yParity")]
    pub(super) v: U256,
    pub(super) r: U256,
    pub(super) s: U256,
}

/// One case: which of the transactions, and what it leads to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Post {
    /// The state root.
    pub(super) hash: B256,
    /// Keccak-256 of the RLP list of logs.
    pub(super) logs: B256,
    pub(super) indexes: Indexes,
    /// Set if the transaction must be refused.
    pub(super) expect_exception: Option<String>,
}

/// Places in the lists of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Indexes {
    pub(super) data: usize,
    pub(super) gas: usize,
    pub(super) value: usize,
}

/// What differs between chains.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default = "mainnet")]
    pub(super) chainid: U256,
}

impl Default for Config {
    fn default() -> Self {
        Self { chainid: mainnet() }
    }
}

const fn mainnet() -> U256 {
    U256::ONE
}

/// The files under these paths, in order; a file that is named is taken whatever its name is.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FixtureError> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = found.len();
            search(path, &mut found)?;
            if found.len() == before {
                return Err(FixtureError::Empty { path: path.clone() });
            }
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn search(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), FixtureError> {
    let failed = |source| FixtureError::Read { path: directory.to_path_buf(), source };
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(failed)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            search(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(())
}

/// The tests of a file by name.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Test>, FixtureError> {
    let text =
        std::fs::read(path).map_err(|source| FixtureError::Read { path: path.to_path_buf(), source })?;
    serde_json::from_slice(&text).map_err(|source| FixtureError::Json { path: path.to_path_buf(), source })
}
