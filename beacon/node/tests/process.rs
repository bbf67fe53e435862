//! The real process: one validator alone on its network, over real files, ports and signals.

use crypto::bls::SecretKey;
use primitives::{Address, B256, ChainSpec, Genesis, Height};
use rpc::beacon::BeaconClient;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use validator::{KeyDirectory, keystore::Strength};

const PATIENCE: Duration = Duration::from_secs(25);

/// A validator's folder, and the ports of its node.
struct Site {
    folder: tempfile::TempDir,
    ports: [u16; 3],
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let keys = KeyDirectory::new(folder.path().join("keys"));
        let secret = SecretKey::derive_master(&[8; 32]).expect("a long seed");
        keys.create(&secret, "", 2, "password", Strength::Light).expect("a new folder");
        std::fs::write(folder.path().join("password"), "password\n").expect("writable");
        let mut spec = ChainSpec::preset("local").expect("a preset");
        spec.shards.truncate(1);
        spec.beacon_interval_ms = 200.try_into().expect("not zero");
        spec.beacon_epoch_heights = 4.try_into().expect("not zero");
        let genesis = Genesis {
            spec,
            timestamp_ms: 1_000,
            validators: vec![keys.registration("password", Address::ZERO).expect("readable")],
            allocations: Vec::new(),
            shard_ids: vec![B256::repeat_byte(1)],
        };
        std::fs::write(folder.path().join("genesis.json"), genesis.to_json()).expect("writable");
        let taken: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let ports = [0, 1, 2].map(|index| taken[index].local_addr().expect("bound").port());
        Self { folder, ports }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let address = |index: usize| SocketAddr::from(([127, 0, 0, 1], self.ports[index])).to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_beacon-node"));
        let files = [
            ("data-dir", "data"),
            ("genesis", "genesis.json"),
            ("keys", "keys"),
            ("password-file", "password"),
        ];
        for (flag, name) in files {
            command.arg(format!("--{flag}")).arg(self.path(name));
        }
        for (index, flag) in ["listen", "rest", "metrics"].into_iter().enumerate() {
            command.arg(format!("--{flag}")).arg(address(index));
        }
        command.args(["--durability", "process", "--log-format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Node {
        let child = self.command().spawn().expect("the binary was built");
        let client = BeaconClient::new(format!("http://127.0.0.1:{}", self.ports[1])).expect("a plain URL");
        Node { child: Some(child), client }
    }

    /// Runs a node that cannot start, to its end.
    fn refused(&self) -> String {
        let output = self.command().output().expect("the binary was built");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// A running process; killed when dropped.
struct Node {
    child: Option<Child>,
    client: BeaconClient,
}

impl Node {
    fn signal(&mut self, signal: &str) -> Output {
        let child = self.child.take().expect("signalled once");
        let killed =
            Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill exists");
        assert!(killed.success());
        child.wait_with_output().expect("it ends")
    }

    async fn reach(&self, height: Height) {
        let start = Instant::now();
        loop {
            let update = self.client.light_update(height, Duration::from_secs(1)).await;
            if matches!(update, Ok(Some(_))) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "no block above {height}: {update:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn page(port: u16) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("text");
    page
}

/// A node alone finalizes, serves, ends on SIGTERM, survives SIGKILL, and keeps out a second one.
#[tokio::test]
async fn node_finalizes_and_survives_its_process() {
    let site = Site::new();
    let mut node = site.start();
    node.reach(Height::new(6)).await;
    let metrics = page(site.ports[2]);
    assert!(metrics.contains("beacon_head_slot ") && metrics.ends_with("# EOF\n"), "{metrics}");

    // A second instance on the same data finds the directory locked, before it touches a port.
    let error = site.refused();
    assert!(error.contains("is in use by another process"), "{error}");

    let output = node.signal("-TERM");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");

    let mut node = site.start();
    node.reach(Height::new(9)).await;
    node.signal("-KILL");
    let node = site.start();
    node.reach(Height::new(12)).await;
}

/// Every taken port is found before the node joins, and names its flag.
#[test]
fn taken_ports_are_named() {
    let site = Site::new();
    for (port, flag) in site.ports.into_iter().zip(["--listen", "--rest", "--metrics"]) {
        let taken = TcpListener::bind(("127.0.0.1", port)).expect("just freed");
        let error = site.refused();
        assert!(error.contains(flag), "{error}");
        drop(taken);
    }
}

/// The data of another network, and a folder whose creation was interrupted, are refused with a remedy.
#[test]
fn unusable_data_is_refused() {
    let site = Site::new();
    let data = site.path("data");
    std::fs::create_dir_all(data.join("chain")).expect("writable");
    std::fs::write(data.join("chain").join("rest"), "of something").expect("writable");
    let error = site.refused();
    assert!(error.contains("holds files but no FORMAT"), "{error}");
    assert!(!Path::new(&data.join("engine")).exists());
}
