use super::*;
use crate::{
    beacon::{
        BeaconClient, BeaconId, CommitteeAnswer, CrosslinkView, Event, FinalityCheckpoints, Found,
        GenesisView, HeaderView, Identity, LaneView, LightBootstrap, PeerCount, ShardView, SignedBlock,
        StateCommittee, Syncing, ValidatorFilter, ValidatorView, api::ApiResult, samples,
    },
    rest::{RestConfig, RestHandle, serve_rest},
};
use futures::{StreamExt as _, stream::BoxStream};
use primitives::{B256, Chain, Conflict, CrosslinkOffer, Epoch, Evidence, Height, LightUpdate, ShardId};
use serde_json::{Value, json};
use std::{net::Ipv4Addr, time::Duration};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A chain of one block.
#[derive(Clone, Debug)]
struct Fixed;

impl Fixed {
    /// That block, if this is a name of it.
    fn found<T>(id: BeaconId, value: T) -> ApiResult<Found<T>> {
        match id {
            BeaconId::Height(height) if height != samples::header().height => {
                Err(ApiError::NotFound(format!("height {height}")))
            }
            _ => Ok(Found::finalized(value)),
        }
    }
}

impl BeaconApi for Fixed {
    fn version(&self) -> String {
        "atoll/0.1.0".into()
    }
    fn identity(&self) -> Identity {
        Identity::new("0x01".into(), Vec::new())
    }
    async fn syncing(&self) -> ApiResult<Syncing> {
        Ok(Syncing::new(70, 71))
    }
    async fn peer_count(&self) -> ApiResult<PeerCount> {
        Ok(PeerCount { connected: 3.into(), ..Default::default() })
    }
    fn genesis(&self) -> GenesisView {
        GenesisView::new(B256::repeat_byte(1), 1_000)
    }
    async fn state_root(&self, id: BeaconId) -> ApiResult<Found<B256>> {
        Self::found(id, samples::header().state_root)
    }
    async fn validators(
        &self,
        id: BeaconId,
        filter: ValidatorFilter,
    ) -> ApiResult<Found<Vec<ValidatorView>>> {
        // Says what it was asked, since there is nobody to show.
        match filter {
            ValidatorFilter { indices, keys, statuses } if !indices.is_empty() => Err(ApiError::Unavailable(
                format!("{} indices, {} keys, {} statuses", indices.len(), keys.len(), statuses.len()),
            )),
            _ => Self::found(id, Vec::new()),
        }
    }
    async fn committees(&self, id: BeaconId, epoch: Option<Epoch>) -> ApiResult<Found<Vec<StateCommittee>>> {
        let committee = StateCommittee {
            index: 1.into(),
            slot: 64.into(),
            validators: vec![3.into()],
            chain: Chain::Shard(ShardId::new(1)),
            epoch: epoch.unwrap_or(Epoch::new(9)).get().into(),
        };
        Self::found(id, vec![committee])
    }
    async fn finality_checkpoints(&self, id: BeaconId) -> ApiResult<Found<FinalityCheckpoints>> {
        let point = Default::default();
        Self::found(
            id,
            FinalityCheckpoints { previous_justified: point, current_justified: point, finalized: point },
        )
    }
    async fn headers(&self, height: Option<Height>, _: Option<B256>) -> ApiResult<Found<Vec<HeaderView>>> {
        let known = height.is_none_or(|height| height == samples::header().height);
        let header = HeaderView::new(&samples::header(), None);
        Ok(Found::finalized(known.then_some(header).into_iter().collect()))
    }
    async fn header(&self, id: BeaconId) -> ApiResult<Found<HeaderView>> {
        Self::found(id, HeaderView::new(&samples::header(), None))
    }
    async fn block(&self, id: BeaconId) -> ApiResult<Found<SignedBlock>> {
        Self::found(id, SignedBlock { block: samples::block(), signature: None })
    }
    fn events(&self) -> BoxStream<'static, Event> {
        let block = B256::repeat_byte(1);
        let events = [
            Event::Block { slot: 1.into(), block, execution_optimistic: false },
            Event::Head {
                slot: 1.into(),
                block,
                state: block,
                epoch_transition: false,
                execution_optimistic: false,
            },
        ];
        futures::stream::iter(events).boxed()
    }
    async fn shards(&self) -> ApiResult<Vec<ShardView>> {
        Ok(Vec::new())
    }
    async fn lanes(&self) -> ApiResult<Vec<LaneView>> {
        let (received, first_pending) = (3.into(), 7.into());
        Ok(vec![LaneView { shard: 1.into(), received, first_pending, pending: 2.into() }])
    }
    async fn crosslinks(&self, limit: usize) -> ApiResult<Vec<CrosslinkView>> {
        Ok(std::iter::repeat_n(CrosslinkView::new(&samples::crosslink(), 70), limit.min(2)).collect())
    }
    async fn committee(&self, chain: Chain, epoch: Epoch) -> ApiResult<CommitteeAnswer> {
        if chain != Chain::Beacon {
            return Err(ApiError::NotFound(format!("committee of chain {chain} for epoch {epoch}")));
        }
        let takeover = samples::takeover();
        Ok(CommitteeAnswer { committee: samples::committee(), first_height: Height::new(1), takeover })
    }
    async fn light_bootstrap(&self) -> ApiResult<LightBootstrap> {
        Ok(samples::bootstrap())
    }
    async fn light_update(&self, after: Height, wait: Duration) -> ApiResult<Option<LightUpdate>> {
        assert!(wait <= LIGHT_WAIT_MAX);
        Ok((after < samples::header().height).then(samples::update))
    }
    async fn submit_crosslink(&self, offer: CrosslinkOffer) -> ApiResult<()> {
        if offer == samples::offer() { Ok(()) } else { Err(ApiError::BadRequest("another".into())) }
    }
    async fn submit_evidence(&self, evidence: Evidence) -> ApiResult<()> {
        match evidence.first == evidence.second {
            false => Ok(()),
            true => Err(ApiError::BadRequest("the votes do not exclude each other".into())),
        }
    }
    async fn submit_conflict(&self, conflict: Conflict) -> ApiResult<()> {
        let is_taken = conflict == samples::conflict();
        if is_taken { Ok(()) } else { Err(ApiError::BadRequest("the headers may be of one branch".into())) }
    }
}

