//! What a commit survives: one setting for everything of a process that writes.

use serde::{Deserialize, Serialize};

/// What survives which crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// A power cut.
    #[default]
    Power,
    /// `kill -9`, not a power cut.
    Process,
}

impl Durability {
    /// For the engine.
    pub const fn engine(self) -> engine::Durability {
        match self {
            Self::Power => engine::Durability::Power,
            Self::Process => engine::Durability::Process,
        }
    }

    /// For the database.
    pub const fn storage(self) -> storage::Durability {
        match self {
            Self::Power => storage::Durability::Power,
            Self::Process => storage::Durability::Process,
        }
    }
}
