//! `atoll deposit` and `atoll exit`: stake of a local network's validators, and what becomes of it.

mod watch;

use crate::portal::Sending;
use crate::testnet::{DataDir, Description};
use alloy_primitives::B256;
use clap::Args;
use eyre::{WrapErr as _, eyre};
use primitives::{Genesis, PublicKeyBytes};
use rpc::beacon::BeaconClient;
use std::{fs, ops::Deref};
use validator::KeyDirectory;
use validator::cli::stake::{self, PortalCall};
use watch::Watch;

/// Whose stake, and from where.
#[derive(Clone, Debug, Args)]
struct Stake {
    /// The validator's number in the local network.
    #[arg(long)]
    validator: usize,
    /// The shard of the account: its name, or its id.
    #[arg(long)]
    from: String,
    /// Secret key of the account, 32 bytes in hex.
    #[arg(long)]
    key: B256,
    /// Wait until the beacon chain has done it, and tell the stages.
    #[arg(long)]
    watch: bool,
    /// Print JSON, a line for each stage.
    #[arg(long)]
    json: bool,
    /// Which validator's nodes to ask.
    #[arg(long, default_value_t = 0)]
    ask: usize,
    #[command(flatten)]
    directory: DataDir,
}

/// What to stake: all seats of the validator's keys, with value of the account, to which it comes back.
#[derive(Clone, Debug, Args)]
pub struct DepositArgs {
    #[command(flatten)]
    stake: Stake,
}

/// What stake to end. The account has to be the one that owns it.
#[derive(Clone, Debug, Args)]
pub struct ExitArgs {
    #[command(flatten)]
    stake: Stake,
    /// How many units, the latest registered first; all by default.
    #[arg(long, default_value_t = 0)]
    units: u64,
}

/// Stakes, and watches if asked to.
pub fn deposit(args: &DepositArgs) -> eyre::Result<()> {
    let DepositArgs { stake: args } = args;
    let description = args.directory.description()?;
    let keys = args.keys(&description)?;
    let genesis = args.genesis()?;
    let password = args.password()?;
    args.run(&description, async |sending, watch| {
        let (shard, account) = (sending.shard(), sending.sender());
        let call = stake::deposit(&keys, &password, &genesis, shard.get(), account)?;
        let id = send(&call, &sending, watch).await?;
        if args.watch {
            let index = watch.registered(id, &first_seat(&keys, &password)?).await?;
            watch.drawn(index).await?;
        }
        Ok(id)
    })
}

/// Ends stake, and watches if asked to.
pub fn exit(args: &ExitArgs) -> eyre::Result<()> {
    let ExitArgs { stake: args, units } = args;
    let description = args.directory.description()?;
    let keys = args.keys(&description)?;
    let password = args.password()?;
    args.run(&description, async |sending, watch| {
        let found = watch.beacon.validator(&first_seat(&keys, &password)?.to_string()).await?;
        let view = found.ok_or_else(|| eyre!("validator {} has no stake", args.validator))?;
        let id = send(&stake::exit(view.index.0, *units), &sending, watch).await?;
        if args.watch {
            watch.exited(id, &view).await?;
        }
        Ok(id)
    })
}

async fn send(call: &PortalCall, sending: &Sending, watch: &Watch) -> eyre::Result<B256> {
    let sent = sending.call(call.value, call.data.clone()).await?;
    watch.included(&sent).await
}

/// The seat by which the registry knows the validator.
fn first_seat(keys: &KeyDirectory, password: &str) -> eyre::Result<PublicKeyBytes> {
    let secrets = keys.seat_secrets(password)?;
    let first = secrets.first().ok_or_else(|| eyre!("the validator has no seat"))?;
    Ok(first.public_key().to_bytes())
}

impl Stake {
    fn run(
        &self,
        description: &Description,
        act: impl AsyncFnOnce(Sending, &Watch) -> eyre::Result<B256>,
    ) -> eyre::Result<()> {
        let asked = description.validator(self.ask)?;
        let endpoint = asked.shard(&self.from)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let sending = Sending::new(endpoint, self.key)?;
            let beacon = BeaconClient::new(&asked.beacon)?;
            let watch = Watch::new(sending.client.clone(), beacon, self.json);
            let id = act(sending, &watch).await?;
            if !self.json {
                println!("{id}");
            }
            Ok(())
        })
    }

    fn keys(&self, description: &Description) -> eyre::Result<KeyDirectory> {
        description.validator(self.validator)?;
        Ok(KeyDirectory::new(
            self.directory.data_dir.join(format!("validator-{}", self.validator)).join("keys"),
        ))
    }

    fn password(&self) -> eyre::Result<impl Deref<Target = String>> {
        validator::cli::password(Some(&self.directory.data_dir.join("password")), "")
    }

    fn genesis(&self) -> eyre::Result<Genesis> {
        let path = self.directory.data_dir.join("genesis.json");
        let text = fs::read_to_string(&path).wrap_err_with(|| path.display().to_string())?;
        Ok(Genesis::from_json(&text)?)
    }
}
