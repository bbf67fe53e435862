//! The `beacon-node` command line, and the process it starts.

use crate::api::NodeApi;
use crate::config::Config;
use crate::{BeaconNode, Parts};
use clap::Parser;
use engine::sockets::{self, Root, SocketsConfig};
use eyre::WrapErr as _;
use primitives::Genesis;
use rpc::RestConfig;
use service::{config::set, durability::Durability, logs::LogFormat, node::Ready, ports::free};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use storage::Store;
use validator::Signer;

/// Runs a beacon node.
#[derive(Debug, Parser)]
#[command(name = "beacon-node", version)]
pub struct Cli {
    /// TOML file with settings; flags and environment are laid over it.
    #[arg(long, env = "BEACON_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the node keeps its chain.
    #[arg(long, env = "BEACON_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The network's genesis file.
    #[arg(long, env = "BEACON_GENESIS", value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Directory of the validator's keys.
    #[arg(long, env = "BEACON_KEYS", value_name = "DIR")]
    keys: Option<PathBuf>,
    /// File with their password; asked for on the terminal if absent.
    #[arg(long, env = "BEACON_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Take no part in consensus.
    #[arg(long, env = "BEACON_FOLLOW")]
    follow: bool,
    /// Where the validators' network listens.
    #[arg(long, env = "BEACON_LISTEN", value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// Another node; repeat it or separate several by commas.
    #[arg(long = "peer", env = "BEACON_PEERS", value_name = "KEY@HOST:PORT", value_delimiter = ',')]
    peers: Vec<String>,
    /// Where the REST interface listens.
    #[arg(long, env = "BEACON_REST", value_name = "HOST:PORT")]
    rest: Option<SocketAddr>,
    /// Where the metrics page listens.
    #[arg(long, env = "BEACON_METRICS", value_name = "HOST:PORT")]
    metrics: Option<SocketAddr>,
    /// What a commit survives.
    #[arg(long, env = "BEACON_DURABILITY")]
    durability: Option<Durability>,
    /// What is logged, in RUST_LOG's syntax.
    #[arg(long, env = "BEACON_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How a log line looks.
    #[arg(long, env = "BEACON_LOG_FORMAT")]
    log_format: Option<LogFormat>,
}

impl Cli {
    /// The settings: flag over environment over file over default.
    pub fn settings(self) -> eyre::Result<Config> {
        let mut config: Config = service::config::load(self.config.as_deref())?;
        set(&mut config.data_dir, self.data_dir);
        set(&mut config.genesis, self.genesis);
        set(&mut config.keys, self.keys);
        set(&mut config.listen, self.listen);
        set(&mut config.rest, self.rest);
        set(&mut config.metrics, self.metrics);
        set(&mut config.durability, self.durability);
        set(&mut config.log, self.log);
        set(&mut config.log_format, self.log_format);
        config.password_file = self.password_file.or(config.password_file);
        config.follow |= self.follow;
        if !self.peers.is_empty() {
            config.peers = self.peers;
        }
        Ok(config)
    }

    /// Runs the node until the process is asked to end.
    pub fn run(self) -> eyre::Result<()> {
        let config = self.settings()?;
        service::logs::init(&config.log, config.log_format);
        run(config)
    }
}

/// Runs `beacon-node` with these arguments, the first being the program's name.
pub fn main_with(args: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>) -> eyre::Result<()> {
    Cli::parse_from(args).run()
}

/// Runs a node until the process is asked to end. Whatever stands in its way is found before it joins the
/// network.
pub fn run(config: Config) -> eyre::Result<()> {
    let Ready { genesis, signer, sockets, lock: _lock } = config.setup().ready()?;
    let store = Store::open(config.data_dir.join("chain"), config.storage())?;
    free(config.metrics, "the metrics page", "--metrics")?;
    free(config.rest, "the REST interface", "--rest")?;
    sockets::run(config.data_dir.join("engine"), config.worker_threads, |root| async move {
        serve(&root, config, genesis, store, signer, sockets).await
    })
}

async fn serve(
    root: &Root,
    config: Config,
    genesis: Genesis,
    store: Store,
    signer: Option<Signer>,
    sockets: SocketsConfig,
) -> eyre::Result<()> {
    let peers = sockets.peers.len();
    let network = sockets::start(root, sockets);
    let runtime = Arc::new(service::runtime::Tokio);
    let node = BeaconNode::start(Parts { genesis, store, network, signer, runtime }).await?;
    let page = node.clone();
    let metrics = service::metrics::serve(config.metrics, move || page.metrics()).await?;
    let api = NodeApi::new(node.clone(), vec![config.listen.to_string()], peers);
    let rest = RestConfig { cors: rpc::Cors::Any, ..RestConfig::new(config.rest) };
    let rest = rpc::serve_rest(rest, rpc::beacon::beacon_router(api)).await?;
    let (height, durability) = (node.snapshot().height(), config.durability);
    tracing::info!(%height, listen = %config.listen, rest = %rest.address(), metrics = %metrics.address(), ?durability, "beacon node started");

    let outcome = tokio::select! {
        asked = service::shutdown::requested() => asked.wrap_err("signals cannot be received"),
        ended = node.ended() => ended.map_err(|failure| eyre::eyre!("{failure}")),
    };
    rest.stop().await;
    node.stop().await;
    tracing::info!(height = %node.snapshot().height(), "beacon node stopped");
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flag is stronger than the file, the file stronger than the default.
    #[test]
    fn flags_are_laid_over_the_file() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("beacon.toml");
        std::fs::write(&path, "rest = \"127.0.0.1:1\"\nmetrics = \"127.0.0.1:2\"\n").expect("writable");
        let path = path.to_str().expect("a plain path");
        let cli =
            Cli::try_parse_from(["beacon-node", "--config", path, "--rest", "127.0.0.1:7"]).expect("flags");
        let config = cli.settings().expect("settings");
        assert_eq!(config.rest.port(), 7);
        assert_eq!(config.metrics.port(), 2);
        assert_eq!(config.listen, Config::default().listen);
    }
}
