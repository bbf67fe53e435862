//! `atoll testnet up`: starts everything, says where it is, and ends it in order.

use super::{
    description::Description,
    plan::{Plan, UpArgs},
    ports, prepare, process, ready, report,
};
use eyre::bail;
use std::{
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

/// How often the nodes are looked at while the network runs.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);
/// A node that ended this often within the window is not started again.
const RESTARTS_MAX: usize = 3;
const RESTART_WINDOW: Duration = Duration::from_secs(30);
const LOG_LINES: usize = 12;

/// Runs the network until Ctrl-C, or leaves it running with `--detach`.
pub fn run(args: &UpArgs) -> eyre::Result<()> {
    let started = Instant::now();
    let plan = args.plan()?;
    prepare::require_not_running(args)?;
    require_free_ports(&plan)?;
    let (directory, mut description) = prepare::prepare(args, plan)?;
    let mut children = match start(&mut description, &directory, !args.detach) {
        Ok(children) => children,
        Err(error) => {
            process::stop(&description.nodes);
            return Err(error);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            result = ready::wait(&description, &mut children) => result.map(|()| true),
            _ = service::shutdown::requested() => Ok(false),
        }
    });
    match outcome {
        Ok(true) => {}
        Ok(false) => return end(&description),
        Err(error) => {
            process::stop(&description.nodes);
            return Err(error);
        }
    }
    runtime.block_on(report::print(&description, started.elapsed(), args.json))?;
    if args.detach {
        eprintln!("The network runs in the background; `atoll testnet down` ends it.");
        return Ok(());
    }
    eprintln!("Ctrl-C ends the network and keeps its data in {}.", args.data_dir.display());
    let watched = runtime.block_on(async {
        tokio::select! {
            result = watch(&mut description, &directory, &mut children) => result,
            _ = service::shutdown::requested() => Ok(()),
        }
    });
    end(&description)?;
    watched
}

/// Fails at once, naming who has the port.
fn require_free_ports(plan: &Plan) -> eyre::Result<()> {
    for validator in 0..plan.nodes() {
        for (port, purpose) in plan.ports(validator).all(plan.shard_count()) {
            if !ports::becomes_free(port) {
                let owner = ports::owner(port).map(|owner| format!(" by {owner}")).unwrap_or_default();
                bail!(
                    "port {port} ({purpose}) is taken{owner}: end that process, or move all ports with --port-base, \
                     for example --port-base {}",
                    u32::from(plan.port_base) + 10_000
                );
            }
        }
    }
    Ok(())
}

fn start(description: &mut Description, directory: &Path, tied: bool) -> eyre::Result<Vec<Child>> {
    let mut children = Vec::new();
    for index in 0..description.nodes.len() {
        children.push(description.nodes[index].start(tied)?);
        // Written after each start, so that `down` finds whatever was started.
        description.write(directory)?;
    }
    Ok(children)
}

/// Starts a node again that ended by itself; gives up on one that does not stay.
async fn watch(description: &mut Description, directory: &Path, children: &mut [Child]) -> eyre::Result<()> {
    let mut restarts = vec![Vec::<Instant>::new(); children.len()];
    loop {
        for (index, child) in children.iter_mut().enumerate() {
            let Some(status) = child.try_wait()? else { continue };
            let recent = &mut restarts[index];
            recent.retain(|at| at.elapsed() < RESTART_WINDOW);
            let node = &mut description.nodes[index];
            if recent.len() >= RESTARTS_MAX {
                bail!("{} keeps ending ({status}); its last words:\n{}", node.name, node.log_tail(LOG_LINES));
            }
            recent.push(Instant::now());
            eprintln!("{} ended ({status}); starting it again.", node.name);
            *child = node.start(true)?;
            description.write(directory)?;
        }
        tokio::time::sleep(WATCH_INTERVAL).await;
    }
}

fn end(description: &Description) -> eyre::Result<()> {
    eprintln!("\nending {} nodes …", description.running().len());
    process::stop(&description.nodes);
    eprintln!("ended; the data is kept.");
    Ok(())
}
