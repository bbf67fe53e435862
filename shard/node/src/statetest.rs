//! `shard-node statetest`: Ethereum's state tests through the executor and the trie that blocks go through.
//!
//! A fixture file holds tests, a test holds cases: one transaction on one pre-state by the rules of one fork. A case
//! passes if the root of the state afterwards is the fixture's, and the hash of the logs, and if a transaction that must
//! not be valid is refused. Each case is executed twice, with the way around the interpreter and without, and its
//! state is hashed twice, in place and from nothing; all have to agree.
//!
//! - `fixture`: the files, in the layout of `ethereum/tests` and of the execution specification's tests
//! - `case`: one case, executed and judged
//! - `report`: what is printed

mod case;
mod fixture;
mod report;
#[cfg(test)]
mod tests;

use clap::Args;
use fixture::{FixtureError, files, read};
use report::{Line, Tally};
use shard_state::rules::Rules;
use std::io::{self, Write};
use std::path::PathBuf;

pub use case::Verdict;

/// Runs Ethereum state tests through the chain's own executor and trie.
#[derive(Clone, Debug, Args)]
pub struct StateTestArgs {
    /// Fixture files, or directories that are searched for them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only the cases of this fork; without, those of every fork that the executor knows.
    #[arg(long, value_parser = fork)]
    fork: Option<Rules>,
    /// Print a line of JSON for each case.
    #[arg(long)]
    json: bool,
}

fn fork(name: &str) -> Result<Rules, UnknownFork> {
    Rules::named(name).ok_or_else(|| UnknownFork { found: name.to_owned() })
}

/// A fork that the executor does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the executor does not know the fork {found}; it knows {}", Rules::ALL.map(Rules::name).join(", "))]
struct UnknownFork {
    found: String,
}

/// Why not everything passed.
#[derive(Debug, thiserror::Error)]
pub enum StateTestError {
    /// A file is not what it should be.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// The lines cannot be printed.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
    /// Some cases did not pass.
    #[error("{failed} of {run} cases failed")]
    Failed {
        /// How many.
        failed: usize,
        /// Of how many.
        run: usize,
    },
    /// Nothing was tested.
    #[error("there is no case to run: {skipped} were skipped, {other_forks} are of other forks")]
    Nothing {
        /// Cases that a shard has no transaction for.
        skipped: usize,
        /// Cases of forks that were not asked for, or are not known.
        other_forks: usize,
    },
}

/// Runs the cases of all files; lines go to `lines`, the summary to `summary`.
pub fn run(
    args: &StateTestArgs,
    lines: &mut dyn Write,
    summary: &mut dyn Write,
) -> Result<(), StateTestError> {
    let mut tally = Tally::default();
    for path in files(&args.paths)? {
        for (name, test) in read(&path)? {
            for (fork, posts) in &test.post {
                let Some(rules) =
                    Rules::named(fork).filter(|rules| args.fork.is_none_or(|only| only == *rules))
                else {
                    tally.other_forks += posts.len();
                    continue;
                };
                for post in posts {
                    let verdict = case::run(&test, post, rules);
                    tally.count(&verdict);
                    Line::new(&name, &post.indexes, rules, &verdict).print(args.json, lines)?;
                }
            }
        }
    }
    writeln!(summary, "{tally}")?;
    tally.outcome()
}
