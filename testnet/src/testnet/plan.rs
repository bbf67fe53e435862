//! What network to start: from the command line, checked before anything is touched.

use super::ports::{PORT_BASE, Ports};
use clap::{Args, FromArgMatches as _};
use eyre::{WrapErr as _, bail};
use primitives::{ChainSpec, ShardKind, ShardSpec};
use serde::{Deserialize, Serialize};
use std::{fs, path::PathBuf};

/// Most validators on one machine; ports and cores end earlier.
const VALIDATORS_MAX: u32 = 32;
/// Most shards; their ports must not reach the next validator's.
const SHARDS_MAX: usize = 50;

/// How `testnet up` was asked for.
#[derive(Clone, Debug, Args)]
pub struct UpArgs {
    /// Number of validators, each with a beacon node and a shard node.
    #[arg(long, default_value_t = 4)]
    pub validators: u32,
    /// Units of stake of each validator, by comma; one each by default.
    #[arg(long, value_delimiter = ',')]
    pub stake: Vec<u32>,
    /// Number of nodes with keys but without stake: `atoll deposit` makes validators of them.
    #[arg(long, default_value_t = 0)]
    pub spares: u32,
    /// Shards by kind, by comma; `NAME=KIND` gives a shard another name than its kind's.
    #[arg(long, value_delimiter = ',', default_value = "ai,defi,nft")]
    pub shards: Vec<String>,
    /// Chain specification (TOML) instead of the local preset; its shards are those of `--shards`.
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// Remove the old network's data first.
    #[arg(long)]
    pub fresh: bool,
    /// Leave the network running and return.
    #[arg(long)]
    pub detach: bool,
    /// JSON-RPC port of the first shard of the first validator; all other ports move with it.
    #[arg(long, default_value_t = PORT_BASE)]
    pub port_base: u16,
    /// Whether commits wait for the disk (`power`) or only for the operating system (`process`).
    #[arg(long, default_value = "process", value_parser = ["process", "power"])]
    pub durability: String,
    /// Where the network lives.
    #[arg(long, default_value = ".atoll", env = "ATOLL_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Print the network's description as JSON instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// What defines a network: two runs with equal plans can share a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Units of each validator.
    pub stake: Vec<u32>,
    /// Validators to be.
    #[serde(default)]
    pub spares: u32,
    /// What all nodes agree on.
    pub spec: ChainSpec,
    /// Stands for 8545: all ports move with it.
    pub port_base: u16,
    /// `process` or `power`.
    pub durability: String,
}

impl Default for UpArgs {
    /// As without any flag.
    fn default() -> Self {
        let command = Self::augment_args(clap::Command::new("up"));
        let matches = command.get_matches_from(["up"]);
        Self::from_arg_matches(&matches).expect("every flag has a default")
    }
}

impl UpArgs {
    /// Checks the arguments against each other.
    pub fn plan(&self) -> eyre::Result<Plan> {
        if !(1..=VALIDATORS_MAX).contains(&self.validators) {
            bail!("--validators must be from 1 to {VALIDATORS_MAX}, found {}", self.validators);
        }
        let spares_max = VALIDATORS_MAX - self.validators;
        if self.spares > spares_max {
            bail!(
                "--spares must be at most {spares_max} with {} validators, found {}",
                self.validators,
                self.spares
            );
        }
        let stake =
            if self.stake.is_empty() { vec![1; self.validators as usize] } else { self.stake.clone() };
        if stake.len() != self.validators as usize {
            bail!(
                "--stake has {} numbers, but there are {} validators: give one for each",
                stake.len(),
                self.validators
            );
        }
        if let Some(units) = stake.iter().find(|units| !(1..=1024).contains(*units)) {
            bail!("--stake must be from 1 to 1024 units, found {units}");
        }
        let shards = self.shards.iter().map(|text| shard(text)).collect::<eyre::Result<Vec<_>>>()?;
        if shards.is_empty() || shards.len() > SHARDS_MAX {
            bail!("--shards must name from 1 to {SHARDS_MAX} shards, found {}", shards.len());
        }
        if Ports::new(self.port_base, self.validators + self.spares - 1, shards.len() as u32).is_err()
            || Ports::new(self.port_base, 0, shards.len() as u32).is_err()
        {
            bail!("--port-base {} puts a port below 1024 or above 65535; try {PORT_BASE}", self.port_base);
        }
        let (spares, port_base, durability) = (self.spares, self.port_base, self.durability.clone());
        let spec = ChainSpec { shards, ..self.base()? };
        spec.verify()?;
        Ok(Plan { stake, spares, spec, port_base, durability })
    }

