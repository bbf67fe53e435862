//! Answer of `eth_syncing`.

use serde::{Deserialize, Serialize};

/// How far the node has come, while it catches up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Height at which it began.
    #[serde(with = "alloy_serde::quantity")]
    pub starting_block: u64,
    /// Height it is at.
    #[serde(with = "alloy_serde::quantity")]
    pub current_block: u64,
    /// Height it must reach, as far as it knows.
    #[serde(with = "alloy_serde::quantity")]
    pub highest_block: u64,
}

/// What a subscriber to `syncing` is told: that the node catches up, or that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SyncNotice {
    /// It has begun to.
    Begun {
        /// Always `true`.
        syncing: bool,
        /// How far it is.
        status: Progress,
    },
    /// It has; always `false`.
    Done(bool),
}

impl From<Syncing> for SyncNotice {
    fn from(syncing: Syncing) -> Self {
        match syncing {
            Syncing::Running(status) => Self::Begun { syncing: true, status },
            Syncing::Done(_) => Self::Done(false),
        }
    }
}

/// Whether the node still catches up: `false`, or how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Syncing {
    /// It does.
    Running(Progress),
    /// It does not; always `false`.
    Done(bool),
}

impl Syncing {
    /// A node that is where its chain is.
    pub const DONE: Self = Self::Done(false);

    /// A node that catches up.
    pub const fn running(starting_block: u64, current_block: u64, highest_block: u64) -> Self {
        Self::Running(Progress { starting_block, current_block, highest_block })
    }
}
