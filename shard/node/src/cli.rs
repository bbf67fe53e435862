//! The `shard-node` command line, and the process it starts.

use crate::config::Config;
use crate::dev::{self, DevArgs};
use crate::link::HttpLink;
use crate::node::{NodeConfig, Parts, ShardNode};
use crate::servers::Servers;
use crate::statetest::{self, StateTestArgs};
use alloy_primitives::utils::init_keccak_cache;
use clap::{Parser, Subcommand};
use engine::sockets::{self, Root, SocketsConfig};
use eyre::WrapErr as _;
use primitives::Genesis;
use rpc::beacon::BeaconClient;
use service::{config::set, durability::Durability, logs::LogFormat, node::Ready, ports::free};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use storage::Store;
use validator::Signer;

/// Hashes of addresses and slots that are remembered, of 128 bytes each with what they are of: 4 MiB.
const HASHES_REMEMBERED: usize = 1 << 15;

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

/// Runs `shard-node` with these arguments, the first being the program's name.
pub fn main_with(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> eyre::Result<()> {
    let cli = Cli::parse_from(args);
    // Whoever hashed before has the library's own size, which is as right.
    let _is_first = init_keccak_cache(HASHES_REMEMBERED);
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
    let Ready { genesis, signer, sockets, lock: _lock } = config.setup().ready()?;
    let rpc = rpc_addresses(&config, &genesis)?;
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
}
