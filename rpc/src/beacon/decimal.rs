//! Integers as the Beacon API writes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

/// An unsigned integer; on the wire a string of decimal digits, since JSON's numbers lose the upper bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub u64);

impl From<u64> for Decimal {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(value) if digits => Ok(Self(value)),
            _ => Err(de::Error::invalid_value(de::Unexpected::Str(&text), &"decimal digits below 2^64")),
        }
    }
}

impl PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9]{1,20}$"))
            .examples([serde_json::json!("1")]);
        RefOr::T(Schema::Object(object.build()))
    }
}

impl ToSchema for Decimal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_integer_survives_as_a_string() {
        let text = serde_json::to_string(&Decimal(u64::MAX)).expect("a string");
        assert_eq!(text, "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<Decimal>(&text).expect("as written"), Decimal(u64::MAX));
    }

    #[test]
    fn a_number_a_sign_and_too_many_digits_are_refused() {
        for text in ["1", "\"+1\"", "\"\"", "\"0x1\"", "\"18446744073709551616\""] {
            assert!(serde_json::from_str::<Decimal>(text).is_err(), "{text}");
        }
    }
}
