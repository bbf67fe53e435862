//! Positional arguments of a call, read in order with geth's words for what is wrong with them.

use crate::RpcError;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Longest part of a decoder's complaint that is repeated to the caller, bytes.
const DETAIL_BYTES_MAX: usize = 256;

/// The arguments of one call that are not read yet.
#[derive(Debug)]
pub struct Arguments<'a> {
    values: Vec<&'a RawValue>,
    next: usize,
}

impl<'a> Arguments<'a> {
    /// Splits the parameters of a call; none at all is an empty list.
    pub fn new(params: Option<&'a str>) -> Result<Self, RpcError> {
        let values = match params {
            None | Some("" | "null") => Vec::new(),
            Some(text) if text.starts_with('[') => {
                serde_json::from_str(text).map_err(|_| RpcError::NotAnArray)?
            }
            Some(_) => return Err(RpcError::NotAnArray),
        };
        Ok(Self { values, next: 0 })
    }

    /// Whether the next argument is an object.
    pub fn is_object(&self) -> bool {
        self.values.get(self.next).is_some_and(|raw| raw.get().starts_with('{'))
    }

    /// Passes over the next argument if it is missing; whether it was.
    pub fn pass_missing(&mut self) -> bool {
        let is_missing = self.values.get(self.next).is_none_or(|raw| raw.get() == "null");
        self.next += usize::from(is_missing);
        is_missing
    }

    /// The next argument; `null` counts as missing.
    pub fn required<T: DeserializeOwned>(&mut self) -> Result<T, RpcError> {
        let index = self.next;
        self.optional()?.ok_or(RpcError::MissingArgument { index })
    }

    /// The next argument, if there is one that is not `null`.
    pub fn optional<T: DeserializeOwned>(&mut self) -> Result<Option<T>, RpcError> {
        if self.pass_missing() {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        let Some(raw) = self.values.get(index) else { return Ok(None) };
        serde_json::from_str(raw.get())
            .map(Some)
            .map_err(|error| RpcError::InvalidArgument { index, detail: shortened(error.to_string()) })
    }

    /// Refuses arguments beyond those that were read.
    pub fn finish(self) -> Result<(), RpcError> {
        if self.values.len() > self.next {
            return Err(RpcError::TooManyArguments { max: self.next });
        }
        Ok(())
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > DETAIL_BYTES_MAX {
        let end = (0..=DETAIL_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;

    fn with<T>(text: &str, read: impl FnOnce(Arguments<'_>) -> T) -> T {
        read(Arguments::new(Some(text)).expect("an array"))
    }

    #[test]
    fn arguments_are_read_in_order_and_missing_optional_ones_are_none() {
        with("[1, null]", |mut arguments| {
            assert_eq!(arguments.required::<u64>(), Ok(1));
            assert_eq!(arguments.optional::<u64>(), Ok(None));
            assert_eq!(arguments.optional::<u64>(), Ok(None));
            assert_eq!(arguments.finish(), Ok(()));
        });
    }

    #[test]
    fn an_argument_of_the_wrong_type_is_named_by_its_index() {
        let error = with(r#"[1, "0x12"]"#, |mut arguments| {
            arguments.required::<u64>().expect("a number");
            arguments.required::<Address>().expect_err("too short for an address")
        });
        assert!(error.to_string().starts_with("invalid argument 1: "), "{error}");
    }

    #[test]
    fn null_is_no_value_for_a_required_argument() {
        let error = with("[null]", |mut arguments| arguments.required::<u64>());
        assert_eq!(error, Err(RpcError::MissingArgument { index: 0 }));
    }

    #[test]
    fn more_arguments_than_were_read_are_refused() {
        let error = with("[1, 2]", |mut arguments| {
            arguments.required::<u64>().expect("a number");
            arguments.finish()
        });
        assert_eq!(error, Err(RpcError::TooManyArguments { max: 1 }));
    }

    #[test]
    fn arguments_by_name_are_refused() {
        assert_eq!(Arguments::new(Some(r#"{"address": 1}"#)).err(), Some(RpcError::NotAnArray));
    }

    #[test]
    fn a_long_complaint_is_shortened_between_two_characters() {
        let text = shortened("é".repeat(1_000));
        assert!(text.len() <= DETAIL_BYTES_MAX + '…'.len_utf8());
        assert!(text.ends_with('…'));
    }
}
