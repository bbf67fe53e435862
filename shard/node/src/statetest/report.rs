//! What is printed: a line for each case, and a summary.

use super::StateTestError;
use super::case::{AccountAfter, After, Failure, Verdict};
use super::fixture::Indexes;
use alloy_primitives::{Address, B256};
use serde::Serialize;
use shard_state::rules::Rules;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

/// One case and what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    /// The test's name, and which of its transactions.
    name: String,
    fork: &'static str,
    pass: bool,
    /// Root of the state afterwards; none if nothing was executed.
    state_root: Option<B256>,
    /// Why the transaction was refused, as it must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    /// What is wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The accounts afterwards, where the case failed and there is a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<BTreeMap<Address, AccountAfter>>,
    /// Why the case was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'static str>,
}

impl<'a> Line<'a> {
    pub(super) fn new(test: &str, indexes: &Indexes, rules: Rules, verdict: &'a Verdict) -> Self {
        let Indexes { data, gas, value } = indexes;
        let line = Self {
            name: format!("{test}-d{data}g{gas}v{value}"),
            fork: rules.name(),
            pass: false,
            state_root: None,
            refused: None,
            failure: None,
            error: None,
            accounts: None,
            skipped: None,
        };
        match verdict {
            Verdict::Pass { state_root, refused } => {
                Self { pass: true, state_root: Some(*state_root), refused: refused.as_deref(), ..line }
            }
            Verdict::Fail { failure, after } => Self {
                state_root: after.as_ref().map(|after| after.state_root),
                error: Some(failure.to_string()),
                failure: Some(failure),
                accounts: after.as_ref().map(After::accounts),
                ..line
            },
            Verdict::Skip { reason } => Self { skipped: Some(reason), ..line },
        }
    }

    pub(super) fn print(&self, json: bool, lines: &mut dyn Write) -> io::Result<()> {
        if json {
            serde_json::to_writer(&mut *lines, self)?;
            return writeln!(lines);
        }
        let Self { name, fork, .. } = self;
        match (&self.error, self.skipped) {
            (Some(error), _) => writeln!(lines, "FAIL {fork} {name}: {error}"),
            (None, Some(reason)) => writeln!(lines, "skip {fork} {name}: {reason}"),
            (None, None) => match self.refused {
                Some(reason) => writeln!(lines, "ok   {fork} {name}: refused, {reason}"),
                None => writeln!(lines, "ok   {fork} {name}"),
            },
        }
    }
}

/// How many cases became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    pub(super) other_forks: usize,
}

impl Tally {
    pub(super) fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Pass { .. } => self.passed += 1,
            Verdict::Fail { .. } => self.failed += 1,
            Verdict::Skip { .. } => self.skipped += 1,
        }
    }

    pub(super) fn outcome(self) -> Result<(), StateTestError> {
        let Self { passed, failed, skipped, other_forks } = self;
        match (failed, passed) {
            (0, 0) => Err(StateTestError::Nothing { skipped, other_forks }),
            (0, _) => Ok(()),
            _ => Err(StateTestError::Failed { failed, run: passed + failed }),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped, other_forks } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped, {other_forks} of other forks")
    }
}
