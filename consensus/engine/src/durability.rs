//! A runtime whose storage keeps its promises only as far as is wanted, under names of its own.
//!
//! Under [`Durability::Process`] every write still reaches the operating system before it is acknowledged,
//! in the same order; only the wait for the disk is left out.

use crate::Durability;
use commonware_runtime::{
    Blob, BlobVersion, Clock, Error, Handle, IoBufs, IoBufsMut, Metrics, Name, ReadOptions, Spawner, Storage,
    Supervisor, WriteOptions, signal,
    telemetry::metrics::{Metric, Registered},
};
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use std::{
    convert::Infallible,
    fmt::Display,
    future::Future,
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// What the engine needs of a runtime.
pub(crate) trait Runtime: Clock + CryptoRng + Spawner + Storage + Metrics {}

impl<E: Clock + CryptoRng + Spawner + Storage + Metrics> Runtime for E {}

/// A runtime with its storage as described above.
pub(crate) struct Disk<E> {
    inner: E,
    durability: Durability,
    /// Precedes the name of every partition.
    prefix: Arc<str>,
}

impl<E> Disk<E> {
    pub(crate) fn new(inner: E, durability: Durability, prefix: &str) -> Self {
        Self { inner, durability, prefix: prefix.into() }
    }

    fn like(&self, inner: E) -> Self {
        Self { inner, durability: self.durability, prefix: self.prefix.clone() }
    }

    fn name_of(&self, partition: &str) -> String {
        format!("{}{partition}", self.prefix)
    }
}

impl<E: Storage> Storage for Disk<E> {
    type Blob = DiskBlob<E::Blob>;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Self::Blob, u64, BlobVersion), Error> {
        let (inner, len, version) =
            self.inner.open_versioned(&self.name_of(partition), name, versions).await?;
        Ok((DiskBlob { inner, durability: self.durability }, len, version))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.inner.remove(&self.name_of(partition), name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.inner.scan(&self.name_of(partition)).await
    }
}

/// A blob of [`Disk`].
pub(crate) struct DiskBlob<B> {
    inner: B,
    durability: Durability,
}

impl<B: Blob> Blob for DiskBlob<B> {
    fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> impl Future<Output = Result<IoBufsMut, Error>> + Send {
        self.inner.read_at_buf(offset, len, bufs, options)
    }

    fn read_at(
        &self,
        offset: u64,
        len: usize,
        options: ReadOptions,
    ) -> impl Future<Output = Result<IoBufsMut, Error>> + Send {
        self.inner.read_at(offset, len, options)
    }

    fn write_at(
        &self,
        offset: u64,
        bufs: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let options = match self.durability {
            Durability::Power => options,
            Durability::Process => options.without(WriteOptions::SYNC),
        };
        self.inner.write_at(offset, bufs, options)
    }

    fn resize(&self, len: u64) -> impl Future<Output = Result<(), Error>> + Send {
        self.inner.resize(len)
    }

    async fn sync(&self) -> Result<(), Error> {
        match self.durability {
            Durability::Power => self.inner.sync().await,
            Durability::Process => Ok(()),
        }
    }

    async fn start_sync(&self) -> Handle<()> {
        match self.durability {
            Durability::Power => self.inner.start_sync().await,
            Durability::Process => Handle::ready(Ok(())),
        }
    }
}

impl<E: Supervisor> Supervisor for Disk<E> {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.like(self.inner.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl Display) -> Self {
        let Self { inner, durability, prefix } = self;
        Self { inner: inner.with_attribute(key, value), durability, prefix }
    }
}

impl<E: Spawner> Spawner for Disk<E> {
    fn shared(self, blocking: bool) -> Self {
        let Self { inner, durability, prefix } = self;
        Self { inner: inner.shared(blocking), durability, prefix }
    }

    fn dedicated(self) -> Self {
        let Self { inner, durability, prefix } = self;
        Self { inner: inner.dedicated(), durability, prefix }
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let Self { inner, durability, prefix } = self;
        inner.spawn(move |inner| f(Self { inner, durability, prefix }))
    }

    fn stop(self, value: i32, timeout: Option<Duration>) -> impl Future<Output = Result<(), Error>> + Send {
        self.inner.stop(value, timeout)
    }

    fn stopped(&self) -> signal::Signal {
        self.inner.stopped()
    }
}

impl<E: Metrics> Metrics for Disk<E> {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl<E: Clock> governor::clock::Clock for Disk<E> {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.inner.current()
    }
}

impl<E: Clock> governor::clock::ReasonablyRealtime for Disk<E> {}

impl<E: Clock> Clock for Disk<E> {
    fn current(&self) -> SystemTime {
        self.inner.current()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<E> {
        self.inner.sleep(duration)
    }

    fn sleep_until(&self, deadline: SystemTime) -> impl Future<Output = ()> + Send + 'static + use<E> {
        self.inner.sleep_until(deadline)
    }
}

impl<E: CryptoRng> TryRng for Disk<E> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.inner.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.inner.next_u64())
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Infallible> {
        self.inner.fill_bytes(dest);
        Ok(())
    }
}

impl<E: CryptoRng> TryCryptoRng for Disk<E> {}
