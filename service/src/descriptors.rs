//! How many files and connections the process may have open at once: as many as the system lets it have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks the system for all that it gives. A shell gives 1,024 at first, and the clients of one shard may be more.
pub fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, ?current, ?maximum, "the limit of open files stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_the_system_gives_is_taken() {
        raise_limit();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
    }
}
