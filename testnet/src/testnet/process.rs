//! The node processes of a testnet.

use eyre::WrapErr as _;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// Time a node gets to end in order.
const GRACE: Duration = Duration::from_secs(10);

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// `beacon-node`
    BeaconNode,
    /// `shard-node`
    ShardNode,
}

impl Program {
    /// Name of the binary, and of the subcommand of `atoll` that is the same code.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeaconNode => "beacon-node",
            Self::ShardNode => "shard-node",
        }
    }
}

/// A node as `testnet.json` lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeProcess {
    /// Short name: `beacon-0`, `shard-3`.
    pub name: String,
    /// What it runs.
    pub program: Program,
    /// Its configuration file.
    pub config: PathBuf,
    /// Where its logs go.
    pub log: PathBuf,
    /// Its process, if started.
    pub pid: Option<u32>,
}

impl NodeProcess {
    /// Starts the node. With `tied`, it ends when this process does, however that happens.
    pub fn start(&mut self, tied: bool) -> eyre::Result<Child> {
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.wrap_err_with(|| self.log.display().to_string())?;
        let executable = std::env::current_exe().wrap_err("cannot find this program's own file")?;
        let mut command = Command::new(executable);
        command
            .arg0(self.program.name())
            .arg(self.program.name())
            .arg("--config")
            .arg(&self.config)
            .stdin(if tied { Stdio::piped() } else { Stdio::null() })
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C reaches this process only, which then ends the nodes in order.
            .process_group(0);
        if tied {
            command.env(service::shutdown::EXIT_WITH_STDIN, "1");
        } else {
            command.env_remove(service::shutdown::EXIT_WITH_STDIN);
        }
        let child = command.spawn().wrap_err_with(|| format!("cannot start {}", self.name))?;
        self.pid = Some(child.id());
        Ok(child)
    }

    /// Whether its process runs, and is still this node and not another that got the number.
    pub fn is_running(&self) -> bool {
        self.pid.is_some_and(|pid| is_alive(pid) && runs_with(pid, &self.config))
    }

    /// The last lines of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let all: Vec<_> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// Asks the running ones to end, waits, and kills what is left. Returns the names that ended.
pub(super) fn stop(nodes: &[NodeProcess]) -> Vec<String> {
    let running: Vec<_> = nodes.iter().filter(|node| node.is_running()).collect();
    for node in &running {
        signal(node, Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while running.iter().any(|node| node.is_running()) && Instant::now() < deadline {
        sleep(Duration::from_millis(20));
    }
    for node in running.iter().filter(|node| node.is_running()) {
        signal(node, Signal::KILL);
    }
    running.iter().map(|node| node.name.clone()).collect()
}

fn pid(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().and_then(Pid::from_raw)
}

fn signal(node: &NodeProcess, signal: Signal) {
    if let Some(pid) = node.pid.and_then(pid) {
        // It may just have ended by itself: that is what was wanted.
        let _ = kill_process(pid, signal);
    }
}

fn is_alive(raw: u32) -> bool {
    let zombie = fs::read_to_string(format!("/proc/{raw}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')));
    !zombie && pid(raw).is_some_and(|pid| test_kill_process(pid).is_ok())
}

/// Where the system shows command lines, whether this one names the configuration file.
fn runs_with(raw: u32, config: &Path) -> bool {
    match fs::read(format!("/proc/{raw}/cmdline")) {
        Ok(line) => line.split(|byte| *byte == 0).any(|word| word == config.as_os_str().as_encoded_bytes()),
        Err(_) => !Path::new("/proc/self").exists(),
    }
}
