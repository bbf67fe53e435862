//! The beacon node's REST interface: what it serves, how it looks, and a client of it.
//!
//! Paths, shapes and error bodies are the standard Beacon API's where the meaning is the same (a slot is a height
//! here); what only Atoll has stands under `/atoll/v1`. Bulk data travels as SSZ, `application/octet-stream`.

mod api;
mod client;
mod decimal;
mod error;
mod event;
mod id;
mod router;
mod view;

#[cfg(test)]
mod samples;

pub use api::{ApiResult, BeaconApi, CommitteeAnswer, Found, LightBootstrap, SignedBlock, ValidatorFilter};
pub use client::{BeaconClient, BeaconClientError};
pub use decimal::Decimal;
pub use error::{ApiError, ErrorView};
pub use event::{EndCause, Event, StakeChange, Topic};
pub use id::BeaconId;
pub use router::{LIGHT_WAIT_MAX, beacon_router, openapi};
pub use view::{
    AcceptedView, BlockBodyView, BlockMessage, BlockView, BundleView, CertifiedView, Checkpoint,
    CommitteeView, ConflictView, ConsumptionView, CrosslinkView, Data, Dated, EvidenceView,
    FinalityCheckpoints, GenesisView, HeaderMessage, HeaderView, Identity, IdentityMetadata, LaneView,
    NodeVersion, PeerCount, Root, SeatView, ShardView, SignedHeader, StateCommittee, Syncing, Takeover,
    ValidatorDetail, ValidatorEntry, ValidatorStatus, ValidatorView, VersionedBlock, VoteView,
};
