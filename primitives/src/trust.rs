//! How far a value may be trusted, said by its type.

/// A value from outside that nobody has looked at: from a peer, an RPC caller, a file.
///
/// The only way on is a check that takes it apart and returns something better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    /// Marks a value as coming from outside.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Hands the value to the check that will judge it.
    pub fn into_unverified(self) -> T {
        self.0
    }

    /// Looks at the value without judging it (to route it, to log it).
    pub const fn as_unverified(&self) -> &T {
        &self.0
    }
}

/// A value that passed its stateless check; what was checked is said where it is made.
///
/// Build it at the end of a `verify` function and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// States that the caller has just verified `value`.
    pub const fn assert(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
