//! What a server serves, by name: calls, and beside them subscriptions, which only a WebSocket can have.
//!
//! What holds: a call has one handler, however it comes. A plain call over HTTP finds it here; the server's library,
//! which has the WebSockets and whatever is no plain call, has the same one in its own table.

mod page;

use crate::{RpcError, argument::Arguments, error::RpcResult};
use futures::{FutureExt as _, future::BoxFuture};
use jsonrpsee::{RpcModule, types::ErrorObjectOwned};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{collections::HashMap, fmt, future::Future, sync::Arc};

pub(crate) use page::Page;

/// Answers a call: takes its parameters as they stand in the request, and writes the result below what the page holds.
pub(crate) type Handler =
    Arc<dyn Fn(Option<&str>, Page) -> BoxFuture<'static, RpcResult<Page>> + Send + Sync>;

/// Every method of a server. Cheap to clone.
#[derive(Clone)]
pub struct Methods {
    calls: Arc<HashMap<&'static str, Handler>>,
    library: jsonrpsee::server::Methods,
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Methods {
    /// All names there are, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.library.method_names()
    }

    /// The whole answer to a request, without a server.
    pub async fn ask(&self, request: &str) -> Result<Box<RawValue>, serde_json::Error> {
        Ok(self.library.raw_json_request(request, 1).await?.0)
    }

    pub(crate) fn handler(&self, name: &str) -> Option<&Handler> {
        self.calls.get(name)
    }

    pub(crate) fn library(&self) -> jsonrpsee::server::Methods {
        self.library.clone()
    }

    /// These and those, of two that have one name this one.
    pub(crate) fn before(self, below: Self) -> Self {
        let mut calls = (*below.calls).clone();
        calls.extend(self.calls.iter().map(|(name, handler)| (*name, Arc::clone(handler))));
        let mut library = RpcModule::new(());
        library.merge(below.library).expect("nothing was there before");
        for name in self.names() {
            library.remove_method(name);
        }
        library.merge(self.library).expect("what both have was removed from one");
        Self { calls: Arc::new(calls), library: library.into() }
    }
}

/// Methods that are being gathered, all answered by one `api`.
pub(crate) struct Gathering<A> {
    api: Arc<A>,
    calls: HashMap<&'static str, Handler>,
    library: RpcModule<A>,
}

impl<A: Send + Sync + 'static> Gathering<A> {
    pub(crate) fn new(api: Arc<A>) -> Self {
        Self { calls: HashMap::new(), library: RpcModule::from_arc(Arc::clone(&api)), api }
    }

    pub(crate) fn finish(self) -> Methods {
        Methods { calls: Arc::new(self.calls), library: self.library.into() }
    }

    /// Where subscriptions are added.
    pub(crate) fn subscriptions(&mut self) -> &mut RpcModule<A> {
        &mut self.library
    }

    /// Adds a call: `read` takes the arguments apart, `call` answers.
    pub(crate) fn add<Read, Args, Call, Answer, Out>(&mut self, name: &'static str, read: Read, call: Call)
    where
        Read: Fn(&mut Arguments<'_>) -> RpcResult<Args> + Send + Sync + 'static,
        Args: Send,
        Call: Fn(Arc<A>, Args) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = RpcResult<Out>> + Send + 'static,
        Out: Serialize,
    {
        let api = Arc::clone(&self.api);
        self.insert(
            name,
            Arc::new(move |params, page| {
                let arguments = Arguments::new(params).and_then(|mut arguments| {
                    let read = read(&mut arguments)?;
                    arguments.finish()?;
                    Ok(read)
                });
                match arguments {
                    Ok(arguments) => {
                        let answer = call(Arc::clone(&api), arguments);
                        async move { page.write(&answer.await?) }.boxed()
                    }
                    Err(error) => std::future::ready(Err(error)).boxed(),
                }
            }),
        );
    }

    fn insert(&mut self, name: &'static str, handler: Handler) {
        self.calls.insert(name, Arc::clone(&handler));
        self.library
            .register_async_method(name, move |params, _, _| {
                // The library limits the answer itself.
                let answer = handler(params.as_str(), Page::new(usize::MAX));
                async move { answer.await.and_then(raw).map_err(ErrorObjectOwned::from) }
            })
            .expect("each name is added once: a second one fails every test that builds a server");
    }
}

fn raw(page: Page) -> RpcResult<Box<RawValue>> {
    serde_json::from_slice(&page.finish()).map_err(|error| RpcError::Internal(error.to_string()))
}
