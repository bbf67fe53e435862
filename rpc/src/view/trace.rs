//! What a caller says about the trace that it wants. What it gets is geth's, in alloy's types.

use super::{GethDebugTracingCallOptions, GethDebugTracingOptions};
use crate::RpcError;
use alloy_rpc_types_eth::{BlockOverrides, state::StateOverride};
use std::time::Duration;

/// Nanoseconds in each of Go's units, the longest names first so that none is taken for its beginning.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// What to record of transactions. `reexec` is accepted and means nothing: which states are kept is the node's affair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceOptions {
    /// The tracer and its configuration.
    pub tracing: GethDebugTracingOptions,
    /// How long it may take; no longer than the node allows anyway.
    pub timeout: Option<Duration>,
}

/// What to record of a call, and on what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceCallOptions {
    /// What to record.
    pub trace: TraceOptions,
    /// Accounts that are other than they are.
    pub state: Option<StateOverride>,
    /// A block that is other than it is.
    pub header: Option<BlockOverrides>,
    /// Transactions of the block that go before the call; all of them if not given.
    pub transaction_index: Option<u64>,
}

impl TryFrom<GethDebugTracingOptions> for TraceOptions {
    type Error = RpcError;

    fn try_from(tracing: GethDebugTracingOptions) -> Result<Self, RpcError> {
        let timeout = tracing.timeout.as_deref().map(|text| {
            duration(text).ok_or_else(|| RpcError::InvalidParams(format!("time: invalid duration {text:?}")))
        });
        Ok(Self { timeout: timeout.transpose()?, tracing })
    }
}

impl TryFrom<GethDebugTracingCallOptions> for TraceCallOptions {
    type Error = RpcError;

    fn try_from(options: GethDebugTracingCallOptions) -> Result<Self, RpcError> {
        let GethDebugTracingCallOptions { tracing_options, state_overrides, block_overrides, tx_index } =
            options;
        Ok(Self {
            trace: tracing_options.try_into()?,
            state: state_overrides,
            header: block_overrides,
            transaction_index: tx_index,
        })
    }
}

/// Reads a duration as Go writes it: `1m30s`, `2.5s`, `300ms`.
fn duration(mut text: &str) -> Option<Duration> {
    let mut sum = if text == "0" { return Some(Duration::ZERO) } else { 0u64 };
    if text.is_empty() {
        return None;
    }
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at(end);
        let (name, unit) = UNITS.iter().find(|(name, _)| rest.starts_with(name))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        sum = sum.checked_add(whole.checked_mul(*unit)?)?.checked_add(parts(fraction, *unit))?;
        text = &rest[name.len()..];
    }
    Some(Duration::from_nanos(sum))
}

/// The decimal fraction `digits` of a unit, nanoseconds; digits that make no nanosecond are dropped.
fn parts(digits: &str, mut unit: u64) -> u64 {
    digits
        .bytes()
        .map(|digit| {
            unit /= 10;
            unit * u64::from(digit - b'0')
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let millis = |text: &str| duration(text).as_ref().map(Duration::as_millis);
        assert_eq!(millis("5s"), Some(5_000));
        assert_eq!(millis("1m30s"), Some(90_000));
        assert_eq!(millis("2.5s"), Some(2_500));
        assert_eq!(millis(".5h"), Some(1_800_000));
        assert_eq!(millis("300ms"), Some(300));
        assert_eq!(millis("1500us"), Some(1));
        assert_eq!(millis("0"), Some(0));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "s", ".s", "1.2.3s", "5 s", "5d", "-1s", "99999999999999h"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