async fn started() -> (RestHandle, BeaconClient, String) {
    let config = RestConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    let server = serve_rest(config, beacon_router(Fixed)).await.expect("a free port");
    let url = format!("http://{}", server.address());
    (server, BeaconClient::new(&url).expect("a client"), url)
}

async fn fetched(url: &str, path: &str) -> (u16, Value) {
    let response = reqwest::get(format!("{url}{path}")).await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.expect("JSON"))
}

#[tokio::test]
async fn answers_have_the_envelope_of_the_beacon_api() {
    let (_server, _, url) = started().await;
    assert_eq!(
        fetched(&url, "/eth/v1/node/version").await,
        (200, json!({ "data": { "version": "atoll/0.1.0" } }))
    );
    assert_eq!(
        fetched(&url, "/eth/v1/beacon/states/head/root").await,
        (
            200,
            json!({
                "execution_optimistic": false,
                "finalized": true,
                "data": { "root": B256::repeat_byte(2) },
            })
        )
    );
    let (status, committees) = fetched(&url, "/eth/v1/beacon/states/head/committees?epoch=5").await;
    assert_eq!((status, &committees["data"][0]["epoch"]), (200, &json!("5")));
}

#[tokio::test]
async fn a_node_that_catches_up_is_partly_healthy() {
    let (_server, _, url) = started().await;
    let response = reqwest::get(format!("{url}/eth/v1/node/health")).await.expect("an answer");
    assert_eq!(response.status().as_u16(), 206);
}