    /// What the plan's specification has, the shards aside.
    fn base(&self) -> eyre::Result<ChainSpec> {
        let Some(path) = &self.spec else { return Ok(ChainSpec::preset("local")?) };
        let name = || format!("--spec {}", path.display());
        let text = fs::read_to_string(path).wrap_err_with(name)?;
        ChainSpec::from_toml(&text).wrap_err_with(name)
    }
}

impl Plan {
    /// Ports of a validator.
    pub fn ports(&self, validator: u32) -> Ports {
        Ports::new(self.port_base, validator, self.shard_count()).expect("checked when the plan was made")
    }

    /// Number of validators.
    pub fn validators(&self) -> u32 {
        self.stake.len() as u32
    }

    /// Number of validators, those to be included.
    pub fn nodes(&self) -> u32 {
        self.validators() + self.spares
    }

    /// Units of a validator at genesis.
    pub fn units(&self, validator: u32) -> u32 {
        self.stake.get(validator as usize).copied().unwrap_or_default()
    }

    /// Number of shards.
    pub fn shard_count(&self) -> u32 {
        self.spec.shards.len() as u32
    }

    /// What differs from another plan, for people.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let names = |plan: &Self| {
            plan.spec.shards.iter().map(|shard| shard.name.clone()).collect::<Vec<_>>().join(",")
        };
        let stakes = |plan: &Self| plan.stake.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let fields = [
            ("--stake", stakes(self), stakes(other)),
            ("--spares", self.spares.to_string(), other.spares.to_string()),
            ("--shards", names(self), names(other)),
            ("--port-base", self.port_base.to_string(), other.port_base.to_string()),
            ("--durability", self.durability.clone(), other.durability.clone()),
        ];
        let differs = |(_, mine, theirs): &(&str, String, String)| mine != theirs;
        let Some((flag, mine, theirs)) = fields.into_iter().find(differs) else {
            return (self.spec != other.spec).then(|| "it was made with another specification".into());
        };
        Some(format!("it was made with {flag} {mine}, now asked for is {theirs}"))
    }
}

fn shard(text: &str) -> eyre::Result<ShardSpec> {
    let (name, kind) = text.split_once('=').unwrap_or((text, text));
    let kind = match kind {
        "ai" => ShardKind::Ai,
        "defi" => ShardKind::Defi,
        "nft" => ShardKind::Nft,
        _ => bail!("--shards: `{kind}` is no kind of shard; there are ai, defi and nft"),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        bail!("--shards: `{name}` is no name: use letters, digits and `-`");
    }
    Ok(ShardSpec { name: name.into(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        up: UpArgs,
    }

    fn plan(line: &[&str]) -> eyre::Result<Plan> {
        Line::try_parse_from([&["atoll"], line].concat())?.up.plan()
    }

    /// Without flags: four validators of one unit, three shards.
    #[test]
    fn default_plan_is_the_documented_one() {
        let plan = plan(&[]).unwrap();
        assert_eq!(plan.stake, [1, 1, 1, 1]);
        assert_eq!(
            plan.spec.shards.iter().map(|shard| shard.name.as_str()).collect::<Vec<_>>(),
            ["ai", "defi", "nft"]
        );
    }

    /// A file's specification counts, except for its shards, and makes another network.
    #[test]
    fn specification_comes_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let spec = ChainSpec { seats_target: 5, ..ChainSpec::preset("mainnet-draft").unwrap() };
        fs::write(file.path(), toml::to_string(&spec).unwrap()).unwrap();
        let other = plan(&["--spec", file.path().to_str().unwrap(), "--shards", "defi"]).unwrap();
        assert_eq!((other.spec.seats_target, other.shard_count()), (5, 1));
        let usual = plan(&["--shards", "defi"]).unwrap();
        assert_eq!(usual.difference(&other).as_deref(), Some("it was made with another specification"));
        assert_eq!(other.difference(&other), None);
        fs::write(file.path(), "name = 1").unwrap();
        let error = plan(&["--spec", file.path().to_str().unwrap()]).unwrap_err();
        assert!(error.to_string().starts_with("--spec "), "{error}");
    }

    /// Each contradiction is refused with the flag's name.
    #[test]
    fn contradictions_name_their_flag() {
        for (line, flag) in [
            (&["--validators", "0"][..], "--validators"),
            (&["--validators", "2", "--stake", "1,1,1"], "--stake"),
            (&["--stake", "0,1,1,1"], "--stake"),
            (&["--shards", "defi,games"], "--shards"),
            (&["--shards", "defi,defi"], "defi"),
            (&["--spares", "29"], "--spares"),
            (&["--port-base", "65000"], "--port-base"),
            (&["--spec", "nowhere.toml"], "--spec nowhere.toml"),
        ] {
            let error = plan(line).unwrap_err().to_string();
            assert!(error.contains(flag), "{line:?}: {error}");
        }
    }
}
