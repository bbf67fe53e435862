//! A typed client of a beacon node, for shard nodes, command lines and tests.
//!
//! It judges nothing: what it hands out is what the node said, and is verified by whoever asked.

use super::{
    CommitteeView, Data, Dated, ErrorView, FinalityCheckpoints, GenesisView, HeaderView, LaneView,
    LightBootstrap, NodeVersion, ShardView, Syncing, ValidatorView, router::LIGHT_WAIT_MAX,
    view::CrosslinkView,
};
use crate::body::{self, BodyError};
use primitives::{Chain, Committee, Conflict, CrosslinkOffer, Epoch, Evidence, Height, LightUpdate};
use reqwest::{Response, StatusCode, header};
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};

/// How long an answer may take, beyond what the request itself asks to wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
const OCTETS: &str = "application/octet-stream";

/// Why a beacon node's answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BeaconClientError {
    /// It could not be reached, or did not answer in time.
    #[error("no answer from the beacon node at {url}: {source}")]
    Transport {
        /// Where it was sought.
        url: Arc<str>,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// It answered with an error.
    #[error("the beacon node at {url} answers {path} with status {status}: {message}")]
    Refused {
        /// Which node.
        url: Arc<str>,
        /// What it was asked.
        path: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// It answered something else than what was asked for.
    #[error("the beacon node at {url} answers {path} with something else than expected: {detail}")]
    Unreadable {
        /// Which node.
        url: Arc<str>,
        /// What it was asked.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl BeaconClientError {
    /// Whether the node said that there is no such thing.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

type Answer<T> = Result<T, BeaconClientError>;

/// Speaks to one beacon node; clones share its connections.
#[derive(Clone, Debug)]
pub struct BeaconClient {
    http: reqwest::Client,
    url: Arc<str>,
}

impl BeaconClient {
    /// A client of the node at `url`, like `http://127.0.0.1:5052`.
    pub fn new(url: impl AsRef<str>) -> Answer<Self> {
        let url: Arc<str> = url.as_ref().trim_end_matches('/').into();
        match reqwest::Client::builder().timeout(PATIENCE).no_proxy().build() {
            Ok(http) => Ok(Self { http, url }),
            Err(source) => Err(BeaconClientError::Transport { url, source }),
        }
    }

    /// Which node it speaks to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Name and version of the node's software.
    pub async fn version(&self) -> Answer<String> {
        let answer: Data<NodeVersion> = self.json("/eth/v1/node/version").await?;
        Ok(answer.data.version)
    }

    /// How far the node is behind.
    pub async fn syncing(&self) -> Answer<Syncing> {
        self.data("/eth/v1/node/syncing").await
    }

    /// Where the chain began.
    pub async fn genesis(&self) -> Answer<GenesisView> {
        self.data("/eth/v1/beacon/genesis").await
    }

    /// The newest header.
    pub async fn head(&self) -> Answer<HeaderView> {
        let answer: Dated<HeaderView> = self.json("/eth/v1/beacon/headers/head").await?;
        Ok(answer.data)
    }

    /// The header at `height`.
    pub async fn header(&self, height: Height) -> Answer<HeaderView> {
        let answer: Dated<HeaderView> = self.json(&format!("/eth/v1/beacon/headers/{height}")).await?;
        Ok(answer.data)
    }

    /// What is final at the head.
    pub async fn finality_checkpoints(&self) -> Answer<FinalityCheckpoints> {
        let answer: Dated<FinalityCheckpoints> =
            self.json("/eth/v1/beacon/states/head/finality_checkpoints").await?;
        Ok(answer.data)
    }

    /// The validator of this index or first seat key, if there is one.
    pub async fn validator(&self, id: &str) -> Answer<Option<ValidatorView>> {
        let path = format!("/eth/v1/beacon/states/head/validators?id={id}");
        let answer: Dated<Vec<ValidatorView>> = self.json(&path).await?;
        Ok(answer.data.into_iter().next())
    }

    /// Every shard in the registry.
    pub async fn shards(&self) -> Answer<Vec<ShardView>> {
        self.data("/atoll/v1/shards").await
    }

    /// The lanes between the beacon chain and every shard.
    pub async fn lanes(&self) -> Answer<Vec<LaneView>> {
        self.data("/atoll/v1/lanes").await
    }

    /// Up to `limit` of the newest accepted crosslinks, newest first.
    pub async fn crosslinks(&self, limit: usize) -> Answer<Vec<CrosslinkView>> {
        self.data(&format!("/atoll/v1/crosslinks?limit={limit}")).await
    }

    /// What is said of the committee of a chain and epoch.
    pub async fn committee_view(&self, chain: Chain, epoch: Epoch) -> Answer<CommitteeView> {
        self.data(&format!("/atoll/v1/committees/{chain}/{epoch}")).await
    }

    /// The committee of a chain and epoch.
    pub async fn committee(&self, chain: Chain, epoch: Epoch) -> Answer<Committee> {
        self.ssz(&format!("/atoll/v1/committees/{chain}/{epoch}")).await
    }

    /// Where a follower starts.
    pub async fn light_bootstrap(&self) -> Answer<LightBootstrap> {
        self.ssz("/atoll/v1/light/bootstrap").await
    }

    /// The newest update above `after`; `None` if there was none within `wait`.
    pub async fn light_update(&self, after: Height, wait: Duration) -> Answer<Option<LightUpdate>> {
        let wait = wait.min(LIGHT_WAIT_MAX);
        let path = format!("/atoll/v1/light/update?after={after}&wait_ms={}", wait.as_millis());
        let request = self.http.get(self.at(&path)).timeout(wait.saturating_add(PATIENCE));
        let response = self.send(&path, request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        self.decode(&path, response).await.map(Some)
    }

    /// Offers a crosslink.
    pub async fn submit_crosslink(&self, offer: &CrosslinkOffer) -> Answer<()> {
        self.submit("/atoll/v1/pool/crosslinks", offer).await
    }

    /// Hands in a proof of equivocation.
    pub async fn submit_evidence(&self, evidence: &Evidence) -> Answer<()> {
        self.submit("/atoll/v1/pool/evidence", evidence).await
    }

    /// Hands in a proof that a committee certified two branches.
    pub async fn submit_conflict(&self, conflict: &Conflict) -> Answer<()> {
        self.submit("/atoll/v1/pool/conflicts", conflict).await
    }

    async fn data<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        let answer: Data<T> = self.json(path).await?;
        Ok(answer.data)
    }

    async fn json<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        let response = self.send(path, self.http.get(self.at(path))).await?;
        let bytes = self.bytes(path, response).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.unreadable(path, error.to_string()))
    }

    async fn ssz<T: ssz::Decode>(&self, path: &str) -> Answer<T> {
        let request = self.http.get(self.at(path)).header(header::ACCEPT, OCTETS);
        let response = self.send(path, request).await?;
        self.decode(path, response).await
    }

    async fn submit(&self, path: &str, value: &impl ssz::Encode) -> Answer<()> {
        let request = self.http.post(self.at(path)).header(header::CONTENT_TYPE, OCTETS);
        self.send(path, request.body(value.as_ssz_bytes())).await.map(drop)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, path: &str, request: reqwest::RequestBuilder) -> Answer<Response> {
        let response = request.send().await.map_err(|source| self.silent(source))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = self.bytes(path, response).await?;
        let message = serde_json::from_slice(&bytes)
            .map_or_else(|_| "no reason given".into(), |ErrorView { message, .. }| message);
        Err(BeaconClientError::Refused {
            url: self.url.clone(),
            path: path.to_owned(),
            status: status.as_u16(),
            message,
        })
    }

    async fn decode<T: ssz::Decode>(&self, path: &str, response: Response) -> Answer<T> {
        let bytes = self.bytes(path, response).await?;
        T::from_ssz_bytes(&bytes).map_err(|error| self.unreadable(path, format!("{error:?}")))
    }

    /// The body, unless it is too large to be an honest answer.
    async fn bytes(&self, path: &str, response: Response) -> Answer<Vec<u8>> {
        body::read(response, ANSWER_BYTES_MAX).await.map_err(|error| match error {
            BodyError::Transport(source) => self.silent(source),
            BodyError::TooLong(limit) => self.unreadable(path, format!("more than {limit} bytes")),
        })
    }

    fn silent(&self, source: reqwest::Error) -> BeaconClientError {
        BeaconClientError::Transport { url: self.url.clone(), source }
    }

    fn unreadable(&self, path: &str, detail: String) -> BeaconClientError {
        BeaconClientError::Unreadable { url: self.url.clone(), path: path.to_owned(), detail }
    }
}
