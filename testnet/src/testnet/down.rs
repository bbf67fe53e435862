//! `atoll testnet down` and `logs`.

use super::{description::Description, process};
use clap::Args;
use eyre::{WrapErr as _, bail};
use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

const FOLLOW_INTERVAL: Duration = Duration::from_millis(200);

/// Which network.
#[derive(Clone, Debug, Args)]
pub struct DataDir {
    /// Where the network lives.
    #[arg(long, default_value = ".atoll", env = "ATOLL_DATA_DIR")]
    pub data_dir: PathBuf,
}

impl DataDir {
    /// The network's description, or what to do without one.
    pub fn description(&self) -> eyre::Result<Description> {
        match Description::read(&std::path::absolute(&self.data_dir)?)? {
            Some(description) => Ok(description),
            None => {
                bail!("there is no network in {}: start one with `atoll testnet up`", self.data_dir.display())
            }
        }
    }
}

/// Ends a network that runs, wherever it was started from.
pub fn down(directory: &DataDir) -> eyre::Result<()> {
    let stopped = process::stop(&directory.description()?.nodes);
    match stopped.len() {
        0 => eprintln!("nothing was running."),
        count => eprintln!("ended {count} nodes; the data is kept."),
    }
    Ok(())
}

/// Which logs.
#[derive(Clone, Debug, Args)]
pub struct LogsArgs {
    /// One node, for example `beacon-0` or `shard-2`; all of them by default.
    name: Option<String>,
    /// Go on as the nodes write, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    directory: DataDir,
}

/// Prints the nodes' logs; with several, each line begins with its node's name.
pub fn logs(args: &LogsArgs) -> eyre::Result<()> {
    let description = args.directory.description()?;
    let nodes = match &args.name {
        Some(name) => vec![description.node(name)?],
        None => description.nodes.iter().collect(),
    };
    let label = |name: &str| if nodes.len() > 1 { format!("{name:<9} ") } else { String::new() };
    let mut logs =
        nodes.iter().map(|node| Log::open(label(&node.name), &node.log)).collect::<eyre::Result<Vec<_>>>()?;
    loop {
        for log in &mut logs {
            log.print_new()?;
        }
        if !args.follow {
            return Ok(());
        }
        sleep(FOLLOW_INTERVAL);
    }
}

struct Log {
    label: String,
    file: File,
    /// The beginning of a line that is still being written.
    partial: Vec<u8>,
}

impl Log {
    fn open(label: String, path: &Path) -> eyre::Result<Self> {
        let mut file = File::open(path).wrap_err_with(|| path.display().to_string())?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { label, file, partial: Vec::new() })
    }

    fn print_new(&mut self) -> eyre::Result<()> {
        self.file.read_to_end(&mut self.partial)?;
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
        let rest = self.partial.split_off(end + 1);
        let mut out = std::io::stdout().lock();
        for line in self.partial.split_inclusive(|byte| *byte == b'\n') {
            out.write_all(self.label.as_bytes())?;
            out.write_all(line)?;
        }
        self.partial = rest;
        Ok(())
    }
}
