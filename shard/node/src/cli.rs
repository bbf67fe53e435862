//! The `shard-node` command line, and the process it starts.

use crate::config::Config;
use crate::dev::{self, DevArgs};
use crate::link::HttpLink;
use crate::node::{NodeConfig, Parts, ShardNode};
use crate::servers::Servers;
use crate::statetest::{self, StateTestArgs};
use clap::{Parser, Subcommand};
use engine::sockets::{self, Root, SocketsConfig};
use eyre::WrapErr as _;
use primitives::Genesis;
use rpc::beacon::BeaconClient;
use service::{durability::Durability, logs::LogFormat, peers::peers, ports::free};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use storage::Store;
use validator::{KeyDirectory, NodeRole, Protection, Signer};

/// Room in a message beside the body of a block.
const MESSAGE_OVERHEAD_BYTES: u32 = 1 << 16;

/// Runs a shard node: every shard that its validator is drawn for.
#[derive(Debug, Parser)]
#[command(name = "shard-node", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dev: DevArgs,
    /// TOML file with settings; flags and environment are laid over it.
    #[arg(long, env = "SHARD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the node keeps its chains.
    #[arg(long, env = "SHARD_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The network's genesis file.
    #[arg(long, env = "SHARD_GENESIS", value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Directory of the validator's keys.
    #[arg(long, env = "SHARD_KEYS", value_name = "DIR")]
    keys: Option<PathBuf>,
    /// File with their password; asked for on the terminal if absent.
    #[arg(long, env = "SHARD_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Take no part in consensus, and follow every shard.
    #[arg(long, env = "SHARD_FOLLOW")]
    follow: bool,
    /// Where the validators' network listens.
    #[arg(long, env = "SHARD_LISTEN", value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// Another node; repeat it or separate several by commas.
    #[arg(long = "peer", env = "SHARD_PEERS", value_name = "KEY@HOST:PORT", value_delimiter = ',')]
    peers: Vec<String>,
    /// The beacon node's REST interface.
    #[arg(long, env = "SHARD_BEACON", value_name = "URL")]
    beacon: Option<String>,
    /// Where the first shard's JSON-RPC listens; the others follow, ten ports apart.
    #[arg(long, env = "SHARD_RPC", value_name = "HOST:PORT")]
    rpc: Option<SocketAddr>,
    /// Requests in work and WebSockets of one shard's JSON-RPC, at most.
    #[arg(long, env = "SHARD_RPC_CONNECTIONS", value_name = "COUNT")]
    rpc_connections: Option<u32>,
    /// Where the metrics page listens.
    #[arg(long, env = "SHARD_METRICS", value_name = "HOST:PORT")]
    metrics: Option<SocketAddr>,
    /// What a commit survives.
    #[arg(long, env = "SHARD_DURABILITY")]
    durability: Option<Durability>,
    /// Blocks whose state stays readable.
    #[arg(long, env = "SHARD_HISTORY_BLOCKS", value_name = "COUNT")]
    history_blocks: Option<u64>,
    /// Transactions that wait for a block of one shard, at most.
    #[arg(long, env = "SHARD_POOL_TRANSACTIONS", value_name = "COUNT")]
    pool_transactions: Option<usize>,
    /// Their bytes, at most.
    #[arg(long, env = "SHARD_POOL_BYTES", value_name = "BYTES")]
    pool_bytes: Option<usize>,
    /// What is logged, in RUST_LOG's syntax.
    #[arg(long, env = "SHARD_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How a log line looks.
    #[arg(long, env = "SHARD_LOG_FORMAT")]
    log_format: Option<LogFormat>,
}

/// What the program does beside running a node.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run Ethereum state tests through the chain's own executor and trie.
    Statetest(StateTestArgs),
}

