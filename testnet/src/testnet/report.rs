//! What a user sees when the network is ready: where everything is, who rules, whose money there is.

use super::{accounts, description::Description, seats::Seats};
use comfy_table::{Table, presets::NOTHING};
use primitives::{Chain, Epoch};
use rpc::beacon::{BeaconClient, CommitteeView};
use std::time::Duration;

/// Prints the network to standard output: as tables, or as the JSON of `testnet.json`.
pub(super) async fn print(description: &Description, took: Duration, json: bool) -> eyre::Result<()> {
    if json {
        println!("{}", description.to_json());
        return Ok(());
    }
    println!("{}\n", endpoints(description).await?);
    println!("{}\n", funded_accounts(description));
    println!("{}\n", committees(description).await?);
    println!("ready in {:.1} s", took.as_secs_f64());
    Ok(())
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header);
    table
}

async fn endpoints(description: &Description) -> eyre::Result<Table> {
    let mut table = table(["chain", "validator", "chain id", "HTTP", "WebSocket"]);
    let seats = Seats::ask(&BeaconClient::new(&description.validators[0].beacon)?).await?;
    for (index, validator) in description.validators.iter().enumerate() {
        table.add_row(["beacon", &index.to_string(), "", &validator.beacon, ""]);
        for (_, shard) in seats.endpoints(description).filter(|(at, _)| *at == index) {
            let row = [&shard.name, &index.to_string(), &shard.chain_id.to_string(), &shard.http, &shard.ws];
            table.add_row(row);
        }
    }
    Ok(table)
}

fn funded_accounts(description: &Description) -> Table {
    let ether =
        accounts::balance() / alloy_primitives::U256::from(10u64).pow(alloy_primitives::U256::from(18u64));
    let mut table = table(["account", "secret key", "ether on each shard"]);
    for account in &description.accounts {
        table.add_row([account.address.to_string(), account.private_key.to_string(), ether.to_string()]);
    }
    table
}

async fn committees(description: &Description) -> eyre::Result<Table> {
    let client = BeaconClient::new(&description.validators[0].beacon)?;
    let mut table = table([
        "committee",
        "epoch",
        "seats",
        "stalled by",
        "taken by",
        "adversary",
        "it stalls the chain",
        "it takes the chain",
    ]);
    let shards = description
        .plan
        .spec
        .shards
        .iter()
        .zip(0..)
        .map(|(shard, id)| (shard.name.clone(), Chain::Shard(primitives::ShardId::new(id))));
    for (name, chain) in [("beacon".to_owned(), Chain::Beacon)].into_iter().chain(shards) {
        let committee: CommitteeView = client.committee_view(chain, Epoch::ZERO).await?;
        let takeover = &committee.takeover;
        table.add_row([
            name,
            committee.epoch.0.to_string(),
            committee.seats.len().to_string(),
            format!("{} seats", takeover.stalling_seats.0),
            format!("{} seats", takeover.quorum.0),
            format!("{} of {} units", takeover.adversary_units.0, takeover.units.0),
            takeover.liveness_loss.clone(),
            takeover.safety_loss.clone(),
        ]);
    }
    Ok(table)
}
