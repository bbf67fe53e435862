//! A small JSON-RPC client over HTTP, for command lines, load and tests.

use crate::body::{self, BodyError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer: above what a server of ours gives.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server could not be reached, or did not answer in time.
    #[error("no answer from {url}: {source}")]
    Transport {
        /// Who was asked.
        url: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// It answered something that is no JSON-RPC response.
    #[error("{url} answered something that is no JSON-RPC response: {detail}")]
    NotJsonRpc {
        /// Who was asked.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It answered with an error.
    #[error("{message} (code {code})")]
    Rpc {
        /// JSON-RPC error code.
        code: i64,
        /// Its text.
        message: String,
        /// What came with it: for a revert, the bytes it returned.
        data: Option<Value>,
    },
    /// The result is not of the type that was asked for.
    #[error("the result of {method} is not what was expected: {source}")]
    Result {
        /// The method.
        method: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: P,
}

#[derive(Deserialize)]
struct Response {
    id: Value,
    #[serde(default)]
    result: Value,
    error: Option<ErrorBody>,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Response {
    fn outcome(self) -> Result<Value, ClientError> {
        match self.error {
            None => Ok(self.result),
            Some(ErrorBody { code, message, data }) => Err(ClientError::Rpc { code, message, data }),
        }
    }
}

/// Speaks to one endpoint; clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: Arc<str>,
    next_id: Arc<AtomicU64>,
}

impl Client {
    /// A client of the endpoint at `url`, like `http://127.0.0.1:8545`.
    pub fn new(url: impl Into<String>) -> Result<Self, ClientError> {
        let url = url.into();
        match reqwest::Client::builder().timeout(PATIENCE).no_proxy().build() {
            Ok(http) => Ok(Self { http, url: url.into(), next_id: Arc::new(AtomicU64::new(1)) }),
            Err(source) => Err(ClientError::Transport { url, source }),
        }
    }

    /// Where it speaks to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls `method`; `params` is an array or a tuple.
    pub async fn request(&self, method: &str, params: impl Serialize) -> Result<Value, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let response: Response = self.post(&Request { jsonrpc: "2.0", id, method, params }).await?;
        response.outcome()
    }

    /// Calls `method` and reads its result as `T`.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, ClientError> {
        let result = self.request(method, params).await?;
        serde_json::from_value(result)
            .map_err(|source| ClientError::Result { method: method.to_owned(), source })
    }

    /// Makes all calls in one HTTP request; the outcomes stand in the order of the calls.
    pub async fn batch<P: Serialize>(
        &self,
        calls: &[(&str, P)],
    ) -> Result<Vec<Result<Value, ClientError>>, ClientError> {
        let count = calls.len() as u64;
        if count == 0 {
            return Ok(Vec::new());
        }
        let first = self.next_id.fetch_add(count, Ordering::Relaxed);
        let requests: Vec<_> = (first..)
            .zip(calls)
            .map(|(id, (method, params))| Request { jsonrpc: "2.0", id, method, params })
            .collect();
        let body: Value = self.post(&requests).await?;
        if body.is_object() {
            // The batch as a whole was refused.
            return Err(match self.read::<Response>(body)?.outcome() {
                Err(error) => error,
                Ok(_) => self.unreadable("one result for a batch"),
            });
        }
        let mut outcomes: Vec<_> = calls.iter().map(|_| None).collect();
        for response in self.read::<Vec<Response>>(body)? {
            let place = response.id.as_u64().and_then(|id| id.checked_sub(first));
            let place = place.and_then(|place| outcomes.get_mut(usize::try_from(place).ok()?));
            match place {
                Some(place) => *place = Some(response.outcome()),
                None => return Err(self.unreadable("a result for a call that was not made")),
            }
        }
        let answered: Option<Vec<_>> = outcomes.into_iter().collect();
        answered.ok_or_else(|| self.unreadable("fewer results than calls"))
    }

    async fn post<T: DeserializeOwned>(&self, body: &impl Serialize) -> Result<T, ClientError> {
        let fail = |source| ClientError::Transport { url: self.url.to_string(), source };
        let response = self.http.post(&*self.url).json(body).send().await.map_err(fail)?;
        let status = response.status();
        let bytes = body::read(response, ANSWER_BYTES_MAX).await.map_err(|error| match error {
            BodyError::Transport(source) => fail(source),
            BodyError::TooLong(limit) => self.unreadable(&format!("more than {limit} bytes")),
        })?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.unreadable(&format!("{error} (HTTP status {status})")))
    }

    fn read<T: DeserializeOwned>(&self, body: Value) -> Result<T, ClientError> {
        serde_json::from_value(body).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, detail: &str) -> ClientError {
        ClientError::NotJsonRpc { url: self.url.to_string(), detail: detail.to_owned() }
    }
}
