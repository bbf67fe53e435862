//! The tables of the beacon chain. Their names and types are the format on disk.

use primitives::{B256, BeaconBody, BeaconHeader, Certificate, Committee, Height, LightUpdate};
use ssz_derive::{Decode, Encode};
use storage::{Ssz, Table};

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident($name:literal): $key:ty => $value:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) enum $table {}

            impl Table for $table {
                const NAME: &'static str = $name;
                type Key = $key;
                type Value = $value;
            }
        )*

        /// Every table of a beacon node's store.
        pub const TABLES: &[&str] = &[$($name),*];
    };
}

tables! {
    /// Headers by height.
    Headers("headers"): u64 => Ssz<BeaconHeader>;
    /// Bodies by height.
    Bodies("bodies"): u64 => Ssz<BeaconBody>;
    /// Ids by height.
    Ids("ids"): u64 => B256;
    /// Heights by id.
    Heights("heights"): B256 => u64;
    /// By height: of that very block, where there is one.
    Certificates("certificates"): u64 => Ssz<Certificate>;
    /// Committees that were drawn, by code of the chain and by epoch.
    Committees("committees"): (u32, u64) => Ssz<Drawn>;
    /// What followers are told, by height.
    LightUpdates("light_updates"): u64 => Ssz<LightUpdate>;
    /// Nodes of the mountain range over the ids, by position.
    Nodes("history_nodes"): u64 => B256;
}

/// A committee as it was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Drawn {
    /// First height of its epoch.
    pub first_height: Height,
    /// Who was drawn.
    pub committee: Committee,
}
