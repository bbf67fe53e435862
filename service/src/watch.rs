//! A value that changes, and tasks that wait until it has.
//!
//! Like tokio's channel of the same name, but whoever waits is woken in the order in which it began to, where tokio's
//! order is random: so a simulation with the same seed runs the same way.

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// A look at the value. It must not be kept while waiting for something.
pub type Ref<'a, T> = MappedMutexGuard<'a, T>;

/// Nobody will change the value any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("whoever changed the value is gone")]
pub struct Closed;

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Told of every change, first come, first served.
    changed: Notify,
    receivers: AtomicUsize,
}

struct State<T> {
    value: T,
    /// How many times the value has changed.
    changes: u64,
    is_closed: bool,
}

/// Changes the value. The last look that anybody had stays possible when it is gone.
pub struct Sender<T>(Arc<Shared<T>>);

/// Looks at the value; clones wait each for themselves.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The change that was seen last.
    seen: u64,
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

/// A value, the one who changes it, and one who looks.
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> Shared<T> {
    fn look(&self) -> Ref<'_, T> {
        MutexGuard::map(self.state.lock(), |state| &mut state.value)
    }
}

impl<T> Sender<T> {
    /// A value at which nobody looks yet.
    pub fn new(value: T) -> Self {
        let state = Mutex::new(State { value, changes: 0, is_closed: false });
        Self(Arc::new(Shared { state, changed: Notify::new(), receivers: AtomicUsize::new(0) }))
    }

    /// One more who looks; the value as it is now counts as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        self.0.receivers.fetch_add(1, Ordering::Relaxed);
        let seen = self.0.state.lock().changes;
        Receiver { shared: Arc::clone(&self.0), seen }
    }

    /// The value.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.0.look()
    }

    /// Changes the value in its place.
    pub fn send_modify(&self, change: impl FnOnce(&mut T)) {
        {
            let mut state = self.0.state.lock();
            change(&mut state.value);
            state.changes = state.changes.wrapping_add(1);
        }
        self.0.changed.notify_waiters();
    }

    /// Sets the value; answers the one before.
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|current| std::mem::swap(current, &mut value));
        value
    }

    /// Whether nobody looks any more.
    pub fn is_closed(&self) -> bool {
        self.0.receivers.load(Ordering::Relaxed) == 0
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.state.lock().is_closed = true;
        self.0.changed.notify_waiters();
    }
}

impl<T> Receiver<T> {
    /// The value.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.look()
    }

    /// The value, which counts as seen.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let state = self.shared.state.lock();
        self.seen = state.changes;
        MutexGuard::map(state, |state| &mut state.value)
    }

    /// The value as it is now counts as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.state.lock().changes;
    }

    /// Waits until the value has changed since it was seen last, which it counts as then.
    pub async fn changed(&mut self) -> Result<(), Closed> {
        loop {
            // Made before the look, so that no change falls between the two.
            let changed = self.shared.changed.notified();
            {
                let state = self.shared.state.lock();
                if state.changes != self.seen {
                    self.seen = state.changes;
                    return Ok(());
                }
                if state.is_closed {
                    return Err(Closed);
                }
            }
            changed.await;
        }
    }

    /// Waits until the value is such as is wanted.
    pub async fn wait_for(&mut self, mut is_wanted: impl FnMut(&T) -> bool) -> Result<T, Closed>
    where
        T: Clone,
    {
        loop {
            {
                let value = self.borrow_and_update();
                if is_wanted(&value) {
                    return Ok(value.clone());
                }
            }
            self.changed().await?;
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.receivers.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&self.shared), seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receivers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
    }

    /// Many who wait are woken in the order in which they began to.
    #[test]
    fn waiters_are_woken_in_order() {
        let (sender, receiver) = channel(0);
        let (woken, order) = mpsc::channel();
        runtime().block_on(async {
            let mut waiters = Vec::new();
            for number in 0..100 {
                let (mut receiver, woken) = (receiver.clone(), woken.clone());
                waiters.push(tokio::spawn(async move {
                    receiver.changed().await.expect("it changes");
                    woken.send(number).expect("the test waits");
                }));
                tokio::task::yield_now().await;
            }
            sender.send_replace(1);
            for waiter in waiters {
                waiter.await.expect("it does not panic");
            }
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    /// A change that nobody waited for is not missed, and is told once.
    #[test]
    fn a_change_is_told_once_to_each() {
        let (sender, mut first) = channel(1);
        let mut second = first.clone();
        assert_eq!(sender.send_replace(2), 1);
        runtime().block_on(async {
            assert_eq!(first.changed().await, Ok(()));
            assert_eq!(*first.borrow(), 2);
            assert_eq!(second.wait_for(|value| *value == 2).await, Ok(2));
            drop(sender);
            assert_eq!(first.changed().await, Err(Closed));
            assert_eq!(second.wait_for(|value| *value == 3).await, Err(Closed));
        });
    }

    /// Who changes the value knows whether anybody looks.
    #[test]
    fn a_sender_knows_whether_anybody_looks() {
        let (sender, receiver) = channel(());
        let other = receiver.clone();
        drop(receiver);
        assert!(!sender.is_closed());
        drop(other);
        assert!(sender.is_closed());
        assert!(!sender.subscribe().shared.state.lock().is_closed);
    }
}
