//! `atoll xsend`: value from one shard to another, and what becomes of it.

mod journey;

use crate::portal::Sending;
use crate::testnet::DataDir;
use alloy_primitives::{Address, B256, U256, utils::parse_units};
use alloy_sol_types::SolCall as _;
use clap::Args;
use eyre::{WrapErr as _, eyre};
use journey::{Times, Watch};
use shard_state::portal::abi::IPortal;

/// What to send, and how to tell of it.
#[derive(Clone, Debug, Args)]
pub struct XsendArgs {
    /// The shard it leaves: its name, or its id.
    #[arg(long)]
    from: String,
    /// The shard it goes to: its name, or its id.
    #[arg(long)]
    to: String,
    /// Secret key of the sender, 32 bytes in hex.
    #[arg(long)]
    key: B256,
    /// Who receives it.
    #[arg(long)]
    to_address: Address,
    /// How much: wei, or a number with `gwei` or `ether` behind it.
    #[arg(long, value_parser = value)]
    value: U256,
    /// Wait until it is credited and finalized, and tell the stages.
    #[arg(long)]
    watch: bool,
    /// Print JSON, a line for each stage; the last one has all times.
    #[arg(long)]
    json: bool,
    /// Which validator's nodes to ask.
    #[arg(long, default_value_t = 0)]
    validator: usize,
    #[command(flatten)]
    directory: DataDir,
}

/// Sends, and watches if asked to.
pub fn xsend(args: &XsendArgs) -> eyre::Result<()> {
    let description = args.directory.description()?;
    let validator = description.validator(args.validator)?;
    let (source, destination) = (validator.shard(&args.from)?, validator.shard(&args.to)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let sending = Sending::new(source, args.key)?;
        let mut watch = Watch::start(&sending, destination, args.json)?;
        let call = IPortal::transferCall { shard: destination.shard.get(), to: args.to_address };
        let sent = sending.call(args.value, call.abi_encode().into()).await?;
        let included = watch.included(&sent).await?;
        let times = if args.watch { watch.arrival(included).await? } else { Times::included(included) };
        times.print(args.json);
        Ok(())
    })
}

/// Reads an amount like `1500`, `2gwei` or `0.5ether`.
fn value(text: &str) -> eyre::Result<U256> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "" => "wei",
        unit => unit,
    };
    let refusal = || format!("expected wei, or a number with `gwei` or `ether` behind it, found `{text}`");
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(eyre!(refusal()));
    }
    Ok(parse_units(number, unit).wrap_err_with(refusal)?.get_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_unit() {
        let ether = U256::from(10).pow(U256::from(18));
        for (text, expected) in [
            ("7", U256::from(7)),
            ("2gwei", U256::from(2_000_000_000u64)),
            ("0.5ether", ether / U256::from(2)),
        ] {
            assert_eq!(value(text).expect(text), expected);
        }
        for text in ["", "ether", "1parsec", "-1ether"] {
            assert!(value(text).is_err(), "{text}");
        }
    }
}
