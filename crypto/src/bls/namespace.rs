//! Messages under a namespace, so that no signature is valid for two purposes.

/// `message` under `namespace`: LEB128 length of the namespace ‖ namespace ‖ message.
///
/// No two pairs give the same bytes. It is what the consensus engine calls `union_unique`, for which
/// a namespace is shorter than 4 GiB.
pub fn namespaced(namespace: &[u8], message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(10 + namespace.len() + message.len());
    let mut length = namespace.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(namespace);
    bytes.extend_from_slice(message);
    bytes
}
