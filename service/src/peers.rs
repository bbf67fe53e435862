//! The other nodes, as an operator writes them: `KEY@HOST:PORT`.

use primitives::NodeKey;
use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs as _};

/// Longest part of a peer that an error repeats, characters.
const FOUND_CHARS_MAX: usize = 200;

/// A peer that cannot be reached as written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Not of the form.
    #[error("peer `{found}`: expected KEY@HOST:PORT, KEY being the node's 32-byte key in hexadecimal")]
    Syntax {
        /// As configured.
        found: String,
    },
    /// No such host.
    #[error("peer `{found}`: the host has no address")]
    NoAddress {
        /// As configured.
        found: String,
    },
    /// One key at two places.
    #[error("peer `{found}` is listed twice")]
    Twice {
        /// As configured.
        found: String,
    },
}

/// Reads peers and looks up their addresses.
pub fn peers(texts: &[String]) -> Result<BTreeMap<NodeKey, SocketAddr>, PeerError> {
    let mut peers = BTreeMap::new();
    for text in texts {
        let found = || text.chars().take(FOUND_CHARS_MAX).collect::<String>();
        let (key, place) = text.split_once('@').ok_or_else(|| PeerError::Syntax { found: found() })?;
        let key: NodeKey = key.parse().map_err(|_| PeerError::Syntax { found: found() })?;
        if !place.contains(':') {
            return Err(PeerError::Syntax { found: found() });
        }
        let mut addresses = place.to_socket_addrs().map_err(|_| PeerError::NoAddress { found: found() })?;
        let address = addresses.next().ok_or_else(|| PeerError::NoAddress { found: found() })?;
        if peers.insert(key, address).is_some() {
            return Err(PeerError::Twice { found: found() });
        }
    }
    Ok(peers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

    /// A peer is a key and a place; anything else is refused and named.
    #[test]
    fn peers_are_keys_at_places() {
        let read = |text: &str| peers(&[text.to_owned()]);
        let found = read(&format!("{KEY}@127.0.0.1:9001")).expect("a peer");
        assert_eq!(
            found,
            BTreeMap::from([(NodeKey::repeat_byte(1), SocketAddr::from(([127, 0, 0, 1], 9001)))])
        );
        for text in ["127.0.0.1:9001", "0x01@127.0.0.1:9001", &format!("{KEY}@127.0.0.1")] {
            assert_eq!(read(text), Err(PeerError::Syntax { found: text.into() }));
        }
        let twice = format!("{KEY}@127.0.0.1:9001");
        assert_eq!(peers(&[twice.clone(), twice.clone()]), Err(PeerError::Twice { found: twice }));
    }
}
