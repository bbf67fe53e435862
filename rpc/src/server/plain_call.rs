//! A call as nearly every client writes it, read where it lies.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Digits of a number that surely has 64 bits.
const DIGITS_MAX: usize = 19;

/// A call with an id that can be repeated as it stands, and a name without escapes. What else may be a call, the
/// server's library knows.
#[derive(Debug, Deserialize)]
pub(super) struct PlainCall<'a> {
    #[serde(rename = "jsonrpc", deserialize_with = "version")]
    _version: (),
    #[serde(borrow, deserialize_with = "id")]
    pub(super) id: &'a str,
    method: &'a str,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

impl<'a> PlainCall<'a> {
    pub(super) fn method(&self) -> &'a str {
        self.method
    }

    /// The parameters as they stand.
    pub(super) fn params(&self) -> Option<&'a str> {
        self.params.map(RawValue::get)
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match <&str>::deserialize(deserializer)? {
        "2.0" => Ok(()),
        _ => Err(serde::de::Error::custom("another version")),
    }
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de str, D::Error> {
    let text = <&RawValue>::deserialize(deserializer)?.get();
    let is_number = || text.len() <= DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_string = || text.starts_with('"') && !text.contains('\\');
    match is_number() || is_string() || text == "null" {
        true => Ok(text),
        false => Err(serde::de::Error::custom("an id that needs a closer look")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(text: &str) -> Option<String> {
        let request = format!(r#"{{"jsonrpc":"2.0","id":{text},"method":"eth_chainId"}}"#);
        serde_json::from_str::<PlainCall<'_>>(&request).ok().map(|call| call.id.to_owned())
    }

    #[test]
    fn an_id_that_can_be_repeated_is_repeated() {
        for id in ["0", "7", "9999999999999999999", "null", "\"\"", "\"a-1\"", "\"é\""] {
            assert_eq!(id_of(id).as_deref(), Some(id));
        }
    }

    #[test]
    fn what_is_no_usual_call_is_left_to_others() {
        for id in ["-1", "1.5", "1e3", "18446744073709551616", "true", "{}", "[1]", r#""\u0041""#] {
            assert_eq!(id_of(id), None, "{id}");
        }
        for request in [
            r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#,
            r#"{"id":1,"method":"eth_chainId"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_\u0063hainId"}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"eth_chainId"}"#,
        ] {
            assert!(serde_json::from_str::<PlainCall<'_>>(request).is_err(), "{request}");
        }
    }
}