impl Cli {
    /// The settings: flag over environment over file over default.
    pub fn settings(self) -> eyre::Result<Config> {
        let mut config: Config = service::config::load(self.config.as_deref())?;
        set(&mut config.data_dir, self.data_dir);
        set(&mut config.genesis, self.genesis);
        set(&mut config.keys, self.keys);
        set(&mut config.listen, self.listen);
        set(&mut config.beacon, self.beacon);
        set(&mut config.rpc, self.rpc);
        set(&mut config.rpc_connections, self.rpc_connections);
        set(&mut config.metrics, self.metrics);
        set(&mut config.durability, self.durability);
        set(&mut config.history_blocks, self.history_blocks);
        set(&mut config.pool_transactions, self.pool_transactions);
        set(&mut config.pool_bytes, self.pool_bytes);
        set(&mut config.log, self.log);
        set(&mut config.log_format, self.log_format);
        config.password_file = self.password_file.or(config.password_file);
        config.follow |= self.follow;
        if !self.peers.is_empty() {
            config.peers = self.peers;
        }
        Ok(config)
    }
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

/// Runs `shard-node` with these arguments, the first being the program's name.
pub fn main_with(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> eyre::Result<()> {
    let cli = Cli::parse_from(args);
    if let Some(Command::Statetest(args)) = &cli.command {
        return state_tests(args);
    }
    if cli.dev.dev {
        return dev::run(&cli.dev);
    }
    let config = cli.settings()?;
    service::logs::init(&config.log, config.log_format);
    start(config)
}

fn state_tests(args: &StateTestArgs) -> eyre::Result<()> {
    let mut lines = io::BufWriter::new(io::stdout().lock());
    let outcome = statetest::run(args, &mut lines, &mut io::stderr().lock());
    lines.flush()?;
    Ok(outcome?)
}

/// Runs a node until the process is asked to end. Whatever stands in its way is found before it joins the network.
pub fn start(config: Config) -> eyre::Result<()> {
    let text = std::fs::read_to_string(&config.genesis).wrap_err_with(|| {
        format!("{}: cannot read the genesis file (--genesis)", config.genesis.display())
    })?;
    let genesis = Genesis::from_json(&text).wrap_err_with(|| config.genesis.display().to_string())?;
    let known = peers(&config.peers)?;
    let rpc = rpc_addresses(&config, &genesis)?;
    std::fs::create_dir_all(&config.data_dir).wrap_err_with(|| {
        format!("{}: cannot make the data directory (--data-dir)", config.data_dir.display())
    })?;
    let _lock = lock(&config)?;
    let keys = KeyDirectory::new(&config.keys);
    let network_key = keys.network_key(NodeRole::Shard)?;
    let signer = if config.follow { None } else { Some(signer(&config, &keys, &genesis)?) };
    let sockets = SocketsConfig {
        node_secret: *network_key.seed(),
        listen: config.listen,
        peers: known.into_iter().filter(|(key, _)| *key != network_key.node_key()).collect(),
        durability: config.durability.engine(),
        max_message_bytes: genesis.spec.body_bytes_max.saturating_add(MESSAGE_OVERHEAD_BYTES),
    };
    free(config.listen, "consensus", "--listen")?;
    free(config.metrics, "the metrics page", "--metrics")?;
    for address in &rpc {
        free(*address, "JSON-RPC", "--rpc")?;
    }
    sockets::run(config.data_dir.join("engine"), config.worker_threads, |root| async move {
        serve(&root, config, genesis, signer, sockets, rpc).await
    })
}

/// Where each shard's JSON-RPC listens.
fn rpc_addresses(config: &Config, genesis: &Genesis) -> eyre::Result<Vec<SocketAddr>> {
    let shards = (0..).zip(&genesis.spec.shards);
    shards
        .map(|(index, shard)| {
            let address = config.rpc_at(index);
            address.ok_or_else(|| {
                eyre::eyre!(
                    "there is no port for JSON-RPC of shard {}: choose a lower one with --rpc",
                    shard.name
                )
            })
        })
        .collect()
}

/// Keeps a second node out of the data directory.
fn lock(config: &Config) -> eyre::Result<std::fs::File> {
    let path = config.data_dir.join("LOCK");
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.wrap_err_with(|| path.display().to_string())?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(eyre::eyre!(
            "{} is in use by another process: stop it, or give this one a directory of its own (--data-dir)",
            config.data_dir.display()
        )),
        Err(std::fs::TryLockError::Error(error)) => Err(error).wrap_err_with(|| path.display().to_string()),
    }
}

/// The validator's voice. What it said lies in the data directory of the node that says it.
fn signer(config: &Config, keys: &KeyDirectory, genesis: &Genesis) -> eyre::Result<Signer> {
    let password =
        validator::cli::password(config.password_file.as_ref(), "Password of the validator's keys: ")?;
    let sync = config.durability == Durability::Power;
    let protection = Protection::open(&config.data_dir.join("protection"), sync)?;
    Ok(Signer::new(keys.seat_secrets(&password)?, genesis.hash(), protection))
}

async fn serve(
    root: &Root,
    config: Config,
    genesis: Genesis,
    signer: Option<Signer>,
    sockets: SocketsConfig,
    rpc: Vec<SocketAddr>,
) -> eyre::Result<()> {
    let link = HttpLink::new(BeaconClient::new(&config.beacon)?);
    let (data_dir, storage) = (config.data_dir.clone(), config.storage());
    let node = ShardNode::start(Parts {
        genesis,
        stores: Arc::new(move |shard| Store::open(data_dir.join(format!("shard-{shard}")), storage.clone())),
        network: sockets::start(root, sockets),
        signer,
        link: Arc::new(link),
        runtime: Arc::new(service::runtime::Tokio),
        config: NodeConfig { history_blocks: config.history_blocks, pool: config.pool() },
    })
    .await?;
    let page = node.clone();
    let metrics = service::metrics::serve(config.metrics, move || page.metrics()).await?;
    let durability = config.durability;
    tracing::info!(listen = %config.listen, rpc = %config.rpc, metrics = %metrics.address(), beacon = %config.beacon, ?durability, "shard node started");

    let mut servers = Servers::new(rpc, config.rpc_connections);
    let outcome = tokio::select! {
        asked = service::shutdown::requested() => asked.wrap_err("signals cannot be received"),
        ended = node.ended() => ended.map_err(|failure| eyre::eyre!("{failure}")),
        failed = servers.follow(node.chains_changing()) => failed,
    };
    servers.stop().await;
    node.stop().await;
    tracing::info!("shard node stopped");
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flag is stronger than the file, the file stronger than the default.
    #[test]
    fn flags_are_laid_over_the_file() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("shard.toml");
        std::fs::write(&path, "rpc = \"127.0.0.1:1\"\nmetrics = \"127.0.0.1:2\"\n").expect("writable");
        let path = path.to_str().expect("a plain path");
        let cli =
            Cli::try_parse_from(["shard-node", "--config", path, "--rpc", "127.0.0.1:7"]).expect("flags");
        let config = cli.settings().expect("settings");
        assert_eq!(config.rpc.port(), 7);
        assert_eq!(config.metrics.port(), 2);
        assert_eq!(config.listen, Config::default().listen);
    }

    /// A second node on a data directory ends at once.
    #[test]
    fn data_directory_has_one_node() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let config = Config { data_dir: folder.path().into(), ..Config::default() };
        let _first = lock(&config).expect("nobody else");
        let error = lock(&config).expect_err("the first has it");
        assert!(error.to_string().contains("is in use by another process"), "{error}");
    }

    /// Without a genesis file nothing is made.
    #[test]
    fn missing_genesis_file_is_named() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let data_dir = folder.path().join("data");
        let config = Config {
            genesis: folder.path().join("none.json"),
            data_dir: data_dir.clone(),
            ..Config::default()
        };
        let error = start(config).expect_err("no file");
        assert!(error.to_string().ends_with("cannot read the genesis file (--genesis)"), "{error}");
        assert!(!data_dir.exists());
    }
}