#[tokio::test]
async fn what_is_not_there_is_a_404_that_says_what() {
    let (_server, client, url) = started().await;
    assert_eq!(
        fetched(&url, "/eth/v1/beacon/headers/99").await,
        (404, json!({ "code": 404, "message": "height 99 not found" }))
    );
    assert_eq!(
        fetched(&url, "/eth/v9/foo").await,
        (404, json!({ "code": 404, "message": "route /eth/v9/foo not found" }))
    );
    let error = client.committee(Chain::Shard(ShardId::new(8)), Epoch::new(1)).await.expect_err("no shard 8");
    assert!(error.is_not_found());
    assert!(error.to_string().ends_with("committee of chain 8 for epoch 1 not found"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_400_that_says_why() {
    let (_server, _, url) = started().await;
    for (path, part) in [
        ("/eth/v1/beacon/headers/latest", "block_id: expected head"),
        ("/eth/v1/beacon/states/0x12/root", "state_id: expected head"),
        ("/eth/v1/beacon/headers?slot=-1", "slot"),
        ("/eth/v1/beacon/states/head/validators?status=sleeping", "status: there is no"),
        ("/eth/v1/beacon/states/head/validators?id=0x12", "id: "),
        ("/eth/v1/events?topics=weather", "topics: there is no topic `weather`"),
        ("/eth/v1/events", "`topics` is needed"),
        ("/atoll/v1/committees/moon/1", "chain: expected `beacon`"),
        ("/atoll/v1/light/update", "after"),
    ] {
        let (status, body) = fetched(&url, path).await;
        assert_eq!((status, &body["code"]), (400, &json!(400)), "{path}");
        let message = body["message"].as_str().expect("a message");
        assert!(message.contains(part), "{path}: {message}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_a_405() {
    let (_server, _, url) = started().await;
    let request = reqwest::Client::new().delete(format!("{url}/atoll/v1/shards"));
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 405);
    assert_eq!(
        response.json::<Value>().await.expect("JSON"),
        json!({ "code": 405, "message": "method DELETE is not allowed here" })
    );
}

#[tokio::test]
async fn lists_in_a_query_may_repeat_or_have_commas() {
    let (_server, _, url) = started().await;
    let key = samples::key(1);
    let path = format!("/eth/v1/beacon/states/head/validators?id=1,2&id={key}&status=active_ongoing");
    let (status, body) = fetched(&url, &path).await;
    assert_eq!((status, &body["message"]), (503, &json!("2 indices, 1 keys, 1 statuses")));
}

#[tokio::test]
async fn a_block_comes_as_json_or_as_ssz() {
    let (_server, _, url) = started().await;
    let (status, body) = fetched(&url, "/eth/v2/beacon/blocks/head").await;
    assert_eq!((status, &body["version"]), (200, &json!("atoll")));
    let request = reqwest::Client::new().get(format!("{url}/eth/v2/beacon/blocks/head"));
    let response = request.header("accept", "application/octet-stream").send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    assert_eq!(response.headers()["eth-consensus-version"], "atoll");
    let bytes = response.bytes().await.expect("a body");
    assert_eq!(<primitives::BeaconBlock as ssz::Decode>::from_ssz_bytes(&bytes), Ok(samples::block()));
}

#[tokio::test]
async fn the_client_reads_what_the_node_says() {
    let (_server, client, _) = started().await;
    assert_eq!(client.version().await.expect("a version"), "atoll/0.1.0");
    assert_eq!(client.syncing().await.expect("a state"), Syncing::new(70, 71));
    assert_eq!(client.genesis().await.expect("a genesis"), Fixed.genesis());
    assert_eq!(client.head().await.expect("a header").root, samples::header().id());
    assert_eq!(client.finality_checkpoints().await.expect("points").finalized, Default::default());
    assert_eq!(client.shards().await.expect("shards"), []);
    let lanes = client.lanes().await.expect("lanes");
    assert_eq!((lanes.len(), lanes[0].received, lanes[0].pending), (1, 3.into(), 2.into()));
    assert_eq!(client.crosslinks(1).await.expect("crosslinks").len(), 1);
    assert_eq!(client.light_bootstrap().await.expect("a start"), samples::bootstrap());
    let committee = client.committee(Chain::Beacon, Epoch::new(1)).await.expect("a committee");
    assert_eq!(committee, samples::committee());
    let view = client.committee_view(Chain::Beacon, Epoch::new(1)).await.expect("a committee");
    assert_eq!(view.root, committee.root());
}

#[tokio::test]
async fn a_follower_gets_the_update_or_that_there_is_none() {
    let (_server, client, _) = started().await;
    let newer = client.light_update(Height::new(69), PATIENCE).await.expect("an answer");
    assert_eq!(newer, Some(samples::update()));
    let none = client.light_update(Height::new(70), Duration::MAX).await.expect("an answer");
    assert_eq!(none, None);
}

#[tokio::test]
async fn what_is_handed_in_reaches_the_node_and_its_refusal_the_sender() {
    let (_server, client, _) = started().await;
    client.submit_crosslink(&samples::offer()).await.expect("taken");
    let bare = CrosslinkOffer { ancestries: Vec::new(), ..samples::offer() };
    let error = client.submit_crosslink(&bare).await.expect_err("refused");
    assert!(error.to_string().ends_with("status 400: another"), "{error}");
    client.submit_evidence(&samples::evidence()).await.expect("taken");
    let harmless = Evidence { second: samples::evidence().first, ..samples::evidence() };
    let error = client.submit_evidence(&harmless).await.expect_err("refused");
    assert!(error.to_string().ends_with("status 400: the votes do not exclude each other"), "{error}");
    client.submit_conflict(&samples::conflict()).await.expect("taken");
    let none = Conflict { second: samples::conflict().first, ..samples::conflict() };
    let error = client.submit_conflict(&none).await.expect_err("refused");
    assert!(error.to_string().ends_with("status 400: the headers may be of one branch"), "{error}");
}

#[tokio::test]
async fn a_body_that_is_not_what_the_route_takes_is_refused() {
    let (_server, _, url) = started().await;
    let post = |media: &'static str, body: Vec<u8>| {
        let request = reqwest::Client::new().post(format!("{url}/atoll/v1/pool/evidence"));
        async move {
            let response = request.header("content-type", media).body(body).send().await.expect("an answer");
            let status = response.status().as_u16();
            let body: Value = response.json().await.expect("JSON");
            assert_eq!(body["code"], status);
            (status, body["message"].as_str().expect("a message").to_owned())
        }
    };
    let (status, message) = post("application/octet-stream", vec![1, 2, 3]).await;
    assert_eq!(status, 400);
    assert!(message.starts_with("the body is not the SSZ expected here"), "{message}");
    let (status, message) = post("application/json", b"{}".to_vec()).await;
    assert_eq!(
        (status, message.as_str()),
        (415, "expected content type application/octet-stream, found application/json")
    );
    let (status, message) = post("application/octet-stream", vec![0; BODY_BYTES_MAX + 1]).await;
    assert_eq!((status, message), (413, format!("the body is larger than {BODY_BYTES_MAX} bytes")));
}

#[tokio::test]
async fn events_of_other_topics_are_left_out() {
    let (_server, _, url) = started().await;
    let response = reqwest::get(format!("{url}/eth/v1/events?topics=head")).await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = timeout(PATIENCE, response.text()).await.expect("the stream ends").expect("text");
    let data = text.strip_prefix("event: head\ndata: ").expect("one event");
    let event: Value = serde_json::from_str(data.trim_end()).expect("JSON");
    assert_eq!(event["slot"], "1");
}

#[tokio::test]
async fn the_openapi_document_lists_routes_that_all_exist() {
    let (_server, _, url) = started().await;
    let (status, document) = fetched(&url, "/openapi.json").await;
    assert_eq!(status, 200);
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 23);
    for path in paths.keys() {
        let filled = path
            .replace("{state_id}", "head")
            .replace("{block_id}", "head")
            .replace("{chain}", "beacon")
            .replace("{epoch}", "1");
        let response = reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, format!("{url}{filled}"))
            .send()
            .await
            .expect("an answer");
        // A route that exists refuses the method; one that does not is not found.
        assert_eq!(response.status().as_u16(), 405, "{path}");
    }
}
