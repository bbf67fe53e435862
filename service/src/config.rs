//! Configuration: flag over environment over file over default.
//!
//! A process has one settings struct, with a default for every field, read from a TOML file by
//! [`load`]; its flags (whose environment variables `clap` reads) are applied on top by the process.

use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file has a key that means nothing.
    #[error("{path}: unknown key `{found}`{hint}")]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        found: String,
        /// The nearest known one.
        hint: String,
    },
    /// A value does not fit its key, or the file is not TOML.
    #[error("{path}: {message}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Where and why, in the words of the parser.
        message: String,
    },
}

/// Reads settings from a TOML file; without a file, the defaults.
///
/// Unknown keys are refused, naming the nearest known one.
pub fn load<T>(path: Option<&Path>) -> Result<T, ConfigError>
where
    T: Default + Serialize + for<'de> Deserialize<'de>,
{
    let Some(path) = path else { return Ok(T::default()) };
    let io = |source| ConfigError::Io { path: path.into(), source };
    parse(&fs::read_to_string(path).map_err(io)?, path)
}

/// Lays what a flag gave over a setting.
pub fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

fn parse<T>(text: &str, path: &Path) -> Result<T, ConfigError>
where
    T: Default + Serialize + for<'de> Deserialize<'de>,
{
    let value_error =
        |error: toml::de::Error| ConfigError::Value { path: path.into(), message: error.to_string() };
    let given: toml::Table = toml::from_str(text).map_err(value_error)?;
    let known = toml::Table::try_from(T::default()).unwrap_or_default();
    for found in given.keys().filter(|key| !known.contains_key(*key)) {
        // A field without a default value is absent from the table: let the type itself decide.
        if toml::from_str::<T>(&format!("{found} = {}", given[found])).is_ok() {
            continue;
        }
        let nearest = known
            .keys()
            .max_by(|a, b| strsim::jaro_winkler(a, found).total_cmp(&strsim::jaro_winkler(b, found)));
        let hint = nearest.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
        return Err(ConfigError::UnknownKey { path: path.into(), found: found.clone(), hint });
    }
    toml::from_str(text).map_err(value_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        listen: String,
        peers_max: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        metrics: Option<String>,
    }

    fn read(text: &str) -> Result<Settings, ConfigError> {
        parse(text, Path::new("node.toml"))
    }

    /// Keys in the file replace defaults, the others keep them.
    #[test]
    fn file_is_laid_over_defaults() {
        let settings = read("peers_max = 7\nmetrics = \"on\"").unwrap();
        assert_eq!(settings, Settings { listen: String::new(), peers_max: 7, metrics: Some("on".into()) });
    }

    /// A misspelt key is an error that names the right one.
    #[test]
    fn unknown_key_names_the_nearest() {
        let error = read("peer_max = 7").unwrap_err();
        assert_eq!(error.to_string(), "node.toml: unknown key `peer_max`; did you mean `peers_max`?");
    }

    /// A value of the wrong type says where.
    #[test]
    fn wrong_value_is_located() {
        let error = read("peers_max = \"many\"").unwrap_err();
        assert!(error.to_string().contains("peers_max = \"many\""), "{error}");
    }
}
