//! Ports: found taken before a node joins its network, with the flag that moves what wants them.

use std::io;
use std::net::{SocketAddr, TcpListener};

/// Why nothing can listen there.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another process has it.
    #[error(
        "port {} of {} is taken by another process: stop it, or move {what} with {flag} HOST:PORT",
        address.port(),
        address.ip()
    )]
    Taken {
        /// The address.
        address: SocketAddr,
        /// Who wants it.
        what: &'static str,
        /// What moves it.
        flag: &'static str,
    },
    /// The system does not let us.
    #[error("cannot listen on {address} for {what}: {source}; choose another address with {flag}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Who wants it.
        what: &'static str,
        /// What moves it.
        flag: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

/// Finds out whether `what` can listen on `address`, and leaves it; `flag` is what moves it.
pub fn free(address: SocketAddr, what: &'static str, flag: &'static str) -> Result<(), PortError> {
    TcpListener::bind(address).map(drop).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => PortError::Taken { address, what, flag },
        _ => PortError::Refused { address, what, flag, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A taken port names the flag that moves it.
    #[test]
    fn taken_port_names_its_flag() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("bound");
        let error = free(address, "consensus", "--listen").expect_err("it is taken");
        let expected = format!(
            "port {} of 127.0.0.1 is taken by another process: stop it, or move consensus with --listen HOST:PORT",
            address.port()
        );
        assert_eq!(error.to_string(), expected);
        drop(taken);
        free(address, "consensus", "--listen").expect("it is free again");
    }
}
