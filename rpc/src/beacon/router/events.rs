//! `/eth/v1/events`: what happens, as it happens, over server-sent events.

use super::extract::Pairs;
use crate::beacon::{ApiError, BeaconApi, ErrorView, Event, Topic};
use axum::{
    extract::State,
    response::{
        Sse,
        sse::{self, KeepAlive},
    },
};
use futures::{Stream, StreamExt as _};
use std::{convert::Infallible, future::ready};

/// Events of the topics asked for, from now on, each with its topic as the event's name.
///
/// The stream ends where the client reads so slowly that an event would be skipped.
#[utoipa::path(get, path = "/eth/v1/events", tag = "events",
    params(("topics" = Vec<String>, Query, description = "head, block, finalized_checkpoint, crosslink, early_end, slashing; repeated or with commas")),
    responses((status = 200, body = Event, content_type = "text/event-stream"), (status = 400, body = ErrorView)))]
pub(super) async fn events<A: BeaconApi>(
    State(api): State<A>,
    pairs: Pairs,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, ApiError> {
    let topics = pairs.list::<Topic>("topics")?;
    if topics.is_empty() {
        let known = Topic::ALL.map(Topic::name).join(", ");
        return Err(ApiError::BadRequest(format!("`topics` is needed; there are: {known}")));
    }
    let stream = api
        .events()
        .filter(move |event| ready(topics.contains(&event.topic())))
        .filter_map(|event| ready(encode(&event).map(Ok)));
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

fn encode(event: &Event) -> Option<sse::Event> {
    match sse::Event::default().event(event.topic().name()).json_data(event) {
        Ok(encoded) => Some(encoded),
        Err(error) => {
            tracing::error!(%error, topic = %event.topic(), "an event cannot be written as JSON");
            None
        }
    }
}
